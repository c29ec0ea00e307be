/** The language of the pages: Vietnamese unless the person chose English, and remembered. */

import { en } from './strings/en.ts';
import { vi, type Strings } from './strings/vi.ts';
import { formatter, type Formatter, type Language } from './text/format.ts';

const STORAGE_KEY = 'khaosat.language';

class Interface {
  /** The language shown. */
  language: Language = $state(remembered());
  /** The texts in that language. */
  readonly strings: Strings = $derived(this.language === 'vi' ? vi : en);
  /** Times and amounts in that language. */
  readonly format: Formatter = $derived(formatter(this.language));
  /** The present, renewed every half minute, for texts such as «hôm nay». */
  now: number = $state(Date.now());

  constructor() {
    setInterval(() => (this.now = Date.now()), 30_000);
  }

  /** Switches the language and remembers it on this phone. */
  choose(language: Language): void {
    this.language = language;
    try {
      localStorage.setItem(STORAGE_KEY, language);
    } catch {
      // A browser that refuses storage still switches, for this visit.
    }
  }
}

function remembered(): Language {
  try {
    return localStorage.getItem(STORAGE_KEY) === 'en' ? 'en' : 'vi';
  } catch {
    return 'vi';
  }
}

/** The one interface of the app. */
export const ui = new Interface();
