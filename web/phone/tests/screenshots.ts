/**
 * Makes the pictures of the documentation anew, below `docs/phone`: every screen of a small phone in Vietnamese, over the
 * real server, in the order of a volunteer's first day. Not a test; `npm run screenshots` runs it.
 */

import { mkdirSync } from 'node:fs';
import type { BrowserContext, Page } from 'playwright-core';
import { startBrowser } from '../../testing/browser.ts';
import { addressOf, Installation } from './installation.ts';
import { darkPicture, FOLDER, largePicture, picture, PICTURED_PHONE, toTop } from './pictures.ts';
import { PIN, Volunteer } from './volunteer.ts';

/** The middle of the hamlet: latitude and longitude. */
const MIDDLE = [10.3541, 106.3652] as const;
/** Where the households live of which it is known, as steps of about a hundred metres to the north and to the east. */
const PLACES: Record<string, readonly [number, number]> = {
  A1: [0.3, -0.9],
  A2: [1.1, 0.5],
  A3: [-0.8, 0.7],
  A6: [-0.5, -1.2],
};

/** The browser promises to keep the data, as it does for an app on the home screen. */
async function keepData(context: BrowserContext): Promise<void> {
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  const { targetInfo } = await session.send('Target.getTargetInfo');
  const browser = await context.browser()?.newBrowserCDPSession();
  const { browserContextId } = targetInfo;
  if (browserContextId !== undefined)
    await browser?.send('Browser.grantPermissions', {
      permissions: ['durableStorage', 'geolocation', 'notifications'],
      browserContextId,
    });
  await page.close();
}

/** Stands at a household's door. */
async function stand(context: BrowserContext, unit: string): Promise<void> {
  const [north, east] = PLACES[unit] ?? [0, 0];
  await context.setGeolocation({
    latitude: MIDDLE[0] + north / 1100,
    longitude: MIDDLE[1] + east / 1100,
    accuracy: 4,
  });
}

/** Opens a household's sheet from the list. */
async function opensHousehold(volunteer: Volunteer, unit: string): Promise<void> {
  await volunteer.row(unit).getByRole('link').first().click();
  await volunteer.heading(addressOf(unit)).waitFor();
}

/** Answers on the open page of the dwelling where it stands. */
async function answersPlace(volunteer: Volunteer): Promise<void> {
  await volunteer.press('Ghi vị trí');
  await volunteer.button('Ghi lại vị trí').waitFor();
}

/** Adds to a response that is complete where the house stands, and returns to the list. */
async function addsPlace(volunteer: Volunteer, unit: string): Promise<void> {
  await opensHousehold(volunteer, unit);
  await volunteer.follow('Mở lại phiếu');
  await volunteer.button('Lưu và đóng').waitFor();
  await volunteer.press('Tiếp');
  await volunteer.heading('Nhà ở và kết nối').waitFor();
  await answersPlace(volunteer);
  await volunteer.press('Lưu và đóng');
  await volunteer.heading(addressOf(unit)).waitFor();
  await volunteer.follow('Các hộ');
  await volunteer.heading('Khu phố 1').waitFor();
}

/** Goes on through an interview until a heading stands there. */
async function goesOnTo(volunteer: Volunteer, heading: string): Promise<void> {
  const { page } = volunteer;
  while ((await volunteer.heading(heading).count()) === 0) {
    const before = page.url();
    await volunteer.press('Tiếp');
    await page.waitForURL((address) => address.href !== before);
  }
}

/** Breaks a record on the phone, as a worn-out memory does. */
async function breakRecord(page: Page): Promise<void> {
  await page.evaluate(
    () =>
      new Promise<void>((resolve) => {
        indexedDB.open('khaosat').onsuccess = (event) => {
          const database = (event.target as IDBOpenDBRequest).result;
          const transaction = database.transaction('records', 'readwrite');
          const records = transaction.objectStore('records');
          records.getAllKeys().onsuccess = (found) => {
            const key = (found.target as IDBRequest<IDBValidKey[]>).result.at(-1);
            records.put('', key);
          };
          transaction.oncomplete = () => {
            database.close();
            resolve();
          };
        };
      }),
  );
}

