/** Ways in which a phone's browser ends that leave it no time for anything. */

import type { BrowserContext, Page } from 'playwright-core';

/** Kills the browser's process, as a phone does that runs out of memory or of battery. */
export async function killBrowser(context: BrowserContext): Promise<void> {
  const browser = context.browser();
  if (browser === null) throw new Error('the profile has no browser of its own');
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  const id = processInfo.find(({ type }) => type === 'browser')?.id;
  if (id === undefined) throw new Error('the browser does not tell its process');
  const closed = new Promise<void>((ended) => context.once('close', () => ended()));
  process.kill(id, 'SIGKILL');
  await closed;
}

/** Kills a tab's process, with the worker in it. */
export async function killTab(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const crashed = page.waitForEvent('crash');
  // There is nobody left to answer.
  session.send('Page.crash').catch(() => undefined);
  await crashed;
  await page.close();
}
