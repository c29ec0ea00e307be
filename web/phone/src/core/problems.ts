/** What is refused on this side of the core, in both languages. */

import type { Problem } from './protocol.ts';

/** The languages of the pages. */
export type Language = 'vi' | 'en';

/** A problem in both languages. */
type ProblemTexts = Readonly<Record<Language, { title: string; detail: string }>>;

const TEXTS = {
  'storage-full': {
    vi: {
      title: 'Chưa lưu được',
      detail:
        'Điện thoại không còn chỗ hoặc không ghi được, nên thao tác vừa rồi chưa được lưu; những gì đã lưu trước đó vẫn còn. Hãy xóa bớt ảnh, video hoặc ứng dụng không dùng, rồi làm lại.',
    },
    en: {
      title: 'Not saved',
      detail:
        'The phone has no room left or cannot write, so what you just did was not saved; everything saved before is still there. Remove photos, videos or apps that you do not need, then do it again.',
    },
  },
  'storage-unreadable': {
    vi: {
      title: 'Không mở được dữ liệu',
      detail:
        'Trình duyệt không cho mở dữ liệu của ứng dụng. Hãy đóng hết các thẻ của ứng dụng rồi mở lại, và không dùng chế độ ẩn danh.',
    },
    en: {
      title: 'The data cannot be opened',
      detail:
        'The browser does not let the app open its data. Close all tabs of the app and open it again, and do not use private browsing.',
    },
  },
  'core-failed': {
    vi: {
      title: 'Ứng dụng gặp lỗi',
      detail:
        'Thao tác vừa rồi chưa được lưu; những gì đã lưu trước đó vẫn còn. Hãy làm lại. Nếu vẫn lỗi, mở trang cứu dữ liệu để chép phiếu ra tệp.',
    },
    en: {
      title: 'The app met an error',
      detail:
        'What you just did was not saved; everything saved before is still there. Do it again. If it fails again, open the rescue page to save the responses to a file.',
    },
  },
  'core-missing': {
    vi: {
      title: 'Ứng dụng chưa tải xong',
      detail: 'Phần chính của ứng dụng chưa có trên điện thoại. Hãy vào chỗ có mạng rồi mở lại.',
    },
    en: {
      title: 'The app is not complete',
      detail:
        'The main part of the app is not on the phone. Go where there is a network and open it again.',
    },
  },
  locked: {
    vi: { title: 'Đang khóa', detail: 'Hãy nhập mã PIN để mở dữ liệu.' },
    en: { title: 'Locked', detail: 'Enter the PIN to open the data.' },
  },
  'held-elsewhere': {
    vi: {
      title: 'Đang mở ở thẻ khác',
      detail:
        'Dữ liệu đang mở ở một thẻ khác của trình duyệt. Hãy dùng thẻ đó, hoặc chuyển sang thẻ này.',
    },
    en: {
      title: 'Open in another tab',
      detail: 'The data are open in another tab of the browser. Use that tab, or take over here.',
    },
  },
  'no-pin': {
    vi: { title: 'Chưa có mã PIN', detail: 'Hãy đặt mã PIN trước.' },
    en: { title: 'There is no PIN yet', detail: 'Set a PIN first.' },
  },
  'pin-exists': {
    vi: { title: 'Đã có mã PIN', detail: 'Điện thoại này đã có mã PIN; hãy nhập mã đó.' },
    en: { title: 'There is a PIN already', detail: 'This phone already has a PIN; enter it.' },
  },
  'weak-pin': {
    vi: {
      title: 'Mã PIN chưa được',
      detail: 'Mã PIN có từ 4 đến 12 chữ số, không phải toàn một chữ số.',
    },
    en: {
      title: 'This PIN will not do',
      detail: 'A PIN has 4 to 12 digits that are not all the same.',
    },
  },
  'wrong-pin': {
    vi: {
      title: 'Sai mã PIN',
      detail:
        'Mã PIN không đúng. Nhập sai nhiều lần thì phải chờ lâu hơn; sai 15 lần liền thì dữ liệu trên máy bị xóa, trừ phiếu chưa gửi.',
    },
    en: {
      title: 'Wrong PIN',
      detail:
        'This is not the PIN. Each further mistake makes you wait longer; after 15 in a row the data on this phone are removed, except responses that were not sent.',
    },
  },
  'pin-pause': {
    vi: {
      title: 'Hãy chờ',
      detail: 'Đã nhập sai mã PIN nhiều lần. Hãy chờ đến hết thời gian rồi nhập lại.',
    },
    en: {
      title: 'Please wait',
      detail: 'The PIN was wrong several times. Wait until the time is over, then enter it again.',
    },
  },
  wiped: {
    vi: {
      title: 'Dữ liệu đã bị xóa',
      detail:
        'Mã PIN sai 15 lần liền, nên dữ liệu trên điện thoại này đã bị xóa. Phiếu chưa gửi vẫn còn ở trang cứu dữ liệu. Hãy xin mã đăng ký mới.',
    },
    en: {
      title: 'The data were removed',
      detail:
        'The PIN was wrong 15 times in a row, so the data on this phone were removed. Responses that were not sent are still on the rescue page. Ask for a new enrolment code.',
    },
  },
  insecure: {
    vi: {
      title: 'Kết nối không an toàn',
      detail:
        'Ứng dụng chỉ chạy qua địa chỉ bắt đầu bằng https://. Hãy hỏi người phụ trách địa chỉ đúng.',
    },
    en: {
      title: 'The connection is not secure',
      detail:
        'The app only works at an address that begins with https://. Ask whoever is in charge for it.',
    },
  },
} as const satisfies Record<string, ProblemTexts>;

/** The names of these problems. */
export type ProblemName = keyof typeof TEXTS;

/** One of these problems in the language of the pages. */
export function problem(name: ProblemName, language: Language): Problem {
  return { type: `/problems/${name}`, ...TEXTS[name][language] };
}
