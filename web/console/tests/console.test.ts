/** The built console in a real browser: what an official sees and does. */

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { Indicator } from '../src/api.ts';
import { formatter } from '../src/format.ts';
import { startBrowser, visit, type Visit } from '../../testing/browser.ts';
import { startSite, type Site } from './site.ts';

const PHONE: BrowserContextOptions = { viewport: { width: 360, height: 640 }, hasTouch: true };
const format = formatter('vi');

let browser: Browser;
let site: Site;
let visits: Visit[];

before(async () => {
  browser = await startBrowser();
});

after(async () => {
  await browser.close();
});

beforeEach(async () => {
  site = await startSite();
  visits = [];
});

// Whatever a test does, the page must keep to its origin, its security policy, and its feet.
afterEach(async () => {
  for (const { context } of visits) await context.close();
  await site.close();
  for (const { requests, complaints } of visits) {
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

function indicatorOf(unit: string, code: string): Indicator {
  const overview = site.survey.overview(unit, Date.now());
  const indicator = overview?.indicators.find((candidate) => candidate.code === code);
  assert.ok(indicator);
  return indicator;
}

function received(): string {
  const coverage = site.survey.overview('82', Date.now())?.coverage;
  assert.ok(coverage);
  return `${format.count(coverage.received)} / ${format.count(coverage.expected)} phiếu đã nhận`;
}

test('speaks Vietnamese first, and remembers the switch to English', async () => {
  const page = await open('/');
  await page.getByRole('heading', { level: 1, name: 'Tỉnh Tiền Giang' }).waitFor();
  assert.equal(await page.locator('html').getAttribute('lang'), 'vi');
  assert.equal(await page.title(), 'Tỉnh Tiền Giang – Theo dõi chỉ tiêu – Khảo Sát');
  await page.getByText('Khảo sát xã hội số 2025').waitFor();

  await page.getByRole('button', { name: 'English' }).click();
  await page.getByRole('heading', { level: 1, name: 'Tỉnh Tiền Giang' }).waitFor();
  assert.equal(await page.locator('html').getAttribute('lang'), 'en');
  await page.getByText('Share of adults with a smartphone').waitFor();

  await page.reload();
  await page.getByRole('heading', { level: 1, name: 'Tỉnh Tiền Giang' }).waitFor();
  await page.getByRole('button', { name: 'Tiếng Việt' }).waitFor();
});

test('shows an indicator as figures, picture and decision', async () => {
  const { estimate, decision, name } = indicatorOf('82', 'XHS-01');
  assert.ok(estimate?.interval);
  assert.equal(decision, 'met');
  const page = await open('/');
  const row = page.getByRole('listitem').filter({ hasText: 'XHS-01' });
  await row.getByText(format.percent(estimate.point), { exact: true }).waitFor();
  await row.getByText(format.range(estimate.interval), { exact: true }).waitFor();
  await row.getByText('Đạt', { exact: true }).waitFor();
  const words = (await row.locator('svg[role=img]').getAttribute('aria-label')) ?? '';
  assert.ok(words.startsWith(`${name.vi}: Ước lượng ${format.percent(estimate.point)}; `), words);
  assert.ok(words.endsWith('mục tiêu ≥\u00a080\u00a0%; Đạt'), words);
});

test('lists indicators of other sources apart, with target and lead agency', async () => {
  const page = await open('/');
  const row = page.getByRole('listitem').filter({ hasText: 'KTS-04' });
  await row.getByText('mục tiêu >\u00a010\u00a0%').waitFor();
  await row.getByText('số liệu chính thức').waitFor();
  await row.getByText('Sở Công Thương').waitFor();
});

test('keeps the simulation in sight while scrolling, and only for a simulated round', async () => {
  const page = await open('/');
  const banner = page.getByText('Dữ liệu mô phỏng', { exact: true });
  await banner.waitFor();
  await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
  const box = await banner.boundingBox();
  assert.ok(box && box.y >= 0 && box.y < 40, JSON.stringify(box));

  site.survey.simulated = false;
  await page.reload();
  await page.getByRole('heading', { level: 1 }).waitFor();
  assert.equal(await banner.count(), 0);
});

test('descends the tree by keyboard from province to hamlet, and back', async () => {
  const commune = site.survey.overview('28360', Date.now());
  const hamlet = commune?.children.find(({ coverage }) => coverage.expected > 0);
  assert.ok(hamlet);
  const quarter = `Khu phố ${hamlet.name}`;
  const page = await open('/');
  await page.getByRole('heading', { level: 1 }).waitFor();
  for (const [link, heading, unit] of [
    ['Huyện Cái Bè', 'Huyện Cái Bè', '819'],
    ['Thị trấn Cái Bè', 'Thị trấn Cái Bè', '28360'],
    [quarter, quarter, hamlet.code],
  ] as const) {
    await tabTo(page, link);
    await page.keyboard.press('Enter');
    const title = page.getByRole('heading', { level: 1, name: heading });
    await title.waitFor();
    assert.equal(new URL(page.url()).searchParams.get('unit'), unit);
    assert.equal(await page.evaluate(() => document.activeElement?.tagName), 'H1');
  }
  assert.equal(await page.getByRole('navigation', { name: 'Đơn vị trực thuộc' }).count(), 0);

  await page.getByRole('link', { name: 'Huyện Cái Bè' }).click();
  await page.getByRole('heading', { level: 1, name: 'Huyện Cái Bè' }).waitFor();
  await page.goBack();
  await page.getByRole('heading', { level: 1, name: quarter }).waitFor();
});

async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press('Tab');
    const text = await page.evaluate(() => document.activeElement?.textContent?.trim() ?? '');
    if (text.startsWith(name)) return;
  }
  assert.fail(`«${name}» is not reached with the Tab key`);
}

test('says so where a unit has no data or is not in the sample', async () => {
  const page = await open('/');
  const units = page.getByRole('navigation', { name: 'Đơn vị trực thuộc' });
  await units.getByRole('link', { name: 'Huyện Tân Phú Đông chưa có dữ liệu' }).waitFor();
  await page.goto(`${site.origin}/?unit=815`);
  const first = units.getByRole('link', { name: 'Phường 1', exact: true });
  assert.equal(await first.isVisible(), false);
  await units.getByText('đơn vị không có hộ trong mẫu').click();
  await first.click();
  await page.getByRole('heading', { level: 1, name: 'Phường 1' }).waitFor();
  await page.getByText('khảo sát hộ gia đình, không có hộ trong mẫu').first().waitFor();
});

test('opens an indicator by keyboard, and from a shared address', async () => {
  const page = await open('/');
  const button = page.getByRole('button', { name: 'Tỷ lệ dân số trưởng thành có điện thoại' });
  await button.focus();
  await page.keyboard.press('Enter');
  assert.equal(await button.getAttribute('aria-expanded'), 'true');
  assert.equal(new URL(page.url()).searchParams.get('indicator'), 'XHS-01');
  await page.getByText('Khoảng tin cậy của nhiều đơn vị chồng lên nhau').waitFor();

  const shared = await open(`/${new URL(page.url()).search}`);
  const row = shared.getByRole('listitem').filter({ hasText: 'XHS-01' });
  await row.getByText('Người trưởng thành có điện thoại thông minh').waitFor();
  await row.getByText('Sở Thông tin và Truyền thông').waitFor();
  const names = await row.locator('ul .name [lang=vi]').allTextContents();
  assert.equal(names.length, 10);
  assert.deepEqual(names, [...names].sort(format.compare));
});

test('says why a compared unit is withheld, or has no interval', async () => {
  const page = await open('/?unit=819&indicator=XHS-05');
  const withheld = page.getByRole('listitem').filter({ hasText: 'Chưa công bố' }).last();
  await withheld.getByText('chỉ có 3 hộ trả lời, cần ít nhất 5').waitFor();
  const why = /chưa có khoảng tin cậy, vì mới có phiếu của một ấp, khu phố/;
  await page.getByText(why).waitFor();
});

test('says so where a denominator or the bounds are missing, and words the method', async () => {
  const page = await open('/?unit=9999');
  await page.route('**/api/v1/overview', async (request) => {
    const overview = site.survey.overview('82', Date.now());
    for (const indicator of overview?.indicators ?? []) {
      if (indicator.code === 'XHS-01') {
        Object.assign(indicator, { estimate: null, reason: 'no_denominator', decision: null });
      }
      if (indicator.code === 'XHS-02' && indicator.estimate?.interval) {
        indicator.estimate.bounds = null;
        indicator.estimate.interval.method = 'clopper_pearson';
      }
    }
    await request.fulfill({ json: overview });
  });
  await page.getByRole('link', { name: 'Về đơn vị gốc' }).click();
  const row = page.getByRole('listitem').filter({ hasText: 'XHS-01' });
  await row
    .getByText('Chưa tính được: các hộ đã trả lời không có ai hoặc gì thuộc mẫu số')
    .waitFor();
  await page.getByRole('button', { name: 'Tỷ lệ dân số từ 15 tuổi trở lên' }).click();
  await page
    .getByText(/Clopper–Pearson theo số hộ hiệu quả; .*chưa tính được khoảng bỏ ngỏ/)
    .waitFor();
});

test('offers every number in a table', async () => {
  const { estimate } = indicatorOf('82', 'XHS-03');
  assert.ok(estimate?.standard_error && estimate.design_effect);
  const page = await open('/');
  await page.getByRole('button', { name: 'Bảng số' }).click();
  const row = page.getByRole('row').filter({ hasText: 'XHS-03' });
  for (const figure of [
    format.percent(estimate.point),
    format.points(estimate.standard_error),
    format.count(estimate.households),
    `${format.count(estimate.denominator_count)} người`,
    format.count(estimate.degrees_of_freedom),
    format.decimal(estimate.design_effect, 2),
    '>\u00a050\u00a0%',
    'Sở Thông tin và Truyền thông',
  ]) {
    await row.getByRole('cell', { name: figure, exact: true }).first().waitFor();
  }
  assert.equal(await page.getByRole('row').count(), 18);
});

test('shows new figures without a reload when the server tells of them', async () => {
  const page = await open('/');
  const before = received();
  await page.getByText(before).waitFor();
  await page.getByRole('status').filter({ hasText: 'Trực tuyến' }).waitFor();
  await page.evaluate(() => (document.body.dataset['visit'] = 'first'));
  site.server.advance();
  const now = received();
  assert.notEqual(now, before);
  await page.getByText(now).waitFor();
  await page.getByText('bây giờ').waitFor();
  assert.equal(await page.evaluate(() => document.body.dataset['visit']), 'first');
});

test('fetches once for a burst of events', async () => {
  const page = await open('/');
  await page.getByRole('status').filter({ hasText: 'Trực tuyến' }).waitFor();
  const [first] = visits;
  const fetches = (): number =>
    first?.requests.filter((address) => address.includes('/overview')).length ?? 0;
  const earlier = fetches();
  for (let arrival = 0; arrival < 20; arrival += 1) site.server.advance();
  await page.getByText(received()).waitFor();
  assert.equal(fetches(), earlier + 1);
});

test('shows a lost connection, mends it, and catches up', async () => {
  const page = await open('/');
  await page.getByRole('status').filter({ hasText: 'Trực tuyến' }).waitFor();
  site.server.eventsRefused = true;
  site.server.disconnect();
  await page.getByRole('status').filter({ hasText: 'Mất kết nối' }).waitFor();
  await page.getByText('số liệu có thể cũ, đang thử lại').waitFor();
  site.server.advance();
  site.server.eventsRefused = false;
  await page.getByRole('status').filter({ hasText: 'Trực tuyến' }).waitFor();
  await page.getByText(received()).waitFor();
});

test("shows the server's own words for a failure, keeps the figures, and recovers", async () => {
  const page = await open('/');
  await page.getByRole('status').filter({ hasText: 'Trực tuyến' }).waitFor();
  const kept = received();
  site.server.refusal = { status: 503, detail: 'Kho số liệu đang được sao lưu, xin thử lại sau.' };
  site.server.advance();
  const alert = page.getByRole('alert');
  await alert.getByText('Kho số liệu đang được sao lưu, xin thử lại sau.').waitFor();
  await page.getByText(kept).waitFor();
  site.server.refusal = null;
  await alert.getByRole('button', { name: 'Thử lại' }).click();
  await page.getByText(received()).waitFor();
  await alert.waitFor({ state: 'detached' });
});

test('names an unknown unit in the language of the reader, and leads back', async () => {
  const page = await open('/?unit=9999');
  await page.getByText('Không có đơn vị hành chính nào mang mã «9999»').waitFor();
  await page.getByRole('button', { name: 'English' }).click();
  await page.getByText('No admin unit of this survey round has the code “9999”.').waitFor();
  await page.getByRole('link', { name: 'To the top unit' }).click();
  await page.getByRole('heading', { level: 1, name: 'Tỉnh Tiền Giang' }).waitFor();
});

test('tells an unreachable server and a strange answer from a refusal', async () => {
  const page = await open('/');
  await page.getByRole('status').filter({ hasText: 'Trực tuyến' }).waitFor();
  await page.route('**/api/v1/overview*', (request) => request.abort());
  site.server.advance();
  await page.getByText('Không kết nối được với máy chủ.').waitFor();
  await page.unroute('**/api/v1/overview*');
  await page.route('**/api/v1/overview*', (request) =>
    request.fulfill({ status: 200, contentType: 'text/html', body: '<p>Wi-Fi</p>' }),
  );
  await page.getByRole('button', { name: 'Thử lại' }).click();
  await page.getByText('Máy chủ trả lời không đúng dạng (mã 200).').waitFor();
});

test('a late answer never replaces a newer one', async () => {
  const page = await open('/');
  await page.route('**/api/v1/overview?unit=819', async (request) => {
    await new Promise((ready) => setTimeout(ready, 600));
    // The page has given up this request by now; answering it may fail.
    await request.continue().catch(() => undefined);
  });
  const units = page.getByRole('navigation', { name: 'Đơn vị trực thuộc' });
  await units.getByRole('link', { name: 'Huyện Cái Bè' }).click();
  await units.getByRole('link', { name: 'Thành phố Mỹ Tho' }).click();
  await page.getByRole('heading', { level: 1, name: 'Thành phố Mỹ Tho' }).waitFor();
  await page.waitForTimeout(900);
  assert.equal(await page.getByRole('heading', { level: 1 }).textContent(), 'Thành phố Mỹ Tho');
});

test('needs no sideways scrolling at 360 pixels', async () => {
  const page = await open('/?indicator=XHS-02', PHONE);
  for (const address of ['/?unit=819&indicator=XHS-05', '/?view=table', '/?indicator=XHS-02']) {
    await page.goto(site.origin + address);
    for (const language of ['Tiếng Việt', 'English']) {
      await page.getByRole('heading', { level: 1 }).waitFor();
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.equal(width, 360, `${address} before the switch to ${language}`);
      await page.locator('header button').click();
    }
  }
});

test('every target of touch is at least 44 pixels high and wide', async () => {
  const page = await open('/?unit=815&indicator=XHS-02', PHONE);
  await page.getByRole('heading', { level: 1 }).waitFor();
  for (const summary of await page.locator('summary').all()) await summary.click();
  const targets = page.locator('main a, button:not([aria-expanded]), summary, li .row');
  const boxes = await targets.evaluateAll((elements) =>
    elements.map((element) => {
      const { width, height } = element.getBoundingClientRect();
      return { text: element.textContent?.trim().slice(0, 30), width, height };
    }),
  );
  assert.ok(boxes.length > 25);
  assert.deepEqual(
    boxes.filter(({ width, height }) => width < 44 || height < 44),
    [],
  );
});

test('the build holds the console alone, and nothing inline', async () => {
  const files = await readdir('dist', { recursive: true, withFileTypes: true });
  const texts = await Promise.all(
    files
      .filter((file) => file.isFile())
      .map((file) => readFile(join(file.parentPath, file.name), 'utf8')),
  );
  const everything = texts.join('\n');
  assert.ok(everything.includes('Chưa đủ căn cứ'));
  for (const fixture of ['Cái Bè', 'Tiền Giang', 'XHS-01', 'SyntheticSurvey']) {
    assert.ok(!everything.includes(fixture), fixture);
  }
  const page = await readFile('dist/index.html', 'utf8');
  assert.doesNotMatch(page, /<style|style=|<script(?![^>]*src=)|\son\w+=/);
});
