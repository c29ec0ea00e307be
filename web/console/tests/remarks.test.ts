import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Absence, Estimate, Indicator, IntervalMethod } from '../src/api.ts';
import { formatter } from '../src/format.ts';
import { byReason, isSurveyed, methodSentence, missingFigure, sourceOf } from '../src/remarks.ts';
import { en } from '../src/strings/en.ts';
import { vi } from '../src/strings/vi.ts';

const ABSENCES: readonly Absence[] = [
  'no_responses',
  'no_denominator',
  'single_psu',
  'single_household',
  'lonely_psu',
  'no_degrees_of_freedom',
  'no_variation',
  'nothing_to_compare',
];
const METHODS: readonly IntervalMethod[] = ['logit', 'clopper_pearson', 'student_t', 'census'];

function estimate(change: Partial<Estimate>): Estimate {
  return {
    point: 0.5,
    standard_error: 0.05,
    interval: { lower: 0.4, upper: 0.6, level: 0.95, method: 'logit' },
    bounds: { lower: 0.5, upper: 0.5 },
    bounds_exact: true,
    design_effect: 1.2,
    degrees_of_freedom: 8,
    households: 38,
    denominator_count: 97,
    reason: null,
    ...change,
  };
}

function method(change: Partial<Estimate>): string {
  return methodSentence(estimate(change), en.analysed.person, en, formatter('en'));
}

test('every reason and every method has words of its own in both languages', () => {
  for (const strings of [vi, en]) {
    const reasons = ABSENCES.map((absence) => strings.absence[absence]);
    const methods = METHODS.map((name) => strings.methodInterval[name]('95%'));
    assert.equal(new Set([...reasons, ...methods]).size, ABSENCES.length + METHODS.length);
    for (const words of [...reasons, ...methods]) assert.doesNotMatch(words, /_|undefined/);
  }
});

test('the method names interval, degrees of freedom, design effect and counts', () => {
  assert.equal(
    method({}),
    'weighted ratio estimate; 95% confidence interval on the logit scale; 8 degrees of freedom; ' +
      'design effect 1.20; 38 households responded; 97 people',
  );
});

test('a census has no degrees of freedom to name', () => {
  const interval = { lower: 0.5, upper: 0.5, level: 0.95, method: 'census' } as const;
  assert.doesNotMatch(method({ interval, standard_error: 0 }), /freedom/);
});

test('a missing interval and missing bounds are said, with the reason where there is one', () => {
  const missing = { interval: null, standard_error: null, design_effect: null, bounds: null };
  assert.equal(
    method({ ...missing, reason: 'single_household' }),
    'weighted ratio estimate; no confidence interval, because only one household has responded, ' +
      'so how much households differ is not known; 38 households responded; 97 people; ' +
      'what conflicts leave open cannot be computed',
  );
  assert.match(method({ ...missing, reason: null }), /; no confidence interval; /);
});

test('a figure is withheld, cannot be computed, or is there', () => {
  const format = formatter('vi');
  const withheld = { rule: 'minimum_households', minimum: 5, households: 3 };
  assert.deepEqual(missingFigure(withheld, null, vi, format), {
    title: 'Chưa công bố',
    reason: 'chỉ có 3 hộ trả lời, cần ít nhất 5',
  });
  assert.deepEqual(missingFigure({ ...withheld, households: 0 }, null, vi, format), {
    title: 'Chưa công bố',
    reason: 'chưa có hộ nào trả lời',
  });
  assert.deepEqual(missingFigure(null, 'no_denominator', vi, format), {
    title: 'Chưa tính được',
    reason: 'các hộ đã trả lời không có ai hoặc gì thuộc mẫu số',
  });
  assert.equal(missingFigure(null, null, vi, format), null);
});

test('an indicator is among the figures once somebody has responded', () => {
  const withheld = { rule: 'minimum_households', minimum: 5, households: 0 };
  const nothing = { estimate: null, withheld: null, reason: null };
  const surveyed = (change: Partial<Indicator>): boolean =>
    isSurveyed({ ...nothing, ...change } as Indicator);
  assert.equal(surveyed({}), false);
  assert.equal(surveyed({ withheld }), false);
  assert.equal(surveyed({ reason: 'no_responses' }), false);
  assert.equal(surveyed({ withheld: { ...withheld, households: 1 } }), true);
  assert.equal(surveyed({ reason: 'no_denominator' }), true);
  assert.equal(surveyed({ estimate: estimate({}) }), true);
});

test('the household survey without responses says whether any will come', () => {
  const survey = { source_kind: 'household survey' } as const;
  assert.equal(
    sourceOf(survey, { expected: 0 }, vi),
    'khảo sát hộ gia đình, không có hộ trong mẫu',
  );
  assert.equal(sourceOf(survey, { expected: 9 }, vi), 'khảo sát hộ gia đình, chưa có dữ liệu');
  const official = { source_kind: 'official statistics' } as const;
  assert.equal(sourceOf(official, { expected: 0 }, vi), 'số liệu chính thức');
});

test('names that share a reason are gathered', () => {
  const groups = byReason([
    { name: 'XHS-01', reason: 'single_psu' },
    { name: 'XHS-02', reason: 'no_variation' },
    { name: 'XHS-03', reason: 'single_psu' },
  ]);
  assert.deepEqual(
    [...groups],
    [
      ['single_psu', ['XHS-01', 'XHS-03']],
      ['no_variation', ['XHS-02']],
    ],
  );
});
