/**
 * How quick the app is in a browser on a cheap phone: one core that is six times slower, a line of 400 kbit/s on which a
 * round trip takes 400 ms, 300 finished households. Not a test; `npm run bench` prints a table of goals.
 */

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { BrowserContext } from 'playwright-core';
import { startBrowserIn } from '../../../testing/browser.ts';
import { encodedSize, filesBelow } from '../../../compression.ts';
import { Installation } from '../installation.ts';
import { SMALL_PHONE } from '../volunteer.ts';
import * as app from './app.ts';
import { calibrate, median, PLACES, quantile, type Calibration } from './calibration.ts';
import { Handset, interviewWhole } from './handset.ts';
import type { Settled } from './settling.ts';
import { SlowLine } from './slow-line.ts';
import { SlowProcessor } from './slow-processor.ts';
import { Table } from './table.ts';
import { WebForms } from './web-forms.ts';

const DIST = 'dist';
const MODULE = 'generated/phone_core.wasm';
/** Households that are finished when the app is measured. */
const FINISHED = 300;
/** Households that are not, at the head of the list. */
const OPEN = 8;
/** Starts and opened interviews of which the median counts. */
const REPETITIONS = 3;
/** How long a browser has to come to rest, in milliseconds. */
const SETTLING = 5000;
const KB = 1000;

const table = new Table();
const processor = new SlowProcessor();
const profile = await mkdtemp(join(tmpdir(), 'khaosat-bench-'));
const installation = await Installation.start({ households: FINISHED + OPEN });
const line = await SlowLine.before(installation.origin);
const { KHAOSAT_WEB_FORMS_PAGE: packages } = process.env;
const webForms = packages === undefined ? null : await WebForms.build(packages);
let context: BrowserContext | null = null;

try {
  await weigh();
  const handset = await filled();

  context = await launched();
  compare(await calibrate(context), await slowly(() => calibrate(context as BrowserContext)));
  await measureInstallation(context);
  await app.bring(context, line.origin, handset);
  await measureFirstSync(context);
  await app.bring(context, line.origin, handset);

  line.cut = true;
  const starts: app.Start[] = [];
  for (let number = 1; number <= REPETITIONS; number += 1) {
    await context.close();
    context = await launched();
    const page = await context.newPage();
    starts.push(await slowly(() => app.start(page, line.origin)));
  }
  tellStarts(starts);
  await measureWork(context);
  await compareInterviews(context);
} finally {
  await processor.quick();
  await context?.close();
  await webForms?.remove();
  await line.close();
  await installation.remove();
  await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}
table.print();

/** A browser that has come to rest: what it does when it is started is not the app's. */
async function launched(): Promise<BrowserContext> {
  const context = await startBrowserIn(profile, SMALL_PHONE);
  context.setDefaultTimeout(180_000);
  const [main] = await processesOf(context, 'browser');
  if (main !== undefined) await processor.give(main);
  await setTimeout(SETTLING);
  return context;
}

/** Does something while the processor is slow. */
async function slowly<T>(work: () => Promise<T>): Promise<T> {
  await processor.slow();
  try {
    return await work();
  } finally {
    await processor.quick();
  }
}

async function processesOf(context: BrowserContext, kind: string): Promise<number[]> {
  const session = await context.browser()?.newBrowserCDPSession();
  if (session === undefined) throw new Error('the profile has no browser of its own');
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  return processInfo.filter(({ type }) => type === kind).map(({ id }) => id);
}

/** The files as they go over the network. */
async function weigh(): Promise<void> {
  const files = (await filesBelow(DIST)).filter((path) => path !== 'service-worker.js');
  let [core, others] = [0, await encodedSize(join(DIST, 'service-worker.js'))];
  for (const path of files) {
    const size = await encodedSize(join(DIST, path));
    if (path.endsWith('.wasm')) core += size;
    else others += size;
    console.log(`${String(size).padStart(9)}  ${path}`);
  }
  table.add('the core, compressed', core / KB, 700, 'kB');
  table.add('everything else, compressed', others / KB, 250, 'kB');
}

/** A phone on which everything is finished and nothing was sent. */
async function filled(): Promise<Handset> {
  const module = await WebAssembly.compile(await readFile(MODULE));
  const handset = new Handset(module, installation.origin);
  handset.ask('begin_enrolment', { code: await installation.invite() });
  await handset.exchange();
  for (let number = OPEN + 1; number <= OPEN + FINISHED; number += 1)
    interviewWhole(handset, `A${number}`, [], []);
  return handset;
}

