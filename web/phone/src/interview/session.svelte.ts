/**
 * An open interview as the pages hold it: the core's last word on it, and what has been typed since.
 *
 * Every change goes to the core at once; of what is typed while it is at the same answer, the last goes next. A reply
 * never replaces what was typed after its question was sent, and what the core refused stays in sight.
 */

import { SvelteMap } from 'svelte/reactivity';
import type { App } from '../app.svelte.ts';
import { problemOf } from '../app.svelte.ts';
import type { Interview, Layout, Path, RefusedAnswer, Requests, Value } from '../core/protocol.ts';

/** How far an answer's change has come. */
export type DraftState =
  /** Not sent yet. */
  | 'typed'
  /** Sent, not acknowledged. */
  | 'sent'
  | 'saved'
  /** The core did not take it. */
  | 'refused'
  /** What was typed is no answer of this type. */
  | 'mistaken';

/** A change of one answer. */
export interface Draft {
  path: Path;
  value: Value | null;
  /** The characters of an input field, as long as the person is in it. */
  typed: string | null;
  state: DraftState;
  message: string | null;
  version: number;
}

/** A name for an answer's address. */
export function keyOf(path: Path): string {
  return `${path.instance ?? ''}/${path.question}`;
}

/** What the pages do with an open interview. */
export class InterviewSession {
  readonly unit: string;
  interview: Interview | null = $state.raw(null);
  /** Whether the core is moving to another step. */
  moving: boolean = $state(false);
  readonly #app: App;
  readonly #drafts = new SvelteMap<string, Draft>();
  /** Answers typed while the core was at an earlier one of the same question. */
  readonly #waiting = new Set<string>();
  readonly #running = new Set<Promise<void>>();
  /** How many requests about each answer are on their way. */
  readonly #asking = new Map<string, number>();
  #versions = 0;
  #asked = 0;
  #shown = 0;

  constructor(app: App, unit: string) {
    this.#app = app;
    this.unit = unit;
  }

  /** Opens the household's interview. */
  async open(): Promise<void> {
    await this.#app.closing;
    await this.#move('open_interview', { unit: this.unit });
  }

  draft(path: Path): Draft | undefined {
    return this.#drafts.get(keyOf(path));
  }

