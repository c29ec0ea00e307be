/** One tab at a time: a lock of the browser's (Web Locks), and a way to ask the tab that has it to let go. */

const LOCK = 'khaosat';
const CHANNEL = 'khaosat';
const LET_GO = 'let-go';
/** How long the other tab may take to finish what it is at, in milliseconds, before the lock is taken from it. */
const PATIENCE = 5_000;

/** Who wants to know about the lock. */
export interface Holder {
  /** The lock is had, after waiting for it. */
  gained(): void;
  /** Another tab asks for the lock: finish, so that it can be released. */
  asked(): Promise<void>;
  /** The lock was taken away. */
  lost(): void;
}

/** This tab's part in the lock. */
export class TabLock {
  readonly #holder: Holder;
  readonly #channel = new BroadcastChannel(CHANNEL);
  #release: (() => void) | null = null;
  #waiting: AbortController | null = null;

  constructor(holder: Holder) {
    this.#holder = holder;
    this.#channel.onmessage = (message) => {
      if (message.data === LET_GO && this.#release !== null) void this.#letGo();
    };
  }

  /** Takes the lock if it is free; otherwise waits for it in the background. */
  async acquire(): Promise<boolean> {
    const acquired = await this.#request({ ifAvailable: true });
    if (!acquired) this.#wait();
    return acquired;
  }

  /** Takes the lock over from the tab that has it, which gets time to finish. */
  async takeOver(): Promise<void> {
    this.#waiting?.abort();
    this.#channel.postMessage(LET_GO);
    if (!(await this.#request({ signal: AbortSignal.timeout(PATIENCE) }))) {
      await this.#request({ steal: true });
    }
  }

  async #letGo(): Promise<void> {
    await this.#holder.asked();
    this.#release?.();
    this.#release = null;
    this.#wait();
  }

  #wait(): void {
    const waiting = new AbortController();
    this.#waiting = waiting;
    void this.#request({ signal: waiting.signal }).then((acquired) => {
      if (acquired) this.#holder.gained();
    });
  }

  /** Whether the lock was got. It is held until it is released, or stolen. */
  #request(options: LockOptions): Promise<boolean> {
    return new Promise((settle) => {
      let held = false;
      navigator.locks
        .request(LOCK, options, (lock) => {
          if (lock === null) return settle(false);
          held = true;
          return new Promise<void>((release) => {
            this.#release = release;
            settle(true);
          });
        })
        .catch(() => {
          if (!held) return settle(false);
          this.#release = null;
          this.#holder.lost();
          this.#wait();
        });
    });
  }
}
