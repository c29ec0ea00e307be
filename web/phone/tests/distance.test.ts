import assert from 'node:assert/strict';
import { test } from 'node:test';
import { distance, offset, roundRadius } from '../src/text/distance.ts';

test('a degree of a meridian is about 111.2 km', () => {
  assert.ok(Math.abs(distance([10, 106], [11, 106]) - 111_195) < 1);
});

test('a degree of a parallel shrinks with the latitude', () => {
  const atEquator = distance([0, 106], [0, 107]);
  const atSixty = distance([60, 106], [60, 107]);
  assert.ok(Math.abs(atSixty / atEquator - 0.5) < 0.001);
});

test('opposite places of the earth are half its circumference apart', () => {
  assert.ok(Math.abs(distance([0, 0], [0, 180]) - Math.PI * 6_371_008.8) < 1);
});

test('nearby, the offset to the east and north agrees with the distance', () => {
  const from = [10.36, 106.36] as const;
  const to = [10.363, 106.357] as const;
  const { east, north } = offset(from, to);
  assert.ok(east < 0 && north > 0);
  assert.ok(Math.abs(Math.hypot(east, north) - distance(from, to)) < 0.1);
});

test('the radius of a sketch is the next round number', () => {
  assert.equal(roundRadius(0), 1);
  assert.equal(roundRadius(180), 200);
  assert.equal(roundRadius(200), 200);
  assert.equal(roundRadius(501), 1000);
});
