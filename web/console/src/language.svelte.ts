/** The language of the interface: Vietnamese unless the reader chose English, and remembered. */

import type { Language } from './api.ts';
import { formatter, type Formatter } from './format.ts';
import { en } from './strings/en.ts';
import { vi, type Strings } from './strings/vi.ts';

const STORAGE_KEY = 'khaosat.language';

class Interface {
  /** The language shown. */
  language: Language = $state(remembered());
  /** The texts in that language. */
  readonly strings: Strings = $derived(this.language === 'vi' ? vi : en);
  /** Figures and dates in that language. */
  readonly format: Formatter = $derived(formatter(this.language));

  /** Switches to the other language and remembers it on this device. */
  toggle(): void {
    this.language = this.language === 'vi' ? 'en' : 'vi';
    try {
      localStorage.setItem(STORAGE_KEY, this.language);
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

/** The one interface of the page. */
export const ui = new Interface();