function compare(quick: Calibration, slow: Calibration): void {
  for (const place of PLACES)
    table.add(`how much slower the ${place} computes`, slow[place] / quick[place], null, '×');
}

async function measureInstallation(context: BrowserContext): Promise<void> {
  line.slow = true;
  const before = line.down.bytes;
  const took = await slowly(() => app.install(context, line.origin));
  line.slow = false;
  table.add('installation: over the line', (line.down.bytes - before) / KB, null, 'kB');
  table.add('installation: until it needs no network', took / 1000, null, 's');
}

/** Before any attempt has failed, after which phones send smaller pieces. */
async function measureFirstSync(context: BrowserContext): Promise<void> {
  const page = await context.newPage();
  await app.start(page, line.origin);
  await app.openSending(page);
  line.slow = true;
  const [requests, up, down] = [line.requests.length, line.up.bytes, line.down.bytes];
  const took = await slowly(() => app.send(page));
  line.slow = false;
  const posts = line.requests.slice(requests);
  console.log(posts.join('\n'));
  table.add(`first sync of ${FINISHED} households`, took / 1000, 20, 's');
  table.add('first sync: requests', posts.length, 1, '');
  table.add('first sync: sent', (line.up.bytes - up) / KB, null, 'kB');
  table.add('first sync: received', (line.down.bytes - down) / KB, null, 'kB');
  await page.close();
}

function tellStarts(starts: readonly app.Start[]): void {
  const part = (of: (start: app.Start) => number): number => median(starts.map(of)) / 1000;
  table.add(
    'start without a network: until the PIN can be entered',
    part(({ page }) => page),
    null,
    's',
  );
  table.add(
    'start without a network: from the PIN to the list',
    part(({ list }) => list),
    null,
    's',
  );
  table.add(
    'start without a network: both',
    part(({ page, list }) => page + list),
    2.5,
    's',
  );
}

/** What follows a start, in the tab that was started last. */
async function measureWork(context: BrowserContext): Promise<void> {
  const page = context.pages().at(-1);
  if (page === undefined) throw new Error('no tab is open');
  const renderers = await processesOf(context, 'renderer');
  const memory = await Promise.all(renderers.map(proportionalSize));
  table.add('memory of the page’s process with the list', Math.max(...memory) / KB, null, 'MB');

  const opened: number[] = [];
  for (let number = 1; number <= REPETITIONS; number += 1) {
    opened.push(await slowly(() => app.openInterview(page, `A${2 * (1 + (number % 3))}`)));
    await app.closeInterview(page);
  }
  table.add('open an interview', median(opened), 400, 'ms');

  await page.close();
}

/** The same answers in the app and in ODK Web Forms, on the processor as it is and slowed. */
async function compareInterviews(context: BrowserContext): Promise<void> {
  for (const [speed, at] of [
    ['quick', (work: () => Promise<Settled[]>) => work()],
    ['slowed', slowly<Settled[]>],
  ] as const) {
    const page = await context.newPage();
    await app.start(page, line.origin);
    await app.openInterview(page, speed === 'quick' ? 'A2' : 'A4');
    const ours = await at(() => app.interview(page));
    // No other interview opens before this one is closed.
    await app.closeInterview(page);
    await page.close();
    const tell = (whose: string, times: Settled[], goal: number | null): void => {
      const changed = times.map(({ changed }) => changed);
      const painted = times.map(({ painted }) => painted);
      table.add(`${whose}, ${speed}: one answer, median`, median(changed), null, 'ms');
      table.add(`${whose}, ${speed}: one answer, p95`, quantile(changed, 0.95), goal, 'ms');
      table.add(`${whose}, ${speed}: p95 with the picture`, quantile(painted, 0.95), null, 'ms');
    };
    tell('the app', ours, speed === 'slowed' ? 50 : null);
    if (webForms === null) continue;
    const theirs = await at(() => webForms.interview(context));
    tell('ODK Web Forms', theirs, null);
    const ratio = sum(ours) / sum(theirs);
    table.add(`the app ÷ ODK Web Forms, ${speed}: all answers`, ratio, null, '');
  }
}

function sum(times: readonly Settled[]): number {
  return times.reduce((total, { changed }) => total + changed, 0);
}

/** What a process has of the memory, its share of what it shares (PSS), in kB. */
async function proportionalSize(id: number): Promise<number> {
  const rollup = await readFile(`/proc/${id}/smaps_rollup`, 'utf8');
  return Number(/^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1]);
}
