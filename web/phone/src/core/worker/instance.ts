/** A core as it runs: a WebAssembly module without imports, which is given everything it needs with each request. */

import { decodeReply, encodeRequest, MalformedReply, type Reply } from './framing.ts';

/** The core as the worker uses it. After an error that is thrown, it must not be used any more. */
export interface CoreModule {
  /** Asks something; `parts` are what the argument names by index, counted from 1. */
  call(name: string, argument: unknown, parts: readonly Uint8Array[]): Reply;
}

/** Makes a core that knows nothing yet. */
export type StartCore = () => Promise<CoreModule>;

/** What the module exports. */
interface Exports {
  memory: WebAssembly.Memory;
  /** Makes room for a request and says where; 0 when it is too long. */
  request(length: number): number;
  /** Carries the request out and says how long the reply is. */
  call(): number;
  /** Where the reply is. */
  reply(): number;
}

/** Fresh random bytes that come with every request, as its part 0. */
const ENTROPY = 32;

/** A core that knows nothing yet. */
export class WebAssemblyCore implements CoreModule {
  readonly #exports: Exports;

  /** Takes an instance of the module. */
  constructor(instance: WebAssembly.Instance) {
    this.#exports = instance.exports as unknown as Exports;
  }

  call(name: string, argument: unknown, parts: readonly Uint8Array[]): Reply {
    const now = Date.now();
    const request = encodeRequest(
      { name, argument: argument ?? null, now, utcOffsetMinutes: utcOffsetMinutes(now) },
      [crypto.getRandomValues(new Uint8Array(ENTROPY)), ...parts],
    );
    const place = this.#exports.request(request.length);
    if (place === 0) throw new MalformedReply('the core takes no request of this length');
    // The memory may have grown: views from before a call are void after it.
    new Uint8Array(this.#exports.memory.buffer, place, request.length).set(request);
    const length = this.#exports.call();
    // Addresses come as signed numbers, which matters above 2 GiB only.
    return decodeReply(
      new Uint8Array(this.#exports.memory.buffer, this.#exports.reply() >>> 0, length >>> 0),
    );
  }
}

/** How far local time is ahead of UTC at a moment. */
function utcOffsetMinutes(moment: number): number {
  return -new Date(moment).getTimezoneOffset();
}
