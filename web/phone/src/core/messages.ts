/** What goes between a page and its worker. */

import type { CoreEvent, Problem, RequestName, Status } from './protocol.ts';

/** The part of the status that the worker knows; the rest is the page's to find out. */
export type WorkerStatus = Omit<
  Status,
  'offlineReady' | 'installBytes' | 'persisted' | 'quota' | 'updateWaiting'
>;

/** Requests whose answer is the status. */
export const STATUS_REQUESTS: ReadonlySet<RequestName> = new Set([
  'status',
  'create_pin',
  'unlock',
  'lock',
  'take_over',
]);

/** What the worker tells by itself. */
export type WorkerEvent =
  Exclude<CoreEvent, { kind: 'status' }> | { kind: 'status'; status: WorkerStatus };

/** To the worker. */
export type ToWorker =
  | { kind: 'ask'; id: number; name: RequestName; argument: unknown }
  /** Now may be a good time to reach the server: the page came into sight, or the network is back. */
  | { kind: 'wake' };

/** From the worker. */
export type FromWorker =
  | { kind: 'value'; id: number; value: unknown }
  | { kind: 'refused'; id: number; problem: Problem }
  | { kind: 'event'; event: WorkerEvent };
