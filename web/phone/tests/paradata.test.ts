/**
 * What an interview tells of itself beside its answers: times, positions where the volunteer agreed, what looks odd; and
 * answers that are taken over from the person before.
 */

import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, BrowserContext, Locator } from 'playwright-core';
import { startBrowser } from '../../testing/browser.ts';
import { addressOf, Installation } from './installation.ts';
import { SMALL_PHONE, Volunteer, watch, type Misdeeds } from './volunteer.ts';

const LOCATED =
  'location-priority=high-accuracy location-min-interval=1 location-max-age=60 track-changes=true';
/** The smallest height and width of what is touched, in pixels. */
const TOUCHED = 44;

let installation: Installation;
let browser: Browser;
let phone: BrowserContext;
let ba: Volunteer;
let misdeeds: Misdeeds;

/** The household form, whose log also has positions and changes. */
function withPositions(form: string): string {
  const lines = form.split('\n').map((line) => {
    if (line.startsWith('| | type |')) return `${line.trimEnd()} parameters |`;
    return /^\| \| audit \|/.test(line) ? `${line.trimEnd()} ${LOCATED} |` : line;
  });
  return lines.join('\n');
}

before(async () => {
  installation = await Installation.start({ change: withPositions });
  browser = await startBrowser();
  phone = await browser.newContext({
    ...SMALL_PHONE,
    permissions: ['geolocation'],
    geolocation: { latitude: 10.3601, longitude: 106.3652, accuracy: 12 },
  });
  misdeeds = watch(phone, installation.origin);
  ba = await Volunteer.enrolled(phone, installation.origin, await installation.invite());
});

after(async () => {
  await browser?.close();
  await installation?.remove();
});

async function isLargeEnough(target: Locator): Promise<void> {
  const box = await target.boundingBox();
  assert.ok(box !== null && box.height >= TOUCHED && box.width >= TOUCHED, JSON.stringify(box));
}

test('without network the first interview asks whether positions may be recorded', async () => {
  await phone.setOffline(true);
  await ba.follow(`Phỏng vấn ${addressOf('A1')}`);
  await ba.heading('Cho phép ghi vị trí trong lúc phỏng vấn?').waitFor();
  await ba.canBeRead();
  await isLargeEnough(ba.button('Cho phép'));
  await isLargeEnough(ba.button('Không cho phép'));
  await ba.press('Cho phép');
  await ba.heading('Cho phép ghi vị trí trong lúc phỏng vấn?').waitFor({ state: 'hidden' });
  await ba.answersBeginning({ person: 'Nguyễn Thị Hoa', provider: 'VNPT' }, 'Hoàn thành');
  await ba.press('Tiếp');
  await ba.heading('Thành viên trong hộ').waitFor();
});

test('the next member takes over what the form allows, one by one or all at once', async () => {
  const lives = 'Người này có thường sống ở đây từ 6 tháng trở lên không?';
  const online = 'Trong 3 tháng qua người này có dùng Internet không?';
  const member = async (name: string, relation: string, birthYear: string): Promise<void> => {
    await ba.press('Thêm vào danh sách');
    await ba.types('Họ và tên', name);
    await ba.chooses('Quan hệ với chủ hộ', relation);
    await ba.types('Năm sinh', birthYear);
  };
  const toRoster = async (): Promise<void> => {
    await ba.press('Các phần');
    await ba.page
      .getByRole('dialog')
      .getByRole('button', { name: /Thành viên trong hộ/ })
      .click();
    await ba.heading('Thành viên trong hộ').waitFor();
  };
  await member('Nguyễn Thị Hoa', 'Chủ hộ', '1980');
  assert.equal(await ba.page.getByText(/^Giống người trước/).count(), 0);
  await ba.chooses(lives, 'Có');
  await ba.chooses(online, 'Có');
  await toRoster();

  await member('Trần Văn Bé', 'Con', '2005');
  const same = ba.page.getByRole('group', { name: lives }).getByRole('button', { name: /^Giống/ });
  await same.waitFor();
  assert.equal(await same.textContent().then((text) => text?.trim()), 'Giống người trước: Có');
  await isLargeEnough(same);
  await ba.canBeRead();
  await same.click();
  await ba.page
    .getByRole('group', { name: lives })
    .getByRole('radio', { name: 'Có' })
    .and(ba.page.locator(':checked'))
    .waitFor();
  await same.waitFor({ state: 'detached' });
  await toRoster();

  await member('Trần Thị Út', 'Con', '1990');
  await toRoster();
  const all = ba.button('Trần Thị Út: giống người trước, 1 câu');
  await all.waitFor();
  await isLargeEnough(all);
  await ba.canBeRead();
  await all.click();
  await ba.sees('Đã điền cho Trần Thị Út như người trước.');
  await all.waitFor({ state: 'detached' });
});

