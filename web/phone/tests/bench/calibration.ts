/** How much slower a slowed browser computes: the same work in a page, in a worker and in a service worker. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { BrowserContext } from 'playwright-core';

/** Computes for some tenths of a second and says for how many milliseconds. */
const WORK = `function work() {
  const begun = performance.now();
  let sum = 0;
  for (let index = 0; index < 3e7; index += 1) sum = (sum * 31 + index) | 0;
  return sum === 0.5 ? 0 : performance.now() - begun;
}`;

const FILES: Readonly<Record<string, [type: string, content: string]>> = {
  '/': ['text/html', '<!doctype html><title>calibration</title><script src="page.js"></script>'],
  '/page.js': [
    'text/javascript',
    `${WORK}
    const told = (target, message) => new Promise((resolve) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = (event) => resolve(event.data);
      target.postMessage(message, [port2]);
    });
    const worker = new Worker('worker.js');
    navigator.serviceWorker.register('service-worker.js');
    globalThis.measure = {
      page: async () => work(),
      worker: () => told(worker, 0),
      serviceWorker: async () => told((await navigator.serviceWorker.ready).active, 0),
    };`,
  ],
  '/worker.js': [
    'text/javascript',
    `${WORK}
    onmessage = (event) => event.ports[0].postMessage(work());`,
  ],
  '/service-worker.js': [
    'text/javascript',
    `${WORK}
    onmessage = (event) => event.waitUntil(event.ports[0].postMessage(work()));`,
  ],
};

/** Where a browser computes. */
export const PLACES = ['page', 'worker', 'serviceWorker'] as const;

/** The milliseconds that the work takes in each place. */
export type Calibration = Record<(typeof PLACES)[number], number>;

/** Measures each place several times and takes the medians. */
export async function calibrate(context: BrowserContext, repetitions = 3): Promise<Calibration> {
  const http = createServer((request, response) => {
    const [type, content] = FILES[request.url ?? ''] ?? ['text/plain', ''];
    response.writeHead(200, { 'content-type': type }).end(content);
  }).listen(0, '127.0.0.1');
  await once(http, 'listening');
  const address = http.address();
  if (address === null || typeof address === 'string') throw new Error('there is no port');
  const page = await context.newPage();
  try {
    await page.goto(`http://127.0.0.1:${address.port}/`);
    const measured: Calibration = { page: 0, worker: 0, serviceWorker: 0 };
    for (const place of PLACES) {
      const times: number[] = [];
      for (let number = 0; number < repetitions; number += 1) {
        times.push(
          await page.evaluate((place) => {
            const { measure } = globalThis as unknown as {
              measure: Record<string, () => Promise<number>>;
            };
            return measure[place]?.() ?? Number.NaN;
          }, place),
        );
      }
      measured[place] = median(times);
    }
    return measured;
  } finally {
    await page.close();
    http.closeAllConnections();
    http.close();
  }
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value that a share of all values do not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN;
}
