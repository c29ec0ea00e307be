import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeOfLink, codeOfScan, grouped, isWholeCode } from '../src/text/code.ts';
import { isoDay, quickTimes } from '../src/text/days.ts';
import { decimalNumber, wholeNumber } from '../src/text/number.ts';
import { readPoint, readPoints, writePoint, writeShape, writeTrace } from '../src/text/points.ts';
import { numberAt, scaleOf, stepAt, stepsOf } from '../src/widgets/scale.ts';

test('a code is read however it was typed', () => {
  assert.equal(grouped('abcd efgh 1234 5678'), 'ABCD-EFGH-1234-5678');
  assert.equal(grouped('oil0'), '0110');
  assert.ok(isWholeCode('ABCD-EFGH-1234-5678'));
  assert.ok(!isWholeCode('ABCD-EFGH-1234-567'));
});

test('a code is found in a link, and only there', () => {
  assert.equal(codeOfLink('#code=abcd-efgh-1234-5678'), 'ABCD-EFGH-1234-5678');
  assert.equal(codeOfLink('#/households'), null);
  assert.equal(codeOfScan('https://example.vn/p/#code=abcdefgh12345678'), 'ABCD-EFGH-1234-5678');
  assert.equal(codeOfScan('8934588012345'), null);
});

test('numbers take a comma or a point, and nothing else', () => {
  assert.equal(decimalNumber('1,5'), 1.5);
  assert.equal(decimalNumber(' 1.50 '), 1.5);
  assert.equal(decimalNumber('-,5'), -0.5);
  assert.equal(decimalNumber('1.234,5'), null);
  assert.equal(decimalNumber('1e3'), null);
  assert.equal(wholeNumber('12'), 12);
  assert.equal(wholeNumber('12,0'), null);
  assert.equal(wholeNumber('99999999999999999999'), null);
});

test('points are written as ODK XForms has them, and read again', () => {
  const point = { latitude: 10.36, longitude: 106.36, altitude: 2, accuracy: 4.5 };
  assert.equal(writePoint(point), '10.3600000 106.3600000 2.0 4.5');
  assert.deepEqual(readPoint(writePoint(point)), point);
  assert.equal(readPoint('nowhere'), null);
});

test('a line needs two points, an outline three and ends where it began', () => {
  const at = (latitude: number) => ({ latitude, longitude: 106, altitude: 0, accuracy: 3 });
  assert.equal(writeTrace([at(10)]), null);
  assert.equal(readPoints(writeTrace([at(10), at(11)]) ?? '').length, 2);
  assert.equal(writeShape([at(10), at(11)]), null);
  const corners = readPoints(writeShape([at(10), at(11), at(12)]) ?? '');
  assert.equal(corners.length, 4);
  assert.deepEqual(corners[0], corners[3]);
});

test('a scale counts from its start by its step, also downwards and in tenths', () => {
  const tenths = scaleOf({ start: '0', end: '1', step: '0.1' });
  assert.equal(stepsOf(tenths), 10);
  assert.equal(numberAt(tenths, 3), 0.3);
  assert.equal(stepAt(tenths, 0.3), 3);
  const down = scaleOf({ start: '5', end: '1' });
  assert.equal(numberAt(down, 2), 3);
  assert.equal(numberAt(down, 99), 1);
  assert.deepEqual(scaleOf({}), { start: 1, end: 10, step: 1, digits: 0 });
});

test('quick times are still to come', () => {
  const noon = new Date(2025, 11, 3, 12);
  assert.deepEqual(
    quickTimes(noon).map(({ name }) => name),
    ['afternoon', 'evening', 'morning'],
  );
  const night = new Date(2025, 11, 31, 21);
  const times = quickTimes(night);
  assert.deepEqual(
    times.map(({ name }) => name),
    ['morning'],
  );
  assert.equal(isoDay(new Date(times[0]?.time ?? 0)), '2026-01-01');
});
