import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unitName } from '../src/units.ts';

test('Vietnamese names start with the kind', () => {
  assert.equal(unitName({ kind: 'huyện', name: 'Cái Bè' }, 'vi'), 'Huyện Cái Bè');
  assert.equal(unitName({ kind: 'ấp', name: '3' }, 'vi'), 'Ấp 3');
});

test('English names end with the kind, unless they are numbers', () => {
  assert.equal(unitName({ kind: 'huyện', name: 'Cái Bè' }, 'en'), 'Cái Bè district');
  assert.equal(unitName({ kind: 'phường', name: '5' }, 'en'), 'Ward 5');
});

test('a kind that is new keeps its official word', () => {
  assert.equal(unitName({ kind: 'đặc khu', name: 'Phú Quốc' }, 'en'), 'Đặc khu Phú Quốc');
});

test('a kind already in the name is said once', () => {
  assert.equal(unitName({ kind: 'ấp', name: 'Ấp Bình Tạo' }, 'vi'), 'Ấp Bình Tạo');
});
