/**
 * How quick the core is as a phone runs it, in WebAssembly, on 300 interviewed households over the real server. Not a
 * test; `npm run bench` prints one line a measurement.
 *
 * Node runs it with the same engine as Chromium, without a page: what is measured is a request to the core with its
 * framing, as the worker makes it, without the disk.
 */

import { readFile } from 'node:fs/promises';
import { brotliCompressSync } from 'node:zlib';
import { Installation } from '../installation.ts';
import { Handset, interviewWhole } from './handset.ts';

const MODULE = 'generated/phone_core.wasm';
const HOUSEHOLDS = 300;

function quantile(times: number[], share: number): string {
  const sorted = times.toSorted((one, other) => one - other);
  return `${(sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(2)} ms`;
}

const bytes = await readFile(MODULE);
const module = await WebAssembly.compile(bytes);
const installation = await Installation.start({ households: HOUSEHOLDS });
try {
  console.log(`module: ${bytes.length} bytes, brotli 11 ${brotliCompressSync(bytes).length}`);
  const phone = new Handset(module, installation.origin);
  phone.ask('begin_enrolment', { code: await installation.invite() });
  await phone.exchange();
  console.log(`enrolment: ${phone.requests} requests`);

  const [answers, opened]: [number[], number[]] = [[], []];
  for (let number = 1; number <= HOUSEHOLDS; number += 1) {
    interviewWhole(phone, `A${number}`, answers, opened);
  }
  console.log(
    `one answer, ${answers.length} of them: median ${quantile(answers, 0.5)}, p95 ${quantile(answers, 0.95)}, p99 ${quantile(answers, 0.99)}`,
  );
  console.log(`open an interview: p95 ${quantile(opened, 0.95)}`);

  [phone.sentBytes, phone.requests] = [0, 0];
  let begun = performance.now();
  phone.ask('begin_sync');
  await phone.exchange();
  const seconds = ((performance.now() - begun) / 1000).toFixed(2);
  console.log(
    `first sync of ${HOUSEHOLDS}: ${phone.sentBytes} bytes, ${phone.requests} requests, ${seconds} s`,
  );

  begun = performance.now();
  phone.restart();
  const started = performance.now() - begun;
  phone.ask('households');
  const listed = performance.now() - begun - started;
  const kept = [...phone.records.values()].reduce((sum, record) => sum + record.length, 0);
  console.log(
    `start with ${phone.records.size} records of ${kept} bytes: ${started.toFixed(0)} ms; the list: ${listed.toFixed(0)} ms`,
  );
} finally {
  await installation.remove();
}
