import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatter } from '../src/text/format.ts';

const vi = formatter('vi', 'Asia/Ho_Chi_Minh');
const en = formatter('en', 'Asia/Ho_Chi_Minh');
const now = Date.parse('2025-12-03T10:00:00+07:00');

test('moments near today are told by words', () => {
  assert.equal(vi.moment(Date.parse('2025-12-03T09:40:00+07:00'), now), '09:40 hôm nay');
  assert.equal(vi.moment(Date.parse('2025-12-02T23:59:00+07:00'), now), '23:59 hôm qua');
  assert.equal(vi.moment(Date.parse('2025-12-04T00:05:00+07:00'), now), '00:05 ngày mai');
  assert.equal(en.moment(Date.parse('2025-12-03T18:30:00+07:00'), now), '18:30 today');
});

test('within a week the weekday is named, later the year', () => {
  assert.match(vi.moment(Date.parse('2025-12-05T08:00:00+07:00'), now), /^08:00 Thứ Sáu 5\/12$/i);
  assert.equal(vi.moment(Date.parse('2025-11-01T08:00:00+07:00'), now), '08:00 1/11/2025');
});

test('the day is that of the time zone, not of UTC', () => {
  // 6:30 in Vietnam is still the day before in UTC.
  assert.equal(vi.moment(Date.parse('2025-12-03T06:30:00+07:00'), now), '06:30 hôm nay');
});

test('lengths are as exact as they are useful', () => {
  assert.equal(vi.metres(12), '12\u00a0m');
  assert.equal(vi.metres(83), '85\u00a0m');
  assert.equal(vi.metres(1234), '1,2\u00a0km');
});

test('amounts of data and spans of time', () => {
  assert.equal(vi.bytes(741_200), '742\u00a0KB');
  assert.equal(vi.bytes(2_100_000_000), '2,1\u00a0GB');
  assert.equal(vi.span(95_000), '1:35');
  assert.equal(vi.span(9_000), '9 giây');
  assert.equal(en.span(-5), '0 s');
});

test('numbers are written as they would be typed', () => {
  assert.equal(vi.typed(1234.5), '1234,5');
  assert.equal(en.typed(1234.5), '1234.5');
  assert.equal(vi.day('2025-03-01'), '1/3/2025');
});
