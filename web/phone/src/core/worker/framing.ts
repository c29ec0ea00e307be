/**
 * The frames in which the worker and the core talk: the length of the JSON as 32 bits in little-endian order, the JSON in
 * UTF-8, then the parts that it speaks of, one after the other. Its member `parts` lists their lengths.
 */

import type { Problem } from '../protocol.ts';

/** Bytes of this worker's own memory. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** What the core wants kept, before its reply counts. */
export interface StoreOrder {
  /** Records to write, with their contents. */
  put: [id: number, content: Bytes][];
  /** Records to remove. */
  delete: number[];
  /** Sealed entries to write, with their contents. */
  sealed: [id: number, content: Bytes][];
  /** Sealed entries to remove. */
  unsealed: number[];
  /** Whether answers are unfinished, and thus in no sealed entry; null where that has not changed. */
  draft: boolean | null;
}

/** What the core said. */
export interface Reply {
  value: unknown;
  /** Why it refused, or null. */
  problem: Problem | null;
  order: StoreOrder;
  /** All parts; values name theirs by index. */
  parts: Bytes[];
}

/** A request for the core. */
export interface CoreRequest {
  name: string;
  argument: unknown;
  /** Milliseconds since 1970-01-01T00:00:00Z, by the phone's clock. */
  now: number;
  utcOffsetMinutes: number;
}

/** A reply that does not follow the format: the core is broken. */
export class MalformedReply extends Error {}

const LENGTH = 4;

/** Frames a request. */
export function encodeRequest(request: CoreRequest, parts: readonly Uint8Array[]): Bytes {
  const json = new TextEncoder().encode(
    JSON.stringify({ ...request, parts: parts.map((part) => part.length) }),
  );
  const content = parts.reduce((sum, part) => sum + part.length, 0);
  const frame = new Uint8Array(LENGTH + json.length + content);
  new DataView(frame.buffer).setUint32(0, json.length, true);
  frame.set(json, LENGTH);
  let offset = LENGTH + json.length;
  for (const part of parts) {
    frame.set(part, offset);
    offset += part.length;
  }
  return frame;
}

/** The members of a reply's JSON, as far as the format promises them. */
interface ReplyJson {
  value?: unknown;
  problem?: Problem;
  store?: {
    put?: number[];
    delete?: number[];
    sealed?: number[];
    unsealed?: number[];
    draft?: boolean;
  };
  parts?: number[];
}

/**
 * Reads a reply. The parts are copies: the frame may be the core's memory, which the next request overwrites.
 *
 * @throws MalformedReply when lengths or members contradict each other.
 */
export function decodeReply(frame: Uint8Array): Reply {
  if (frame.length < LENGTH) throw new MalformedReply('the reply has no length');
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const start = LENGTH + view.getUint32(0, true);
  if (start > frame.length) throw new MalformedReply('the reply is shorter than its JSON');
  const json = JSON.parse(new TextDecoder().decode(frame.slice(LENGTH, start))) as ReplyJson;
  const parts = cut(frame, start, json.parts ?? []);
  const { put = [], sealed = [], unsealed = [], draft = null, ...order } = json.store ?? {};
  if (put.length + sealed.length > parts.length) {
    throw new MalformedReply('the reply has fewer parts than it wants stored');
  }
  return {
    value: json.value ?? null,
    problem: json.problem ?? null,
    order: {
      put: withContents(put, parts),
      delete: order.delete ?? [],
      sealed: withContents(sealed, parts.slice(put.length)),
      unsealed,
      draft,
    },
    parts,
  };
}

function cut(frame: Uint8Array, start: number, lengths: readonly number[]): Bytes[] {
  let offset = start;
  const parts = lengths.map((length) => frame.slice(offset, (offset += length)) as Bytes);
  if (offset !== frame.length) {
    throw new MalformedReply('the lengths of the parts are not the length of the reply');
  }
  return parts;
}

function withContents(ids: readonly number[], parts: readonly Bytes[]): [number, Bytes][] {
  return parts.slice(0, ids.length).map((content, index) => [ids[index] as number, content]);
}

/** Whether an order changes anything on disk. */
export function changesSomething(order: StoreOrder): boolean {
  const { put, sealed, unsealed, draft } = order;
  const lists = [put, order.delete, sealed, unsealed];
  return draft !== null || lists.some((list) => list.length > 0);
}
