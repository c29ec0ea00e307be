/** What befalls a phone in the field: the real app and the real server, and everything that goes wrong between and around them. */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import type { Browser, BrowserContext } from 'playwright-core';
import { startBrowser, startBrowserIn } from '../../testing/browser.ts';
import { killBrowser, killTab } from './crash.ts';
import { Gateway, type Fault } from './gateway.ts';
import { addressOf, Installation, type ExportedResponse } from './installation.ts';
import { lengthened, QUESTIONS, PLOTS } from './long-form.ts';
import { eventually, stored } from './platform.ts';
import { otherVersion } from './site.ts';
import { SMALL_PHONE, Volunteer, watch, type Misdeeds } from './volunteer.ts';

const MINUTE = 60_000;
const YEAR = 365 * 24 * 60 * MINUTE;
/** Where the page of another version says so. */
const VERSION = 'meta[name=version][content=second]';
/** Bytes on a phone that has room for the app and for little else. */
const LITTLE_ROOM = 7_000_000;
const REMARKS = 'Nhận xét của người phỏng vấn';
const NAME = 'Họ và tên người trả lời';

let installation: Installation;
let gateway: Gateway;
let browser: Browser;
let opened: { context: BrowserContext; misdeeds: Misdeeds }[] = [];

before(async () => {
  installation = await Installation.start();
  gateway = await Gateway.before(installation.origin);
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
  await gateway?.close();
  await installation?.remove();
});

afterEach(async () => {
  gateway.fault = null;
  gateway.files = null;
  const were = opened;
  opened = [];
  for (const { context } of were) await context.close();
  for (const { misdeeds } of were) assert.deepEqual(misdeeds, { strangers: [], complaints: [] });
});

/** Takes a profile into care: watched, and closed after the test. */
function taken(context: BrowserContext, origin: string = gateway.origin): BrowserContext {
  opened.push({ context, misdeeds: watch(context, origin) });
  return context;
}

/** A phone that has just enrolled, in a profile of its own. */
async function newPhone(name?: string): Promise<{ context: BrowserContext; volunteer: Volunteer }> {
  const context = taken(await browser.newContext(SMALL_PHONE));
  const code = await installation.invite(name);
  return { context, volunteer: await Volunteer.enrolled(context, gateway.origin, code) };
}

/** Waits until the server has this answer of a household. */
async function arrives(unit: string, question: string, answer: unknown): Promise<void> {
  await eventually(async () => (await responseOf(unit))?.answers[question] === answer);
}

/** What the server has of a household. */
async function responseOf(unit: string): Promise<ExportedResponse | undefined> {
  return (await installation.responses()).find((response) => response.unit === unit);
}

test('a tab that dies while somebody types has all answers but the last letters', async () => {
  const { context, volunteer } = await newPhone();
  await volunteer.beginsInterview('A1');
  await volunteer.chooses('Tôi là thành viên Tổ công nghệ số', 'Đồng ý');
  await volunteer.types(NAME, 'Nguyễn Thị Ho');
  await volunteer.field(NAME).press('End');
  await volunteer.field(NAME).press('a');
  await killTab(volunteer.page);

  const again = await Volunteer.open(context, gateway.origin);
  await again.unlocks();
  await again.follow(`Phiếu đang làm dở: ${addressOf('A1')}`);
  await again.field(NAME).waitFor();
  assert.match(await again.field(NAME).inputValue(), /^Nguyễn Thị Hoa?$/);
  await again.types(NAME, 'Nguyễn Thị Hoa');
  await again.closesInterview();
  await arrives('A1', 'respondent_name', 'Nguyễn Thị Hoa');
});

test('a browser that dies in the middle of an interview opens it again, without network too', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'khaosat-browser-'));
  try {
    const first = taken(await startBrowserIn(folder, SMALL_PHONE));
    const code = await installation.invite();
    const volunteer = await Volunteer.enrolled(first, gateway.origin, code);
    await first.setOffline(true);
    await volunteer.beginsInterview('A2');
    await volunteer.answersBeginning({ person: 'Trần Văn Bé', provider: 'Viettel' });
    await killBrowser(first);

    const second = taken(await startBrowserIn(folder, SMALL_PHONE));
    await second.setOffline(true);
    const again = await Volunteer.open(second, gateway.origin);
    await again.unlocks();
    await again.follow(`Phiếu đang làm dở: ${addressOf('A2')}`);
    await again.closesInterview();
    await second.setOffline(false);
    await arrives('A2', 'respondent_name', 'Trần Văn Bé');
    await arrives('A2', 'fibre_provider', 'viettel');
    await second.close();
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
});

