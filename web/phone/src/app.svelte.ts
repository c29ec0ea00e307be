/** What all pages share: the core, and what it last told of the phone, the households and sending. */

import { getContext, setContext } from 'svelte';
import {
  Refused,
  type Assignment,
  type Core,
  type CoreEvent,
  type Household,
  type Problem,
  type Status,
  type SyncState,
} from './core/protocol.ts';
import { ui } from './interface.svelte.ts';
import type { Language } from './text/format.ts';

/** The problem of a phone whose rights were taken away. */
const REVOKED = '/problems/device-revoked';

/** The state that the pages show. */
export class App {
  readonly core: Core;
  status: Status | null = $state.raw(null);
  assignment: Assignment | null = $state.raw(null);
  households: Household[] = $state.raw([]);
  sync: SyncState | null = $state.raw(null);
  /** Whether the server has taken this phone's rights away, and it has forgotten what it had. */
  revoked: boolean = $state(false);
  online: boolean = $state(navigator.onLine);
  /** Why the last request of a page was refused. */
  problem: Problem | null = $state.raw(null);
  /** Something that was done, said once, for everybody who looks or listens. */
  message: string = $state('');
  /** Until the interview that was left last is closed; another one opens only then. */
  closing: Promise<void> = Promise.resolve();
  #opening: Promise<void> | null = null;

  constructor(core: Core) {
    this.core = core;
    core.listen((event) => this.#hear(event));
    addEventListener('online', () => (this.online = true));
    addEventListener('offline', () => (this.online = false));
  }

  /** Begins: asks how the phone stands, and for the rest where that needs no PIN. */
  async start(): Promise<void> {
    await this.attempt(async () => this.take(await this.core.ask('status')));
  }

  /** Takes a new status, and fetches what becomes known by it. */
  async take(status: Status): Promise<void> {
    const before = this.status;
    this.status = status;
    const opened = status.enrolled && !status.locked && !status.heldElsewhere;
    if (status.locked || status.heldElsewhere) {
      this.assignment = null;
      this.households = [];
      this.sync = null;
    } else if (opened && (this.assignment === null || before?.locked === true)) {
      // A status comes as an answer and is told as well: what is being fetched for one is there for the other.
      this.#opening ??= this.#open().finally(() => (this.#opening = null));
      await this.#opening;
    }
  }

  /** Fetches everything that an unlocked and enrolled phone shows. */
  async #open(): Promise<void> {
    await this.attempt(async () => {
      await this.core.ask('set_language', { language: ui.language });
      const [households, sync, assignment] = await Promise.all([
        this.core.ask('households'),
        this.core.ask('sync_state'),
        this.core.ask('assignment'),
      ]);
      this.households = households;
      this.sync = sync;
      this.assignment = assignment;
    });
    this.revoked = this.problem?.type === REVOKED;
  }

  /** Learns what the server has told of the assignment: that the round is closed, or that this phone's rights are gone. */
  async #renewAssignment(): Promise<void> {
    try {
      this.assignment = await this.core.ask('assignment');
    } catch (error) {
      const problem = problemOf(error);
      if (problem.type !== REVOKED) {
        this.problem = problem;
        return;
      }
      this.revoked = true;
      this.assignment = null;
      this.households = [];
    }
  }

  /** Does something that may be refused; the refusal is shown, and the result is then undefined. */
  async attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      const result = await work();
      this.problem = null;
      return result;
    } catch (error) {
      this.problem = problemOf(error);
      return undefined;
    }
  }

  /** Switches the language of the pages and of what the core words. */
  async choose(language: Language): Promise<void> {
    ui.choose(language);
    if (this.assignment !== null) await this.#open();
  }

  /** Remembers whether positions may be recorded during interviews. */
  async consentToPositions(agreed: boolean): Promise<void> {
    await this.attempt(async () => {
      this.assignment = await this.core.ask('consent_to_positions', { agreed });
    });
  }

  household(unit: string): Household | null {
    return this.households.find((household) => household.unit === unit) ?? null;
  }

  #hear(event: CoreEvent): void {
    switch (event.kind) {
      case 'sync':
        this.sync = event.state;
        if (event.state.phase !== 'running' && this.assignment !== null)
          void this.#renewAssignment();
        break;
      case 'status':
        void this.take(event.status);
        break;
      case 'households':
        if (this.assignment !== null)
          void this.attempt(async () => (this.households = await this.core.ask('households')));
        break;
    }
  }
}

/** What went wrong, for people. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Refused) return error.problem;
  const detail = error instanceof Error ? error.message : String(error);
  return { type: 'about:blank', title: ui.strings.failed, detail };
}

const KEY = Symbol('app');

/** Makes the app's state known to all pages below a component. */
export function provideApp(app: App): App {
  return setContext(KEY, app);
}

/** The app's state, inside any page. */
export function useApp(): App {
  return getContext<App>(KEY);
}
