/** Sections of the form, as people call them. */

import type { Interview } from '../core/protocol.ts';

/** What a section is called: one without a name of its own is the form's beginning, or other questions further on. */
export function nameOfSection(interview: Interview, index: number, other: string): string {
  const label = interview.sections[index]?.label ?? '';
  return label || (index <= 0 ? interview.formTitle : other);
}

/** The name of a language without the code that XLSForm writes behind it. */
export function nameOfLanguage(name: string): string {
  return name.replace(/\s*\([\w-]+\)$/, '');
}
