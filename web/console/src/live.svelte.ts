/** The live connection: hears from the server that estimates changed, and mends itself. */

import { EVENTS_ADDRESS } from './api.ts';

/** Whether the server can tell of changes right now. */
export type LiveState = 'connecting' | 'connected' | 'disconnected';

const FIRST_DELAY_MILLISECONDS = 1_000;
const LONGEST_DELAY_MILLISECONDS = 30_000;

/** Follows the server's events from `start` to `stop`. */
export class LiveConnection {
  /** The state shown to the reader. */
  state: LiveState = $state('connecting');

  readonly #changed: () => void;
  #source: EventSource | null = null;
  #delay = FIRST_DELAY_MILLISECONDS;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #missedSome = false;

  /** `changed` is called when figures changed, or may have changed while the connection was lost. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** Opens the connection. */
  start(): void {
    addEventListener('online', this.#reconnectNow);
    this.#open();
  }

  /** Closes the connection for good. */
  stop(): void {
    removeEventListener('online', this.#reconnectNow);
    clearTimeout(this.#timer);
    this.#source?.close();
  }

  #open(): void {
    clearTimeout(this.#timer);
    this.#source?.close();
    const source = new EventSource(EVENTS_ADDRESS);
    this.#source = source;
    source.addEventListener('open', () => {
      this.state = 'connected';
      this.#delay = FIRST_DELAY_MILLISECONDS;
      if (this.#missedSome) this.#changed();
      this.#missedSome = false;
    });
    source.addEventListener('estimates', () => this.#changed());
    source.addEventListener('error', () => {
      // The browser's own retry gives up on any HTTP error, so the waiting is done here.
      source.close();
      this.state = 'disconnected';
      this.#missedSome = true;
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#open(), this.#delay);
      this.#delay = Math.min(this.#delay * 2, LONGEST_DELAY_MILLISECONDS);
    });
  }

  readonly #reconnectNow = (): void => {
    if (this.state === 'connected') return;
    this.#delay = FIRST_DELAY_MILLISECONDS;
    this.#open();
  };
}
