import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matches, plain } from '../src/text/search.ts';

test('letters without marks find Vietnamese names', () => {
  assert.equal(plain('Nguyễn  Thị Đượm'), 'nguyen thi duom');
  assert.ok(matches(plain('Nguyễn Thị Đượm'), 'nguyen'));
  assert.ok(matches(plain('Nguyễn Thị Đượm'), 'DUOM nguyễn'));
});

test('marks that are typed as separate characters are the same letters', () => {
  assert.equal(plain('Tiền Giang'.normalize('NFD')), plain('Tiền Giang'.normalize('NFC')));
});

test('every word must be there, and no word asks for nothing', () => {
  assert.ok(!matches(plain('Số 12/3, ấp Bình Phước'), 'binh hoa'));
  assert.ok(matches(plain('Số 12/3, ấp Bình Phước'), '12/3 phuoc'));
  assert.ok(matches(plain('Số 12/3'), '  '));
});