/** An answer that is not the server's. */
function instead(status: number, type: string, body: string | Buffer): Fault {
  return (response) => response.writeHead(status, { 'content-type': type }).end(body);
}

const PORTAL = '<!doctype html><title>Wi-Fi</title><h1>Đăng nhập Wi-Fi</h1>';
const ANSWERS: readonly (readonly [what: string, fault: Fault, told: string])[] = [
  ['an error', instead(500, 'text/plain', 'oops'), 'Máy chủ trả lời mã 500.'],
  [
    'a page of a captive portal',
    instead(200, 'text/html', PORTAL),
    'Mạng này chưa vào được Internet',
  ],
  ['too large', instead(413, 'text/plain', ''), 'Máy chủ trả lời mã 413.'],
  ['garbage', instead(200, 'application/cbor', Buffer.alloc(99, 0xfe)), 'Không thực hiện được'],
  [
    'the way to a captive portal',
    (response) => response.writeHead(302, { location: '/login' }).end(),
    'Mạng này chưa vào được Internet',
  ],
  ['an error as a page', instead(502, 'text/html', PORTAL), 'Không liên lạc được với máy chủ'],
];

test('whatever answers in the place of the server is told, and nothing is lost by it', async () => {
  const { volunteer } = await newPhone();
  gateway.fault = (response) => response.destroy();
  await volunteer.interviewsInPart('A3', { person: 'Lê Văn Tám' });
  let requests = 0;
  for (const [what, fault, told] of ANSWERS) {
    gateway.fault = (response, deliver) => {
      requests += 1;
      return fault(response, deliver);
    };
    await volunteer.sends();
    await volunteer.sees(told);
    await volunteer.header('1 phiếu chưa gửi');
    await volunteer.sees(/Tự thử lại lúc/);
    await volunteer.canBeRead();
    assert.equal(await responseOf('A3'), undefined, what);
  }
  // A server in trouble is not asked without end: at most again in smaller pieces, and after a while.
  assert.ok(requests <= 5 * ANSWERS.length, `${requests} requests`);
  gateway.fault = null;
  await volunteer.sends();
  await volunteer.header('Đã gửi hết');
  await volunteer.sees('Không còn phiếu nào chờ gửi.');
  await arrives('A3', 'respondent_name', 'Lê Văn Tám');
});

test('an exchange that breaks off, or whose server dies, is made up for without doubling anything', async () => {
  const { volunteer } = await newPhone();
  // The server takes it, and the phone does not hear of that.
  let unheard = 0;
  gateway.fault = async (response, deliver) => {
    await deliver();
    unheard += 1;
    response.destroy();
  };
  await volunteer.interviewsInPart('A4', { person: 'Võ Thị Năm' });
  await volunteer.follow('Gửi phiếu');
  await volunteer.sees('Không liên lạc được với máy chủ');
  assert.ok(unheard > 0);
  assert.equal((await responseOf('A4'))?.answers['respondent_name'], 'Võ Thị Năm');
  await volunteer.header('1 phiếu chưa gửi');

  // The power goes just as something arrives.
  await volunteer.follow('Các hộ');
  await volunteer.interviewsInPart('A5', { person: 'Phạm Thị Sáu' });
  gateway.fault = async (response) => {
    await installation.kill();
    response.destroy();
  };
  await volunteer.sends();
  await eventually(() => !installation.running);
  await volunteer.sees('Không liên lạc được với máy chủ');
  await volunteer.header('2 phiếu chưa gửi');
  gateway.fault = null;
  await installation.serve();
  await volunteer.press('Gửi ngay');
  await volunteer.header('Đã gửi hết');
  for (const unit of ['A4', 'A5']) {
    const found = (await installation.responses()).filter((response) => response.unit === unit);
    assert.equal(found.length, 1);
    assert.equal(found[0]?.visits.length, 1);
  }
});

test('a clock that is wrong by a year is told, and what it dates arrives all the same', async () => {
  const { context, volunteer } = await newPhone();
  await volunteer.page.close();
  for (const [unit, clockAhead, told] of [
    ['A6', YEAR, /Đồng hồ máy này nhanh [\d.]+ phút/],
    ['A7', -YEAR, /Đồng hồ máy này chậm [\d.]+ phút/],
  ] as const) {
    const wrong = await Volunteer.open(context, gateway.origin, { clockAhead });
    await wrong.unlocks();
    await wrong.interviewsInPart(unit, { person: 'Nguyễn Thị Hoa' });
    await wrong.sends();
    await wrong.sees(told);
    await wrong.canBeRead();
    await arrives(unit, 'respondent_name', 'Nguyễn Thị Hoa');
    await wrong.page.close();
  }
});

