/** The worker as it was built, with the real core, in a real browser: keys, storage, and what it says before enrolment. */

import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { startBrowser } from '../../testing/browser.ts';
import type { FromWorker, WorkerStatus } from '../src/core/messages.ts';
import type { RequestName } from '../src/core/protocol.ts';
import { newProfile, stored } from './platform.ts';
import { startSite, type Site } from './site.ts';

let browser: Browser;
let site: Site;
let script: string;

before(async () => {
  const assets = await readdir('dist/assets');
  script = assets.find((name) => /^worker-.*\.js$/.test(name)) ?? '';
  site = await startSite(() => 'dist');
  browser = await startBrowser();
});

after(async () => {
  await browser.close();
  await site.close();
});

/** A page without the app, whose worker is asked by messages. */
async function start(page: Page): Promise<void> {
  await page.goto(`${site.address}rescue.html`);
  await page.evaluate((script) => {
    const worker = new Worker(`assets/${script}`, { type: 'module' });
    Object.assign(window, { worker });
  }, script);
}

function ask(page: Page, name: RequestName, argument: unknown = null): Promise<FromWorker> {
  return page.evaluate(
    ([name, argument]) =>
      new Promise<FromWorker>((resolve) => {
        const { worker } = window as unknown as { worker: Worker };
        const id = Math.random();
        worker.addEventListener('message', (event) => {
          const message = event.data as FromWorker;
          if (message.kind !== 'event' && message.id === id) resolve(message);
        });
        worker.postMessage({ kind: 'ask', id, name, argument });
      }),
    [name, argument] as const,
  );
}

async function refusal(page: Page, name: RequestName, argument?: unknown): Promise<string> {
  const answer = await ask(page, name, argument);
  assert.ok(answer.kind === 'refused', JSON.stringify(answer));
  return answer.problem.type;
}

async function status(page: Page, name: RequestName, argument?: unknown): Promise<WorkerStatus> {
  const answer = await ask(page, name, argument);
  assert.ok(answer.kind === 'value', JSON.stringify(answer));
  return answer.value as WorkerStatus;
}

test('the core that was built opens and closes with its PIN', async () => {
  const profile = await newProfile(browser);
  const page = await profile.newPage();
  await start(page);
  assert.equal((await status(page, 'create_pin', { pin: '2580' })).locked, false);
  assert.match(await refusal(page, 'assignment'), /not-enrolled/);
  assert.equal((await ask(page, 'sync_state')).kind, 'value');

  // An enrolment without a server: the phone's key is kept, encrypted, before anything is sent.
  assert.match(await refusal(page, 'enrol', { code: 'ABCD-EFGH' }), /^\/problems\//);
  assert.ok((await stored(page, 'records')).length > 0);
  assert.equal((await status(page, 'lock')).locked, true);

  await start(page);
  assert.equal((await status(page, 'status')).locked, true);
  assert.equal(await refusal(page, 'unlock', { pin: '1470' }), '/problems/wrong-pin');
  const opened = await status(page, 'unlock', { pin: '2580' });
  assert.deepEqual([opened.locked, opened.enrolled, opened.wrongPins], [false, false, 0]);
  assert.deepEqual(opened.damaged, []);
  await profile.close();
});
