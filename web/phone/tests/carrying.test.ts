/** Two volunteers meet where there is no network: one gives, the other sees it and carries it. Each test is one step of it. */

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, BrowserContext } from 'playwright-core';
import { startBrowser, startBrowserIn } from '../../testing/browser.ts';
import { Installation, VOLUNTEER } from './installation.ts';
import { SMALL_PHONE, Volunteer, watch, type Misdeeds } from './volunteer.ts';

const COLLEAGUE = 'Trần Thị Tư';
/** By then a phone asks anew who else works in its hamlets. */
const TEN_MINUTES = 10 * 60_000;
/** A screen on which each module of a code is some pixels. */
const SHARP_PHONE = { ...SMALL_PHONE, deviceScaleFactor: 2 };
/** How many pictures a code stands, of the thirty a second that Chromium takes from a file in the place of a camera. */
const PICTURES_OF_A_CODE = 12;

let installation: Installation;
let folder: string;
let browser: Browser;
/** The phone that gives. */
let giving: BrowserContext;
let ba: Volunteer;
/** The phone that receives, whose browser is started anew with what stands before its camera. */
let receiving: BrowserContext;
let tu: Volunteer;
const misdeeds: Misdeeds[] = [];

before(async () => {
  installation = await Installation.start();
  folder = await mkdtemp(join(tmpdir(), 'khaosat-carrying-'));
  browser = await startBrowser();
  giving = await browser.newContext(SHARP_PHONE);
  misdeeds.push(watch(giving, installation.origin));
});

after(async () => {
  await giving?.close();
  await receiving?.close();
  await browser?.close();
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  await installation?.remove();
});

/** Starts the receiving phone's browser with the profile that it had. */
async function startReceiving(...more: string[]): Promise<void> {
  receiving = await startBrowserIn(join(folder, 'profile'), SMALL_PHONE, more);
  misdeeds.push(watch(receiving, installation.origin));
}

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

step('both phones have learnt of each other', async () => {
  await startReceiving();
  const code = await installation.invite(COLLEAGUE);
  tu = await Volunteer.enrolled(receiving, installation.origin, code);
  ba = await Volunteer.enrolled(giving, installation.origin, await installation.invite());
  await tu.page.close();
  tu = await Volunteer.open(receiving, installation.origin, { clockAhead: TEN_MINUTES });
  await tu.unlocks();
  await tu.sends();
  await tu.sees(/Gửi được lần cuối/);
  await tu.button('Gửi ngay').waitFor();
  await receiving.close();
});

/** What stands before the camera: pictures of the codes that the giving phone shows, as Motion JPEG. */
async function film(): Promise<string> {
  const canvas = ba.page.locator('canvas');
  const shown = ba.page.getByText(/Hình \d+, cần khoảng [1-9]\d* hình/);
  await shown.waitFor();
  const needed = Number(/khoảng (\d+)/.exec(await shown.innerText())?.[1]);
  const pictures: Buffer[] = [];
  // Some more than are needed at least: what is missed is made up for.
  while (pictures.length < needed + 6) {
    const before = await shown.innerText();
    pictures.push(await canvas.screenshot({ type: 'jpeg', quality: 90 }));
    await ba.page.waitForFunction(
      (text) => !document.body.innerText.includes(text as string),
      before,
    );
  }
  const path = join(folder, 'codes.mjpeg');
  await writeFile(
    path,
    Buffer.concat(pictures.flatMap((picture) => Array<Buffer>(PICTURES_OF_A_CODE).fill(picture))),
  );
  return path;
}

let codes: string;

step('without network one of them interviews, and shows codes for the other', async () => {
  await giving.setOffline(true);
  await ba.interviewsInPart('A1', { person: 'Nguyễn Thị Hoa', provider: 'VNPT' });
  await ba.follow('Gửi phiếu');
  await ba.follow('Trao cho đồng nghiệp');
  await ba.heading('Trao cho đồng nghiệp').waitFor();
  await ba.sees('Người không có tên ở đây');
  await ba.canBeRead();
  await ba.page.getByRole('button', { name: COLLEAGUE }).click();
  await ba.heading(`Trao cho ${COLLEAGUE}`).waitFor();
  await ba.canBeRead();
  await ba.press('Cho máy kia quét mã QR');
  codes = await film();
  await ba.canBeRead();
  await ba.press('Dừng');
});

