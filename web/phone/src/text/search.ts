/** Finding Vietnamese text by what a hurried thumb types: without tone marks, in any case. */

/** A text without diacritics and capitals: «Nguyễn Đức» becomes "nguyen duc". */
export function plain(text: string): string {
  return text
    .normalize('NFD')
    .replace(/\p{M}+/gu, '')
    .replace(/[đĐ]/g, 'd')
    .toLowerCase()
    .replace(/\s+/g, ' ')
    .trim();
}

/** Whether every word of a query stands somewhere in a text that `plain` has made. */
export function matches(plainText: string, query: string): boolean {
  return plain(query)
    .split(' ')
    .every((word) => plainText.includes(word));
}
