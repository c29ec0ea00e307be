/** Numbers as people type them: a comma or a point before decimals. */

/** The whole number that was typed, or null when it is none. */
export function wholeNumber(text: string): number | null {
  const number = /^[+-]?\d+$/.test(text.trim()) ? Number(text) : NaN;
  return Number.isSafeInteger(number) ? number : null;
}

/** The number that was typed, or null when it is none. */
export function decimalNumber(text: string): number | null {
  const written = text.trim().replace(',', '.');
  return /^[+-]?(\d+\.?\d*|\.\d+)$/.test(written) ? Number(written) : null;
}
