/** A team's leader and a volunteer, each with a phone: what looks unusual, goes back, is corrected and approved, and who does what. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, BrowserContext } from 'playwright-core';
import { startBrowser } from '../../testing/browser.ts';
import { addressOf, Installation, VOLUNTEER } from './installation.ts';
import { SMALL_PHONE, Volunteer, watch, type Misdeeds } from './volunteer.ts';

const LEADER = 'Trần Thị Tư';
const REASON = 'Còn thiếu người trong hộ';
/** By then a phone asks anew what it is to do. */
const TEN_MINUTES = 10 * 60_000;
/** The least that a finger hits, in pixels. */
const TARGET = 44;

let installation: Installation;
let browser: Browser;
let leaderPhone: BrowserContext;
let volunteerPhone: BrowserContext;
let tu: Volunteer;
let ba: Volunteer;
const misdeeds: Misdeeds[] = [];

before(async () => {
  installation = await Installation.start();
  browser = await startBrowser();
  volunteerPhone = await browser.newContext(SMALL_PHONE);
  leaderPhone = await browser.newContext(SMALL_PHONE);
  misdeeds.push(
    watch(volunteerPhone, installation.origin),
    watch(leaderPhone, installation.origin),
  );
});

after(async () => {
  await browser?.close();
  await installation?.remove();
});

let broken = false;

/** One step: after one that failed the others fail at once. */
function step(name: string, take: () => Promise<void>): void {
  test(name, async () => {
    assert.ok(!broken, 'an earlier step failed');
    broken = true;
    await take();
    broken = false;
  });
}

/** Everything on the page that is pressed is large enough for a finger. */
async function canBeHit({ page }: Volunteer): Promise<void> {
  const small = await page
    .locator('main :is(button, a.button, .choice, select, textarea):visible')
    .evaluateAll(
      (targets, least) =>
        targets
          .filter((target) => target.getBoundingClientRect().height < least)
          .map((target) => target.outerHTML),
      TARGET,
    );
  assert.deepEqual(small, []);
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  assert.equal(overflow, 0, 'nothing reaches beyond the screen');
}

/** Sends, and waits until that is done. */
async function sendsAll(person: Volunteer): Promise<void> {
  await person.sends();
  await person.sees('Không còn phiếu nào chờ gửi.');
  await person.button('Gửi ngay').waitFor();
}

/** Opens the app anew when it is later. */
async function comesBack(
  phone: BrowserContext,
  before: Volunteer,
  ahead: number,
): Promise<Volunteer> {
  await before.page.close();
  const person = await Volunteer.open(phone, installation.origin, { clockAhead: ahead });
  await person.unlocks();
  await sendsAll(person);
  return person;
}

step('a volunteer interviews two households and sends them', async () => {
  ba = await Volunteer.enrolled(volunteerPhone, installation.origin, await installation.invite());
  assert.equal(await ba.link('Tổ').count(), 0, 'a volunteer leads no team');
  await ba.interviewsInWhole('A1', 'Nguyễn Thị Hoa');
  await ba.interviewsInPart('A2', { person: 'Lê Văn Tám', provider: 'FPT' });
  await sendsAll(ba);
});

step('the leader sees how far the team is, and which form looks unusual', async () => {
  const code = await installation.inviteLeader(LEADER);
  tu = await Volunteer.enrolled(leaderPhone, installation.origin, code);
  await tu.rowSays('A1', 'Đã gửi');
  await tu.follow('Tổ');
  await tu.heading('Tổ của tôi').waitFor();
  await tu.sees('Đã xong 1 / 20 hộ');
  await tu.sees(VOLUNTEER);
  await tu.sees(/Phỏng vấn chỉ .* cho \d+ câu/);
  await tu.canBeRead();
  await canBeHit(tu);
});

step('without network the leader reads the answers and sends the form back', async () => {
  await leaderPhone.setOffline(true);
  await tu.page.getByRole('link', { name: addressOf('A1') }).click();
  await tu.heading('Duyệt phiếu').waitFor();
  await tu.sees('Họ và tên người trả lời');
  await tu.sees('VNPT');
  await tu.canBeRead();
  await canBeHit(tu);
  await tu.press('Cần sửa');
  await tu.canBeRead();
  await tu.press('Xác nhận: Cần sửa');
  await tu.sees('Hãy chọn hoặc ghi một lý do.');
  await tu.canBeRead();
  await tu.page.getByRole('checkbox', { name: REASON, exact: true }).check();
  await tu.press('Xác nhận: Cần sửa');
  await tu.sees(`Cần sửa: ${REASON}`);
  await tu.press('Quay lại');
  await tu.sees('1 quyết định chưa gửi; máy sẽ tự gửi khi có mạng.');
});

