/** The app's own files on the phone: the page's side of the service worker. */

import {
  SYNC_TAG,
  type Installation,
  type Question,
  type Notice,
} from '../service-worker/precache.ts';
import type { Status } from './protocol.ts';

/** What is known of the files. */
export type FilesState = Pick<Status, 'offlineReady' | 'installBytes' | 'updateWaiting'>;

/** What the rest of the page has to do with the files. */
export interface Surroundings {
  /** The state is another. */
  changed(): void;
  /** The network is back. */
  wake(): void;
  /** Whether an interview is open, which a new version must not interrupt. */
  busy(): boolean;
}

/** Background Sync, where the browser has it. */
type WithSync = ServiceWorkerRegistration & { sync?: { register(tag: string): Promise<void> } };

/** How often to look for a new version while the page stays open, in milliseconds. */
const LOOK_AGAIN = 60 * 60_000;
/** How soon a version that still waits is asked again to take over, in milliseconds. */
const ASK_AGAIN = 2_000;
/** How long the service worker may take to answer. */
const PATIENCE = 10_000;

/** Keeps the files complete and up to date. */
export class AppFiles {
  readonly #surroundings: Surroundings;
  #registration: WithSync | null = null;
  #state: FilesState = { offlineReady: false, installBytes: null, updateWaiting: false };
  #lookedAt = performance.now();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Whether the files are another version's by now than this page. */
  #overtaken = false;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
    // While developing, every file comes fresh from the development server.
    if (import.meta.env.PROD && 'serviceWorker' in navigator) void this.#start();
  }

  get state(): FilesState {
    return this.#state;
  }

  /** Changes to the version that waits, if one does and nothing is open. */
  update(): void {
    clearTimeout(this.#timer);
    if (this.#overtaken && !this.#surroundings.busy()) location.reload();
    const waiting = this.#registration?.waiting;
    if (!waiting || this.#surroundings.busy()) return;
    ask(waiting, { kind: 'activate' });
    // The browser stops the old service worker for the change. Whatever the page asks of it in that moment starts it anew,
    // and the change would wait until it has been idle for long.
    this.#timer = setTimeout(() => this.update(), ASK_AGAIN);
  }

  /** Has the service worker wake this page once the network is back, where the browser can do that. */
  wakeWhenOnline(): void {
    this.#registration?.sync?.register(SYNC_TAG).catch((error: unknown) => {
      console.warn('the browser does not wake the app by itself', error);
    });
  }

  async #start(): Promise<void> {
    const { serviceWorker } = navigator;
    // The first service worker takes the page over without a change of version.
    let controlled = serviceWorker.controller !== null;
    serviceWorker.addEventListener('controllerchange', () => {
      // An interview that was opened in the meantime goes on in the page that it has.
      this.#overtaken = controlled;
      if (controlled && !this.#surroundings.busy()) location.reload();
      controlled = true;
      void this.#inquire();
    });
    serviceWorker.addEventListener('message', (event) => {
      if ((event.data as Notice).kind === 'wake') this.#surroundings.wake();
      else void this.#inquire();
    });
    document.addEventListener('visibilitychange', () => this.#lookForUpdate());
    try {
      const address = new URL('service-worker.js', document.baseURI);
      const registration = await serviceWorker.register(address, { updateViaCache: 'none' });
      this.#registration = registration;
      registration.addEventListener('updatefound', () => {
        registration.installing?.addEventListener('statechange', () => this.#refresh());
      });
      // At the start nothing is open: a version that waits since last time is due.
      this.update();
      this.#refresh();
      await serviceWorker.ready;
      await this.#inquire();
    } catch (error) {
      console.warn('the app cannot be kept on the phone', error);
    }
  }

  #refresh(): void {
    const updateWaiting =
      (this.#registration?.waiting ?? null) !== null && navigator.serviceWorker.controller !== null;
    if (updateWaiting !== this.#state.updateWaiting) this.#set({ updateWaiting });
  }

  async #inquire(): Promise<void> {
    const active = this.#registration?.active;
    if (!active) return;
    const installation = await inquire(active);
    if (installation === null) return;
    this.#refresh();
    this.#set({ offlineReady: installation.complete, installBytes: installation.bytes });
  }

  #lookForUpdate(): void {
    if (document.visibilityState !== 'visible') return;
    if (performance.now() - this.#lookedAt < LOOK_AGAIN) return;
    this.#lookedAt = performance.now();
    // Without network there is none, and none is needed.
    this.#registration?.update().catch(() => undefined);
  }

  #set(change: Partial<FilesState>): void {
    this.#state = { ...this.#state, ...change };
    this.#surroundings.changed();
  }
}

function ask(worker: ServiceWorker, question: Question, answer?: MessagePort): void {
  worker.postMessage(question, answer === undefined ? [] : [answer]);
}

/** What the service worker finds in its cache; null when it does not answer. */
function inquire(worker: ServiceWorker): Promise<Installation | null> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    const timer = setTimeout(() => resolve(null), PATIENCE);
    port1.onmessage = (message) => {
      clearTimeout(timer);
      resolve(message.data as Installation);
      port1.close();
    };
    ask(worker, { kind: 'installation' }, port2);
  });
}
