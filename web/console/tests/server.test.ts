/** The console over the real server, while volunteers send what they wrote down. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import type { Overview } from '../src/api.ts';
import { formatter } from '../src/format.ts';
import { unitName } from '../src/units.ts';
import { violations } from '../../testing/axe.ts';
import { startBrowser, visit } from '../../testing/browser.ts';
import { startDemo, type Demo } from './demo.ts';

// Every phone waits this long before each exchange, so that fieldwork outlasts the loading of the page.
const PACE_MILLISECONDS = 500;
const HOUSEHOLDS = 96;

const format = formatter('vi');

let browser: Browser;
let demo: Demo;

before(async () => {
  browser = await startBrowser();
  demo = await startDemo(
    ...['--households', String(HOUSEHOLDS)],
    ...['--pace', String(PACE_MILLISECONDS)],
    ...['--seed', '5'],
  );
});

// Whatever did not start need not be stopped.
after(async () => {
  await browser?.close();
  await demo?.stop();
});

async function overviewOf(unit: string): Promise<Overview> {
  const response = await fetch(`${demo.origin}/api/v1/overview?unit=${unit}`);
  assert.equal(response.status, 200);
  return (await response.json()) as Overview;
}

/** The count of responses received as the page shows it. */
async function received(page: Page): Promise<string> {
  return (await page.getByText('phiếu đã nhận').textContent()) ?? '';
}

test('figures move by themselves during fieldwork, and lead down to a hamlet', async () => {
  const { page, requests, complaints, errors } = await visit(browser, demo.origin);
  await page.getByRole('heading', { level: 1, name: 'Tỉnh Tiền Giang' }).waitFor();
  await page.getByText('Dữ liệu mô phỏng', { exact: true }).waitFor();
  await page.getByRole('status').filter({ hasText: 'Trực tuyến' }).waitFor();
  await page.evaluate(() => (document.body.dataset['visit'] = 'first'));
  const early = await received(page);
  const everything = `${HOUSEHOLDS} / ${HOUSEHOLDS} phiếu đã nhận`;
  assert.match(early, /^\s*\d+ \/ 96 phiếu đã nhận\s*$/);
  assert.notEqual(early.trim(), everything, 'fieldwork was over before the page was there');

  await demo.fieldworkDone;
  await page.getByText(everything).waitFor();
  assert.equal(await page.evaluate(() => document.body.dataset['visit']), 'first');

  const province = await overviewOf('82');
  const surveyed = province.indicators.find(({ code }) => code === 'XHS-01');
  assert.ok(surveyed?.estimate?.interval && surveyed.decision);
  const row = page.getByRole('listitem').filter({ hasText: 'XHS-01' });
  await row.getByText(format.percent(surveyed.estimate.point), { exact: true }).waitFor();
  await row.getByText(format.range(surveyed.estimate.interval), { exact: true }).waitFor();
  assert.deepEqual(await violations(page), []);

  // Down to the first hamlet with responses, one level at a time.
  let overview = province;
  const levels: string[] = [];
  while (overview.children.length > 0) {
    const next = overview.children.find(({ coverage }) => coverage.responded > 0);
    assert.ok(next, overview.unit.code);
    levels.push(next.level);
    const units = page.getByRole('navigation', { name: 'Đơn vị trực thuộc' });
    const name = unitName(next);
    const counts = `${format.count(next.coverage.received)} / ${format.count(next.coverage.expected)}`;
    await units
      .getByRole('link')
      .filter({ hasText: name })
      .filter({ hasText: counts })
      .first()
      .click();
    await page.getByRole('heading', { level: 1, name, exact: true }).waitFor();
    assert.equal(new URL(page.url()).searchParams.get('unit'), next.code);
    await page.getByRole('button', { name: 'Tỷ lệ dân số trưởng thành có điện thoại' }).click();
    assert.deepEqual(await violations(page), [], name);
    assert.doesNotMatch(await page.locator('main').innerText(), /undefined|null|NaN|[a-z]_[a-z]/);
    await page.getByRole('button', { name: 'Tỷ lệ dân số trưởng thành có điện thoại' }).click();
    overview = await overviewOf(next.code);
  }
  assert.deepEqual(levels, ['district', 'commune', 'hamlet']);

  assert.deepEqual([...complaints, ...errors], []);
  assert.deepEqual(
    requests.filter((address) => !address.startsWith(`${demo.origin}/`)),
    [],
  );
});

test('every page of the real server keeps to the rules of axe in English and in the dark', async () => {
  await demo.fieldworkDone;
  const { page, complaints } = await visit(browser, demo.origin, { colorScheme: 'dark' });
  await page.getByRole('button', { name: 'English' }).click();
  for (const address of [
    '/?indicator=XHS-04',
    '/?view=table',
    '/?unit=815',
    '/?unit=815&indicator=XHS-04&view=indicator',
    '/?unit=9999',
  ]) {
    await page.goto(demo.origin + address);
    await page.getByRole('heading', { level: 1 }).waitFor();
    assert.deepEqual(await violations(page), [], address);
  }
  await page.getByText('The round has no unit with the code 9999.').waitFor();
  assert.deepEqual(complaints, []);
});
