/** The browser that the tests drive, and pages that report what they must not do. */

import {
  chromium,
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type LaunchOptions,
  type Page,
} from 'playwright-core';

/** Chromium: the one named by `KHAOSAT_CHROMIUM`, or Debian's. */
const CHROMIUM: LaunchOptions = {
  executablePath: process.env['KHAOSAT_CHROMIUM'] ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
};

/** Starts Chromium. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch(CHROMIUM);
}

/** Starts a Chromium of its own whose profile stays in a folder, also when it is killed. */
export function startBrowserIn(
  folder: string,
  options: BrowserContextOptions,
  /** What it is started with beside the usual. */
  more: readonly string[] = [],
): Promise<BrowserContext> {
  const args = [...(CHROMIUM.args ?? []), ...more];
  return chromium.launchPersistentContext(folder, { ...CHROMIUM, ...options, args });
}

/** A fresh page with what it asked for and complained of. */
export interface Visit {
  page: Page;
  context: BrowserContext;
  /** Addresses asked for. */
  requests: string[];
  /** Uncaught errors and violations of the content security policy. */
  complaints: string[];
  /** Errors on the browser's console, such as an address that answered with a refusal. */
  errors: string[];
}

/** Opens a page as a new visitor in Vietnam. */
export async function visit(
  browser: Browser,
  address: string,
  options: BrowserContextOptions = {},
): Promise<Visit> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    locale: 'vi-VN',
    timezoneId: 'Asia/Ho_Chi_Minh',
    ...options,
  });
  const page = await context.newPage();
  const requests: string[] = [];
  const complaints: string[] = [];
  const errors: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (/content security policy/i.test(message.text())) complaints.push(message.text());
    if (message.type() === 'error') errors.push(message.text());
  });
  await page.goto(address);
  return { page, context, requests, complaints, errors };
}
