/** The tests' page below `/phone/` of a server that serves it as ours does, and an interface that tests fill in. */

import { createHash } from 'node:crypto';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { extname, join, resolve } from 'node:path';
import { build } from 'vite';
import { compression } from '../../compression.ts';
import { precaching } from '../build/precaching.ts';

/** The content security policy that the server sends with the app. */
const POLICY =
  "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; img-src 'self' blob:; media-src 'self' blob:; worker-src 'self'; " +
  "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
};

/** Where the page's build goes, seen from the package. */
const BUILD = 'node_modules/.tests-page';

/** Answers a request to `/api/`. */
export type Interface = (request: IncomingMessage, body: string, response: ServerResponse) => void;

/** A running site. */
export interface Site {
  /** Where the page is. */
  address: string;
  origin: string;
  /** What answers requests to the interface. */
  answer: Interface;
  /** What stands in the place of a file, by its path. */
  instead: Map<string, string>;
  close(): Promise<void>;
}

/**
 * Makes another version of the app that was built: its page differs, and says so. That is quicker than to build it anew.
 * Returns the folder.
 */
export async function otherVersion(version: string): Promise<string> {
  const folder = resolve(BUILD, `app-${version}`);
  await rm(folder, { recursive: true, force: true });
  await cp(resolve('dist'), folder, { recursive: true });
  const [page, worker] = [join(folder, 'index.html'), join(folder, 'service-worker.js')];
  const before = await readFile(page, 'utf8');
  const after = before.replace('</head>', `<meta name="version" content="${version}" /></head>`);
  await writeFile(page, after);
  const source = (await readFile(worker, 'utf8'))
    .replaceAll(hashOf(before), hashOf(after))
    .replace(/(["'`])[0-9a-f]{16}\1/, JSON.stringify(hashOf(after).slice(0, 16)));
  await writeFile(worker, source);
  return folder;
}

function hashOf(content: string): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Builds the page as the app is built; `version` makes it differ. Returns the folder. */
export async function buildPage(version: string): Promise<string> {
  const folder = resolve(BUILD, version);
  await build({
    configFile: false,
    root: resolve('tests/page'),
    base: './',
    publicDir: resolve('public'),
    logLevel: 'warn',
    plugins: [
      {
        name: 'version',
        transformIndexHtml: (html) => html.replace('<title>Worker', `<title>Worker ${version}`),
      },
      compression(),
      precaching(resolve('src/service-worker/service-worker.ts')),
    ],
    worker: { format: 'es' },
    build: { target: 'es2022', assetsInlineLimit: 0, outDir: folder, emptyOutDir: true },
  });
  return folder;
}

/** Serves a folder, which `folder` tells anew for each request, on a free port of this machine. */
export async function startSite(folder: () => string): Promise<Site> {
  const http = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    if (pathname.startsWith('/api/')) {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => site.answer(request, Buffer.concat(chunks).toString(), response));
      return;
    }
    const path = pathname.replace(/^\/phone\//, '') || 'index.html';
    void sendFile(join(folder(), path), site.instead.get(path), response);
  });
  await new Promise<void>((ready) => http.listen(0, '127.0.0.1', ready));
  const address = http.address();
  if (address === null || typeof address === 'string') throw new Error('the site has no port');
  const origin = `http://127.0.0.1:${address.port}`;
  const site: Site = {
    origin,
    address: `${origin}/phone/`,
    answer: (_request, _body, response) => response.writeHead(404).end(),
    instead: new Map(),
    close: () => {
      http.closeAllConnections();
      return new Promise((closed) => http.close(() => closed()));
    },
  };
  return site;
}

/** Answers with a file as our server does, or with other content in its place. */
export async function sendFile(
  path: string,
  instead: string | undefined,
  response: ServerResponse,
): Promise<void> {
  try {
    const content = instead ?? (await readFile(path));
    const type = TYPES[extname(path)] ?? 'application/octet-stream';
    response.writeHead(200, {
      'content-type': type,
      'content-security-policy': POLICY,
      'cache-control': 'no-cache',
    });
    response.end(content);
  } catch {
    response.writeHead(404).end();
  }
}
