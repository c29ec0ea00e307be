/** What is on screen: loads it, keeps the last while a newer is fetched or cannot be had. */

import { fetchPage, type Language, type Problem, type Shown } from './api.ts';

// Bursts of phones finding a signal become one request; a steady stream still shows every 2 s.
const QUIET_MILLISECONDS = 300;
const LONGEST_WAIT_MILLISECONDS = 2_000;

/** Loads pages one at a time; a newer request stops an older one. */
export class PageLoader {
  /** What arrived last. */
  shown: Shown | null = $state.raw(null);
  /** Why the last request failed; null after one that succeeded. */
  problem: Problem | null = $state.raw(null);
  /** True while a request is under way. */
  loading = $state(false);

  #clockOffset = 0;
  #unit: string | null = null;
  #indicator: string | null = null;
  #language: Language = 'vi';
  #request: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #waitingSince: number | null = null;

  /**
   * Loads a unit's overview now, or the page of an indicator there; `language` is that of the server's
   * sentences about problems.
   */
  async load(unit: string | null, indicator: string | null, language: Language): Promise<void> {
    this.#unit = unit;
    this.#indicator = indicator;
    this.#language = language;
    clearTimeout(this.#timer);
    this.#waitingSince = null;
    this.#request?.abort();
    const request = new AbortController();
    this.#request = request;
    this.loading = true;
    try {
      const answer = await fetchPage(unit, indicator, language, request.signal);
      if (request.signal.aborted) return;
      if ('shown' in answer) {
        this.#clockOffset = Date.parse(answer.shown.page.generated_at) - Date.now();
        this.shown = answer.shown;
        this.problem = null;
      } else {
        this.problem = answer.problem;
      }
    } catch (error) {
      if (!request.signal.aborted) throw error;
    } finally {
      if (this.#request === request) {
        this.#request = null;
        this.loading = false;
      }
    }
  }

  /** Loads the same page again, now. */
  retry(): void {
    void this.load(this.#unit, this.#indicator, this.#language);
  }

  /** Loads the same page again soon, once for many calls. */
  refreshSoon(): void {
    const now = performance.now();
    this.#waitingSince ??= now;
    const remaining = this.#waitingSince + LONGEST_WAIT_MILLISECONDS - now;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => this.retry(),
      Math.min(QUIET_MILLISECONDS, Math.max(0, remaining)),
    );
  }

  /** The present by the server's clock, in milliseconds: the reader's own may be wrong. */
  now(): number {
    return Date.now() + this.#clockOffset;
  }
}
