/**
 * One line of text that somebody else wrote, safe to stand in a subject or a sentence: no control characters and line
 * ends, no bidirectional overrides (they make what follows read backwards), no runs of space, not longer than `length`.
 */
export function singleLine(text: string, length: number): string {
  const line = text
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g, '')
    .replace(/\s+/g, ' ')
    .trim();
  const characters = [...line];
  return characters.length <= length ? line : `${characters.slice(0, length - 1).join('')}…`;
}

/** The most characters of an address. Longer, and mail programs break it; browsers and servers take about as much. */
const ADDRESS_LENGTH = 2_000;

/** An address that a letter may lead to, as a browser would write it: http or https. Null: anything else. */
export function webAddress(text: string | null | undefined): string | null {
  if (text === null || text === undefined || text.length > ADDRESS_LENGTH || !URL.canParse(text)) return null;
  const { protocol, href } = new URL(text);
  return protocol === 'https:' || protocol === 'http:' ? href : null;
}
