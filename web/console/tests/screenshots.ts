/**
 * Makes the pictures of the documentation anew: the province of the default demo, in Vietnamese, on a
 * desk and on a phone, below `docs/console`. Not a test; `npm run screenshots` runs it.
 */

import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { startBrowser, visit } from '../../testing/browser.ts';
import { startDemo } from './demo.ts';

const FOLDER = '../../docs/console';
const PAGES = [
  { name: 'overview', address: '/', shows: 'Trực tuyến' },
  { name: 'indicator', address: '/?indicator=XHS-02&view=indicator', shows: 'Hiện trạng' },
];
const SIZES = [
  { width: 1280, height: 800 },
  { width: 360, height: 640 },
];
// Pictures stay in the history of the repository for ever.
const LARGEST_BYTES = 300_000;

const demo = await startDemo();
const browser = await startBrowser();
try {
  await demo.fieldworkDone;
  mkdirSync(FOLDER, { recursive: true });
  for (const { name, address, shows, viewport } of PAGES.flatMap((page) =>
    SIZES.map((viewport) => ({ ...page, viewport })),
  )) {
    const options = { viewport, colorScheme: 'light' } as const;
    const { page, context } = await visit(browser, demo.origin + address, options);
    await page.getByRole('heading', { level: 1, name: 'Tỉnh Tiền Giang' }).waitFor();
    await page.getByText(shows, { exact: true }).waitFor();
    const path = join(FOLDER, `${name}-${viewport.width}x${viewport.height}.png`);
    await page.screenshot({ path });
    await context.close();
    const { size } = statSync(path);
    console.log(`${path}: ${size} bytes`);
    if (size > LARGEST_BYTES) throw new Error(`${path} is larger than ${LARGEST_BYTES} bytes`);
  }
} finally {
  await browser.close();
  await demo.stop();
}
