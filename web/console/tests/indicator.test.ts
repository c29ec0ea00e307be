/** The page of one indicator in a real browser. */

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { IndicatorPage } from '../src/api.ts';
import { formatter } from '../src/format.ts';
import { unitName } from '../src/units.ts';
import { startBrowser, visit, type Visit } from '../../testing/browser.ts';
import { startSite, type Site } from './site.ts';

const format = formatter('vi');

let browser: Browser;
let site: Site;
let visits: Visit[];

before(async () => {
  browser = await startBrowser();
  site = await startSite();
});

after(async () => {
  await browser.close();
  await site.close();
});

beforeEach(() => {
  visits = [];
});

afterEach(async () => {
  for (const { context, requests, complaints } of visits) {
    await context.close();
    assert.deepEqual(complaints, []);
    assert.deepEqual(
      requests.filter((address) => !address.startsWith(`${site.origin}/`)),
      [],
    );
  }
});

async function open(address: string, options: BrowserContextOptions = {}): Promise<Page> {
  const opened = await visit(browser, site.origin + address, options);
  visits.push(opened);
  return opened.page;
}

function pageOf(unit: string, code: string): IndicatorPage {
  const page = site.survey.indicatorPage(unit, code, Date.now());
  assert.ok(page);
  return page;
}

test('leads from all indicators to one of them, down to a commune, and back', async () => {
  const page = await open('/?unit=819');
  await page.getByRole('button', { name: 'Tỷ lệ hộ gia đình được phủ mạng' }).click();
  await page.getByRole('link', { name: 'Xem kỹ chỉ tiêu này' }).click();
  const title = page.getByRole('heading', { level: 2, name: 'Tỷ lệ hộ gia đình được phủ mạng' });
  await title.waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), 'H1');
  assert.match(await page.title(), /^Tỷ lệ hộ gia đình được phủ mạng .* – Huyện Cái Bè – /);

  await page.getByRole('link', { name: 'Thị trấn Cái Bè' }).click();
  await page.getByRole('heading', { level: 1, name: 'Thị trấn Cái Bè' }).waitFor();
  await title.waitFor();
  const address = new URL(page.url()).searchParams;
  assert.deepEqual([address.get('unit'), address.get('view')], ['28360', 'indicator']);

  await page.getByRole('link', { name: 'Tất cả chỉ tiêu' }).click();
  await page.getByRole('heading', { level: 2, name: 'Chỉ tiêu', exact: true }).waitFor();
  assert.equal(await page.getByRole('heading', { level: 1 }).textContent(), 'Thị trấn Cái Bè');
});

test('says where the indicator stands and what could change that', async () => {
  const { indicator, movements, open: matters, coverage } = pageOf('82', 'XHS-02');
  const { estimate, more_interviews: more } = indicator;
  assert.ok(estimate?.interval && estimate.bounds && more?.outcome === 'some' && matters);
  const page = await open('/?indicator=XHS-02&view=indicator');
  const standing = page.getByRole('region', { name: 'Hiện trạng' });
  for (const figure of [
    format.percent(estimate.point),
    format.range(estimate.interval),
    format.range(estimate.bounds),
    format.count(estimate.households),
    'Chưa đủ căn cứ',
  ]) {
    await standing.getByText(figure, { exact: true }).waitFor();
  }
  const change = page.getByRole('region', { name: 'Điều gì có thể làm đổi kết luận' });
  await change.getByText(`Cần thêm khoảng ${format.count(more.households)} hộ`).waitFor();
  await change.getByText('thì kết luận là «Đạt»').waitFor();
  const first = format.count(matters.settle_first ?? 0);
  const all = format.count(matters.matters);
  await change.getByText(`Xác nhận ${first} trong ${all} chỗ nặng nhất là đủ`).waitFor();
  const weightiest = matters.hamlets[0];
  assert.ok(weightiest);
  await change
    .getByRole('row')
    .filter({ hasText: unitName(weightiest.unit) })
    .first()
    .waitFor();
  const awaited = format.count(coverage.expected - coverage.received);
  await change.getByText(`${awaited} / ${format.count(coverage.expected)} hộ`).waitFor();
  const day = movements[0];
  assert.ok(day?.point && day.difference);
  const moved = change.getByRole('row').filter({ hasText: '24 giờ trước' });
  for (const figure of [format.percent(day.point), format.count(day.households), '+0,4']) {
    await moved.getByRole('cell', { name: figure, exact: true }).waitFor();
  }
});

