import { toUSVString } from 'node:util';

/** More of what a provider says does not help whoever reads it. In characters. */
const LONGEST_REASON = 500;
/** A receipt is no tree: what lies deeper is left out, as PostgreSQL would refuse the whole of it. */
const DEEPEST = 32;

/** What a provider said, fit for one line of a list: without control characters, and not for ever. */
export function tidyText(text: string, longest = LONGEST_REASON): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out.
  const line = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim();
  return toUSVString(line.length <= longest ? line : `${line.slice(0, longest - 1)}…`);
}

/** A document of a provider as PostgreSQL can store it: text without NUL and halves of characters, nothing too deep. */
export function tidyJson(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return toUSVString(value.replaceAll('\u0000', ''));
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= DEEPEST) return null;
  if (Array.isArray(value)) return value.map((item) => tidyJson(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [tidyJson(key) as string, tidyJson(item, depth + 1)]),
  );
}

/** The seconds that `Retry-After` asks for, as a number or a date; undefined when it says nothing of use. */
export function retryAfterS(header: string | null | undefined, now: Date): number | undefined {
  if (!header) return undefined;
  const seconds = /^\d+$/.test(header.trim()) ? Number(header) : (Date.parse(header) - now.getTime()) / 1_000;
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(Math.ceil(seconds), LONGEST_WAIT_S) : undefined;
}

/** Whoever asks for more is asked again all the same: nothing may be put off for ever by a header. */
const LONGEST_WAIT_S = 60 * 60;
