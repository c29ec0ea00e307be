/** One-time codes with which a phone enrols: 16 characters of Crockford's base 32, in groups of four. */

const LENGTH = 16;

/** What was typed or read as a code's characters: what looks alike is read as it was meant. */
export function codeCharacters(text: string): string {
  return text
    .toUpperCase()
    .replace(/[IL]/g, '1')
    .replace(/O/g, '0')
    .replace(/[^0-9A-HJKMNP-TV-Z]/g, '')
    .slice(0, LENGTH);
}

/** A code, or the beginning of one, as it is printed: `ABCD-EFGH-…`. */
export function grouped(text: string): string {
  return (
    codeCharacters(text)
      .match(/.{1,4}/g)
      ?.join('-') ?? ''
  );
}

/** Whether a code has all its characters. */
export function isWholeCode(text: string): boolean {
  return codeCharacters(text).length === LENGTH;
}

/** The code that a link's fragment carries (`#code=ABCD-…`), also within a whole scanned address. */
export function codeOfLink(text: string): string | null {
  const found = /(?:^|[#&])code=([^&]+)/.exec(text)?.[1];
  return found === undefined ? null : grouped(decodeURIComponent(found));
}

/** The code in what a camera has read: an invitation's address or the code alone. */
export function codeOfScan(text: string): string | null {
  const code = codeOfLink(text) ?? grouped(text);
  return isWholeCode(code) ? code : null;
}
