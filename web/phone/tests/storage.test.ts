/** Storage, PIN, tabs and network in a real browser, over a core that only keeps lines of text. */

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import type { Browser, BrowserContext } from 'playwright-core';
import { startBrowser } from '../../testing/browser.ts';
import { newProfile, stored, Tab } from './platform.ts';
import { buildPage, startSite, type Site } from './site.ts';

const PIN = '2580';
const WRONG = '1234';

let browser: Browser;
let folder: string;
let site: Site;
let profile: BrowserContext;

before(async () => {
  folder = await buildPage('storage');
  browser = await startBrowser();
});

after(() => browser.close());

beforeEach(async () => {
  site = await startSite(() => folder);
  profile = await newProfile(browser);
});

afterEach(async () => {
  await profile.close();
  await site.close();
});

const open = (): Promise<Tab> => Tab.open(profile, site.address);

/** A tab with a PIN and nothing else. */
async function opened(): Promise<Tab> {
  const tab = await open();
  await tab.ask('create_pin', { pin: PIN });
  return tab;
}

async function reload(tab: Tab): Promise<void> {
  await tab.page.reload();
}

/** Ends the pause after wrong PINs, as time would. */
async function endPause(tab: Tab): Promise<void> {
  await tab.page.evaluate(async () => {
    const result = <T>(request: IDBRequest<T>): Promise<T> =>
      new Promise((resolve) => {
        request.onsuccess = () => resolve(request.result);
      });
    const database = await result(indexedDB.open('khaosat'));
    const vault = database.transaction('vault', 'readwrite').objectStore('vault');
    const state = (await result(vault.get('state'))) as { pauseUntil: number | null };
    await result(vault.put({ ...state, pauseUntil: null }, 'state'));
    database.close();
  });
  await reload(tab);
}

test('a phone without a PIN has nothing to unlock, and does nothing before it has one', async () => {
  const tab = await open();
  const status = await tab.status();
  assert.equal(status.pinSet, false);
  assert.equal(status.locked, false);
  assert.equal(status.enrolled, false);
  assert.equal(await tab.refusal('households'), '/problems/no-pin');
  assert.equal(await tab.refusal('unlock', { pin: PIN }), '/problems/no-pin');
  for (const pin of ['123', '1111', 'abcd', '', '1234567890123']) {
    assert.equal(await tab.refusal('create_pin', { pin }), '/problems/weak-pin', pin);
  }
});

test('what was written is there again after the PIN, and not before it', async () => {
  const tab = await opened();
  await tab.ask('rename_volunteer', { name: 'Hồ Thị Đượm' });
  assert.equal(await tab.refusal('create_pin', { pin: '9631' }), '/problems/pin-exists');
  await reload(tab);
  assert.equal((await tab.status()).locked, true);
  assert.equal(await tab.refusal('households'), '/problems/locked');
  assert.equal((await tab.ask<{ locked: boolean }>('unlock', { pin: PIN })).locked, false);
  assert.deepEqual(await tab.ask('households'), ['Hồ Thị Đượm']);
});

test('nothing on the disk but what is sealed can be read without the PIN', async () => {
  const tab = await opened();
  const name = 'Hồ Thị Đượm';
  await tab.ask('rename_volunteer', { name });
  await tab.ask('rename_volunteer', { name });
  const records = await stored(tab.page, 'records');
  assert.equal(records.length, 2);
  const text = (await Promise.all(['records', 'vault'].map((store) => stored(tab.page, store))))
    .flat(2)
    .map((value) =>
      Buffer.from(Object.values(value as object).flat() as number[]).toString('latin1'),
    )
    .join();
  assert.ok(!text.includes(Buffer.from(name).toString('latin1')));
  const [first, second] = records.map(([, record]) => record as { iv: number[]; data: number[] });
  assert.notDeepEqual(first?.iv, second?.iv);
  assert.notDeepEqual(first?.data, second?.data);
});