step('the leader assigns households to the volunteer, still without network', async () => {
  await tu.follow('Giao lại hộ');
  await tu.heading('Giao hộ').waitFor();
  await tu.canBeRead();
  await canBeHit(tu);
  await tu.press('Giao');
  await tu.sees('Hãy chọn ít nhất một hộ và một người.');
  for (const unit of ['A3', 'A4'])
    await tu.page.getByRole('checkbox', { name: new RegExp(`^${addressOf(unit)}`) }).check();
  await tu.page.getByRole('radio', { name: VOLUNTEER }).check();
  await tu.press('Giao');
  await tu.heading('Tổ của tôi').waitFor();
  await tu.sees('3 quyết định chưa gửi; máy sẽ tự gửi khi có mạng.');
  await tu.sees('Còn 2 / 2 hộ được giao');
});

step('the decisions outlive the app, and are sent when there is a network', async () => {
  await tu.page.reload();
  await tu.unlocks();
  await tu.sees('3 quyết định chưa gửi; máy sẽ tự gửi khi có mạng.');
  await leaderPhone.setOffline(false);
  await sendsAll(tu);
  await tu.page.getByText('quyết định chưa gửi').waitFor({ state: 'detached' });
  const listed = JSON.parse(await installation.run('unit', 'list', '--format', 'json')) as {
    unit: string;
    assignee: { name: string } | null;
    review: { state: string; reason: string } | null;
  }[];
  const unit = (code: string) => listed.find((candidate) => candidate.unit === code);
  assert.equal(unit('A1')?.review?.state, 'has_issues');
  assert.equal(unit('A1')?.review?.reason, REASON);
  assert.equal(unit('A3')?.assignee?.name, VOLUNTEER);
  assert.equal(unit('A5')?.assignee, null);
});

step('the volunteer is told what to correct and what is theirs to do', async () => {
  ba = await comesBack(volunteerPhone, ba, TEN_MINUTES);
  await ba.follow('Các hộ');
  await ba.rowSays('A1', 'Cần xem lại');
  await ba.rowSays('A1', `Cần sửa: ${REASON}`);
  await ba.canBeRead();
  await ba.press('Tìm hộ');
  await ba.page.getByRole('radio', { name: 'Của tôi (2)' }).check({ force: true });
  await ba.row('A3').waitFor();
  assert.equal(await ba.row('A1').count(), 0);
  await ba.canBeRead();
  await ba.page.getByRole('radio', { name: /^Tất cả/ }).check({ force: true });
});

step('what the volunteer has corrected and sent is received again', async () => {
  await ba.follow(`Sửa phiếu ${addressOf('A1')}`);
  await ba.button('Lưu và đóng').waitFor();
  await ba.types('Họ và tên người trả lời', 'Nguyễn Thị Hoa Mai');
  await ba.closesInterview();
  await ba.row('A1').getByText('Cần sửa').waitFor({ state: 'detached' });
  await sendsAll(ba);
  await ba.follow('Các hộ');
  await ba.rowSays('A1', 'Đã gửi');
});

step('the leader approves the corrected form, and can take that back', async () => {
  tu = await comesBack(leaderPhone, tu, TEN_MINUTES);
  await tu.follow('Tổ');
  await tu.page.getByRole('link', { name: addressOf('A1') }).click();
  await tu.sees('Nguyễn Thị Hoa Mai');
  await tu.press('Duyệt');
  await tu.sees('Đã ghi: Đã duyệt.');
  await tu.press('Bỏ quyết định này');
  await tu.sees('Đã ghi: Chưa duyệt.');
  await tu.press('Duyệt');
  await tu.sees('Đã ghi: Đã duyệt.');
  await sendsAll(tu);
  await tu.follow('Các hộ');
  await tu.rowSays('A1', 'Đã duyệt');
  await tu.canBeRead();
});

step('a decision that the server does not take is told', async () => {
  await tu.follow('Tổ');
  await tu.page.getByRole('combobox', { name: 'Lọc phiếu' }).selectOption('approved');
  await tu.page.getByRole('link', { name: addressOf('A1') }).click();
  await installation.run('round', 'close');
  await tu.press('Bỏ quyết định này');
  await tu.press('Quay lại');
  await tu.sees('Đợt khảo sát đã khóa; chỉ cán bộ còn quyết định được.');
  await tu.canBeRead();
  await tu.press('Đã hiểu');
  await tu.page.getByText('chỉ cán bộ còn quyết định được').waitFor({ state: 'detached' });
});

step('in English and in the dark it can be read as well', async () => {
  await tu.page.emulateMedia({ colorScheme: 'dark' });
  await tu.canBeRead();
  await tu.follow('Thêm');
  await tu.page.getByRole('radio', { name: 'English' }).check();
  await tu.follow('Team');
  await tu.heading('My team').waitFor();
  await tu.canBeRead();
});

step('nobody else was asked for anything, and nothing went wrong unseen', async () => {
  for (const { strangers, complaints } of misdeeds) {
    assert.deepEqual(strangers, []);
    assert.deepEqual(complaints, []);
  }
});