test('of two tabs one works; what the other had begun is there', async () => {
  const { context, volunteer } = await newPhone();
  await volunteer.beginsInterview('A8');
  await volunteer.answersBeginning({ person: 'Trần Văn Bé' });
  const second = await Volunteer.open(context, gateway.origin);
  await second.heading('Ứng dụng đang mở ở thẻ khác').waitFor();
  await second.canBeRead();
  await second.press('Dùng ở thẻ này');
  await second.unlocks();
  await volunteer.heading('Ứng dụng đang mở ở thẻ khác').waitFor();
  await second.rowSays('A8', 'Đang làm');
  await second.rowSays('A8', 'Trần Văn Bé');
  await second.header('Đã gửi hết');

  // And back again, to where it was.
  await volunteer.press('Dùng ở thẻ này');
  await volunteer.entersPin('Nhập mã PIN');
  await volunteer.field(NAME).waitFor();
  assert.equal(await volunteer.field(NAME).inputValue(), 'Trần Văn Bé');
  await second.heading('Ứng dụng đang mở ở thẻ khác').waitFor();
  await second.page.close();
});

test('a new version of the app waits for the interview that is open, and loses nothing of it', async () => {
  const second = await otherVersion('second');
  const { context, volunteer } = await newPhone();
  const { page } = volunteer;
  await page.reload();
  await volunteer.unlocks();
  await volunteer.beginsInterview('A9');
  await volunteer.types(REMARKS, 'Gọi trước khi đến');
  gateway.files = second;
  await page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready;
    await registration.update();
  });
  await eventually(() =>
    page.evaluate(async () => (await navigator.serviceWorker.ready).waiting !== null),
  );
  await volunteer.types(REMARKS, 'Gọi trước khi đến, buổi chiều');
  assert.equal(await page.locator(VERSION).count(), 0);
  await volunteer.closesInterview();
  await volunteer.follow('Thêm');
  await volunteer.follow('Máy đã sẵn sàng chưa?');
  await volunteer.sees(/Có bản mới/);
  await volunteer.canBeRead();

  // The next start is the new version's, by itself.
  await page.close();
  const again = await Volunteer.open(context, gateway.origin);
  await again.page.locator(VERSION).waitFor({ state: 'attached' });
  await again.unlocks();
  await again.beginsInterview('A9', 'Tiếp tục');
  assert.equal(await again.field(REMARKS).inputValue(), 'Gọi trước khi đến, buổi chiều');
});

/** Overwrites half of the record that was written last, as a failing disk does; returns its number. */
function damageLastRecord(volunteer: Volunteer): Promise<number> {
  return volunteer.page.evaluate(async () => {
    const result = <T>(request: IDBRequest<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error as Error);
      });
    const database = await result(indexedDB.open('khaosat'));
    const records = database.transaction('records', 'readwrite').objectStore('records');
    const last = (await result(records.getAllKeys())).at(-1) as number;
    const record = (await result(records.get(last))) as { data: ArrayBuffer };
    new Uint8Array(record.data).fill(0xff, record.data.byteLength / 2);
    await result(records.put(record, last));
    database.close();
    return last;
  });
}

test('a damaged record is named and costs no other; the rescue page has what was in it', async () => {
  const { context, volunteer } = await newPhone();
  await context.setOffline(true);
  await volunteer.interviewsInPart('A10', { person: 'Nguyễn Thị Hoa' });
  await volunteer.interviewsInPart('A11', { person: 'Lê Văn Tám' });
  const damaged = await damageLastRecord(volunteer);
  await volunteer.page.reload();
  await volunteer.unlocks();
  await volunteer.rowSays('A10', 'Nguyễn Thị Hoa');
  await volunteer.follow('Thêm');
  await volunteer.follow('Máy đã sẵn sàng chưa?');
  await volunteer.sees('Có dữ liệu không đọc được.');
  await volunteer.sees(`bản ghi ${damaged}`);
  await volunteer.canBeRead();

  await volunteer.page.getByRole('main').getByRole('link', { name: 'Trang cứu dữ liệu' }).click();
  await volunteer.sees('2 lần ghi chưa gửi');
  const download = volunteer.page.waitForEvent('download');
  await volunteer.page.getByRole('button', { name: 'Lưu ra tệp' }).click();
  const file = await (await download).path();
  await installation.run('bundle', 'read', file);
  assert.equal((await responseOf('A10'))?.answers['respondent_name'], 'Nguyễn Thị Hoa');
  assert.equal((await responseOf('A11'))?.answers['respondent_name'], 'Lê Văn Tám');
});

