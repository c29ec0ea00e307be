import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  changesSomething,
  decodeReply,
  encodeRequest,
  MalformedReply,
} from '../src/core/worker/framing.ts';

const encoder = new TextEncoder();

/** A reply as the core writes it, by the definition of the format. */
function frame(json: object, ...parts: Uint8Array[]): Uint8Array {
  const text = encoder.encode(JSON.stringify(json));
  const length = new Uint8Array(new Uint32Array([text.length]).buffer);
  return Uint8Array.from(Buffer.concat([length, text, ...parts]));
}

test('a request is the length of its JSON, the JSON, and the parts', () => {
  const request = { name: 'start', argument: { language: 'vi' }, now: 12, utcOffsetMinutes: 420 };
  const encoded = encodeRequest(request, [Uint8Array.of(1, 2), Uint8Array.of(), Uint8Array.of(3)]);
  assert.deepEqual(encoded, frame({ ...request, parts: [2, 0, 1] }, Uint8Array.of(1, 2, 3)));
});

test('the length counts bytes, not letters', () => {
  const request = {
    name: 'rename_volunteer',
    argument: { name: 'Hồ Thị Đượm' },
    now: 0,
    utcOffsetMinutes: 0,
  };
  const encoded = encodeRequest(request, []);
  const length = new DataView(encoded.buffer).getUint32(0, true);
  assert.equal(length, encoded.length - 4);
});

test('the first parts of a reply are the records, the next the sealed entries', () => {
  const store = { put: [7, 8], delete: [3], sealed: [9], unsealed: [1], draft: true };
  const parts = [Uint8Array.of(70), Uint8Array.of(80, 81), Uint8Array.of(90), Uint8Array.of(5)];
  const reply = decodeReply(frame({ value: { bytes: 3 }, store, parts: [1, 2, 1, 1] }, ...parts));
  assert.deepEqual(reply.value, { bytes: 3 });
  assert.equal(reply.problem, null);
  assert.deepEqual(reply.order, {
    put: [
      [7, Uint8Array.of(70)],
      [8, Uint8Array.of(80, 81)],
    ],
    delete: [3],
    sealed: [[9, Uint8Array.of(90)]],
    unsealed: [1],
    draft: true,
  });
  assert.deepEqual(reply.parts[3], Uint8Array.of(5));
});

test('parts stay what they were when the core writes its next reply to the same place', () => {
  const memory = frame({ value: null, store: { put: [1] }, parts: [2] }, Uint8Array.of(4, 5));
  const reply = decodeReply(memory);
  memory.fill(0);
  assert.deepEqual(reply.order.put, [[1, Uint8Array.of(4, 5)]]);
});

test('a problem may come with something to keep', () => {
  const problem = { type: '/problems/x', title: 'X', detail: 'x' };
  const reply = decodeReply(frame({ problem, store: { delete: [4] }, parts: [] }));
  assert.deepEqual(reply.problem, problem);
  assert.deepEqual(reply.order.delete, [4]);
});

test('what needs no disk is told from what does', () => {
  assert.equal(changesSomething(decodeReply(frame({ value: 1 })).order), false);
  for (const store of [{ delete: [1] }, { unsealed: [1] }, { draft: false }]) {
    assert.equal(changesSomething(decodeReply(frame({ value: 1, store })).order), true);
  }
});

test('a reply that contradicts itself is refused', () => {
  const cases = [
    Uint8Array.of(1, 2),
    Uint8Array.of(9, 0, 0, 0, 123, 125),
    frame({ value: null, parts: [3] }, Uint8Array.of(1, 2)),
    frame({ value: null, parts: [1] }, Uint8Array.of(1, 2)),
    frame({ value: null, store: { put: [1], sealed: [2] }, parts: [1] }, Uint8Array.of(1)),
  ];
  for (const reply of cases) assert.throws(() => decodeReply(reply), MalformedReply);
});
