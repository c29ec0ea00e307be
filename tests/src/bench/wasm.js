// Fills a form in the WebAssembly module of the form engine and tells how long each request took.
//
// `node wasm.js MODULE` reads requests line by line from standard input, each line a JSON list, and writes for each line a
// JSON object: the replies, and how many microseconds each request took from an object in JavaScript to the reply as an
// object in JavaScript, so with writing and reading the JSON and copying it into and out of the module's memory.

import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const { instance } = await WebAssembly.instantiate(readFileSync(process.argv[2]), {});
const { memory, request, call, reply } = instance.exports;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

function ask(question) {
  const bytes = encoder.encode(JSON.stringify(question));
  const address = request(bytes.length);
  if (address === 0) throw new Error(`the request of ${bytes.length} bytes is too long`);
  new Uint8Array(memory.buffer, address, bytes.length).set(bytes);
  const length = call();
  return JSON.parse(decoder.decode(new Uint8Array(memory.buffer, reply(), length)));
}

for await (const line of createInterface({ input: process.stdin })) {
  const replies = [];
  const microseconds = [];
  for (const question of JSON.parse(line)) {
    const start = performance.now();
    replies.push(ask(question));
    microseconds.push((performance.now() - start) * 1000);
  }
  process.stdout.write(`${JSON.stringify({ replies, microseconds })}\n`);
}