test('what looks odd is told at the end, can be confirmed, and blocks nothing', async () => {
  await ba.press('Tiếp');
  await ba.heading('Nhu cầu hỗ trợ').waitFor();
  await ba.press('Tiếp');
  await ba.field('Nhận xét của người phỏng vấn').waitFor();
  await ba.press('Tiếp');
  const odd = /Con không kém chủ hộ đủ 15 tuổi/;
  await ba.sees('Hãy xem lại trước khi rời nhà');
  await ba.sees(odd);
  await ba.canBeRead();
  const hint = ba.page.getByRole('listitem').filter({ hasText: odd });
  await isLargeEnough(hint.getByRole('button', { name: 'Đúng rồi' }));
  await hint.getByRole('button', { name: 'Đúng rồi' }).click();
  await hint.waitFor({ state: 'detached' });
  await ba.press('Kết thúc');
  await ba.heading('Khu phố 1').waitFor();
});

test('under More the volunteer takes the agreement back', async () => {
  await ba.follow('Thêm');
  const group = ba.page.getByRole('group', { name: 'Cho phép ghi vị trí trong lúc phỏng vấn?' });
  assert.ok(await group.getByRole('radio', { name: 'Cho phép', exact: true }).isChecked());
  await ba.canBeRead();
  await group.getByRole('radio', { name: 'Không cho phép' }).check();
  await ba.follow('Các hộ');
  await ba.heading('Khu phố 1').waitFor();
  await ba.beginsInterview('A2');
  await ba.chooses('Tôi là thành viên Tổ công nghệ số', 'Đồng ý');
  await ba.closesInterview();
});

test('with a network the logs follow the answers, with positions only where there was agreement', async () => {
  await phone.setOffline(false);
  await ba.sends();
  await ba.sees('Đã gửi hết');
  const told = await waitFor(async () => {
    const csv = await installation.run('export', 'paradata', '--with-identifying');
    return csv.includes(',A1,') && csv.includes(',A2,') ? csv : null;
  });
  const rows = told.split('\n').map((line) => line.split(','));
  const row = rows.find((cells) => cells[2] === 'A1' && cells[5] === '/data/respondent_name');
  assert.ok(row !== undefined && Number(row[6]) > 0 && row[7] === '1', told);

  const folder = await mkdtemp(join(tmpdir(), 'khaosat-logs-'));
  try {
    await installation.run('export', 'attachments', '--with-identifying', '--output', folder);
    const log = async (unit: string): Promise<string> => {
      const [name] = await readdir(join(folder, unit));
      return readFile(join(folder, unit, name ?? ''), 'utf8');
    };
    const [with_, without] = [await log('A1'), await log('A2')];
    const columns = 'event,node,start,end,latitude,longitude,accuracy,old-value,new-value';
    assert.equal(with_.split('\n')[0], columns);
    assert.match(
      with_,
      /^question,\/data\/interview\/members\[2\]\/lives_here,.*,10\.3601,106\.3652,12,,yes$/m,
    );
    assert.match(with_, /^location permissions granted,/m);
    assert.match(with_, /^form exit,/m);
    assert.ok(!without.includes('106.3652') && without.includes('location tracking disabled'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  assert.deepEqual(misdeeds, { strangers: [], complaints: [] });
});

/** Tries until there is something. */
async function waitFor<T>(attempt: () => Promise<T | null>): Promise<T> {
  for (let left = 40; left > 0; left -= 1) {
    const found = await attempt();
    if (found !== null) return found;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error('it did not come');
}
