/** A volunteer's whole day with the real app, the real server and a network that comes and goes. Each test is one step of it. */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, BrowserContext } from 'playwright-core';
import { startBrowser, startBrowserIn } from '../../testing/browser.ts';
import { killBrowser } from './crash.ts';
import { addressOf, HOUSEHOLDS, Installation, VOLUNTEER } from './installation.ts';
import { PIN, SMALL_PHONE, Volunteer, watch, type Misdeeds } from './volunteer.ts';

const COLLEAGUE = 'Trần Thị Tư';
const OFFICIAL = 'Lê Văn Bảy, Ủy ban nhân dân phường 5';
/** By then a phone asks anew who else works in its hamlets. */
const TEN_MINUTES = 10 * 60_000;

let installation: Installation;
let folder: string;
/** The volunteer's phone, whose browser is a process of its own with its profile in a folder. */
let phone: BrowserContext;
let ba: Volunteer;
/** The colleague's phone. */
let browser: Browser;
let other: BrowserContext;
let tu: Volunteer;
const misdeeds: Misdeeds[] = [];

before(async () => {
  installation = await Installation.start();
  folder = await mkdtemp(join(tmpdir(), 'khaosat-browser-'));
  browser = await startBrowser();
  other = await browser.newContext(SMALL_PHONE);
  misdeeds.push(watch(other, installation.origin));
  await takePhone();
});

after(async () => {
  await phone?.close();
  await browser?.close();
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  await installation?.remove();
});

/** Starts the phone's browser with the profile that it had. */
async function takePhone(): Promise<void> {
  phone = await startBrowserIn(folder, SMALL_PHONE);
  misdeeds.push(watch(phone, installation.origin));
}

let broken = false;

/** One step of the day: after one that failed the others fail at once. */
function step(name: string, take: () => Promise<void>): void {
  test(name, async () => {
    assert.ok(!broken, 'an earlier step failed');
    broken = true;
    await take();
    broken = false;
  });
}

step(
  'the link of an invitation opens the app, which says what it weighs and that it is kept',
  async () => {
    const code = await installation.invite();
    ba = await Volunteer.open(phone, installation.origin, { code });
    await ba.heading('Máy này đã sẵn sàng chưa?').waitFor();
    await ba.sees('Sẵn sàng làm việc khi không có mạng');
    await ba.sees(/Đã tải [\d.,]+\s[KM]B, chỉ một lần\./);
    await ba.sees('Máy chưa nhận đợt khảo sát: cần mã mời của cán bộ.');
    assert.ok(!ba.page.url().includes(code), 'the code stands in no address');
    await ba.canBeRead();
  },
);

step('a PIN is set, by touch, and must be the same twice', async () => {
  await ba.press('Bắt đầu');
  await ba.heading('Đặt mã PIN 6 số').waitFor();
  await ba.canBeRead();
  for (const digit of PIN) await ba.press(`Số ${digit}`);
  await ba.entersPin('Nhập lại mã PIN', '111222');
  await ba.sees('Hai lần nhập không giống nhau.');
  await ba.entersPin('Đặt mã PIN 6 số');
  await ba.entersPin('Nhập lại mã PIN');
});

step('the phone enrols by the code of the link, and the volunteer confirms the name', async () => {
  await ba.heading('Nhập mã mời').waitFor();
  await ba.canBeRead();
  await ba.press('Nhận đợt khảo sát');
  await ba.heading('Tên của ông/bà').waitFor();
  assert.equal(await ba.field('Họ và tên tình nguyện viên').inputValue(), VOLUNTEER);
  await ba.sees('Khu phố 1, Phường 5');
  await ba.canBeRead();
  await ba.press('Đúng tên tôi');
  await ba.heading('Khu phố 1').waitFor();
  await ba.sees(`Đã xong 0 / ${HOUSEHOLDS} hộ`);
  await ba.header('Đã gửi hết');
  await ba.canBeRead();
});

step('the phone says that it is ready to work without network', async () => {
  await ba.follow('Thêm');
  await ba.sees(VOLUNTEER);
  await ba.canBeRead();
  await ba.follow('Máy đã sẵn sàng chưa?');
  await ba.sees('Sẵn sàng làm việc khi không có mạng');
  await ba.sees('Máy đã nhận đợt khảo sát.');
  await ba.canBeRead();
});

step('without network the app opens by the PIN', async () => {
  await phone.setOffline(true);
  await ba.page.goto(`${installation.origin}/phone/`);
  await ba.page.reload();
  await ba.heading('Nhập mã PIN').waitFor();
  await ba.canBeRead();
  await ba.unlocks();
  await ba.header('Không có mạng');
});

