import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unitName } from '../src/units.ts';

test('names start with the kind, with a capital', () => {
  assert.equal(unitName({ kind: 'huyện', name: 'Cái Bè' }), 'Huyện Cái Bè');
  assert.equal(unitName({ kind: 'thành phố', name: 'Mỹ Tho' }), 'Thành phố Mỹ Tho');
  assert.equal(unitName({ kind: 'phường', name: '5' }), 'Phường 5');
  assert.equal(unitName({ kind: 'khu phố', name: '2' }), 'Khu phố 2');
  assert.equal(unitName({ kind: 'ấp', name: '3' }), 'Ấp 3');
});

test('a kind already in the name is said once', () => {
  assert.equal(unitName({ kind: 'ấp', name: 'Ấp Bình Tạo' }), 'Ấp Bình Tạo');
});
