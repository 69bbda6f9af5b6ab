import { isCalendarDate } from '../calendar.js';

/** A date, or a time of day on a date, as a cell has it. */
export interface CellTime {
  /** `2026-11-05` */
  readonly on: string;
  /** `23:59:00.000`; null where the cell has a date alone. */
  readonly clock: string | null;
  /** `Z` or `-05:00`; null where the cell does not say. */
  readonly offset: string | null;
}

/** How a cell writes times. */
export interface TimeFormat {
  /** For a message: what a cell should look like. */
  readonly shown: string;
  /** Whether its times have a time of day; null where some may and others not. */
  readonly hasClock: boolean | null;
  readonly hasOffset: boolean | null;
  /** null when the text is not written so, or is no date of the calendar. */
  read(text: string): CellTime | null;
}

const ISO =
  /^(\d{4}-\d{2}-\d{2})(?:[Tt ]((?:[01]\d|2[0-3]):[0-5]\d)(?::([0-5]\d)(?:[.,](\d{1,9}))?)? ?([Zz]|[+-](?:0\d|1[0-5])(?::?[0-5]\d)?)?)?$/;

/** ISO 8601, as far as shops write it: a date; with a time of day after `T` or a space; with an offset. */
export const ISO_8601: TimeFormat = {
  shown: 'ISO 8601, such as 2026-11-05T12:00:00-05:00',
  hasClock: null,
  hasOffset: null,
  read(text) {
    const [, on = '', minutes, seconds = '00', fraction = '', offset] = ISO.exec(text) ?? [];
    if (!isCalendarDate(on)) return null;
    const clock = minutes === undefined ? null : `${minutes}:${seconds}.${fraction.slice(0, 3).padEnd(3, '0')}`;
    return { on, clock, offset: offset?.toUpperCase() ?? null };
  },
};

/** What stands for what, longest first. Everything else in a format stands for itself. */
const TOKENS = {
  yyyy: String.raw`\d{4}`,
  SSS: String.raw`\d{3}`,
  XXX: String.raw`Z|[+-](?:0\d|1[0-5]):?[0-5]\d`,
  MM: String.raw`0\d|1[0-2]`,
  dd: String.raw`[0-3]\d`,
  HH: String.raw`[01]\d|2[0-3]`,
  mm: String.raw`[0-5]\d`,
  ss: String.raw`[0-5]\d`,
} as const;
type Token = keyof typeof TOKENS;

/** @returns the format, or what is wrong with it */
export function compileTimeFormat(format: string): TimeFormat | { readonly fault: string } {
  const found = new Set<Token>();
  let repeated: Token | null = null;
  const pattern = format.replace(/yyyy|SSS|XXX|MM|dd|HH|mm|ss|./gsu, (piece) => {
    if (!(piece in TOKENS)) return piece.replace(/[$()*+./?[\\\]^{|}]/, String.raw`\$&`);
    const token = piece as Token;
    if (found.has(token)) repeated = token;
    found.add(token);
    return `(?<${token}>${TOKENS[token]})`;
  });
  const missing = (['yyyy', 'MM', 'dd'] as const).filter((token) => !found.has(token));
  if (repeated !== null) return { fault: `has ${repeated} twice` };
  if (missing.length > 0) return { fault: `has no ${missing.join(', ')}` };
  for (const [token, needed] of NEEDS)
    if (found.has(token) && !found.has(needed)) return { fault: `has ${token}, but no ${needed}` };
  // Taken as it stands, times in UTC would be read as local ones.
  if (/(?:HH|mm|ss|SSS)Z/.test(format)) return { fault: 'has a Z after the time: an offset is written XXX' };

  const whole = new RegExp(`^${pattern}$`, 'u');
  return {
    shown: format,
    hasClock: found.has('HH'),
    hasOffset: found.has('XXX'),
    read(text) {
      const parts: Partial<Record<Token, string>> | undefined = whole.exec(text)?.groups;
      if (!parts) return null;
      const on = `${parts.yyyy}-${parts.MM}-${parts.dd}`;
      if (!isCalendarDate(on)) return null;
      const { HH, mm = '00', ss = '00', SSS = '000', XXX } = parts;
      return { on, clock: HH === undefined ? null : `${HH}:${mm}:${ss}.${SSS}`, offset: XXX ?? null };
    },
  };
}

const NEEDS: readonly (readonly [Token, Token])[] = [
  ['mm', 'HH'],
  ['ss', 'mm'],
  ['SSS', 'ss'],
  ['XXX', 'HH'],
];