step('two households are interviewed, and a third one half-way', async () => {
  await ba.beginsInterview('A1');
  await ba.canBeRead();
  await ba.press('Các phần');
  await ba.heading('Các phần và cách hiện').waitFor();
  await ba.canBeRead();
  await ba.press('Đóng');
  await ba.press('Lưu và đóng');
  await ba.rowSays('A1', 'Chưa đến');

  await ba.interviewsInWhole('A1', 'Nguyễn Thị Hoa');
  await ba.rowSays('A1', 'Xong, chưa gửi');
  await ba.interviewsInWhole('A2', 'Lê Văn Tám');
  await ba.sees(`Đã xong 2 / ${HOUSEHOLDS} hộ`);

  await ba.beginsInterview('A3');
  await ba.answersBeginning({ person: 'Phạm Thị Sáu', provider: 'FPT' });
  await ba.press('Tiếp');
  await ba.heading('Thành viên trong hộ').waitFor();
  await ba.canBeRead();
  await ba.press('Thêm vào danh sách');
  await ba.types('Họ và tên', 'Phạm Thị Sáu');
  await ba.field('Năm sinh').fill('1850');
  await ba.sees(/Chưa lưu: Năm sinh phải từ 1900/);
  await ba.canBeRead();
  await ba.types('Năm sinh', '1950');
  await ba.closesInterview();
  await ba.rowSays('A3', 'Đang làm');
  await ba.rowSays('A3', 'Chưa gửi');
  await ba.header('3 phiếu chưa gửi');
});

step('nobody is met at a fourth one: it is called again tomorrow', async () => {
  await ba.follow(`Không gặp được ${addressOf('A4')}`);
  await ba.page.getByRole('radio', { name: 'Không có ai ở nhà' }).check();
  await ba.page.getByRole('radio', { name: 'Sáng mai, 8 giờ' }).check();
  await ba.canBeRead();
  await ba.press('Lưu');
  await ba.sees('Đã lưu lần đến này.');
  await ba.rowSays('A4', 'Hẹn lại');
  await ba.rowSays('A4', 'Hẹn 08:00 ngày mai');
});

/** What the day has brought until now. */
async function findsEverything(): Promise<void> {
  await ba.rowSays('A1', 'Nguyễn Thị Hoa');
  await ba.rowSays('A1', 'Xong, chưa gửi');
  await ba.rowSays('A2', 'Xong, chưa gửi');
  await ba.rowSays('A3', 'Đang làm');
  await ba.rowSays('A4', 'Hẹn lại');
  await ba.header('4 phiếu chưa gửi');
}

step('everything is there after the app was closed', async () => {
  await ba.page.close();
  ba = await Volunteer.open(phone, installation.origin);
  await ba.unlocks();
  await findsEverything();
});

step('everything is there after the browser died', async () => {
  await killBrowser(phone);
  await takePhone();
  await phone.setOffline(true);
  ba = await Volunteer.open(phone, installation.origin);
  await ba.unlocks();
  await findsEverything();
  await ba.beginsInterview('A3', 'Tiếp tục');
  assert.equal(await ba.field('Họ và tên người trả lời').inputValue(), 'Phạm Thị Sáu');
  await ba.closesInterview();
});

step('a household is found without its accents', async () => {
  await ba.press('Tìm hộ');
  const search = ba.page.getByRole('searchbox', { name: 'Tìm hộ' });
  await search.fill('nguyen thi hoa');
  await ba.sees('1 hộ');
  await ba.rowSays('A1', 'Nguyễn Thị Hoa');
  await search.fill('hem 12 tran hung dao');
  await ba.row('A12').waitFor();
  await search.fill('khong co ai nhu vay');
  await ba.sees('Không có hộ nào như vậy.');
  await ba.canBeRead();
  await ba.press('Thôi tìm');
  await ba.row('A1').waitFor();
});

step('once there is a network, everything is sent without a word', async () => {
  await phone.setOffline(false);
  await ba.header('Có mạng');
  await ba.header('Đã gửi hết');
  await ba.rowSays('A1', 'Đã gửi');
  await ba.follow('Gửi phiếu');
  await ba.sees('Không còn phiếu nào chờ gửi.');
  await ba.sees(/Gửi được lần cuối: \d+:\d\d hôm nay/);
  await ba.canBeRead();
  await ba.follow('Các hộ');

  const responses = await installation.responses();
  const answersOf = (unit: string): Record<string, unknown> | undefined =>
    responses.find((response) => response.unit === unit)?.answers;
  assert.equal(responses.length, 4);
  assert.equal(answersOf('A1')?.['respondent_name'], 'Nguyễn Thị Hoa');
  assert.equal(answersOf('A2')?.['visit_outcome'], 'completed');
  assert.equal(answersOf('A3')?.['fibre_provider'], 'fpt');
  assert.equal(answersOf('A4')?.['visit_outcome'], 'nobody_home');
});

