/** The keyboard's ▶ key: from field to field, as on paper. */

const FIELDS =
  'input:not([type=file]):not(:disabled), select:not(:disabled), textarea:not(:disabled)';

/** The field after one on a page, past the other choices of the same question; null after the last. */
export function nextField(page: HTMLElement, from: HTMLInputElement): HTMLElement | null {
  const fields = [...page.querySelectorAll<HTMLInputElement>(FIELDS)];
  const isSameGroup = (field: HTMLInputElement): boolean =>
    from.name !== '' && field.name === from.name;
  return fields.slice(fields.indexOf(from) + 1).find((field) => !isSameGroup(field)) ?? null;
}