test('a damaged record is named, and the others work', async () => {
  const tab = await opened();
  for (const name of ['một', 'hai', 'ba', 'bốn']) await tab.ask('rename_volunteer', { name });
  await tab.page.evaluate(
    () =>
      new Promise<void>((resolve) => {
        indexedDB.open('khaosat').onsuccess = (event) => {
          const database = (event.target as IDBOpenDBRequest).result;
          const transaction = database.transaction('records', 'readwrite');
          const records = transaction.objectStore('records');
          // One changed on the disk, one put in another's place, one that is no record at all.
          records.get(101).onsuccess = (event) => {
            const record = (event.target as IDBRequest<{ data: ArrayBuffer }>).result;
            records.put(structuredClone(record), 102);
            const data = new Uint8Array(record.data);
            data[0] = (data[0] ?? 0) ^ 1;
            records.put(record, 101);
          };
          records.put('rubbish', 103);
          transaction.oncomplete = () => {
            database.close();
            resolve();
          };
        };
      }),
  );
  await reload(tab);
  await tab.ask('unlock', { pin: PIN });
  assert.deepEqual(await tab.ask('households'), ['bốn']);
  assert.deepEqual((await tab.status()).damaged, ['bản ghi 101', 'bản ghi 102', 'bản ghi 103']);
  await tab.ask('set_language', { language: 'en' });
  assert.deepEqual((await tab.status()).damaged, ['record 101', 'record 102', 'record 103']);
  assert.equal((await stored(tab.page, 'records')).length, 4, 'they are left where they are');
});

test('wrong PINs make ever longer pauses, which a reload does not end', async () => {
  const tab = await opened();
  await reload(tab);
  for (let attempt = 1; attempt <= 4; attempt += 1) {
    assert.equal(await tab.refusal('unlock', { pin: WRONG }), '/problems/wrong-pin');
    assert.equal((await tab.status()).wrongPins, attempt);
  }
  const { pinPauseUntil } = await tab.status();
  assert.ok(pinPauseUntil !== null && pinPauseUntil > Date.now() + 20_000);
  assert.equal(await tab.refusal('unlock', { pin: PIN }), '/problems/pin-pause');
  await reload(tab);
  assert.equal((await tab.status()).wrongPins, 4);
  assert.equal(await tab.refusal('unlock', { pin: PIN }), '/problems/pin-pause');
  await endPause(tab);
  assert.equal(await tab.refusal('unlock', { pin: WRONG }), '/problems/wrong-pin');
  const later = (await tab.status()).pinPauseUntil;
  assert.ok(later !== null && later > Date.now() + 50_000);
  await endPause(tab);
  const status = await tab.ask<{ wrongPins: number; pinPauseUntil: null }>('unlock', { pin: PIN });
  assert.equal(status.wrongPins, 0);
  assert.equal(status.pinPauseUntil, null);
});

/** Enters fifteen wrong PINs, and says what the last one was refused for. */
async function exhaust(tab: Tab): Promise<string> {
  await reload(tab);
  let last = '';
  for (let attempt = 1; attempt <= 15; attempt += 1) {
    last = await tab.refusal('unlock', { pin: WRONG });
    if (attempt >= 4 && attempt < 15) await endPause(tab);
  }
  return last;
}

test('after fifteen wrong PINs only what is sealed is left, and a new start does not write over it', async () => {
  const tab = await opened();
  await tab.ask('open_interview', { unit: 'A1' });
  await tab.ask('leave_interview');
  const [[, sealed] = []] = await stored(tab.page, 'sealed');
  assert.equal(await exhaust(tab), '/problems/wiped');
  assert.deepEqual(await stored(tab.page, 'records'), []);
  assert.equal((await tab.status()).pinSet, false);

  await tab.ask('create_pin', { pin: '9631' });
  assert.deepEqual(await tab.ask('households'), []);
  await tab.ask('open_interview', { unit: 'B2' });
  await tab.ask('leave_interview');
  const kept = (await stored(tab.page, 'sealed')).map(([, content]) =>
    Buffer.from(content as number[]).toString(),
  );
  assert.deepEqual(kept.sort(), ['visit to A1', 'visit to B2']);
  assert.equal(Buffer.from(sealed as number[]).toString(), 'visit to A1');
});

