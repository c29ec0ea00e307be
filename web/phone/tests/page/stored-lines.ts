/**
 * A core that knows no surveys: it keeps lines of text, one a record, and can be made to fail. It follows the contract
 * between worker and core, so that storage, keys and network can be tested by themselves.
 */

import type { SyncState } from '../../src/core/protocol.ts';
import type { Bytes, Reply, StoreOrder } from '../../src/core/worker/framing.ts';
import type { CoreModule } from '../../src/core/worker/instance.ts';

/** The record that says that a server knows this phone. */
const ENROLMENT = 1;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

type Arguments = Record<string, never> & {
  records: number[];
  name: string;
  value: string;
  pin: string;
  code: string;
  status: number;
  headers: Record<string, string>;
  reason: string;
};

export class StoredLines implements CoreModule {
  readonly #lines = new Map<number, string>();
  readonly #toSend: string[] = [];
  #open: string | null = null;
  #request: object | null = null;
  #problem: string | null = null;
  #sequence = 100;

  call(name: string, argument: unknown, parts: readonly Uint8Array[]): Reply {
    const given = argument as Arguments;
    switch (name) {
      case 'derive_key':
        return reply({ key: 0 }, {}, [mix(given.pin, parts[0] as Uint8Array)]);
      case 'start':
        given.records.forEach((id, index) => {
          this.#lines.set(id, decoder.decode(parts[index]));
          this.#sequence = Math.max(this.#sequence, id);
        });
        return reply({ enrolled: this.#lines.has(ENROLMENT) });
      case 'set_language':
        return reply(null);
      case 'households':
        return reply([...this.#lines.values()]);
      case 'interview':
        return reply(this.#open);
      case 'open_interview':
        this.#open = (argument as { unit: string }).unit;
        return reply(this.#open);
      case 'answer':
        if (given.value === 'broken') throw new WebAssembly.RuntimeError('unreachable');
        return this.#put(given.value, true);
      case 'rename_volunteer':
        return this.#put(given.name, null);
      case 'leave_draft':
        return this.#open === null ? reply(null) : this.#seal();
      case 'leave_interview':
        return this.#seal();
      case 'assignment':
        return reply({ volunteer: this.#lines.get(ENROLMENT) });
      case 'bundle':
        return reply({ name: 'a.khaosat', bytes: 1, responses: 1 }, {}, [
          encoder.encode('not this'),
          encoder.encode('this'),
        ]);
      case 'begin_enrolment':
        this.#request = { method: 'POST', path: '/api/v1/enrol', body: null };
        return reply(null);
      case 'begin_sync':
        this.#request = { method: 'POST', path: '/api/v1/sync', body: 0 };
        return reply(null);
      case 'next_request': {
        if (this.#request === null) return reply({ done: true });
        const request = { headers: { 'content-type': 'text/plain' }, ...this.#request };
        return reply({ request }, {}, [encoder.encode(this.#toSend.join('\n'))]);
      }
      case 'answer_request':
        if ('content-encoding' in given.headers) return refused('encoded');
        return this.#answered(given.status, decoder.decode(parts[0]));
      case 'request_failed':
        this.#request = null;
        this.#problem = given.reason;
        return reply(this.#state());
      case 'sync_state':
        return reply(this.#state());
      default:
        return refused('unknown');
    }
  }

  #put(line: string, draft: boolean | null): Reply {
    const id = ++this.#sequence;
    this.#lines.set(id, line);
    return reply(line, { put: [[id, encoder.encode(line)]], draft });
  }

  #seal(): Reply {
    const id = ++this.#sequence;
    const line = `visit to ${this.#open}`;
    this.#lines.set(id, line);
    this.#toSend.push(line);
    this.#open = null;
    const content = encoder.encode(line);
    return reply(null, { put: [[id, content]], sealed: [[id, content]], draft: false });
  }

  #answered(status: number, text: string): Reply {
    const enrolling = JSON.stringify(this.#request).includes('enrol');
    this.#request = null;
    this.#problem = status === 200 ? null : `${status}`;
    if (this.#problem !== null) return reply(this.#state());
    this.#toSend.length = 0;
    if (!enrolling) return reply(this.#state());
    this.#lines.set(ENROLMENT, text);
    return reply(this.#state(), { put: [[ENROLMENT, encoder.encode(text)]] });
  }

  #state(): SyncState {
    return {
      phase: this.#request === null ? 'idle' : 'running',
      unsentResponses: this.#toSend.length,
      carriedResponses: 0,
      carriedParcels: 0,
      unsentChanges: this.#toSend.length,
      sentNow: 0,
      toSendNow: 0,
      received: 0,
      lastSuccess: null,
      problem:
        this.#problem === null ? null : { type: this.#problem, title: '', detail: this.#problem },
      retryAt: null,
      clockAhead: null,
    };
  }
}

function reply(value: unknown, order: Partial<StoreOrder> = {}, parts: Bytes[] = []): Reply {
  const nothing: StoreOrder = { put: [], delete: [], sealed: [], unsealed: [], draft: null };
  return { value, problem: null, order: { ...nothing, ...order }, parts };
}

function refused(name: string): Reply {
  return { ...reply(null), problem: { type: name, title: name, detail: name } };
}

/** 32 bytes that depend on PIN and salt; no protection, which is not what is tested here. */
function mix(pin: string, salt: Uint8Array): Bytes {
  const text = encoder.encode(pin);
  return Uint8Array.from(
    { length: 32 },
    (_, index) => (text[index % text.length] ?? 0) * 31 + (salt[index % salt.length] ?? 0) + index,
  );
}
