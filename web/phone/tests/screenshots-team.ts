/**
 * Makes the pictures of a team's work anew: taking one's name of a common invitation, adding a household, giving to a colleague,
 * and what the leader sees. Not a test; `npm run screenshots` runs it.
 */

import { mkdirSync } from 'node:fs';
import { startBrowser } from '../../testing/browser.ts';
import { addressOf, HAMLET, Installation, VOLUNTEER } from './installation.ts';
import { FOLDER, picture, PICTURED_PHONE, toTop } from './pictures.ts';
import { PIN, Volunteer } from './volunteer.ts';

const LEADER = 'Trần Thị Tư';
const REASON = 'Còn thiếu người trong hộ';
/** By then a phone asks anew what it is to do. */
const TEN_MINUTES = 10 * 60_000;

const installation = await Installation.start();
const browser = await startBrowser();
try {
  mkdirSync(FOLDER, { recursive: true });
  const phone = await browser.newContext(PICTURED_PHONE);
  const leaderPhone = await browser.newContext(PICTURED_PHONE);
  await phone.grantPermissions([]);

  // One code for everybody at the meeting.
  const names = [VOLUNTEER, 'Lê Thị Lan', 'Phạm Văn Cường'].join(', ');
  const place = ['--hamlet', HAMLET, '--team', names, '--format', 'text'];
  const code = (await installation.run('device', 'invite', ...place)).trim();
  let ba = await Volunteer.open(phone, installation.origin, { code });
  await ba.press('Bắt đầu');
  await ba.entersPin('Đặt mã PIN 6 số', PIN);
  await ba.entersPin('Nhập lại mã PIN', PIN);
  await ba.press('Nhận đợt khảo sát');
  await ba.heading('Ông/bà là ai?').waitFor();
  await ba.page.getByRole('radio', { name: VOLUNTEER }).check();
  await toTop(ba.page);
  await picture(ba.page, 'team-names');
  await ba.press(`Tôi là ${VOLUNTEER}`);
  await ba.heading('Khu phố 1').waitFor();

  const leadersCode = await installation.inviteLeader(LEADER);
  const tu = await Volunteer.enrolled(leaderPhone, installation.origin, leadersCode);

  // A household that the list lacks.
  await ba.follow('Thêm hộ chưa có trong danh sách');
  await ba.field('Địa chỉ').fill('Nhà trọ Thanh Bình, phòng 4, hẻm 12');
  await toTop(ba.page);
  await picture(ba.page, 'add-household');
  await ba.press('Thêm hộ');
  await ba.sees('mới');
  await ba.follow('Các hộ');

  // The day's work.
  await ba.interviewsInWhole('A1', 'Nguyễn Thị Hoa');
  await ba.interviewsInPart('A2', { person: 'Lê Văn Tám', provider: 'FPT' });
  await ba.sends();
  await ba.sees('Không còn phiếu nào chờ gửi.');
  await ba.button('Gửi ngay').waitFor();

  // The leader.
  await tu.sends();
  await tu.button('Gửi ngay').waitFor();
  await tu.follow('Tổ');
  await tu.heading('Tổ của tôi').waitFor();
  await tu.sees(VOLUNTEER);
  await toTop(tu.page);
  await picture(tu.page, 'team');
  await tu.follow('Giao lại hộ');
  await tu.heading('Giao hộ').waitFor();
  await tu.page.getByRole('checkbox', { name: new RegExp(`^${addressOf('A3')}`) }).check();
  await toTop(tu.page);
  await picture(tu.page, 'team-assign');
  await tu.press('Quay lại');
  await tu.page.getByRole('link', { name: addressOf('A1') }).click();
  await tu.heading('Duyệt phiếu').waitFor();
  await toTop(tu.page);
  await picture(tu.page, 'team-review');
  await tu.press('Cần sửa');
  await tu.page.getByRole('checkbox', { name: REASON, exact: true }).check();
  await picture(tu.page, 'team-send-back');
  await tu.press('Xác nhận: Cần sửa');
  await tu.sees(`Cần sửa: ${REASON}`);
  await tu.sends();
  await tu.button('Gửi ngay').waitFor();

  // The volunteer reads it later in the day, and meets the leader where there is no network.
  await ba.page.close();
  ba = await Volunteer.open(phone, installation.origin, { clockAhead: TEN_MINUTES });
  await ba.unlocks();
  await ba.sends();
  await ba.button('Gửi ngay').waitFor();
  await ba.follow('Các hộ');
  await ba.rowSays('A1', `Cần sửa: ${REASON}`);
  await toTop(ba.page);
  await picture(ba.page, 'sent-back');
  await phone.setOffline(true);
  await ba.interviewsInPart('A4', { person: 'Võ Thị Năm', provider: 'VNPT' });
  await ba.follow('Gửi phiếu');
  await ba.follow('Trao cho đồng nghiệp');
  await ba.heading('Trao cho đồng nghiệp').waitFor();
  await picture(ba.page, 'give');
  await ba.page.getByRole('button', { name: LEADER }).click();
  await ba.press('Cho máy kia quét mã QR');
  await ba.sees(/Hình \d+/);
  await toTop(ba.page);
  await picture(ba.page, 'give-qr');
  await ba.press('Dừng');
  await ba.follow('Gửi phiếu');
  await ba.follow('Nhận từ đồng nghiệp');
  await ba.heading('Nhận từ đồng nghiệp').waitFor();
  await picture(ba.page, 'receive');
} finally {
  await browser.close();
  await installation.remove();
}
