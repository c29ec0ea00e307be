/** The worker as pages see it. */

import { AppFiles } from './app-files.ts';
import {
  STATUS_REQUESTS,
  type FromWorker,
  type ToWorker,
  type WorkerEvent,
  type WorkerStatus,
} from './messages.ts';
import { problem } from './problems.ts';
import {
  Refused,
  type Core,
  type CoreEvent,
  type RequestName,
  type Requests,
  type Status,
} from './protocol.ts';
import { Room } from './room.ts';

/** Starts the worker, and keeps the app's own files on the phone. */
export function startCore(): Core {
  return new Client(new Worker(new URL('./worker/worker.ts', import.meta.url), { type: 'module' }));
}

/** Whoever waits for an answer. */
interface Asker {
  resolve(value: unknown): void;
  reject(reason: Error): void;
}

/** Joins what the worker knows with what only a page can find out. */
export class Client implements Core {
  readonly #worker: Worker;
  readonly #askers = new Map<number, Asker>();
  readonly #listeners = new Set<(event: CoreEvent) => void>();
  readonly #files: AppFiles;
  readonly #room: Room;
  #lastId = 0;
  #status: WorkerStatus | null = null;
  #language: 'vi' | 'en' = 'vi';
  #interviewOpen = false;
  /** Why the worker does not work, once it does not. */
  #broken: Refused | null = null;

  /** Talks to a worker that has just been started. */
  constructor(worker: Worker) {
    this.#worker = worker;
    worker.onmessage = (message) => this.#hear(message.data as FromWorker);
    worker.onerror = () => this.#fail();
    const changed = (): void => this.#tellStatus();
    this.#room = new Room(changed);
    this.#files = new AppFiles({
      changed,
      wake: () => this.#wake(),
      busy: () => this.#interviewOpen,
    });
    // Workers are not told everywhere.
    addEventListener('online', () => this.#wake());
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') this.#wake();
    });
  }

  async ask<N extends RequestName>(
    name: N,
    ...[argument]: Requests[N][0] extends undefined ? [] : [Requests[N][0]]
  ): Promise<Requests[N][1]> {
    if (name === 'set_language') {
      this.#language = (argument as Requests['set_language'][0]).language;
    }
    const value = await this.#send(name, argument);
    this.#follow(name, value);
    return (
      STATUS_REQUESTS.has(name) ? this.#whole(value as WorkerStatus) : value
    ) as Requests[N][1];
  }

  listen(listener: (event: CoreEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #send(name: RequestName, argument: unknown): Promise<unknown> {
    if (this.#broken !== null) return Promise.reject(this.#broken);
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      this.#askers.set(id, { resolve, reject });
      this.#post({ kind: 'ask', id, name, argument: argument ?? null });
    });
  }

  #post(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #wake(): void {
    this.#post({ kind: 'wake' });
  }

  #hear(message: FromWorker): void {
    if (message.kind === 'event') {
      this.#tell(message.event);
      return;
    }
    const asker = this.#askers.get(message.id);
    this.#askers.delete(message.id);
    if (message.kind === 'value') asker?.resolve(message.value);
    else asker?.reject(new Refused(message.problem));
  }

  /** What an answer means for the rest of the app. */
  #follow(name: RequestName, value: unknown): void {
    switch (name) {
      case 'open_interview':
        this.#interviewOpen = true;
        break;
      case 'leave_interview':
      case 'lock':
        this.#interviewOpen = false;
        break;
      case 'enrol':
        // From now on there is something on the phone that must not be thrown away.
        void this.#room.persist();
        break;
      case 'unlock':
        if ((value as WorkerStatus).enrolled) void this.#room.persist();
        break;
      case 'status':
        void this.#room.measure();
        break;
    }
    if (name === 'lock') this.#files.update();
  }

  #tell(event: WorkerEvent): void {
    if (event.kind === 'status') {
      this.#status = event.status;
      this.#tellStatus();
      return;
    }
    if (event.kind === 'sync' && event.state.phase !== 'running') {
      // Where the browser thinks that there is a network it would wake at once, and again after every failure.
      const { unsentChanges, carriedResponses, carriedParcels } = event.state;
      if (unsentChanges + carriedResponses + carriedParcels > 0 && !navigator.onLine)
        this.#files.wakeWhenOnline();
      void this.#room.measure();
    }
    this.#emit(event);
  }

  #tellStatus(): void {
    if (this.#status !== null) this.#emit({ kind: 'status', status: this.#whole(this.#status) });
  }

  #emit(event: CoreEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  #whole(status: WorkerStatus): Status {
    this.#status = status;
    return { ...status, ...this.#files.state, ...this.#room.state };
  }

  /** The worker could not be loaded, or an error went through it uncaught. */
  #fail(): void {
    this.#broken = new Refused(problem('core-missing', this.#language));
    for (const asker of this.#askers.values()) asker.reject(this.#broken);
    this.#askers.clear();
  }
}