const installation = await Installation.start();
const browser = await startBrowser();
try {
  mkdirSync(FOLDER, { recursive: true });
  const phone = await browser.newContext(PICTURED_PHONE);
  const other = await browser.newContext(PICTURED_PHONE);
  await keepData(phone);
  await keepData(other);

  const code = await installation.invite('Trần Thị Tư');
  const tu = await Volunteer.enrolled(other, installation.origin, code);

  // The first start, until the list stands there.
  const ba = await Volunteer.open(phone, installation.origin, {
    code: await installation.invite(),
  });
  await ba.page.getByText('Sẵn sàng làm việc khi không có mạng', { exact: true }).waitFor();
  await picture(ba.page, 'ready');
  await largePicture(ba.page, 'ready-large-letters');
  await ba.press('Bắt đầu');
  await ba.heading('Đặt mã PIN 6 số').waitFor();
  await ba.page.keyboard.type(PIN.slice(0, 3));
  await toTop(ba.page);
  await picture(ba.page, 'pin');
  await ba.page.keyboard.type(PIN.slice(3));
  await ba.entersPin('Nhập lại mã PIN');
  await ba.heading('Nhập mã mời').waitFor();
  await toTop(ba.page);
  await picture(ba.page, 'invitation');
  await ba.press('Nhận đợt khảo sát');
  await ba.heading('Tên của ông/bà').waitFor();
  await picture(ba.page, 'name');
  await ba.press('Đúng tên tôi');
  await ba.heading('Khu phố 1').waitFor();

  // Two households in whole with a network.
  for (const [unit, person] of [
    ['A1', 'Nguyễn Thị Hoa'],
    ['A2', 'Lê Văn Tám'],
  ] as const) {
    await stand(phone, unit);
    await ba.interviewsInWhole(unit, person);
    await addsPlace(ba, unit);
  }
  await ba.sends();
  await ba.sees('Không còn phiếu nào chờ gửi.');

  // The network goes. A colleague elsewhere writes about a household that is about to be visited here, too.
  await phone.setOffline(true);
  await ba.header('Không có mạng');
  await ba.follow('Các hộ');
  await tu.interviewsInPart('A5', { person: 'Võ Văn Năm', provider: 'Viettel' });
  await tu.sends();
  await tu.sees('Không còn phiếu nào chờ gửi.');
  await ba.interviewsInPart('A5', { person: 'Võ Văn Năm', provider: 'VNPT' });
  await stand(phone, 'A3');
  await ba.interviewsInWhole('A3', 'Phạm Thị Sáu');
  await addsPlace(ba, 'A3');

  await ba.follow(`Không gặp được ${addressOf('A4')}`);
  await ba.page.getByRole('radio', { name: 'Không có ai ở nhà' }).check();
  await ba.page.getByRole('radio', { name: 'Chiều nay, 15 giờ' }).check();
  await toTop(ba.page);
  await picture(ba.page, 'failed-visit');
  await ba.press('Lưu');
  await ba.rowSays('A4', 'Hẹn lại');

  // An interview page by page.
  await stand(phone, 'A6');
  await ba.beginsInterview('A6');
  await picture(ba.page, 'interview-consent');
  await ba.answersBeginning({ person: 'Huỳnh Thị Bảy', provider: 'FPT' }, 'Một phần');
  await answersPlace(ba);
  await ba.types('Ghi chú địa chỉ', 'Cạnh tiệm tạp hóa Cô Ba');
  await toTop(ba.page);
  await picture(ba.page, 'interview-dwelling');
  await ba.page
    .getByRole('group', { name: 'Nhà mạng nào cung cấp?' })
    .evaluate((group) => group.scrollIntoView());
  await picture(ba.page, 'interview-choice');
  await toTop(ba.page);
  await darkPicture(ba.page, 'interview-dark');
  await largePicture(ba.page, 'interview-large-letters');
  await ba.header('Không có mạng');
  await ba.press('Tiếp');
  await ba.heading('Thành viên trong hộ').waitFor();
  for (const [name, relation] of [
    ['Huỳnh Thị Bảy', 'Chủ hộ'],
    ['Trần Minh Khôi', 'Con'],
  ] as const) {
    await ba.press('Thêm vào danh sách');
    await ba.types('Họ và tên', name);
    await ba.chooses('Quan hệ với chủ hộ', relation);
    if (relation === 'Con') break;
    await ba.types('Năm sinh', '1962');
    await ba.press('Trước');
    await ba.heading('Thành viên trong hộ').waitFor();
  }
  await ba.chooses('Giới tính', 'Nam');
  await ba.field('Năm sinh').fill('1850');
  const refusal = ba.page.getByText(/Chưa lưu: Năm sinh phải từ 1900/);
  await refusal.waitFor();
  await ba.field('Năm sinh').evaluate((field) => field.scrollIntoView({ block: 'center' }));
  await picture(ba.page, 'interview-member');
  await ba.types('Năm sinh', '1994');
  await ba.press('Trước');
  await ba.heading('Thành viên trong hộ').waitFor();
  await toTop(ba.page);
  await picture(ba.page, 'interview-roster');
  await goesOnTo(ba, 'Hết phiếu');
  await picture(ba.page, 'interview-end-missing');
  await ba.press('Các phần');
  await ba.heading('Các phần và cách hiện').waitFor();
  await picture(ba.page, 'interview-sections');
  await ba.press('Đóng');
  await ba.closesInterview();
  await opensHousehold(ba, 'A3');
  await ba.follow('Mở lại phiếu');
  await ba.button('Lưu và đóng').waitFor();
  await goesOnTo(ba, 'Hết phiếu');
  await ba.sees('Đã đủ các câu bắt buộc.');
  await picture(ba.page, 'interview-end-complete');
  await ba.press('Kết thúc');

  // Everything waits on the phone.
  await ba.heading(addressOf('A3')).waitFor();
  await ba.follow('Các hộ');
  await ba.heading('Khu phố 1').waitFor();
  await toTop(ba.page);
  await picture(ba.page, 'households');
  await darkPicture(ba.page, 'households-dark');
  await ba.press('Tìm hộ');
  await picture(ba.page, 'households-search');
  await ba.press('Thôi tìm');
  await ba.row('A4').evaluate((row) => row.scrollIntoView({ block: 'center' }));
  await picture(ba.page, 'households-below');
  await ba.follow('Gửi phiếu');
  await ba.button('Gửi ngay').waitFor();
  await picture(ba.page, 'send-waiting');
  await ba.follow('Đưa phiếu bằng tay');
  await ba.press('Lưu thành tệp');
  await ba.sees(/^Tệp có 4 phiếu/);
  await picture(ba.page, 'carry-file');
  await ba.press('Cho máy khác quét mã QR');
  await ba.sees(/^Hình \d+/);
  await picture(ba.page, 'carry-qr');
  await ba.press('Dừng');
  const rescue = await phone.newPage();
  await rescue.goto(`${installation.origin}/phone/rescue.html`);
  await rescue.locator('#save:enabled').waitFor();
  await picture(rescue, 'rescue');
  await rescue.close();

  // The network is back.
  await phone.setOffline(false);
  await ba.follow('Gửi phiếu');
  await ba.sees('Không còn phiếu nào chờ gửi.');
  await ba.button('Gửi ngay').waitFor();
  await picture(ba.page, 'send-done');
  await ba.follow('Các hộ');
  await ba.rowSays('A5', 'Cần xem lại');
  await opensHousehold(ba, 'A5');
  await picture(ba.page, 'household');
  await ba.follow('Xem câu trả lời khác nhau');
  await ba.page.getByRole('group', { name: 'Nhà mạng nào cung cấp?' }).waitFor();
  await picture(ba.page, 'conflict');
  await ba.follow('Các hộ');
  await phone.setGeolocation({ latitude: MIDDLE[0], longitude: MIDDLE[1], accuracy: 8 });
  await ba.follow('Sơ đồ');
  await ba.press('Bật vị trí');
  await ba.sees('Chấm lớn ở giữa là ông/bà.');
  await toTop(ba.page);
  await picture(ba.page, 'around');
  await ba.follow('Thêm');
  await ba.heading('Thêm').waitFor();
  await picture(ba.page, 'more');

  // What one sees seldom.
  const second = await Volunteer.open(phone, installation.origin);
  await second.button('Dùng ở thẻ này').waitFor();
  await picture(second.page, 'elsewhere');
  await second.page.close();
  await ba.press('Khóa máy ngay');
  await ba.heading('Nhập mã PIN').waitFor();
  await toTop(ba.page);
  await picture(ba.page, 'unlock');
  await breakRecord(ba.page);
  await ba.page.reload();
  await ba.unlocks();
  await ba.follow('Các hộ');
  await ba.sees('Có dữ liệu không đọc được.');
  await toTop(ba.page);
  await picture(ba.page, 'damaged');
} finally {
  await browser.close();
  await installation.remove();
}