  /** Answers that the core did not take, on the page that is open or on others. */
  get unkept(): Draft[] {
    return [...this.#drafts.values()].filter(isUnkept);
  }

  /** Takes a change; what is typed waits while the core is at an earlier answer of the question. */
  change(path: Path, value: Value | null, typed: string | null, how: 'chosen' | 'typed'): void {
    this.#put(path, { value, typed, state: 'typed', message: null });
    const key = keyOf(path);
    // On a slow phone, a long word must not queue up letter by letter behind its first ones.
    if (how === 'typed' && this.#asking.has(key)) this.#waiting.add(key);
    else this.#send(key);
  }

  /** Takes characters that are no answer: they stay in sight and are not sent. */
  mistake(path: Path, typed: string, message: string): void {
    this.#waiting.delete(keyOf(path));
    this.#put(path, { value: null, typed, state: 'mistaken', message });
  }

  /** Keeps a file and answers its question with it. */
  async keepFile(path: Path, name: string, type: string, bytes: Uint8Array): Promise<void> {
    const draft = this.#put(path, { value: name, typed: null, state: 'sent', message: null });
    await this.#answered(draft, () =>
      this.#app.core.ask('keep_attachment', { path, name, type, bytes }),
    );
  }

  /** The person has left an answer's field: it is sent, and shown from then on as it is kept. */
  leave(path: Path): void {
    const key = keyOf(path);
    if (this.#waiting.has(key)) this.#send(key);
    const draft = this.#drafts.get(key);
    if (draft?.state === 'saved' && draft.typed !== null)
      this.#drafts.set(key, { ...draft, typed: null });
  }

  /** Sends everything that still waits, and waits until the core has answered all of it. */
  async flush(): Promise<void> {
    for (const key of [...this.#waiting]) this.#send(key);
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  next(): Promise<void> {
    return this.#move('next');
  }

  back(): Promise<void> {
    return this.#move('back');
  }

  goTo(step: string): Promise<void> {
    return this.#move('go_to', { step });
  }

  enter(repeat: string, instance: string): Promise<void> {
    return this.#move('enter', { repeat, instance });
  }

  add(repeat: string, parent: string | null): Promise<void> {
    return this.#move('add_instance', { repeat, parent });
  }

  remove(repeat: string, instance: string): Promise<void> {
    return this.#move('remove_instance', { repeat, instance });
  }

  chooseLanguage(language: string): Promise<void> {
    return this.#move('set_form_language', { language });
  }

  chooseLayout(layout: Layout): Promise<void> {
    return this.#move('set_layout', { layout });
  }

  /** Asks for the interview anew, after something outside it has changed it. */
  refresh(): Promise<void> {
    return this.#move('interview');
  }

  /** Ends the visit. What the core did not take is dropped. */
  close(): void {
    this.#app.closing = (async () => {
      await this.flush();
      // A lock that came in between has already closed it.
      if (this.interview === null || this.#app.status?.locked !== false) return;
      const households = await this.#app.attempt(() => this.#app.core.ask('leave_interview'));
      if (households !== undefined) this.#app.households = households;
    })();
  }

  /** Answers in a roster instance as in the one before what may be answered so. */
  async takeOver(instance: string): Promise<void> {
    await this.#move('answer_as_previous', { instance });
  }

  async #move<N extends Moving>(name: N, ...argument: Argument<N>): Promise<void> {
    this.moving = true;
    try {
      await this.flush();
      const number = ++this.#asked;
      const before = this.interview?.step.id;
      const interview = await this.#app.attempt<Interview>(() =>
        this.#app.core.ask<Moving>(name, ...(argument as Argument<Moving>)),
      );
      if (interview === undefined) return;
      this.#show(number, interview);
      if (interview.step.id !== before) this.#forgetSaved();
    } finally {
      this.moving = false;
    }
  }

  #put(path: Path, change: Omit<Draft, 'path' | 'version'>): Draft {
    const draft = { path, version: ++this.#versions, ...change };
    this.#drafts.set(keyOf(path), draft);
    return draft;
  }

  #send(key: string): void {
    this.#waiting.delete(key);
    const draft = this.#drafts.get(key);
    if (draft?.state !== 'typed') return;
    const sent: Draft = { ...draft, state: 'sent' };
    this.#drafts.set(key, sent);
    void this.#answered(sent, () =>
      this.#app.core.ask('answer', { path: draft.path, value: draft.value }),
    );
  }

  async #answered(sent: Draft, ask: () => Promise<Answered>): Promise<void> {
    const key = keyOf(sent.path);
    const number = ++this.#asked;
    this.#asking.set(key, (this.#asking.get(key) ?? 0) + 1);
    const work = (async () => {
      try {
        const { interview, refused } = await ask();
        this.#show(number, interview);
        this.#acknowledge(sent, refused?.message ?? null);
      } catch (error) {
        this.#acknowledge(sent, problemOf(error).detail);
      }
    })();
    this.#running.add(work);
    await work;
    this.#running.delete(work);
    const left = (this.#asking.get(key) ?? 1) - 1;
    if (left > 0) {
      this.#asking.set(key, left);
      return;
    }
    this.#asking.delete(key);
    // What has been typed in the meantime goes now.
    if (this.#waiting.has(key)) this.#send(key);
  }

  #acknowledge(sent: Draft, refusal: string | null): void {
    const key = keyOf(sent.path);
    const draft = this.#drafts.get(key);
    // Something newer has been typed: its own reply will tell.
    if (draft === undefined || draft.version !== sent.version) return;
    this.#drafts.set(key, {
      ...draft,
      state: refusal === null ? 'saved' : 'refused',
      message: refusal,
    });
  }

  #show(number: number, interview: Interview): void {
    if (number < this.#shown) return;
    this.#shown = number;
    this.interview = interview;
  }

  #forgetSaved(): void {
    for (const [key, draft] of [...this.#drafts]) if (!isUnkept(draft)) this.#drafts.delete(key);
  }
}

type Answered = { interview: Interview; refused: RefusedAnswer | null };

type Moving = {
  [N in keyof Requests]: Requests[N][1] extends Interview ? N : never;
}[keyof Requests];

type Argument<N extends Moving> = Requests[N][0] extends undefined ? [] : [Requests[N][0]];

function isUnkept(draft: Draft): boolean {
  return draft.state === 'refused' || draft.state === 'mistaken';
}
