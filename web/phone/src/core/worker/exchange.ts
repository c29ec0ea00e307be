/** Exchanges with the server, one at a time: the core says what to send and reads what comes. */

import type { SyncState } from '../protocol.ts';
import type { WorkerEvent } from '../messages.ts';
import type { Answer } from './engine.ts';
import { carryOut, type HttpRequest } from './network.ts';

/** Asks the core, after whatever it is asked already. */
export type AskCore = (
  name: string,
  argument: unknown,
  parts?: readonly Uint8Array[],
) => Promise<Answer>;

/** What begins an exchange. */
export type Beginning = { name: 'begin_sync'; argument: null } | ByCode;

/** What is begun by the code of an invitation. */
export type ByCode =
  | { name: 'begin_invitation'; argument: { code: string } }
  | { name: 'begin_enrolment'; argument: { code: string; name: string | null } };

type NextRequest =
  { done: true } | { request: Omit<HttpRequest, 'body'> & { body: number | null } };

/** Waits between attempts that fail, in milliseconds: doubled each time, within these. */
const FIRST_WAIT = 10_000;
const LONGEST_WAIT = 15 * 60_000;
/** How far waits are spread, so that the phones of a hamlet do not all come back at once. */
const SPREAD = 0.2;
/** After a change, for those that follow it closely. */
const SOON = 2_000;
/** An exchange so recent need not be repeated because the page came into sight. */
const RECENT = 60_000;

/** Begins exchanges when they are due. It ends with the core that it asks. */
export class Exchange {
  readonly #ask: AskCore;
  readonly #tell: (event: WorkerEvent) => void;
  readonly #ending = new AbortController();
  #running: Promise<SyncState> | null = null;
  #timer: number | undefined;
  #failures = 0;
  #retryAt: number | null = null;
  #lastEnd = -Infinity;

  constructor(ask: AskCore, tell: (event: WorkerEvent) => void) {
    this.#ask = ask;
    this.#tell = tell;
  }

  /** Exchanges now, or joins the exchange that is under way; returns the state at its end. */
  sync(): Promise<SyncState> {
    this.#running ??= this.#run({ name: 'begin_sync', argument: null });
    return this.#running;
  }

  /** Begins something by a code, after the exchange that may be under way. */
  async begin(beginning: ByCode): Promise<SyncState> {
    await this.#running?.catch(() => undefined);
    this.#running = this.#run(beginning);
    return this.#running;
  }

  /** Exchanges soon, for something has been written. */
  soon(): void {
    // Where the server could not be reached, a change makes no difference to that.
    if (this.#failures === 0) this.#schedule(SOON);
  }

  /** The network may be back, or somebody looks: exchanges now unless that has just been done. */
  wake(): void {
    if (this.#running !== null) return;
    if (this.#failures > 0 || performance.now() - this.#lastEnd > RECENT) this.#schedule(0);
  }

  /** The core's state with what only this side knows: when it tries again. */
  withRetry(state: SyncState): SyncState {
    if (this.#retryAt === null || state.phase === 'running') return state;
    return { ...state, phase: 'waiting', retryAt: state.retryAt ?? this.#retryAt };
  }

  /** Ends it for good, in the middle where it must be. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#ending.abort();
  }

  async #run(beginning: Beginning): Promise<SyncState> {
    clearTimeout(this.#timer);
    this.#retryAt = null;
    let state: SyncState | null = null;
    try {
      await this.#ask(beginning.name, beginning.argument);
      this.#show((await this.#ask('sync_state', null)).value);
      await this.#carryOutAll();
      state = (await this.#ask('sync_state', null)).value as SyncState;
      return this.#ended(state, beginning);
    } finally {
      this.#running = null;
      this.#lastEnd = performance.now();
      // The core refused to go on: that is no state of the network, and the next attempt comes in its time.
      if (state === null && beginning.name === 'begin_sync') this.#schedule(LONGEST_WAIT);
    }
  }

  async #carryOutAll(): Promise<void> {
    for (;;) {
      const { value, parts } = await this.#ask('next_request', null);
      const next = value as NextRequest;
      if ('done' in next) return;
      const { body, ...request } = next.request;
      const outcome = await carryOut(
        { ...request, body: body === null ? null : (parts[body] ?? null) },
        this.#ending.signal,
      );
      if (this.#ending.signal.aborted) return;
      if (outcome.kind === 'failure') {
        this.#show((await this.#ask('request_failed', { reason: outcome.reason })).value);
        return;
      }
      const { status, headers } = outcome;
      const answer = await this.#ask('answer_request', { status, headers, body: 1 }, [
        outcome.body,
      ]);
      this.#show(answer.value);
      this.#tell({ kind: 'households' });
    }
  }

  #show(state: unknown): void {
    this.#tell({ kind: 'sync', state: state as SyncState });
  }

  #ended(state: SyncState, beginning: Beginning): SyncState {
    // A code that was mistyped is entered again by hand, and a question about a code leaves nothing to repeat.
    if (beginning.name === 'begin_invitation') return state;
    if (beginning.name === 'begin_enrolment' && state.problem !== null) return state;
    this.#failures = state.problem === null ? 0 : this.#failures + 1;
    if (this.#failures === 0) {
      this.#schedule(spread(LONGEST_WAIT));
    } else {
      const wait = Math.min(FIRST_WAIT * 2 ** (this.#failures - 1), LONGEST_WAIT);
      // A server that says when to come back is obeyed.
      const due = state.retryAt === null ? spread(wait) : Math.max(0, state.retryAt - Date.now());
      this.#retryAt = Math.round(Date.now() + due);
      this.#schedule(due);
    }
    const shown = this.withRetry(state);
    this.#show(shown);
    return shown;
  }

  #schedule(wait: number): void {
    clearTimeout(this.#timer);
    if (this.#ending.signal.aborted) return;
    this.#timer = setTimeout(() => {
      this.sync().catch((error: unknown) => console.warn('an exchange ended early', error));
    }, wait);
  }
}

function spread(wait: number): number {
  return wait * (1 - SPREAD + 2 * SPREAD * Math.random());
}
