/** Exchanges in a real browser: what the worker does with answers, silence, and what answers in the server's place. */

import assert from 'node:assert/strict';
import { brotliCompressSync } from 'node:zlib';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import type { Browser, BrowserContext } from 'playwright-core';
import { startBrowser } from '../../testing/browser.ts';
import type { SyncState } from '../src/core/protocol.ts';
import { eventually, newProfile, Tab } from './platform.ts';
import { buildPage, startSite, type Interface, type Site } from './site.ts';

const PIN = '2580';

let browser: Browser;
let folder: string;
let site: Site;
let profile: BrowserContext;
let tab: Tab;

before(async () => {
  folder = await buildPage('network');
  browser = await startBrowser();
});

after(() => browser.close());

beforeEach(async () => {
  site = await startSite(() => folder);
  profile = await newProfile(browser);
  tab = await Tab.open(profile, site.address);
  await tab.ask('create_pin', { pin: PIN });
});

afterEach(async () => {
  await profile.close();
  await site.close();
});

/** Answers with a text, and notes what was asked. */
function answering(status: number, text: string, type = 'application/json'): [Interface, string[]] {
  const asked: string[] = [];
  const answer: Interface = (request, body, response) => {
    asked.push(`${request.method} ${request.url} ${body}`);
    response.writeHead(status, { 'content-type': type });
    response.end(text);
  };
  return [answer, asked];
}

async function enrol(): Promise<void> {
  [site.answer] = answering(200, 'Đượm');
  await tab.ask('enrol', { code: 'ABC' });
}

test('a phone that has enrolled stays so', async () => {
  const [answer, asked] = answering(200, 'Đượm');
  site.answer = answer;
  assert.deepEqual(await tab.ask('enrol', { code: 'ABC' }), { volunteer: 'Đượm' });
  assert.equal(asked[0], 'POST /api/v1/enrol ');
  assert.equal((await tab.status()).enrolled, true);
  await tab.page.reload();
  assert.equal((await tab.status()).enrolled, true, 'known before the PIN');
  await tab.ask('unlock', { pin: PIN });
  assert.deepEqual(await tab.ask('assignment'), { volunteer: 'Đượm' });
});

test('an answer that came compressed is handed on as what it was before', async () => {
  site.answer = (_request, _body, response) => {
    response.writeHead(200, { 'content-type': 'text/plain', 'content-encoding': 'br' });
    response.end(brotliCompressSync('Đượm'));
  };
  assert.deepEqual(await tab.ask('enrol', { code: 'ABC' }), { volunteer: 'Đượm' });
});

test('an enrolment that fails says why, and is not tried again by itself', async () => {
  [site.answer] = answering(403, '{}');
  assert.equal(await reason('enrol', { code: 'ABC' }), '403');
  assert.equal((await tab.status()).enrolled, false);
  assert.equal((await tab.ask<SyncState>('sync_state')).retryAt, null);
});

async function reason(name: 'enrol', argument: unknown): Promise<string> {
  const outcome = await tab.outcome(name, argument);
  assert.ok('problem' in outcome);
  return outcome.problem.type;
}

test('who is told that a visit is closed has been told already that it is unsent', async () => {
  await tab.ask('open_interview', { unit: 'A1' });
  const events = await tab.eventsAtAnswer('leave_interview');
  const states = events.flatMap((event) => (event.kind === 'sync' ? [event.state] : []));
  assert.equal(states.at(-1)?.unsentChanges, 1);
});

test('a finished visit is sent by itself, and the page is told', async () => {
  await enrol();
  const [answer, asked] = answering(200, '');
  site.answer = answer;
  await tab.ask('open_interview', { unit: 'A1' });
  await tab.ask('leave_interview');
  await eventually(() => asked.includes('POST /api/v1/sync visit to A1'));
  const state = await tab.ask<SyncState>('sync');
  assert.equal(state.unsentChanges, 0);
  const kinds = (await tab.events()).map((event) => event.kind);
  assert.ok(kinds.includes('households') && kinds.includes('sync'));
});

const FAILURES: readonly (readonly [told: string, reason: string, answer: Interface])[] = [
  [
    'a page instead of data comes from a captive portal',
    'portal',
    answering(200, '<html>Đăng nhập Wi-Fi</html>', 'text/html; charset=utf-8')[0],
  ],
  [
    'a redirect comes from a captive portal, and is not followed',
    'portal',
    (_request, _body, response) =>
      response.writeHead(302, { location: 'http://127.0.0.1:9/login' }).end(),
  ],
  [
    'a page that tells of an error comes from a proxy that has lost the server',
    'network',
    answering(502, '<html>Bad gateway</html>', 'text/html')[0],
  ],
  ['a connection that breaks is no network', 'network', (request) => request.socket.destroy()],
];

for (const [told, expected, answer] of FAILURES) {
  test(told, async () => {
    await enrol();
    await tab.ask('sync');
    site.answer = answer;
    const state = await tab.ask<SyncState>('sync');
    assert.equal(state.problem?.type, expected);
    assert.equal(state.phase, 'waiting');
    const { retryAt } = state;
    assert.ok(retryAt !== null && retryAt > Date.now() + 5_000 && retryAt < Date.now() + 13_000);
    // It waits longer after the next failure, and not at all once the network is back.
    const next = await tab.ask<SyncState>('sync');
    assert.ok(next.retryAt !== null && next.retryAt > Date.now() + 14_000);
    const [recovered, asked] = answering(200, '');
    site.answer = recovered;
    await profile.setOffline(true);
    await profile.setOffline(false);
    await eventually(() => asked.length > 0);
    assert.equal((await tab.ask<SyncState>('sync')).problem, null);
  });
}

test('a line that has died in the middle of an answer is given up', async () => {
  await enrol();
  await tab.ask('sync');
  site.answer = (_request, _body, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': 10 });
    response.write('{');
  };
  const state = await tab.ask<SyncState>('sync');
  assert.equal(state.problem?.type, 'timeout');
});

test('answers are taken while an exchange waits for the network', async () => {
  await enrol();
  await tab.ask('sync');
  let finish = (): void => undefined;
  const called = new Promise<void>((resolve) => {
    site.answer = (_request, _body, response) => {
      finish = () => void response.writeHead(200, { 'content-type': 'text/plain' }).end();
      resolve();
    };
  });
  const syncing = tab.ask<SyncState>('sync');
  await called;
  await tab.ask('open_interview', { unit: 'A1' });
  await tab.ask('answer', { value: 'giữa chừng' });
  finish();
  assert.equal((await syncing).problem, null);
  assert.equal(await tab.ask('interview'), 'A1');
});

test('locking ends an exchange, and what it was about is not lost', async () => {
  await enrol();
  await tab.ask('sync');
  const called = new Promise<void>((resolve) => {
    site.answer = () => resolve();
  });
  const syncing = tab.outcome('sync');
  await called;
  await tab.ask('lock');
  assert.ok('problem' in (await syncing));
  const [answer, asked] = answering(200, '');
  site.answer = answer;
  await tab.ask('unlock', { pin: PIN });
  await eventually(() => asked.length > 0);
});