step('a colleague, who cannot know of it, answers differently about one household', async () => {
  tu = await Volunteer.enrolled(other, installation.origin, await installation.invite(COLLEAGUE));
  await tu.rowSays('A1', 'Đã gửi');
  await phone.setOffline(true);
  await other.setOffline(true);
  await ba.interviewsInPart('A5', { person: 'Võ Thị Năm', provider: 'VNPT' });
  await tu.interviewsInPart('A5', { person: 'Võ Thị Năm', provider: 'Viettel' });
});

step('once both have sent, both answers are shown with who gave them', async () => {
  await phone.setOffline(false);
  await ba.header('Đã gửi hết');
  await other.setOffline(false);
  await tu.header('Đã gửi hết');
  await tu.rowSays('A5', '1 câu trả lời khác nhau');

  // It is later in the day, and the phone learns who else works in its hamlet.
  await ba.page.close();
  ba = await Volunteer.open(phone, installation.origin, { clockAhead: TEN_MINUTES });
  await ba.unlocks();
  await ba.rowSays('A5', 'Cần xem lại');
  await ba.follow('Gửi phiếu');
  await ba.press('Gửi ngay');
  await ba.button('Gửi ngay').waitFor();
  await ba.follow('Các hộ');
  await ba.canBeRead();
  await ba.row('A5').getByRole('link').first().click();
  await ba.canBeRead();
  await ba.follow('Xem câu trả lời khác nhau');
  const question = ba.page.getByRole('group', { name: 'Nhà mạng nào cung cấp?' });
  await question.getByRole('button', { name: /VNPT.*Máy này/s }).waitFor();
  await question.getByRole('button', { name: new RegExp(`Viettel.*${COLLEAGUE}`, 's') }).waitFor();
  await ba.canBeRead();
});

step('one settles it, and the other sees it settled', async () => {
  await ba.page.getByRole('button', { name: /Viettel.*Chọn/s }).click();
  await ba.sees('Không còn câu nào khác nhau.');
  await ba.canBeRead();
  await ba.follow('Các hộ');
  await ba.rowSays('A5', 'Đang làm');
  await ba.header('Đã gửi hết');

  await tu.sends();
  await tu.button('Gửi ngay').waitFor();
  await tu.follow('Các hộ');
  await tu.rowSays('A5', 'Đang làm');
  const [response] = (await installation.responses()).filter(({ unit }) => unit === 'A5');
  assert.equal(response?.answers['fibre_provider'], 'viettel');
});

step('about another one an official decides, and the phones see it', async () => {
  await phone.setOffline(true);
  await other.setOffline(true);
  await ba.interviewsInPart('A6', { person: 'Đỗ Thị Sáu', provider: 'VNPT' });
  await tu.interviewsInPart('A6', { person: 'Đỗ Thị Sáu', provider: 'Viettel' });
  await phone.setOffline(false);
  await ba.header('Đã gửi hết');
  await other.setOffline(false);
  await tu.header('Đã gửi hết');
  await tu.rowSays('A6', '1 câu trả lời khác nhau');

  const open = await installation.conflicts('A6');
  assert.deepEqual(
    open.map(({ question }) => question),
    ['fibre_provider'],
  );
  const answers = open[0]?.answers ?? [];
  assert.deepEqual(answers.flatMap(({ authors }) => authors).sort(), [VOLUNTEER, COLLEAGUE].sort());
  const right = answers.findIndex(({ value }) => value === 'viettel') + 1;
  const decision = ['A6', 'fibre_provider', '--answer', String(right), '--by', OFFICIAL];
  await installation.run('conflict', 'settle', ...decision);
  assert.deepEqual(await installation.conflicts('A6'), []);

  for (const volunteer of [ba, tu]) {
    await volunteer.sends();
    await volunteer.button('Gửi ngay').waitFor();
    await volunteer.follow('Các hộ');
    await volunteer.rowSays('A6', 'Đang làm');
  }
  const [response] = (await installation.responses()).filter(({ unit }) => unit === 'A6');
  assert.equal(response?.answers['fibre_provider'], 'viettel');
});

step('the pages that were not needed can be read as well', async () => {
  for (const [link, heading] of [
    ['Sơ đồ', 'Sơ đồ quanh đây'],
    ['Gửi phiếu', 'Gửi phiếu'],
    ['Đưa phiếu bằng tay', 'Đưa phiếu bằng tay'],
  ] as const) {
    await ba.follow(link);
    await ba.heading(heading).waitFor();
    await ba.canBeRead();
  }
  await ba.page.emulateMedia({ colorScheme: 'dark' });
  await ba.canBeRead();
  await ba.follow('Các hộ');
  await ba.canBeRead();
});

step('all day nobody else was asked for anything, and nothing went wrong unseen', async () => {
  for (const { strangers, complaints } of misdeeds) {
    assert.deepEqual(strangers, []);
    assert.deepEqual(complaints, []);
  }
});
