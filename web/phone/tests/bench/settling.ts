/** What runs inside the pages that are measured: an act, and how long until the page has come to rest after it. */

import type { Page } from 'playwright-core';

/** One answer of the interview, by what both pages show of its question. */
export interface Answer {
  /** The question's label, or how it begins and «…». */
  label: string;
  /** Of several questions with this label on one page, which. */
  occurrence: number;
  /** What is typed, or the name of a choice. */
  value: string;
  kind: 'typed' | 'number' | 'choice';
}

/** How a page shows questions. */
export interface Dialect {
  question: string;
  label: string;
  /** What within a question says that the answer is kept; null where nothing does. */
  kept: string | null;
  /** Whether numbers are taken only when their field is left. */
  numbersWhenLeft: boolean;
}

/** How long it took, in milliseconds. */
export interface Settled {
  /** Until the last change of the document that followed. */
  changed: number;
  /** Until a picture with it was made. */
  painted: number;
}

/** Without a change for so long, a page is at rest, in milliseconds. */
const REST = 300;
/** How long it may take. */
const PATIENCE = 60_000;

/** Whether a question is on the page. */
export function isThere(page: Page, answer: Answer, dialect: Dialect): Promise<boolean> {
  return page.evaluate(
    ([{ label, occurrence }, dialect]) => {
      const begins = (text: string): boolean =>
        label.endsWith('…') ? text.startsWith(label.slice(0, -1)) : text === label;
      const found = [...document.querySelectorAll(dialect.question)].filter((question) =>
        begins(question.querySelector(dialect.label)?.textContent?.trim() ?? ''),
      );
      return found.length > occurrence;
    },
    [answer, dialect] as const,
  );
}

/** Answers a question by one event, and waits until it is kept and the page is at rest. */
export function answer(page: Page, given: Answer, dialect: Dialect): Promise<Settled> {
  return page.evaluate(
    async ([{ label, occurrence, value, kind }, dialect, rest, patience]) => {
      const begins = (text: string): boolean =>
        label.endsWith('…') ? text.startsWith(label.slice(0, -1)) : text === label;
      const question = [...document.querySelectorAll(dialect.question)].filter((question) =>
        begins(question.querySelector(dialect.label)?.textContent?.trim() ?? ''),
      )[occurrence];
      if (question === undefined) throw new Error(`there is no question ${label}`);
      const control = question.querySelector<HTMLInputElement>(
        kind === 'choice'
          ? `input[value="${value}"]`
          : 'input:not([type=radio]):not([type=checkbox]), textarea',
      );
      if (control === null) throw new Error(`${label} has no control for ${value}`);
      control.scrollIntoView({ block: 'center' });
      if (kind !== 'choice') control.focus();
      const frame = (): Promise<void> =>
        new Promise((drawn) =>
          requestAnimationFrame(() => {
            const { port1, port2 } = new MessageChannel();
            port1.onmessage = () => drawn();
            port2.postMessage(null);
          }),
        );
      await frame();
      await frame();
      let changed = 0;
      let pending = false;
      const observer = new MutationObserver(() => {
        changed = performance.now();
        pending = true;
      });
      const parts = { subtree: true, childList: true, characterData: true, attributes: true };
      observer.observe(document.querySelector('main') ?? document.body, parts);
      const begun = performance.now();
      changed = begun;
      if (kind === 'choice') {
        control.click();
      } else {
        control.value = value;
        control.dispatchEvent(new InputEvent('input', { bubbles: true, data: value }));
        if (kind === 'number' && dialect.numbersWhenLeft) control.blur();
      }
      let painted = begun;
      for (;;) {
        await frame();
        const now = performance.now();
        const isKept =
          dialect.kept === null || question.querySelector(dialect.kept)?.textContent?.trim();
        if (pending) painted = now;
        else if (isKept && now - changed > rest) break;
        pending = false;
        if (now - begun > patience) throw new Error(`${label} is never kept`);
      }
      observer.disconnect();
      return { changed: changed - begun, painted: painted - begun };
    },
    [given, dialect, REST, PATIENCE] as const,
  );
}

/** What a person does at one stroke. */
export type Act = { press: string } | { keys: string };

/** Presses what a selector finds, or keys, and says after how many milliseconds the page shows a text. */
export function untilShown(page: Page, act: Act, text: string): Promise<number> {
  return page.evaluate(
    ([act, text]) =>
      new Promise<number>((shown) => {
        const begun = performance.now();
        const look = (): void => {
          if (!document.body.textContent?.includes(text)) return;
          observer.disconnect();
          // The picture with it is made next.
          requestAnimationFrame(() => setTimeout(() => shown(performance.now() - begun)));
        };
        const observer = new MutationObserver(look);
        observer.observe(document.body, { subtree: true, childList: true, characterData: true });
        if ('press' in act) {
          const control = document.querySelector<HTMLElement>(act.press);
          if (control === null) throw new Error(`there is no ${act.press}`);
          control.click();
        } else {
          for (const key of act.keys)
            dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
        }
      }),
    [act, text] as const,
  );
}

/** Opens an address, and says how many milliseconds after that began the page shows a text. */
export async function untilOpened(page: Page, address: string, text: string): Promise<number> {
  await page.addInitScript((text) => {
    const look = (): void => {
      if (!document.body?.textContent?.includes(text)) return;
      observer.disconnect();
      requestAnimationFrame(() =>
        setTimeout(() => Object.assign(globalThis, { openedAfter: performance.now() })),
      );
    };
    const observer = new MutationObserver(look);
    observer.observe(document, { subtree: true, childList: true, characterData: true });
  }, text);
  await page.goto(address, { waitUntil: 'commit', timeout: PATIENCE });
  const opened = await page.waitForFunction(
    () => (globalThis as { openedAfter?: number }).openedAfter,
    null,
    { polling: 250, timeout: 4 * PATIENCE },
  );
  return (await opened.jsonValue()) ?? Number.NaN;
}
