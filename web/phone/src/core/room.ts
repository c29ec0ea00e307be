/** Room on the phone: how much is left, and whether the browser promises to keep what is there. */

import type { Status } from './protocol.ts';

/** What is known of the room. */
export type RoomState = Pick<Status, 'persisted' | 'quota'>;

/** How long a measurement holds, in milliseconds: browsers take their time for it. */
const FRESH = 30_000;

/** The room that the browser gives. */
export class Room {
  readonly #changed: () => void;
  #state: RoomState = { persisted: false, quota: null };
  #measuredAt = -Infinity;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get state(): RoomState {
    return this.#state;
  }

  /** Asks the browser for its promise not to throw the data away. */
  async persist(): Promise<void> {
    try {
      this.#set({ persisted: await navigator.storage.persist() });
    } catch (error) {
      // A browser without it makes no promise, which is what the state says already.
      console.warn('the browser does not promise to keep the data', error);
    }
  }

  /** Finds out how much room is left, unless that is known. */
  async measure(): Promise<void> {
    if (performance.now() - this.#measuredAt < FRESH) return;
    this.#measuredAt = performance.now();
    try {
      const [{ usage, quota }, persisted] = await Promise.all([
        navigator.storage.estimate(),
        navigator.storage.persisted(),
      ]);
      const known = usage !== undefined && quota !== undefined;
      this.#set({ quota: known ? { usage, limit: quota } : null, persisted });
    } catch (error) {
      console.warn('the browser does not tell how much room there is', error);
    }
  }

  #set(change: Partial<RoomState>): void {
    this.#state = { ...this.#state, ...change };
    this.#changed();
  }
}
