import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatter } from '../src/format.ts';

const vi = formatter('vi');
const en = formatter('en');

test('shares are percentages with one decimal', () => {
  assert.equal(vi.percent(0.794), '79,4\u00a0%');
  assert.equal(en.percent(0.794), '79.4%');
  assert.equal(vi.percent(1), '100,0\u00a0%');
  assert.equal(en.percent(0), '0.0%');
});

test('ranges name the unit once', () => {
  assert.equal(vi.range({ lower: 0.771, upper: 0.84 }), '77,1\u00a0–\u00a084,0\u00a0%');
  assert.equal(en.range({ lower: 0.771, upper: 0.84 }), '77.1–84.0%');
});

test('counts are grouped and decimals marked by the language', () => {
  assert.equal(vi.count(1_764_185), '1.764.185');
  assert.equal(en.count(1_764_185), '1,764,185');
  assert.equal(vi.decimal(1.4, 2), '1,40');
  assert.equal(en.decimal(1.4), '1.4');
  assert.equal(vi.points(0.0213), '2,1');
});

test('targets keep the difference between at least and above', () => {
  assert.equal(vi.target({ operator: '>=', percent: 80, year: 2025 }), '≥\u00a080\u00a0%');
  assert.equal(en.target({ operator: '>', percent: 2.5, year: 2025 }), '>\u00a02.5%');
});

test('confidence levels show no needless decimals', () => {
  assert.equal(vi.level({ level: 0.95 }), '95\u00a0%');
  assert.equal(en.level({ level: 0.999 }), '99.9%');
});

test('a calendar day is the same day in every time zone', () => {
  assert.equal(vi.day('2025-06-30'), '30/06/2025');
  assert.equal(en.day('2025-06-30'), '30/06/2025');
});

test('a moment is shown to the minute with its date', () => {
  const moment = vi.moment('2026-11-24T10:05:30Z');
  assert.match(moment, /\d{2}:05/);
  assert.match(moment, /2[45].11.2026/);
});

test('the time passed is told in its largest unit', () => {
  const now = Date.parse('2026-11-24T10:00:00Z');
  const before = (seconds: number): string => new Date(now - seconds * 1000).toISOString();
  assert.equal(vi.ago(before(20), now), 'bây giờ');
  assert.equal(vi.ago(before(119), now), '1 phút trước');
  assert.equal(vi.ago(before(120), now), '2 phút trước');
  assert.equal(en.ago(before(3_600), now), '1 hour ago');
  assert.equal(vi.ago(before(7_200), now), '2 giờ trước');
  assert.equal(en.ago(before(86_400), now), 'yesterday');
  assert.equal(vi.ago(before(3 * 86_400), now), '3 ngày trước');
});

test('a moment ahead of the clock is now, never in the future', () => {
  const now = Date.parse('2026-11-24T10:00:00Z');
  assert.equal(en.ago('2026-11-24T10:30:00Z', now), 'now');
});

test('names are ordered as Vietnamese readers expect, numbers by value', () => {
  const names = ['Phường 10', 'Xã Đạo Thạnh', 'Phường 2', 'Xã Dưỡng Điềm'];
  assert.deepEqual(names.sort(vi.compare), [
    'Phường 2',
    'Phường 10',
    'Xã Dưỡng Điềm',
    'Xã Đạo Thạnh',
  ]);
});
