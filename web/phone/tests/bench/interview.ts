/** The interview that is measured: 40 answers about a household of five. */

import type { Answer } from './settling.ts';

const MEMBERS = ['Nguyễn Văn Ba', 'Trần Thị Hoa', 'Nguyễn Minh', 'Nguyễn Lan', 'Nguyễn An'];
/** The label of the first question about a member. */
export const MEMBER = 'Họ và tên';

function chosen(label: string, value: string, occurrence = 0): Answer {
  return { label, value, kind: 'choice', occurrence };
}

function typed(label: string, value: string, occurrence = 0): Answer {
  return { label, value, kind: 'typed', occurrence };
}

function ofMember(name: string, index: number): Answer[] {
  const year = index < 2 ? 1970 + index : 1995 + index;
  return [
    typed(MEMBER, name, index),
    chosen('Quan hệ với chủ hộ', ['head', 'spouse'][index] ?? 'child', index),
    chosen('Giới tính', index % 2 === 0 ? 'male' : 'female', index),
    { label: 'Năm sinh', value: String(year), kind: 'number', occurrence: index },
    chosen('Người này có thường sống ở đây từ 6 tháng trở lên không?', 'yes', index),
    chosen('Người này có hồ sơ sức khỏe điện tử không?', 'no', index),
  ];
}

/** In the order of the form. */
export const INTERVIEW: readonly Answer[] = [
  chosen('Tôi là thành viên Tổ công nghệ số cộng đồng.…', 'yes'),
  typed('Họ và tên người trả lời', 'Nguyễn Văn Ba'),
  chosen('Người trả lời là gì của chủ hộ?', 'head'),
  chosen('Kết quả lần đến thăm', 'completed'),
  chosen('Nhà ông/bà có thể đăng ký Internet cáp quang không?', 'yes'),
  chosen('Nhà ông/bà có đang dùng Internet cáp quang không?', 'yes'),
  chosen('Nhà mạng nào cung cấp?', 'vnpt'),
  ...MEMBERS.flatMap(ofMember),
  chosen('Gia đình muốn tổ công nghệ số giúp việc gì?', 'vneid'),
  typed('Ghi chú thêm về nhu cầu', 'Muốn học cách dùng VNeID'),
  chosen('Điều cần lưu ý (người phỏng vấn tự ghi)', 'interrupted'),
];
