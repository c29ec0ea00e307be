import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Interval, Target } from '../src/api.ts';
import { formatter } from '../src/format.ts';
import { anyOverlap, describe, position } from '../src/plot.ts';
import { en } from '../src/strings/en.ts';
import { vi } from '../src/strings/vi.ts';

const target: Target = { operator: '>=', percent: 80, year: 2025 };

function interval(lower: number, upper: number): Interval {
  return { lower, upper, level: 0.95, method: 'logit' };
}

test('places on the axis stay within it', () => {
  assert.equal(position(0.25), '25%');
  assert.equal(position(-0.1), '0%');
  assert.equal(position(1.7), '100%');
});

test('intervals overlap when any two share a value', () => {
  assert.equal(anyOverlap([]), false);
  assert.equal(anyOverlap([interval(0.1, 0.9)]), false);
  assert.equal(anyOverlap([interval(0.5, 0.6), interval(0.1, 0.2), interval(0.3, 0.4)]), false);
  assert.equal(anyOverlap([interval(0.5, 0.6), interval(0.1, 0.2), interval(0.2, 0.4)]), true);
  assert.equal(anyOverlap([interval(0.1, 0.9), interval(0.2, 0.3), interval(0.95, 1)]), true);
});

test('the text alternative says everything that is drawn', () => {
  const figures = {
    point: 0.81,
    interval: interval(0.77, 0.84),
    bounds: { lower: 0.8, upper: 0.82 },
    target,
    decision: 'undecided',
  } as const;
  assert.equal(
    describe(figures, en, formatter('en')),
    'Estimate 81.0%; 95% confidence interval 77.0–84.0%; conflicts leave 80.0–82.0% open; ' +
      'target ≥\u00a080%; Undecided',
  );
  assert.match(describe(figures, vi, formatter('vi')), /^Ước lượng 81,0\u00a0%; .*Chưa đủ căn cứ$/);
});

test('what is not there is said to be missing, or not said', () => {
  const figures = {
    point: 0.81,
    interval: null,
    bounds: { lower: 0.81, upper: 0.81 },
    target,
    decision: null,
  };
  assert.equal(
    describe(figures, en, formatter('en')),
    'Estimate 81.0%; no confidence interval; target ≥\u00a080%',
  );
});
