/** Carries out the core's requests: same origin, no redirects, and no waiting for a line that is dead. */

import type { Bytes } from './framing.ts';

/** A request as the core wants it. */
export interface HttpRequest {
  method: string;
  /** An absolute path on this server. */
  path: string;
  headers: Record<string, string>;
  body: Bytes | null;
}

/** What came of it. */
export type Outcome =
  | { kind: 'answer'; status: number; headers: Record<string, string>; body: Bytes }
  | { kind: 'failure'; reason: FailureReason };

/** Why nothing came: no network, something else that answers in the server's place, or silence. */
export type FailureReason = 'network' | 'portal' | 'timeout';

/** How long nothing may happen, in milliseconds. */
const PATIENCE = 30_000;
/** The slowest line, in bytes a millisecond: browsers do not tell how much of a body has been sent. */
const SLOWEST_UPLOAD = 2;
/** Network authentication required (RFC 6585, section 6): what an honest captive portal answers. */
const AUTHENTICATION_REQUIRED = 511;

/** Carries a request out, unless `signal` ends it. */
export async function carryOut(request: HttpRequest, signal: AbortSignal): Promise<Outcome> {
  const address = new URL(request.path, location.origin);
  if (address.origin !== location.origin) throw new Error(`${request.path} is not on this server`);
  const watch = new Watch(PATIENCE + (request.body?.length ?? 0) / SLOWEST_UPLOAD);
  const end = (): void => watch.end();
  signal.addEventListener('abort', end);
  try {
    const response = await fetch(address, {
      method: request.method,
      headers: request.headers,
      body: request.body,
      cache: 'no-store',
      // The server never redirects; who does is a captive portal, whose page is not to be followed.
      redirect: 'manual',
      referrerPolicy: 'no-referrer',
      signal: watch.signal,
    });
    const impostor = whoAnswered(response);
    if (impostor !== null) {
      await response.body?.cancel();
      return { kind: 'failure', reason: impostor };
    }
    const body = await read(response, watch);
    const headers = Object.fromEntries(response.headers.entries());
    // The browser has decompressed the body, and these headers speak of it as it was.
    delete headers['content-encoding'];
    delete headers['content-length'];
    return { kind: 'answer', status: response.status, headers, body };
  } catch {
    return { kind: 'failure', reason: watch.expired ? 'timeout' : 'network' };
  } finally {
    watch.stop();
    signal.removeEventListener('abort', end);
  }
}

/** The server's interface never answers with a page: that is a captive portal, or a proxy that has lost the server. */
function whoAnswered(response: Response): FailureReason | null {
  if (response.type === 'opaqueredirect' || response.status === AUTHENTICATION_REQUIRED) {
    return 'portal';
  }
  const type = response.headers.get('content-type') ?? '';
  if (!/^(text\/html|application\/xhtml\+xml)\b/i.test(type)) return null;
  return response.status >= 500 ? 'network' : 'portal';
}

async function read(response: Response, watch: Watch): Promise<Bytes> {
  const reader = response.body?.getReader();
  if (reader === undefined) return new Uint8Array();
  const chunks: Bytes[] = [];
  for (;;) {
    watch.restart(PATIENCE);
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

/** Ends a request in which nothing happens. */
class Watch {
  readonly #controller = new AbortController();
  #timer: number;
  expired = false;

  constructor(patience: number) {
    this.#timer = this.#start(patience);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  restart(patience: number): void {
    clearTimeout(this.#timer);
    this.#timer = this.#start(patience);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  end(): void {
    this.#controller.abort();
  }

  #start(patience: number): number {
    return setTimeout(() => {
      this.expired = true;
      this.end();
    }, patience);
  }
}
