/** Pictures of the documentation, below `docs/phone`. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { withPalette } from '../../testing/png.ts';
import { SMALL_PHONE } from './volunteer.ts';

export const FOLDER = '../../docs/phone';
// Pictures stay in the history of the repository for ever.
const LARGEST_BYTES = 120_000;
/** A time zone in which it is nine in the morning now: whenever the pictures are made, they show a working day. */
function morning(): string {
  const east = ((9 - new Date().getUTCHours() + 36) % 24) - 12;
  return `Etc/GMT${east > 0 ? '-' : '+'}${Math.abs(east)}`;
}

export async function picture(page: Page, name: string): Promise<void> {
  const path = join(FOLDER, `${name}.png`);
  await page.evaluate(() => document.fonts.ready);
  // What was done before is said for a moment.
  await page.locator('.said p').waitFor({ state: 'detached' });
  const png = withPalette(await page.screenshot({ animations: 'disabled' }));
  console.log(`${path}: ${png.length} bytes`);
  if (png.length > LARGEST_BYTES) throw new Error(`${path} would be too large`);
  writeFileSync(path, png);
}

export async function darkPicture(page: Page, name: string): Promise<void> {
  await page.emulateMedia({ colorScheme: 'dark' });
  await picture(page, name);
  await page.emulateMedia({ colorScheme: 'light' });
}

/** The page as somebody sees it who has set the phone to letters of twice the size. */
export async function largePicture(page: Page, name: string): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send('Page.setFontSizes', { fontSizes: { standard: 32, fixed: 26 } });
  await picture(page, name);
  await session.send('Page.setFontSizes', { fontSizes: { standard: 16, fixed: 13 } });
}

/** A page's top, as somebody finds it who has just come there. */
export async function toTop(page: Page): Promise<void> {
  await page.evaluate(() => {
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
    scrollTo(0, 0);
  });
}

/** A small phone as the pictures show it. */
export const PICTURED_PHONE = {
  ...SMALL_PHONE,
  deviceScaleFactor: 2,
  timezoneId: morning(),
  colorScheme: 'light',
} as const;
