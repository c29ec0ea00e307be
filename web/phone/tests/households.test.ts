import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Household } from '../src/core/protocol.ts';
import { countByStatus, entriesOf, lookAlikes, narrowed, progressOf } from '../src/households.ts';
import { Trail } from '../src/interview/trail.ts';

import { fragmentOf, placeOf, type Place } from '../src/place.ts';
import { formatter } from '../src/text/format.ts';

function household(change: Partial<Household>): Household {
  return {
    unit: '28249-01-0001',
    hamlet: 'h1',
    address: 'Số 1, ấp Bình Phước',
    person: null,
    status: 'not_started',
    outcome: null,
    unsent: false,
    carried: false,
    conflicts: 0,
    refused: null,
    callBackAt: null,
    visitedAt: null,
    visits: 0,
    location: null,
    added: false,
    assignee: null,
    mine: false,
    review: null,
    ...change,
  };
}

const list = [
  household({ unit: 'a10', address: 'Số 22/3, ấp Tân Hòa' }),
  household({ unit: 'a2', person: 'Nguyễn Thị Bưởi', status: 'sent', location: [10.37, 106.36] }),
  household({ unit: 'b', status: 'finished', location: [10.361, 106.36] }),
];

const { compare } = formatter('vi');

test('the list is in the order of the codes until there is a position, then the nearest come first', () => {
  const units = (here: [number, number] | null): string[] =>
    entriesOf(list, here, compare).map(({ household: { unit } }) => unit);
  assert.deepEqual(units(null), ['a2', 'a10', 'b']);
  assert.deepEqual(units([10.36, 106.36]), ['b', 'a2', 'a10']);
});

test('search and filter narrow together', () => {
  const entries = entriesOf(list, null, compare);
  assert.equal(narrowed(entries, 'buoi', null).length, 1);
  assert.equal(narrowed(entries, 'tan hoa 22', null).length, 1);
  assert.equal(narrowed(entries, 'so 1', 'finished').length, 1);
  assert.equal(narrowed(entries, 'buoi', 'finished').length, 0);
  const mine = [household({ unit: 'c', mine: true }), ...list];
  assert.equal(narrowed(entriesOf(mine, null, compare), '', 'mine').length, 1);
  assert.equal(countByStatus(list).get('sent'), 1);
});

test('what was done today is counted by the calendar of the phone', () => {
  const now = new Date(2025, 11, 3, 10).getTime();
  const done = [
    household({ status: 'sent', visitedAt: new Date(2025, 11, 3, 0, 1).getTime() }),
    household({ status: 'closed', visitedAt: new Date(2025, 11, 2, 23, 59).getTime() }),
    household({ status: 'call_back', visitedAt: now }),
  ];
  assert.deepEqual(progressOf(done, now), { done: 2, today: 1 });
});

test('what looks like a new household is found however it is typed', () => {
  const listed = [
    household({ unit: 'a', address: 'Số 12/3 Trần Hưng Đạo' }),
    household({ unit: 'b', address: 'Hẻm 12/4 Trần Hưng Đạo', person: 'Nguyễn Thị Bưởi' }),
    household({ unit: 'c', address: 'Tổ 7' }),
    household({ unit: 'd', address: 'Số 12/3 Trần Hưng Đạo', hamlet: 'h2' }),
  ];
  const alike = (address: string): string[] =>
    lookAlikes(listed, 'h1', address).map(({ unit }) => unit);
  assert.deepEqual(alike('so 12/3 tran hung dao'), ['a']);
  assert.deepEqual(alike('12/3 Trần Hưng Đạo, sau quán'), ['a']);
  assert.deepEqual(alike('Nhà bà Bưởi'), ['b']);
  assert.deepEqual(alike('Trần Hưng Đạo'), ['a', 'b']);
  assert.deepEqual(alike('TỔ 7'), ['c']);
  assert.deepEqual(alike('Số 99 Trần Hưng Đạo'), []);
  assert.deepEqual(alike('Chòi lá ven kênh'), []);
});

test('every page has an address that leads to it', () => {
  const places: Place[] = [
    { page: 'households' },
    { page: 'around' },
    { page: 'add' },
    { page: 'send' },
    { page: 'carry' },
    { page: 'ready' },
    { page: 'more' },
    { page: 'team' },
    { page: 'assign' },
    { page: 'review', unit: '28249-01-0001' },
    { page: 'household', unit: '28249-01-0001' },
    { page: 'failed', unit: 'a/b' },
    { page: 'conflicts', unit: 'ấp 1' },
    { page: 'address', unit: '28249-01+9f3a60c1d27b' },
    { page: 'interview', unit: 'a', step: null },
    { page: 'interview', unit: 'a', step: 'members/2#x' },
  ];
  for (const place of places) assert.deepEqual(placeOf(fragmentOf(place)), place);
  assert.deepEqual(placeOf('#nonsense/%E0%A4%A'), { page: 'households' });
});

test('the trail of an interview grows forwards and shrinks backwards', () => {
  const trail = new Trail();
  trail.begin('one');
  trail.arrive('two');
  trail.arrive('three');
  assert.ok(trail.isBack('two'));
  trail.arrive('two');
  assert.equal(trail.length, 2);
  trail.replace('zero');
  assert.ok(trail.isBack('one'));
});
