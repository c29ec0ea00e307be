/** What lies between a phone and its server, and can be told to do what networks do. */

import { createServer, request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import { once } from 'node:events';
import { sendFile } from './site.ts';

/** What the server answered. */
export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/**
 * What happens to a request to the server's interface in place of being passed on; `deliver` takes it to the server all
 * the same.
 */
export type Fault = (response: ServerResponse, deliver: () => Promise<Answer>) => unknown;

/** Passes everything on to a server unless it is told otherwise. */
export class Gateway {
  readonly #http: Server;
  readonly #server: string;
  /** What happens to requests to `/api/`. */
  fault: Fault | null = null;
  /** A folder whose files are the app, in place of the server's. */
  files: string | null = null;

  private constructor(server: string) {
    this.#server = server;
    this.#http = createServer((incoming, response) => {
      this.#handle(incoming, response).catch(() => response.destroy());
    });
  }

  /** Stands before the server of this origin. */
  static async before(server: string): Promise<Gateway> {
    const gateway = new Gateway(server);
    gateway.#http.listen(0, '127.0.0.1');
    await once(gateway.#http, 'listening');
    return gateway;
  }

  get origin(): string {
    const address = this.#http.address();
    if (address === null || typeof address === 'string') throw new Error('there is no port');
    return `http://127.0.0.1:${address.port}`;
  }

  async close(): Promise<void> {
    this.#http.closeAllConnections();
    this.#http.close();
    await once(this.#http, 'close');
  }

  async #handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = incoming.url ?? '/';
    if (this.files !== null && path.startsWith('/phone/')) {
      const file = path.replace(/^\/phone\//, '').replace(/[?#].*$/, '') || 'index.html';
      return sendFile(`${this.files}/${file}`, undefined, response);
    }
    const sent = await whole(incoming);
    const deliver = (): Promise<Answer> => this.#deliver(incoming, sent);
    if (this.fault !== null && path.startsWith('/api/')) {
      await this.fault(response, deliver);
      return;
    }
    const { status, headers, body } = await deliver();
    response.writeHead(status, headers).end(body);
  }

  async #deliver({ url, method, headers }: IncomingMessage, sent: Buffer): Promise<Answer> {
    const outgoing = request(new URL(url ?? '/', this.#server), {
      method: method ?? 'GET',
      headers,
    });
    outgoing.end(sent);
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    return { status: answer.statusCode ?? 0, headers: answer.headers, body: await whole(answer) };
  }
}

async function whole(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
