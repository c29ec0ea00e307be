/** One invitation for a whole team: everybody opens the same link and takes a name of his own. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { startBrowser } from '../../testing/browser.ts';
import { HAMLET, Installation } from './installation.ts';
import { PIN, SMALL_PHONE, Volunteer, watch, type Misdeeds } from './volunteer.ts';

const NAMES = ['Nguyễn Văn An', 'Trần Thị Bình', 'Lê Văn Cường'] as const;
const [AN, BINH, CUONG] = NAMES;

let installation: Installation;
let browser: Browser;
let code: string;
const misdeeds: Misdeeds[] = [];

before(async () => {
  installation = await Installation.start();
  browser = await startBrowser();
  const command = ['device', 'invite', '--hamlet', HAMLET, '--team', NAMES.join(', ')];
  code = (await installation.run(...command)).trim();
});

after(async () => {
  await browser?.close();
  await installation?.remove();
});

/** Opens the link on a new phone, as far as the names. */
async function opensLink(): Promise<Volunteer> {
  const phone = await browser.newContext(SMALL_PHONE);
  misdeeds.push(watch(phone, installation.origin));
  const volunteer = await Volunteer.open(phone, installation.origin, { code });
  await volunteer.press('Bắt đầu');
  await volunteer.entersPin('Đặt mã PIN 6 số', PIN);
  await volunteer.entersPin('Nhập lại mã PIN', PIN);
  await volunteer.press('Nhận đợt khảo sát');
  await volunteer.heading('Ông/bà là ai?').waitFor();
  return volunteer;
}

/** The names that a phone offers. */
function offered({ page }: Volunteer): Promise<string[]> {
  return page.locator('label.choice').allInnerTexts();
}

test('two who take one name at once do not both get it, and everybody is known by his own', async () => {
  const one = await opensLink();
  const other = await opensLink();
  assert.deepEqual(await offered(one), NAMES);
  await one.canBeRead();
  await one.press('Đúng tên tôi');
  await one.sees('Hãy chọn tên của mình.');

  for (const volunteer of [one, other]) {
    await volunteer.page.getByRole('radio', { name: BINH }).check();
  }
  await one.press(`Tôi là ${BINH}`);
  await one.heading('Khu phố 1').waitFor();
  await other.press(`Tôi là ${BINH}`);
  await other.sees('Tên này đã có người nhận');
  await other.canBeRead();
  await other.page.getByRole('radio', { name: BINH }).waitFor({ state: 'detached' });
  assert.deepEqual(await offered(other), [AN, CUONG]);
  await other.page.getByRole('radio', { name: CUONG }).check();
  await other.press(`Tôi là ${CUONG}`);
  await other.heading('Khu phố 1').waitFor();
  await other.follow('Thêm');
  await other.sees(CUONG);

  const devices = JSON.parse(await installation.run('device', 'list', '--format', 'json')) as {
    name: string;
  }[];
  assert.deepEqual(devices.map(({ name }) => name).sort(), [CUONG, BINH].sort());
});

test('nobody is turned away unheard once every name is taken', async () => {
  const third = await opensLink();
  await third.page.getByRole('radio', { name: AN }).check();
  await third.press(`Tôi là ${AN}`);
  await third.heading('Khu phố 1').waitFor();
  const fourth = await opensLink();
  await fourth.sees(/Tên nào cũng đã có máy nhận/);
  await fourth.canBeRead();
  await fourth.press('Nhập mã khác');
  await fourth.heading('Nhập mã mời').waitFor();
});

test('nobody else was asked for anything, and nothing went wrong unseen', () => {
  for (const { strangers, complaints } of misdeeds) {
    assert.deepEqual(strangers, []);
    assert.deepEqual(complaints, []);
  }
});