step('the other scans them with its camera, and sees the household', async () => {
  await startReceiving(
    '--use-fake-ui-for-media-stream',
    '--use-fake-device-for-media-stream',
    `--use-file-for-fake-video-capture=${codes}`,
  );
  await receiving.setOffline(true);
  tu = await Volunteer.open(receiving, installation.origin);
  await tu.unlocks();
  await tu.follow('Gửi phiếu');
  await tu.follow('Nhận từ đồng nghiệp');
  await tu.heading('Nhận từ đồng nghiệp').waitFor();
  await tu.canBeRead();
  await tu.press('Quét mã QR');
  // How far it is, unless it has all already; a slow machine needs its time to play pictures to a browser.
  const progress = tu.page.getByText(/Đã quét \d+ \/ \d+/);
  const done = tu.page.getByText(`Đã nhận từ ${VOLUNTEER}`);
  await progress.or(done).waitFor({ timeout: 60_000 });
  await done.waitFor({ timeout: 120_000 });
  await tu.sees('1 phiếu có câu mới, đã thấy trong danh sách hộ.');
  await tu.canBeRead();
  await tu.header('Mang hộ 1 phiếu');
  await tu.follow('Các hộ');
  await tu.rowSays('A1', 'Nguyễn Thị Hoa');
  await tu.rowSays('A1', 'Mang hộ');
  await tu.canBeRead();
});

step('a file does the same', async () => {
  await ba.follow('Các hộ');
  await ba.interviewsInPart('A2', { person: 'Lê Văn Tám' });
  await ba.follow('Gửi phiếu');
  await ba.follow('Trao cho đồng nghiệp');
  await ba.page.getByRole('button', { name: COLLEAGUE }).click();
  const download = ba.page.waitForEvent('download');
  await ba.press('Lưu thành tệp');
  const file = await download;
  assert.match(file.suggestedFilename(), /\.khaosat$/);
  await ba.sees(/Tệp có 2 phiếu/);
  const path = join(folder, file.suggestedFilename());
  await file.saveAs(path);

  await tu.follow('Gửi phiếu');
  await tu.follow('Nhận từ đồng nghiệp');
  await tu.page.locator('input[type=file]').setInputFiles(path);
  await tu.sees(`Đã nhận từ ${VOLUNTEER}`);
  await tu.header('Mang hộ 2 phiếu');
  // Something else is told as what it is.
  const rubbish = join(folder, 'ảnh.jpg');
  await writeFile(rubbish, 'không phải gói');
  await tu.page.locator('input[type=file]').setInputFiles(rubbish);
  await tu.sees(/tệp này không phải gói của Khảo Sát/);
  await tu.canBeRead();
});

step('what is carried is still there after the app was closed', async () => {
  await tu.page.close();
  tu = await Volunteer.open(receiving, installation.origin);
  await tu.unlocks();
  await tu.header('Mang hộ 2 phiếu');
  await tu.rowSays('A2', 'Lê Văn Tám');
});

step('with a network it reaches the server, and comes once', async () => {
  await receiving.setOffline(false);
  await tu.header('Đã gửi hết');
  const before = await installation.responses();
  assert.deepEqual(before.map(({ unit }) => unit).sort(), ['A1', 'A2']);
  await giving.setOffline(false);
  await ba.header('Đã gửi hết');
  assert.deepEqual(await installation.responses(), before);
});

step('nobody else was asked for anything, and nothing went wrong unseen', async () => {
  for (const { strangers, complaints } of misdeeds) {
    assert.deepEqual(strangers, []);
    assert.deepEqual(complaints, []);
  }
});
