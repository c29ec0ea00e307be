/** A household that is not on the list, with the real app and the real server: added without network, seen by a colleague. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, BrowserContext } from 'playwright-core';
import { startBrowser } from '../../testing/browser.ts';
import { addressOf, HAMLET, HOUSEHOLDS, Installation } from './installation.ts';
import { SMALL_PHONE, Volunteer, watch, type Misdeeds } from './volunteer.ts';

const ADDRESS = 'Ghe đậu bến Chợ Cũ';
const CORRECTED = 'Ghe đậu bến Chợ Cũ, mũi sơn xanh';
const COLLEAGUE = 'Trần Thị Tư';

/** A household as `khaosat response added` tells it. */
interface AddedHousehold {
  unit: string;
  hamlet: string;
  hamlet_name: string;
  address: string;
  counted: boolean;
}

let installation: Installation;
let browser: Browser;
let phone: BrowserContext;
const misdeeds: Misdeeds[] = [];

before(async () => {
  installation = await Installation.start();
  browser = await startBrowser();
  phone = await context();
});

after(async () => {
  await browser?.close();
  await installation?.remove();
});

async function context(): Promise<BrowserContext> {
  const made = await browser.newContext(SMALL_PHONE);
  misdeeds.push(watch(made, installation.origin));
  return made;
}

test('a household is added without network, interviewed at once, and reaches server and colleague', async () => {
  const ba = await Volunteer.enrolled(phone, installation.origin, await installation.invite());
  await phone.setOffline(true);
  await ba.follow('Thêm hộ chưa có trong danh sách');
  await ba.heading('Thêm hộ chưa có trong danh sách').waitFor();
  await ba.canBeRead();

  // Nothing is added without an address, and what looks like a household of the list is asked about.
  await ba.press('Thêm hộ');
  await ba.sees('Hãy ghi địa chỉ.');
  await ba.canBeRead();
  const asked = addressOf('A3');
  await ba.field('Địa chỉ').fill(asked.normalize('NFD').replace(/\p{M}/gu, '').toUpperCase());
  await ba.press('Thêm hộ');
  await ba.heading('Hộ này có phải một trong các hộ sau không?').waitFor();
  await ba.canBeRead();
  await ba.page.getByRole('link', { name: asked }).click();
  await ba.heading(asked).waitFor();
  await ba.press('Quay lại');

  await ba.field('Địa chỉ').fill(ADDRESS);
  await ba.press('Thêm hộ');
  await ba.heading(ADDRESS).waitFor();
  await ba.sees('mới');
  await ba.canBeRead();
  await ba.follow('Sửa địa chỉ');
  await ba.canBeRead();
  await ba.field('Địa chỉ').fill(CORRECTED);
  await ba.press('Lưu');
  await ba.heading(CORRECTED).waitFor();
  await ba.follow('Phỏng vấn');
  await ba.answersBeginning({ person: 'Lê Thị Mới', provider: 'VNPT' });
  await ba.press('Lưu và đóng');
  await ba.heading(CORRECTED).waitFor();

  // It is there after a restart without network, in the list and marked.
  await ba.page.goto(`${installation.origin}/phone/`);
  await ba.page.reload();
  await ba.unlocks();
  await ba.sees(`Đã xong 0 / ${HOUSEHOLDS + 1} hộ`);
  const row = ba.page.getByRole('listitem').filter({ hasText: CORRECTED });
  await row.getByText('mới', { exact: true }).waitFor();
  await row.getByText('Lê Thị Mới').waitFor();
  await ba.canBeRead();

  await phone.setOffline(false);
  await ba.sends();
  await ba.header('Đã gửi hết');
  const list = await installation.run('response', 'added', '--format', 'json');
  const [household, ...others] = JSON.parse(list) as AddedHousehold[];
  assert.deepEqual(others, []);
  assert.deepEqual(
    { ...household, unit: household?.unit.replace(/\+[0-9a-f]{12}$/, '+') },
    {
      unit: `${HAMLET}+`,
      hamlet: HAMLET,
      hamlet_name: '1',
      address: CORRECTED,
      counted: true,
    },
  );

  const code = await installation.invite(COLLEAGUE);
  const tu = await Volunteer.enrolled(await context(), installation.origin, code);
  const seen = tu.page.getByRole('listitem').filter({ hasText: CORRECTED });
  await seen.getByText('mới', { exact: true }).waitFor();
  await seen.getByText('Lê Thị Mới').waitFor();
  assert.deepEqual(misdeeds, [
    { strangers: [], complaints: [] },
    { strangers: [], complaints: [] },
  ]);
});
