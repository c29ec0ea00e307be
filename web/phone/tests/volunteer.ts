/** A volunteer with a phone: what one does with the app's pages, by what one reads there. */

import assert from 'node:assert/strict';
import type { BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { violations } from '../../testing/axe.ts';
import { addressOf } from './installation.ts';

/** The PIN of every phone here. */
export const PIN = '258036';

/** How long anything may take that a test waits for, in milliseconds. */
const PATIENCE = 30_000;

/** A small phone in Vietnam. */
export const SMALL_PHONE = {
  viewport: { width: 360, height: 640 },
  hasTouch: true,
  locale: 'vi-VN',
  timezoneId: 'Asia/Ho_Chi_Minh',
  acceptDownloads: true,
} satisfies BrowserContextOptions;

/** What pages and workers of a browser's profile did that they must not do. */
export interface Misdeeds {
  /** Requests to anybody but the server. */
  strangers: string[];
  /** Uncaught errors, and violations of the content security policy. */
  complaints: string[];
}

/** Watches all pages of a profile. */
export function watch(context: BrowserContext, origin: string): Misdeeds {
  context.setDefaultTimeout(PATIENCE);
  const misdeeds: Misdeeds = { strangers: [], complaints: [] };
  context.on('request', (request) => {
    const { protocol, origin: asked } = new URL(request.url());
    if (protocol !== 'blob:' && protocol !== 'data:' && asked !== origin)
      misdeeds.strangers.push(request.url());
  });
  context.on('weberror', (error) => misdeeds.complaints.push(String(error.error())));
  context.on('console', (message) => {
    if (/content security policy/i.test(message.text())) misdeeds.complaints.push(message.text());
  });
  return misdeeds;
}

/** What is answered in an interview that stops half-way. */
export interface Beginning {
  person: string;
  /** Of the fibre line. */
  provider?: string;
}

/** A person with the app before them. */
export class Volunteer {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  /** Opens the app in a new tab, by an invitation's link or with another clock where that is asked for. */
  static async open(
    context: BrowserContext,
    origin: string,
    { code, clockAhead }: { code?: string; clockAhead?: number } = {},
  ): Promise<Volunteer> {
    const page = await context.newPage();
    if (clockAhead !== undefined) await setClockAhead(page, clockAhead);
    await page.goto(`${origin}/phone/${code === undefined ? '' : `#code=${code}`}`);
    return new Volunteer(page);
  }

  /** Opens the app by an invitation's link, and does everything until the list of households stands there. */
  static async enrolled(context: BrowserContext, origin: string, code: string): Promise<Volunteer> {
    const volunteer = await Volunteer.open(context, origin, { code });
    await volunteer.sees('Sẵn sàng làm việc khi không có mạng');
    await volunteer.press('Bắt đầu');
    await volunteer.entersPin('Đặt mã PIN 6 số');
    await volunteer.entersPin('Nhập lại mã PIN');
    await volunteer.press('Nhận đợt khảo sát');
    await volunteer.press('Đúng tên tôi');
    await volunteer.heading('Khu phố 1').waitFor();
    return volunteer;
  }

  heading(name: string): Locator {
    return this.page.getByRole('heading', { name, exact: true });
  }

  button(name: string): Locator {
    return this.page.getByRole('button', { name, exact: true });
  }

  link(name: string): Locator {
    return this.page.getByRole('link', { name, exact: true });
  }

  press(name: string): Promise<void> {
    return this.button(name).click();
  }

  follow(name: string): Promise<void> {
    return this.link(name).click();
  }

  /** Waits until a text stands on the page. */
  sees(text: string | RegExp): Promise<void> {
    return this.page.getByText(text).first().waitFor();
  }

  /** Waits until the line above every page says so. */
  header(text: string): Promise<void> {
    return this.page.getByRole('banner').getByText(text).waitFor();
  }

  /** The page as it is now keeps the rules of accessibility. */
  async canBeRead(): Promise<void> {
    assert.deepEqual(await violations(this.page), []);
  }

  /** Enters a PIN on the page of this heading. */
  async entersPin(heading: string, pin: string = PIN): Promise<void> {
    await this.heading(heading).waitFor();
    // While the one before is being tried, no digit is taken.
    await this.page.locator(':enabled').and(this.button('Số 1')).waitFor();
    await this.page.keyboard.type(pin);
  }

  async unlocks(): Promise<void> {
    await this.entersPin('Nhập mã PIN');
    await this.page.getByRole('navigation', { name: 'Các trang chính' }).waitFor();
  }

  /** A household in the list. */
  row(unit: string): Locator {
    return this.page
      .getByRole('listitem')
      .filter({ has: this.page.getByText(addressOf(unit), { exact: true }) });
  }

  /** Waits until the list says so of a household. */
  rowSays(unit: string, text: string | RegExp): Promise<void> {
    return this.row(unit).getByText(text).first().waitFor();
  }

  /** Opens a household's interview from the list. */
  async beginsInterview(
    unit: string,
    button: 'Phỏng vấn' | 'Tiếp tục' = 'Phỏng vấn',
  ): Promise<void> {
    await this.follow(`${button} ${addressOf(unit)}`);
    await this.button('Lưu và đóng').waitFor();
  }

  /** Chooses answers of a question. */
  async chooses(question: string, ...choices: string[]): Promise<void> {
    const group = this.page.getByRole('group', { name: question });
    for (const name of choices) {
      await group
        .getByRole('radio', { name, exact: true })
        .or(group.getByRole('checkbox', { name, exact: true }))
        .check();
    }
    await group.locator('xpath=..').getByText('Đã lưu').waitFor();
  }

  /** A question's field. */
  field(question: string): Locator {
    return this.page.getByRole('textbox', { name: question });
  }

  /** Types an answer. */
  async types(question: string, text: string): Promise<void> {
    const field = this.field(question);
    await field.fill(text);
    await field.locator('xpath=..').getByText('Đã lưu').waitFor();
  }

  /** Answers the first questions of the open interview. */
  async answersBeginning({ person, provider }: Beginning, outcome = 'Một phần'): Promise<void> {
    await this.chooses('Tôi là thành viên Tổ công nghệ số', 'Đồng ý');
    await this.types('Họ và tên người trả lời', person);
    await this.chooses('Người trả lời là gì của chủ hộ?', 'Chủ hộ');
    await this.chooses('Kết quả lần đến thăm', outcome);
    if (provider === undefined) return;
    await this.press('Tiếp');
    await this.heading('Nhà ở và kết nối').waitFor();
    await this.chooses('Nhà ông/bà có thể đăng ký Internet cáp quang không?', 'Có');
    await this.chooses('Nhà ông/bà có đang dùng Internet cáp quang không?', 'Có');
    await this.chooses('Nhà mạng nào cung cấp?', provider);
  }

  async closesInterview(): Promise<void> {
    await this.press('Lưu và đóng');
    await this.heading('Khu phố 1').waitFor();
  }

  /** An interview that stops half-way, from the list and back to it. */
  async interviewsInPart(unit: string, beginning: Beginning): Promise<void> {
    await this.beginsInterview(unit);
    await this.answersBeginning(beginning);
    await this.closesInterview();
    await this.rowSays(unit, beginning.person);
  }

  /** A whole interview of a person who lives alone, from the list and back to it. */
  async interviewsInWhole(unit: string, person: string): Promise<void> {
    await this.beginsInterview(unit);
    await this.answersBeginning({ person, provider: 'VNPT' }, 'Hoàn thành');
    await this.press('Tiếp');
    await this.heading('Thành viên trong hộ').waitFor();
    await this.press('Thêm vào danh sách');
    await this.types('Họ và tên', person);
    await this.chooses('Quan hệ với chủ hộ', 'Chủ hộ');
    await this.chooses('Giới tính', 'Nữ');
    await this.types('Năm sinh', '1980');
    await this.chooses('Người này có thường sống ở đây từ 6 tháng trở lên không?', 'Có');
    await this.chooses('Người này có hồ sơ sức khỏe điện tử không?', 'Không');
    await this.chooses('Người này có điện thoại thông minh không?', 'Có, của riêng');
    await this.chooses('Trong 3 tháng qua người này có dùng Internet không?', 'Có');
    await this.chooses(
      'Người này có tài khoản thanh toán nào?',
      'Tài khoản ngân hàng',
      'Mobile Money',
    );
    await this.chooses('Người này tự bảo vệ trên mạng bằng cách nào?', 'Khóa màn hình');
    await this.chooses(
      'Người này đã được hướng dẫn kỹ năng số cơ bản ở đâu?',
      'Chưa được hướng dẫn',
    );
    await this.chooses('Người này có chữ ký số hoặc chữ ký điện tử cá nhân không?', 'Không có');
    await this.chooses('Trong 12 tháng qua người này có nộp hoặc theo dõi hồ sơ', 'Không');
    await this.chooses('Trong 12 tháng qua người này có được tư vấn sức khỏe', 'Không');
    for (const next of ['Thành viên trong hộ', 'Nhu cầu hỗ trợ']) {
      await this.press('Tiếp');
      await this.heading(next).waitFor();
    }
    await this.press('Tiếp');
    await this.field('Nhận xét của người phỏng vấn').waitFor();
    await this.press('Tiếp');
    await this.sees('Đã đủ các câu bắt buộc.');
    await this.press('Kết thúc');
    await this.heading('Khu phố 1').waitFor();
  }

  /** Sends by the button, from any page with tabs, and stays on the page of sending. */
  async sends(): Promise<void> {
    await this.follow('Gửi phiếu');
    await this.press('Gửi ngay');
  }
}

/** Sets the clock of a tab and its worker ahead, in milliseconds, before it opens the app. */
async function setClockAhead(page: Page, ahead: number): Promise<void> {
  const shift = (by: number): void => {
    const now = Date.now.bind(Date);
    const Real = Date;
    globalThis.Date = class extends Real {
      constructor(...parts: unknown[]) {
        if (parts.length === 0) super(now() + by);
        else super(...(parts as [number]));
      }
      static override now(): number {
        return now() + by;
      }
    } as DateConstructor;
  };
  await page.addInitScript(shift, ahead);
  page.on('worker', (worker) => void worker.evaluate(shift, ahead).catch(() => undefined));
}
