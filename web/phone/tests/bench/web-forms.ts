/** The same interview in ODK Web Forms, which shows a form on one page and keeps nothing on the disk. */

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'vite';
import type { BrowserContext } from 'playwright-core';
import { FORM, PROGRAM } from '../installation.ts';
import { INTERVIEW } from './interview.ts';
import { answer, isThere, type Dialect, type Settled } from './settling.ts';

const DIALECT: Dialect = {
  question: '.question-container',
  label: '.control-text label',
  kept: null,
  numbersWhenLeft: true,
};
const ADD = 'button.button-add-instance';
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.xml': 'text/xml',
};

/** The built page over the form of the demo. */
export class WebForms {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Builds the page from a folder in which the packages of `oracles/web-forms` are installed. */
  static async build(packages: string): Promise<WebForms> {
    const folder = await mkdtemp(join(tmpdir(), 'khaosat-web-forms-'));
    const installed = (name: string): string => resolve(packages, 'node_modules', name);
    const root = join(folder, 'page');
    await cp(resolve('tests/bench/web-forms'), root, { recursive: true });
    await build({
      configFile: false,
      root,
      base: './',
      logLevel: 'silent',
      resolve: {
        alias: {
          '@getodk/web-forms': installed('@getodk/web-forms'),
          vue: installed('vue'),
        },
      },
      build: { target: 'es2022', outDir: join(folder, 'dist'), chunkSizeWarningLimit: Infinity },
    });
    const form = join(folder, 'dist', 'form.xml');
    const convert = ['form', 'convert', '--to', 'xform', '--output', form, FORM];
    await promisify(execFile)(PROGRAM, convert);
    return new WebForms(folder);
  }

  /** Gives the answers of the interview and measures each. */
  async interview(context: BrowserContext): Promise<Settled[]> {
    const http = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? '/', 'http://localhost');
      const path = pathname === '/' ? '/index.html' : pathname;
      readFile(join(this.#folder, 'dist', path)).then(
        (content) => response.writeHead(200, { 'content-type': TYPES[extname(path)] }).end(content),
        () => response.writeHead(404).end(),
      );
    }).listen(0, '127.0.0.1');
    await once(http, 'listening');
    const address = http.address();
    if (address === null || typeof address === 'string') throw new Error('there is no port');
    const page = await context.newPage();
    try {
      await page.goto(`http://127.0.0.1:${address.port}/`);
      await page.locator(DIALECT.question).first().waitFor({ timeout: 120_000 });
      const times: Settled[] = [];
      for (const given of INTERVIEW) {
        if (!(await isThere(page, given, DIALECT))) {
          await page.locator(ADD).click();
          await page.waitForTimeout(2000);
        }
        times.push(await answer(page, given, DIALECT));
      }
      return times;
    } finally {
      await page.close();
      http.closeAllConnections();
      http.close();
    }
  }

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}