test('puts official figures beside the survey, with source and difference', async () => {
  const { indicator } = pageOf('82', 'XHS-01');
  const figure = indicator.official[0];
  assert.ok(figure && figure.difference !== null);
  const page = await open('/?indicator=XHS-01&view=indicator');
  const official = page.getByRole('region', { name: 'Số liệu chính thức', exact: true });
  const row = official.getByRole('row').filter({ hasText: `${figure.year}: ${figure.source}` });
  for (const cell of ['78,5\u00a0%', 'Chưa đạt', format.change(figure.difference / 100)]) {
    await row.getByRole('cell', { name: cell, exact: true }).waitFor();
  }
  // An economy indicator has nothing else.
  await page.goto(`${site.origin}/?indicator=KTS-01&view=indicator`);
  await page.getByText('Chưa có số liệu khảo sát: số liệu chính thức').waitFor();
  await official.getByRole('row').filter({ hasText: '2024' }).waitFor();
});

test('tells measured figures of communes from modelled ones, in words and in the drawing', async () => {
  const { children, model } = pageOf('819', 'XHS-05');
  const synthetic = children.find(({ modelled }) => modelled?.source === 'synthetic');
  const combined = children.find(({ modelled }) => modelled?.source === 'combined');
  assert.ok(synthetic?.modelled && combined?.modelled && combined.direct?.point && model);
  const page = await open('/?unit=819&indicator=XHS-05&view=indicator');
  const unmeasured = page.getByRole('listitem').filter({ hasText: unitName(synthetic) });
  await unmeasured.getByText('theo mô hình', { exact: true }).waitFor();
  await unmeasured.getByText(format.percent(synthetic.modelled.point)).waitFor();
  assert.equal(await unmeasured.locator('svg.modelled').count(), 1);
  const measured = page.getByRole('listitem').filter({ hasText: unitName(combined) });
  await measured.getByText(format.percent(combined.direct.point), { exact: true }).waitFor();
  await measured.getByText(format.percent(combined.modelled.point), { exact: true }).waitFor();
  await measured.getByText('kết hợp với phỏng vấn của xã').waitFor();
  await page.getByText('không dùng để kết luận về mục tiêu').waitFor();
  await page.getByText(`${model.communes_with_interviews} trong ${model.communes} xã`).waitFor();
});

test('follows new figures, and fits a phone with targets of 44 pixels', async () => {
  const phone = { viewport: { width: 360, height: 640 }, hasTouch: true };
  for (const address of [
    '/?unit=819&indicator=XHS-05&view=indicator',
    '/?unit=28360&indicator=XHS-01&view=indicator',
    '/?indicator=XHS-02&view=indicator',
  ]) {
    const page = await open(address, phone);
    await page.getByRole('heading', { level: 1 }).waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360, address);
    const boxes = await page.locator('main a, main button').evaluateAll((elements) =>
      elements.map((element) => {
        const { width, height } = element.getBoundingClientRect();
        return { text: element.textContent?.trim(), width, height };
      }),
    );
    assert.deepEqual(
      boxes.filter(({ width, height }) => width < 44 || height < 44),
      [],
      address,
    );
  }
  const page = await open('/?indicator=XHS-02&view=indicator');
  await page.getByRole('region', { name: 'Hiện trạng' }).waitFor();
  site.server.advance();
  const { coverage } = pageOf('82', 'XHS-02');
  const awaited = format.count(coverage.expected - coverage.received);
  await page.getByText(`${awaited} / ${format.count(coverage.expected)} hộ`).waitFor();
});
