/** The app in a browser that measures it: a phone with finished households, and what a volunteer does with it. */

import { setTimeout } from 'node:timers/promises';
import type { BrowserContext, Page } from 'playwright-core';
import { createVault, encryptRecord } from '../../src/core/worker/vault.ts';
import type { Bytes } from '../../src/core/worker/framing.ts';
import { PIN } from '../volunteer.ts';
import { MEMBER, INTERVIEW } from './interview.ts';
import type { Handset } from './handset.ts';
import {
  answer,
  isThere,
  untilOpened,
  untilShown,
  type Dialect,
  type Settled,
} from './settling.ts';

const DIALECT: Dialect = {
  question: '.question',
  label: '.words',
  kept: '.saving',
  numbersWhenLeft: false,
};
const LIST = 'Khu phố 1';
const NEXT = '.bottom .primary';
const ADD = 'button.add';

/** From one digit of the PIN to the next, in milliseconds. */
const BETWEEN_DIGITS = 400;

/** What a start took, in milliseconds. */
export interface Start {
  /** Until the PIN can be entered. */
  page: number;
  /** From its last digit to the list. */
  list: number;
}

/** Opens the app on a new phone and waits until it can do without a network; how many milliseconds that took. */
export async function install(context: BrowserContext, origin: string): Promise<number> {
  const page = await context.newPage();
  const ready = await untilOpened(page, `${origin}/phone/`, 'Sẵn sàng làm việc khi không có mạng');
  await page.close();
  return ready;
}

/** Writes to a profile's storage what a handset keeps, as the app would have, in place of what is there. */
export async function bring(
  context: BrowserContext,
  origin: string,
  handset: Handset,
): Promise<void> {
  const { key, state } = await createVault(PIN, async (pin, salt, cost) =>
    handset.deriveKey(pin, salt, cost),
  );
  const records = await Promise.all(
    [...handset.records].map(async ([id, content]) => {
      const { iv, data } = await encryptRecord(key, id, content);
      return [id, base64(iv), base64(new Uint8Array(data))] as const;
    }),
  );
  const sealed = [...handset.sealed].map(([id, content]) => [id, base64(content)] as const);
  const { salt, wrapped, ...plain } = { ...state, enrolled: true };
  const vault = {
    plain,
    salt: base64(salt),
    iv: base64(wrapped.iv),
    data: base64(new Uint8Array(wrapped.data)),
  };
  const page = await context.newPage();
  // A file of the same origin that does not open the storage itself.
  await page.goto(`${origin}/phone/boot.css`);
  await page.evaluate(
    async ({ records, sealed, vault }) => {
      const bytes = (text: string): Uint8Array =>
        Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
      const database = await new Promise<IDBDatabase>((opened, failed) => {
        const opening = indexedDB.open('khaosat');
        opening.onsuccess = () => opened(opening.result);
        opening.onerror = () => failed(new Error('the storage does not open'));
      });
      const stores = ['records', 'sealed', 'vault'];
      const transaction = database.transaction(stores, 'readwrite');
      const done = new Promise((written) => (transaction.oncomplete = written));
      for (const store of ['records', 'sealed']) transaction.objectStore(store).clear();
      for (const [id, iv, data] of records) {
        const record = { iv: bytes(iv), data: bytes(data).buffer };
        transaction.objectStore('records').put(record, id);
      }
      for (const [id, content] of sealed) transaction.objectStore('sealed').put(bytes(content), id);
      const wrapped = { iv: bytes(vault.iv), data: bytes(vault.data).buffer };
      const state = { ...vault.plain, salt: bytes(vault.salt), wrapped };
      transaction.objectStore('vault').put(state, 'state');
      await done;
      database.close();
    },
    { records, sealed, vault },
  );
  await page.close();
}

function base64(content: Bytes): string {
  return Buffer.from(content).toString('base64');
}

/** Opens the app and unlocks it. */
export async function start(page: Page, origin: string): Promise<Start> {
  const opened = await untilOpened(page, `${origin}/phone/`, 'Nhập mã PIN');
  for (const digit of PIN.slice(0, -1)) {
    await page.evaluate((key) => dispatchEvent(new KeyboardEvent('keydown', { key })), digit);
    await setTimeout(BETWEEN_DIGITS);
  }
  return { page: opened, list: await untilShown(page, { keys: PIN.slice(-1) }, LIST) };
}

/** Opens the interview of a household from the list, and says after how many milliseconds it stands there. */
export function openInterview(page: Page, unit: string): Promise<number> {
  return untilShown(page, { press: `a[href="#/interview/${unit}"]` }, 'Lưu và đóng');
}

/** Back to the list. */
export async function closeInterview(page: Page): Promise<void> {
  await untilShown(page, { press: '.close' }, LIST);
}

/** Gives the answers of the interview and measures each. */
export async function interview(page: Page): Promise<Settled[]> {
  const times: Settled[] = [];
  for (const given of INTERVIEW) {
    // Each member has a page of its own.
    const here = { ...given, occurrence: 0 };
    let isFresh = given.label !== MEMBER;
    while (!isFresh || !(await isThere(page, here, DIALECT))) {
      const add = page.locator(ADD);
      const roster = given.label === MEMBER && (await add.isVisible());
      const step = page.url();
      await (roster ? add : page.locator(NEXT)).click();
      await page.waitForURL((url) => url.href !== step);
      isFresh ||= roster;
    }
    times.push(await answer(page, here, DIALECT));
  }
  return times;
}

/** Opens the page of sending. */
export async function openSending(page: Page): Promise<void> {
  await untilShown(page, { press: 'a[href="#/send"]' }, 'Gửi ngay');
}

/** Sends everything, and says how many milliseconds it took until nothing waited any more. */
export function send(page: Page): Promise<number> {
  return untilShown(page, { press: 'button.now' }, 'Không còn phiếu nào chờ gửi.');
}
