/** axe over every face of the console: both languages, light and dark, phone and desk. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { violations } from '../../testing/axe.ts';
import { startBrowser, visit } from '../../testing/browser.ts';
import { startSite, type Site } from './site.ts';

const SIZES = [
  { width: 360, height: 640 },
  { width: 1280, height: 800 },
];
const SCHEMES = ['light', 'dark'] as const;
const LANGUAGES = ['vi', 'en'] as const;
const ADDRESSES = [
  '/',
  '/?unit=819&indicator=XHS-05',
  '/?view=table',
  '/?unit=9999',
  '/?indicator=XHS-01&view=indicator',
  '/?unit=819&indicator=XHS-05&view=indicator',
  '/?indicator=KTS-01&view=indicator',
];

let browser: Browser;
let site: Site;

before(async () => {
  site = await startSite();
  browser = await startBrowser();
});

after(async () => {
  await browser.close();
  await site.close();
});

for (const viewport of SIZES) {
  for (const colorScheme of SCHEMES) {
    for (const language of LANGUAGES) {
      test(`no violations at ${viewport.width} pixels, ${colorScheme}, ${language}`, async () => {
        const { page, context } = await visit(browser, site.origin, { viewport, colorScheme });
        if (language === 'en') await page.getByRole('button', { name: 'English' }).click();
        for (const address of ADDRESSES) {
          await page.goto(site.origin + address);
          await page.getByRole('heading', { level: 1 }).waitFor();
          assert.equal(await page.locator('html').getAttribute('lang'), language);
          assert.deepEqual(await violations(page), [], address);
        }
        await context.close();
      });
    }
  }
}

test('axe does find a violation where there is one', async () => {
  const { page, context } = await visit(browser, site.origin);
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.evaluate(() => document.body.append(document.createElement('button')));
  assert.match((await violations(page)).join('\n'), /button-name/);
  await context.close();
});
