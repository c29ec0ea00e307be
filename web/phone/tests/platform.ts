/** What the tests of the platform share: the tests' page in a browser, and short ways to ask its worker. */

import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { CoreEvent, Problem, RequestName, Status } from '../src/core/protocol.ts';

/** The page's globals. */
interface Globals {
  core: { ask(name: string, argument?: unknown): Promise<unknown> };
  events: CoreEvent[];
}

/** What became of a request. */
export type Outcome = { value: unknown } | { problem: Problem };

/** A tab with the tests' page. */
export class Tab {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  /** Opens the page in a new tab. */
  static async open(context: BrowserContext, address: string): Promise<Tab> {
    const page = await context.newPage();
    await page.goto(address);
    return new Tab(page);
  }

  /** Asks the worker. */
  outcome(name: RequestName, argument?: unknown): Promise<Outcome> {
    return this.page.evaluate(
      async ([name, argument]) => {
        const { core } = window as unknown as Globals;
        try {
          return { value: await core.ask(name, argument) };
        } catch (error) {
          return { problem: (error as { problem: Problem }).problem };
        }
      },
      [name, argument] as const,
    );
  }

  /** Asks what must be granted. */
  async ask<T>(name: RequestName, argument?: unknown): Promise<T> {
    const outcome = await this.outcome(name, argument);
    assert.ok('value' in outcome, `${name}: ${JSON.stringify(outcome)}`);
    return outcome.value as T;
  }

  /** Asks what must be refused, and says why it was. */
  async refusal(name: RequestName, argument?: unknown): Promise<string> {
    const outcome = await this.outcome(name, argument);
    assert.ok('problem' in outcome, `${name}: ${JSON.stringify(outcome).slice(0, 200)}`);
    assert.ok(outcome.problem.title !== '' && outcome.problem.detail !== '');
    return outcome.problem.type;
  }

  status(): Promise<Status> {
    return this.ask('status');
  }

  /** Waits until the status is as it should be. */
  async until(holds: (status: Status) => boolean): Promise<Status> {
    let status = await this.status();
    await eventually(async () => {
      status = await this.status();
      return holds(status);
    });
    return status;
  }

  /** Asks the worker, and returns what the page has been told in the moment of the answer. */
  eventsAtAnswer(name: RequestName, argument?: unknown): Promise<CoreEvent[]> {
    return this.page.evaluate(
      async ([name, argument]) => {
        const { core, events } = window as unknown as Globals;
        await core.ask(name, argument);
        return [...events];
      },
      [name, argument] as const,
    );
  }

  events(): Promise<CoreEvent[]> {
    return this.page.evaluate(() => (window as unknown as Globals).events);
  }
}

/** How long anything may take that a test waits for, in milliseconds. */
const PATIENCE = 20_000;

/** Waits until something holds. */
export async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  const start = performance.now();
  while (!(await holds())) {
    assert.ok(performance.now() - start < PATIENCE, `it never comes: ${holds}`);
    await setTimeout(50);
  }
}

/** A browser's profile in Vietnam, empty. */
export function newProfile(browser: Browser): Promise<BrowserContext> {
  return browser.newContext({ locale: 'vi-VN', timezoneId: 'Asia/Ho_Chi_Minh' });
}

/** Everything of one of the database's stores, as it is on the disk: keys, and values with bytes as lists of numbers. */
export function stored(page: Page, store: string): Promise<[key: unknown, value: unknown][]> {
  return page.evaluate(async (store) => {
    const result = <T>(request: IDBRequest<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error as Error);
      });
    const database = await result(indexedDB.open('khaosat'));
    const objects = database.transaction(store).objectStore(store);
    const [keys, values] = await Promise.all([
      result(objects.getAllKeys()),
      result(objects.getAll() as IDBRequest<unknown[]>),
    ]);
    database.close();
    const plain = (value: unknown): unknown => {
      if (value instanceof ArrayBuffer) return [...new Uint8Array(value)];
      if (value instanceof Uint8Array) return [...value];
      if (value === null || typeof value !== 'object') return value;
      return Object.fromEntries(
        Object.entries(value).map(([name, member]) => [name, plain(member)]),
      );
    };
    return keys.map((key, index): [unknown, unknown] => [key, plain(values[index])]);
  }, store);
}
