/**
 * Keeps the app on the phone. Everything that the build wrote is stored before a version is used, each file compared with
 * its hash: a captive portal that answers in the server's place must not end up as the app.
 */

import {
  SYNC_TAG,
  type Installation,
  type Notice,
  type Precached,
  type Question,
} from './precache.ts';

/** The files of this build, and what tells it from others; the build fills both in. */
declare const PRECACHED: readonly Precached[];
declare const VERSION: string;

/** What Background Sync hands over; it is not part of TypeScript's library. */
interface SyncEvent extends ExtendableEvent {
  readonly tag: string;
}

const worker = self as unknown as ServiceWorkerGlobalScope;

const CACHES = 'khaosat-phone-';
const CACHE = CACHES + VERSION;
const PAGE = 'index.html';
/** So that a phone's first visit does not wait for one file after the other, nor a slow line carry all at once. */
const AT_ONCE = 4;

const paths = new Set(PRECACHED.map((file) => file.path));

worker.addEventListener('install', (event) => event.waitUntil(install()));
worker.addEventListener('activate', (event) => event.waitUntil(activate()));

worker.addEventListener('fetch', (event) => {
  const path = pathOf(event.request);
  if (path !== null) event.respondWith(answer(event.request, path));
});

worker.addEventListener('message', (event) => {
  const question = event.data as Question;
  if (question.kind === 'activate') event.waitUntil(worker.skipWaiting());
  else event.waitUntil(tellInstallation(event.ports[0]));
});

// Without the PIN nothing can be sent from here: open pages send.
worker.addEventListener('sync', (event) => {
  const { tag, waitUntil } = event as SyncEvent;
  if (tag === SYNC_TAG) waitUntil.call(event, notify('wake'));
});

function addressOf(path: string): string {
  return new URL(path, worker.registration.scope).href;
}

/** The file that answers a request, or null where the request is none of this worker's business. */
function pathOf(request: Request): string | null {
  if (request.method !== 'GET') return null;
  const { origin, pathname } = new URL(request.url);
  const scope = new URL(worker.registration.scope);
  if (origin !== scope.origin || !pathname.startsWith(scope.pathname)) return null;
  const path = pathname.slice(scope.pathname.length);
  if (paths.has(path)) return path;
  return request.mode === 'navigate' ? PAGE : null;
}

async function answer(request: Request, path: string): Promise<Response> {
  const cache = await caches.open(CACHE);
  return (await cache.match(addressOf(path))) ?? fetch(request);
}

async function install(): Promise<void> {
  const cache = await caches.open(CACHE);
  const known = await earlierCaches();
  const waiting = [...PRECACHED];
  const work = async (): Promise<void> => {
    for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
      await store(cache, known, file);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/** Stores a file: what an attempt before or an earlier version has of it is not fetched again. */
async function store(cache: Cache, known: Cache[], file: Precached): Promise<void> {
  const address = addressOf(file.path);
  for (const candidate of [cache, ...known]) {
    const response = await candidate.match(address);
    if (response !== undefined && (await hashOf(response.clone())) === file.sha256) {
      if (candidate !== cache) await cache.put(address, response);
      return;
    }
  }
  const response = await fetch(address, { cache: 'no-cache', redirect: 'error' });
  if (!response.ok || (await hashOf(response.clone())) !== file.sha256) {
    throw new Error(`${file.path} is not the file of this version`);
  }
  await cache.put(address, response);
}

async function hashOf(response: Response): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', await response.arrayBuffer());
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

async function earlierCaches(): Promise<Cache[]> {
  const names = (await caches.keys()).filter((name) => name.startsWith(CACHES) && name !== CACHE);
  return Promise.all(names.map((name) => caches.open(name)));
}

async function activate(): Promise<void> {
  const names = (await caches.keys()).filter((name) => name.startsWith(CACHES) && name !== CACHE);
  await Promise.all(names.map((name) => caches.delete(name)));
  // The page of a first visit is served from the cache from now on, too.
  await worker.clients.claim();
}

async function tellInstallation(port: MessagePort | undefined): Promise<void> {
  const complete = await isComplete();
  const bytes = PRECACHED.reduce((sum, file) => sum + file.bytes, 0);
  port?.postMessage({ complete, bytes } satisfies Installation);
  if (complete) return;
  // Files went missing since the installation: by the browser's doing, or by the rescue page while another tab was open.
  try {
    await install();
    await notify('mended');
  } catch (error) {
    console.warn('the app is not complete', error);
  }
}

async function isComplete(): Promise<boolean> {
  const cache = await caches.open(CACHE);
  const stored = await Promise.all(PRECACHED.map((file) => cache.match(addressOf(file.path))));
  return stored.every((response) => response !== undefined);
}

async function notify(kind: Notice['kind']): Promise<void> {
  const notice: Notice = { kind };
  const pages = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true });
  for (const page of pages) page.postMessage(notice);
}
