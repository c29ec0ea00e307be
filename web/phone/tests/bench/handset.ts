/** A phone without a page, and somebody who interviews with it, for measurements. */

import type { Interview, Question } from '../../src/core/protocol.ts';
import { WebAssemblyCore } from '../../src/core/worker/instance.ts';
import type { Bytes, Reply } from '../../src/core/worker/framing.ts';

/** Persons of each household. */
const MEMBERS = 5;

/** A phone without a page: the core, and what it keeps. */
export class Handset {
  readonly records = new Map<number, Bytes>();
  readonly sealed = new Map<number, Bytes>();
  sentBytes = 0;
  requests = 0;
  #core: WebAssemblyCore;
  readonly #module: WebAssembly.Module;
  readonly #origin: string;

  constructor(module: WebAssembly.Module, origin: string) {
    this.#module = module;
    this.#origin = origin;
    this.#core = this.restart();
  }

  /** Starts from what is kept. */
  restart(): WebAssemblyCore {
    this.#core = new WebAssemblyCore(new WebAssembly.Instance(this.#module, {}));
    const records = [...this.records.keys()];
    this.ask('start', { language: 'vi', records }, [...this.records.values()]);
    return this.#core;
  }

  ask<T>(name: string, argument: unknown = null, parts: Uint8Array[] = []): T {
    return this.#reply(name, argument, parts).value as T;
  }

  #reply(name: string, argument: unknown, parts: Uint8Array[]): Reply {
    const reply = this.#core.call(name, argument, parts);
    if (reply.problem !== null) throw new Error(`${name}: ${reply.problem.detail}`);
    for (const [id, content] of reply.order.put) this.records.set(id, content);
    for (const id of reply.order.delete) this.records.delete(id);
    for (const [id, content] of reply.order.sealed) this.sealed.set(id, content);
    for (const id of reply.order.unsealed) this.sealed.delete(id);
    return reply;
  }

  /** Derives a key from a PIN, as the app has the core do it. */
  deriveKey(pin: string, salt: Bytes, cost: { memoryKib: number; iterations: number }): Bytes {
    const core = new WebAssemblyCore(new WebAssembly.Instance(this.#module, {}));
    const { memoryKib, iterations } = cost;
    const { value, parts } = core.call('derive_key', { pin, salt: 1, memoryKib, iterations }, [
      salt,
    ]);
    const key = parts[(value as { key: number }).key];
    if (key === undefined) throw new Error('the core derived no key');
    return key;
  }

  /** Carries out what the core wants to ask the server. */
  async exchange(): Promise<void> {
    for (;;) {
      const reply = this.#reply('next_request', null, []);
      const { request } = reply.value as { request?: Wanted };
      if (request === undefined) return;
      const body = request.body === null ? null : (reply.parts[request.body] ?? null);
      this.sentBytes += body?.length ?? 0;
      this.requests += 1;
      const { method, headers } = request;
      const answer = await fetch(this.#origin + request.path, { method, headers, body });
      const told = { 'content-type': answer.headers.get('content-type') ?? '' };
      const etag = answer.headers.get('etag');
      const content = new Uint8Array(await answer.arrayBuffer());
      this.ask(
        'answer_request',
        { status: answer.status, headers: etag === null ? told : { ...told, etag }, body: 1 },
        [content],
      );
    }
  }
}

interface Wanted {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: number | null;
}

/** An answer that the form takes, or nothing where a question may stay open. */
function answerTo(question: Question): unknown {
  const named = question.path.question;
  const { choices, kind } = question;
  if (named === 'consent') return 'yes';
  if (named === 'visit_outcome') return 'completed';
  if (named === 'birth_year') return 1950 + Math.floor(Math.random() * 60);
  if (named === 'relation') return 'other_relative';
  if (!question.required || question.readOnly) return null;
  if (kind === 'text') return 'Nguyễn Thị Hoa';
  if (kind === 'select_one') return choices[0]?.name;
  if (kind === 'select_multiple') return [choices[0]?.name];
  if (kind === 'acknowledge') return 'OK';
  return null;
}

/** Fills the page, and measures each answer in milliseconds. */
function fillPage(phone: Handset, interview: Interview, times: number[]): Interview {
  const done = new Set<string>();
  for (;;) {
    const { step } = interview;
    if (step.kind !== 'page') return interview;
    const next = step.questions.find(
      ({ path, kind, value }) =>
        kind !== 'note' && value === null && !done.has(`${path.instance}/${path.question}`),
    );
    if (next === undefined) return interview;
    done.add(`${next.path.instance}/${next.path.question}`);
    const value = answerTo(next);
    if (value === null || value === undefined) continue;
    const begun = performance.now();
    const reply = phone.ask<{ interview: Interview }>('answer', { path: next.path, value });
    times.push(performance.now() - begun);
    interview = reply.interview;
  }
}

/** Interviews a household from the first page to the end. */
export function interviewWhole(
  phone: Handset,
  unit: string,
  answers: number[],
  opened: number[],
): void {
  const begun = performance.now();
  let interview = phone.ask<Interview>('open_interview', { unit });
  opened.push(performance.now() - begun);
  let members = 0;
  for (;;) {
    interview = fillPage(phone, interview, answers);
    const { step } = interview;
    if (step.kind === 'end') break;
    if (step.kind === 'roster' && members < MEMBERS) {
      members += 1;
      interview = phone.ask('add_instance', { repeat: step.repeat, parent: step.parent });
    } else {
      interview = phone.ask('next');
    }
  }
  phone.ask('leave_interview');
}
