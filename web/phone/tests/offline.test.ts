/** The service worker in a real browser: installing, being offline, changing versions; and the rescue page. */

import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import type { Browser, BrowserContext } from 'playwright-core';
import { violations } from '../../testing/axe.ts';
import { startBrowser } from '../../testing/browser.ts';
import { newProfile, Tab } from './platform.ts';
import { buildPage, startSite, type Site } from './site.ts';

const PIN = '2580';

let browser: Browser;
let first: string;
let second: string;
let served: string;
let site: Site;
let profile: BrowserContext;

before(async () => {
  first = await buildPage('first');
  second = await buildPage('second');
  browser = await startBrowser();
});

after(() => browser.close());

beforeEach(async () => {
  served = first;
  site = await startSite(() => served);
  site.answer = (_request, _body, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"status":"ok"}');
  };
  profile = await newProfile(browser);
});

afterEach(async () => {
  await profile.close();
  await site.close();
});

const open = (): Promise<Tab> => Tab.open(profile, site.address);

const ready = (tab: Tab): Promise<unknown> => tab.until((status) => status.offlineReady);

/** Has the browser look for a new version, as it does by itself at every start. */
function lookForUpdate(tab: Tab): Promise<void> {
  return tab.page.evaluate(async () => {
    await (await navigator.serviceWorker.ready).update();
  });
}

test('after one visit the app opens without any network, and says so', async () => {
  const tab = await open();
  const status = await tab.until((status) => status.offlineReady);
  const sizes = await Promise.all(
    (await readdir(first, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile() && entry.name.endsWith('.br'))
      .map(async ({ parentPath, name }) => (await readFile(`${parentPath}/${name}`)).length),
  );
  const compressed = sizes.reduce((sum, size) => sum + size, 0);
  assert.ok(status.installBytes !== null && status.installBytes < compressed + 60_000);
  await tab.ask('create_pin', { pin: PIN });
  await tab.ask('rename_volunteer', { name: 'Đượm' });
  await tab.page.close();

  await site.close();
  await profile.setOffline(true);
  for (const address of [site.address, `${site.address}index.html`, `${site.address}anything`]) {
    const offline = await Tab.open(profile, address);
    assert.equal((await offline.status()).offlineReady, true, address);
    await offline.ask('unlock', { pin: PIN });
    assert.deepEqual(await offline.ask('households'), ['Đượm'], address);
    await offline.page.close();
  }
});

test('a file that is not what was built does not become part of the app', async () => {
  site.instead.set('favicon.svg', '<html>Đăng nhập Wi-Fi</html>');
  const tab = await open();
  await tab.page.waitForFunction(async () => {
    const registration = await navigator.serviceWorker.getRegistration();
    return registration === undefined || registration.installing === null;
  });
  assert.equal((await tab.status()).offlineReady, false);
  // The next attempt goes on from there.
  site.instead.clear();
  await tab.page.reload();
  await ready(tab);
});

test('a file that has gone from the cache is missed, and fetched again', async () => {
  const tab = await open();
  await ready(tab);
  await tab.page.evaluate(async () => {
    const [name] = await caches.keys();
    await (await caches.open(name as string)).delete(new URL('rescue.html', location.href));
  });
  site.instead.set('rescue.html', '<html>Đăng nhập Wi-Fi</html>');
  await tab.page.reload();
  await tab.until((status) => status.installBytes !== null);
  assert.equal((await tab.status()).offlineReady, false);
  site.instead.clear();
  await tab.page.reload();
  await ready(tab);
});

test('a new version waits while an interview is open, and comes with the next start', async () => {
  const tab = await open();
  await ready(tab);
  await tab.page.reload();
  await tab.ask('create_pin', { pin: PIN });
  await tab.ask('open_interview', { unit: 'A1' });
  served = second;
  await lookForUpdate(tab);
  await tab.until((status) => status.updateWaiting);
  assert.equal(await tab.ask('interview'), 'A1');
  assert.equal(await tab.page.title(), 'Worker first');

  const reloaded = tab.page.waitForEvent('framenavigated');
  await tab.ask('lock').catch(() => undefined);
  await reloaded;
  await tab.page.waitForFunction(() => document.title === 'Worker second');
  assert.equal((await tab.until((status) => status.offlineReady)).updateWaiting, false);
});

test('the rescue page saves what is sealed, even without network and app', async () => {
  const tab = await open();
  await ready(tab);
  await tab.ask('create_pin', { pin: PIN });
  for (const unit of ['A1', 'A2']) {
    await tab.ask('open_interview', { unit });
    await tab.ask('leave_interview');
  }
  await profile.setOffline(true);
  const { page } = await Tab.open(profile, `${site.address}rescue.html`);
  await page.getByText('2 lần ghi chưa gửi').waitFor();
  assert.deepEqual(await violations(page), []);
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Lưu ra tệp' }).click();
  const file = await download;
  assert.match(file.suggestedFilename(), /^khaosat-rescue-\d{4}-\d\d-\d\d\.khaosat$/);
  const content = await readFile(await file.path(), 'utf8');
  assert.equal(content, 'visit to A1visit to A2');

  await page.getByRole('button', { name: 'Tải lại' }).click();
  await page.getByText('Chưa liên lạc được máy chủ').waitFor();
  await profile.setOffline(false);
  await page.getByRole('button', { name: 'Tải lại' }).click();
  await page.waitForURL(site.address);
  const again = new Tab(page);
  await ready(again);
  await tab.page.close();
  await again.until((status) => !status.heldElsewhere);
  await again.ask('unlock', { pin: PIN });
  assert.deepEqual(await again.ask('households'), ['visit to A1', 'visit to A2']);
});

test('the rescue page makes no database where there is none', async () => {
  const { page } = await Tab.open(profile, `${site.address}rescue.html`);
  await page.getByText('Không có phiếu nào chờ gửi').waitFor();
  assert.deepEqual(await page.evaluate(async () => await indexedDB.databases()), []);
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    assert.deepEqual(await violations(page), []);
  }
});