test('an unfinished interview is in no sealed entry, so it outlives every wrong PIN', async () => {
  const tab = await opened();
  await tab.ask('open_interview', { unit: 'A1' });
  await tab.ask('answer', { value: 'một nửa' });
  assert.equal(await exhaust(tab), '/problems/wrong-pin');
  await endPause(tab);
  await tab.ask('unlock', { pin: PIN });
  assert.deepEqual(await tab.ask('households'), ['một nửa']);
});

test('locking ends the visit', async () => {
  const tab = await opened();
  await tab.ask('open_interview', { unit: 'A1' });
  assert.equal((await tab.ask<{ locked: boolean }>('lock')).locked, true);
  assert.equal((await stored(tab.page, 'sealed')).length, 1);
  assert.equal(await tab.refusal('interview'), '/problems/locked');
  await tab.ask('unlock', { pin: PIN });
  assert.equal(await tab.ask('interview'), null);
});

test('what does not fit on the disk is refused, and is not in memory either', async () => {
  const tab = await open();
  // The browser remembers for a while how much room there was, so there is little from the start.
  const session = await profile.newCDPSession(tab.page);
  const { origin } = site;
  await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 2_000_000 });
  await tab.ask('create_pin', { pin: PIN });
  await tab.ask('rename_volunteer', { name: 'một' });
  await tab.ask('open_interview', { unit: 'A1' });
  const large = 'x'.repeat(3_000_000);
  assert.equal(await tab.refusal('rename_volunteer', { name: large }), '/problems/storage-full');
  assert.deepEqual(await tab.ask('households'), ['một']);
  assert.equal(await tab.ask('interview'), 'A1', 'the interview is still open');
  assert.equal((await tab.events()).at(-1)?.kind, 'status');
  await session.send('Storage.overrideQuotaForOrigin', { origin });
  await tab.ask('rename_volunteer', { name: 'hai' });
  await reload(tab);
  await tab.ask('unlock', { pin: PIN });
  assert.deepEqual(await tab.ask('households'), ['một', 'hai']);
});

test('a core that breaks is replaced by one that knows what is on the disk', async () => {
  const tab = await opened();
  await tab.ask('rename_volunteer', { name: 'một' });
  await tab.ask('open_interview', { unit: 'A1' });
  assert.equal(await tab.refusal('answer', { value: 'broken' }), '/problems/core-failed');
  assert.deepEqual(await tab.ask('households'), ['một']);
  assert.equal(await tab.ask('interview'), 'A1');
});

test('one tab has the data at a time, and another can take them over', async () => {
  const first = await opened();
  await first.ask('open_interview', { unit: 'A1' });
  const second = await open();
  assert.equal((await second.status()).heldElsewhere, true);
  assert.equal(await second.refusal('unlock', { pin: PIN }), '/problems/held-elsewhere');
  assert.equal(await second.refusal('households'), '/problems/held-elsewhere');

  const taken = await second.ask<{ heldElsewhere: boolean; locked: boolean }>('take_over');
  assert.equal(taken.heldElsewhere, false);
  assert.equal(taken.locked, true);
  await first.until((status) => status.heldElsewhere);
  assert.equal(await first.refusal('households'), '/problems/held-elsewhere');
  await second.ask('unlock', { pin: PIN });
  assert.deepEqual(await second.ask('households'), ['visit to A1'], 'the visit had been ended');

  await second.page.close();
  await first.until((status) => !status.heldElsewhere);
  await first.ask('unlock', { pin: PIN });
  assert.deepEqual(await first.ask('households'), ['visit to A1']);
});

test('bytes of a reply reach the page as bytes', async () => {
  const tab = await opened();
  const bundle = await tab.page.evaluate(async () => {
    const { core } = window as unknown as {
      core: { ask(name: string): Promise<{ bytes: Uint8Array; name: string }> };
    };
    const { bytes, name } = await core.ask('bundle');
    return { name, bytes: bytes instanceof Uint8Array, text: new TextDecoder().decode(bytes) };
  });
  assert.deepEqual(bundle, { name: 'a.khaosat', bytes: true, text: 'this' });
});