test('wrong PINs are counted and make one wait; the right one opens afterwards', async () => {
  const { context, volunteer } = await newPhone();
  await volunteer.follow('Thêm');
  await volunteer.press('Khóa máy ngay');
  for (const times of [1, 2, 3, 4]) {
    await volunteer.entersPin('Nhập mã PIN', '112233');
    await volunteer.sees(`Đã sai ${times} lần`);
  }
  await volunteer.sees(/Sai nhiều lần: chờ \d+ giây/);
  await volunteer.button('Số 1').and(volunteer.page.locator(':disabled')).waitFor();
  await volunteer.canBeRead();

  // To close the app gives no attempt for nothing.
  await volunteer.page.reload();
  await volunteer.sees(/Sai nhiều lần: chờ \d+ giây/);
  await volunteer.page.close();
  const later = await Volunteer.open(context, gateway.origin, { clockAhead: MINUTE });
  await later.unlocks();
  await later.follow('Thêm');
  await later.press('Khóa máy ngay');
  await later.entersPin('Nhập mã PIN', '112233');
  await later.sees('Đã sai 1 lần');
});

test('a phone whose rights were taken away is told, and forgets all but what only the server can read', async () => {
  const { context, volunteer } = await newPhone('Máy bị mất');
  await context.setOffline(true);
  await volunteer.interviewsInPart('A12', { person: 'Võ Thị Năm' });
  await installation.revoke('Máy bị mất');
  await volunteer.page.close();
  const later = await Volunteer.open(context, gateway.origin, { clockAhead: 10 * MINUTE });
  await later.unlocks();
  await context.setOffline(false);
  await later.sees(/Máy chủ đã thu hồi quyền của máy này/);
  await eventually(async () => {
    const records = await stored(later.page, 'records');
    return records.every(([id]) => (id as number) < 100);
  });
  assert.equal((await stored(later.page, 'sealed')).length, 1);
  assert.equal(await responseOf('A12'), undefined);
  await later.canBeRead();
});

test('where the phone is full, the answer that is not kept says so, and no other is lost', async () => {
  const context = taken(await browser.newContext(SMALL_PHONE));
  // The browser remembers for a while how much room there was, so there is little from the start.
  const session = await context.newCDPSession(await context.newPage());
  const { origin } = gateway;
  await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: LITTLE_ROOM });
  const volunteer = await Volunteer.enrolled(context, origin, await installation.invite());
  const remarks = volunteer.field(REMARKS);
  await volunteer.beginsInterview('A13');
  await volunteer.types(REMARKS, 'Gọi trước');
  await remarks.fill('x'.repeat(LITTLE_ROOM));
  await volunteer.sees(/Chưa lưu: Điện thoại không còn chỗ/);
  await volunteer.page.reload();
  await volunteer.entersPin('Nhập mã PIN');
  await remarks.waitFor();
  assert.equal(await remarks.inputValue(), 'Gọi trước');
  await volunteer.types(REMARKS, 'Gọi trước khi đến');
  await volunteer.closesInterview();
  await arrives('A13', 'remarks', 'Gọi trước khi đến');
});

test('a form of hundreds of questions with a long roster opens, takes answers and is sent', async () => {
  const long = await Installation.start({ change: lengthened });
  try {
    const context = taken(await browser.newContext(SMALL_PHONE), long.origin);
    const volunteer = await Volunteer.enrolled(context, long.origin, await long.invite());
    await volunteer.beginsInterview('A1');
    await volunteer.sees(new RegExp(`[1-9]\\d* / ${QUESTIONS}|0 / \\d+ câu`));
    const goTo = async (section: string): Promise<void> => {
      await volunteer.press('Các phần');
      await volunteer.page.getByRole('dialog').getByRole('button', { name: section }).click();
      await volunteer.heading(section).waitFor();
    };
    await goTo('Phần 20');
    await volunteer.types(`Câu ${QUESTIONS}`, '20');
    await goTo('Đất đai');
    await volunteer.types('Có bao nhiêu thửa đất?', String(PLOTS));
    await volunteer.press('Tiếp');
    await volunteer.heading('Thửa đất').waitFor();
    await volunteer.page.getByRole('button', { name: /^30/ }).click();
    await volunteer.types('Tên thửa', 'Ruộng sau nhà');
    await volunteer.press('Lưu và đóng');
    await volunteer.heading('Khu phố 1').waitFor();
    await eventually(async () => (await long.responses()).length > 0);
    const [response] = await long.responses();
    assert.equal(response?.answers[`long_${QUESTIONS}`], 20);
    assert.equal(response?.answers['plot_count'], PLOTS);
    assert.match(JSON.stringify(response), /Ruộng sau nhà/);
  } finally {
    await long.remove();
  }
});
