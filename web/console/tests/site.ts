/** The built console over a synthetic survey, served as the server serves it: one origin, a strict policy. */

import { readFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { FixtureServer } from '../fixtures/server.ts';
import { SyntheticSurvey } from '../fixtures/survey.ts';

/** The content security policy that the server sends with the console. */
export const POLICY = "default-src 'self'";

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

/** A running site. */
export interface Site {
  origin: string;
  survey: SyntheticSurvey;
  server: FixtureServer;
  close(): Promise<void>;
}

// Tests run in the package's folder.
const REFERENCE = '../../server/reference';

/** Serves the build in `dist` on a free port of this machine. */
export async function startSite(): Promise<Site> {
  const survey = new SyntheticSurvey(REFERENCE, Date.now());
  const server = new FixtureServer(survey);
  const http = createServer((request, response) => {
    if (!server.answer(request, response)) void sendFile(request.url ?? '/', response);
  });
  await new Promise<void>((ready) => http.listen(0, '127.0.0.1', ready));
  const address = http.address();
  if (address === null || typeof address === 'string') throw new Error('the site has no port');
  return {
    origin: `http://127.0.0.1:${address.port}`,
    survey,
    server,
    close: () => {
      http.closeAllConnections();
      return new Promise((closed) => http.close(() => closed()));
    },
  };
}

async function sendFile(address: string, response: ServerResponse): Promise<void> {
  const { pathname } = new URL(address, 'http://localhost');
  const path = join('dist', normalize(pathname === '/' ? '/index.html' : pathname));
  try {
    const content = await readFile(path);
    const type = TYPES[extname(path)] ?? 'application/octet-stream';
    response.writeHead(200, { 'content-type': type, 'content-security-policy': POLICY });
    response.end(content);
  } catch {
    response.writeHead(404).end();
  }
}
