import type { EventTime } from '../shipments/tracking-event.js';

/** A time as the wire has it; `order` are milliseconds by which the times of one source and parcel are compared. */
export interface WireTime {
  readonly time: EventTime;
  readonly order: number;
}

/** What a calendar and a clock show, in plain numbers; months from 1. */
export interface Reading {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour?: number;
  readonly minute?: number;
  readonly second?: number;
  readonly millisecond?: number;
}

/**
 * Times before are placeholders for none (0001, 1970), and as a delivery one would keep any promise. Earlier would let
 * them in; later would refuse history.
 */
const EARLIEST_YEAR = 2000;
const LATEST_YEAR = 2200;
const EARLIEST = Date.UTC(EARLIEST_YEAR, 0, 1);
const LATEST = Date.UTC(LATEST_YEAR + 1, 0, 1) - 1;

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** Kiribati is at +14:00, and nobody further. */
const WIDEST_OFFSET_MINUTES = 14 * 60;

/** The reading as if it were UTC, in epoch milliseconds; null for what no calendar or clock shows (30 February, 24:00). */
export function readingAsUtc(reading: Reading): number | null {
  const { year, month, day, hour = 0, minute = 0, second = 0, millisecond = 0 } = reading;
  const asUtc = utcOf(year, month, day, hour, minute, second, millisecond);
  return Number.isInteger(asUtc) ? asUtc : null;
}

/** As `readingAsUtc`, in plain numbers; NaN for what no calendar or clock shows. */
function utcOf(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
  millisecond: number,
): number {
  if (!(year >= EARLIEST_YEAR && year <= LATEST_YEAR && month >= 1 && month <= 12)) return Number.NaN;
  if (!(day >= 1 && day <= daysOf(year, month))) return Number.NaN;
  if (!(hour >= 0 && hour <= 23 && minute >= 0 && minute <= 59 && second >= 0 && second <= 59)) return Number.NaN;
  // Counted from 1 March, so that the leap day is the last of a year.
  const march = month > 2 ? year : year - 1;
  const daysBefore = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const leapDays = Math.floor(march / 4) - Math.floor(march / 100) + Math.floor(march / 400);
  const days = march * 365 + leapDays + daysBefore - DAYS_TO_1970;
  return (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + millisecond;
}

/** Days from 1 March of the year 0 to 1 January 1970, in the Gregorian calendar. */
const DAYS_TO_1970 = 719_468;

/** A wall-clock reading without offset: at the destination, unless the source says where. Null for an impossible one. */
export function localTime(reading: Reading): WireTime | null {
  const order = readingAsUtc(reading);
  if (order === null) return null;
  const { hour = 0, minute = 0, second = 0, millisecond = 0 } = reading;
  const clock = `${dateText(reading)}T${two(hour)}:${two(minute)}:${two(second)}`;
  return { time: { local: millisecond === 0 ? clock : `${clock}.${String(millisecond).padStart(3, '0')}` }, order };
}

/** A wall-clock reading with its offset from UTC, in minutes: an instant. Null for an impossible one. */
export function instantWithOffset(reading: Reading, offsetMinutes: number): WireTime | null {
  const asUtc = readingAsUtc(reading);
  if (asUtc === null || !(Math.abs(offsetMinutes) <= WIDEST_OFFSET_MINUTES)) return null;
  const order = asUtc - offsetMinutes * MINUTE_MS;
  return { time: { at: new Date(order) }, order };
}

/** A date alone. Null for an impossible one. */
export function dateAlone(reading: Pick<Reading, 'year' | 'month' | 'day'>): WireTime | null {
  const order = readingAsUtc({ year: reading.year, month: reading.month, day: reading.day });
  return order === null ? null : { time: { on: dateText(reading) }, order };
}

function dateText({ year, month, day }: Pick<Reading, 'year' | 'month' | 'day'>): string {
  return `${year}-${two(month)}-${two(day)}`;
}

function two(number: number): string {
  return number < 10 ? `0${number}` : String(number);
}

/** Unix milliseconds. Null outside of the years that can be meant, and for anything but a number. */
export function instantFromUnixMs(value: unknown): WireTime | null {
  if (typeof value !== 'number' || !(value >= EARLIEST && value <= LATEST)) return null;
  const at = new Date(value);
  return { time: { at }, order: at.getTime() };
}

/**
 * ISO 8601, a blank instead of the T allowed: with `Z` or an offset an instant, without one a wall-clock reading, without a
 * clock time a date. Seconds may be missing, fractions of a second have any length and are cut to milliseconds. Null for all
 * else, and for what no calendar or clock shows, which `Date` would quietly move to another day.
 */
export function isoTime(value: unknown): WireTime | null {
  const asUtc = readIso(value);
  if (Number.isNaN(asUtc)) return null;
  if (readKind === DATE) return { time: { on: value as string }, order: asUtc };
  if (Number.isNaN(readOffset)) return { time: { local: clockText(value as string, asUtc) }, order: asUtc };
  const order = asUtc - readOffset * MINUTE_MS;
  return { time: { at: new Date(order) }, order };
}

/**
 * As `isoTime`, for sources that write a date alone as the midnight that begins it, with or without an offset: exactly
 * 00:00:00 is that date, as it stands.
 */
export function isoTimeOrMidnightDate(value: unknown): WireTime | null {
  const asUtc = readIso(value);
  if (Number.isNaN(asUtc) || asUtc % DAY_MS !== 0) return isoTime(value);
  return { time: { on: (value as string).slice(0, 10) }, order: asUtc };
}

/**
 * As `isoTime`, but the offset or `Z` is not believed: the wall-clock reading alone counts, at the destination. For sources
 * that put a `Z` behind local times.
 */
export function isoLocalTime(value: unknown): WireTime | null {
  const asUtc = readIso(value);
  if (Number.isNaN(asUtc)) return null;
  if (readKind === DATE) return { time: { on: value as string }, order: asUtc };
  return { time: { local: clockText(value as string, asUtc) }, order: asUtc };
}

/** The instant in epoch milliseconds; null for all that is none. */
export function isoInstant(value: unknown): number | null {
  const asUtc = readIso(value);
  return Number.isNaN(asUtc) || Number.isNaN(readOffset) ? null : asUtc - readOffset * MINUTE_MS;
}

/** An estimate: midnight in UTC is a date in disguise, and of a time without an offset the day is all that is sure. */
export function isoEstimate(value: unknown): { readonly on: string } | { readonly at: Date } | null {
  const asUtc = readIso(value);
  if (Number.isNaN(asUtc)) return null;
  const isMidnightUtc = readOffset === 0 && asUtc % DAY_MS === 0;
  if (Number.isNaN(readOffset) || isMidnightUtc) return { on: (value as string).slice(0, 10) };
  return { at: new Date(asUtc - readOffset * MINUTE_MS) };
}

/** The reading as it is kept: with seconds, and with milliseconds where there are some. */
function clockText(value: string, asUtc: number): string {
  if (value.length === 19 && value.charCodeAt(10) === T) return value;
  const millisecond = asUtc % 1000;
  const toMinutes = `${value.slice(0, 10)}T${value.slice(11, 16)}`;
  const clock = `${toMinutes}:${two(Math.floor(asUtc / 1000) % 60)}`;
  return millisecond === 0 ? clock : `${clock}.${String(millisecond).padStart(3, '0')}`;
}

/** Minutes of an offset as `+05:30`, `-0400` or `-04.00`; null for anything else. */
export function offsetMinutesOf(value: unknown): number | null {
  if (typeof value !== 'string') return null;
  const match = /^([+-])(\d{2})[:.]?(\d{2})$/.exec(value);
  if (match === null || Number(match[3]) > 59) return null;
  const minutes = Number(match[2]) * 60 + Number(match[3]);
  if (minutes > WIDEST_OFFSET_MINUTES) return null;
  return match[1] === '-' ? -minutes : minutes;
}

const COLON = 0x3a;
const HYPHEN = 0x2d;
const DOT = 0x2e;
const BLANK = 0x20;
const T = 0x54;
const Z = 0x5a;
/** Longer is no time; a bound, because a stranger writes these. */
const LONGEST_TIME = 64;

const DATE = 0;
const TIME = 1;
// What `readIso` found besides the reading. Read right after it: an object for each scan of each webhook would cost more than
// all the rest of reading its time.
let readKind = DATE;
/** In minutes; NaN: none was given. */
let readOffset = Number.NaN;

/** The reading as if it were UTC, in epoch milliseconds; NaN for what is no time. By hand and not by an expression: four times as fast. */
function readIso(value: unknown): number {
  readKind = DATE;
  readOffset = Number.NaN;
  if (typeof value !== 'string' || value.length < 10 || value.length > LONGEST_TIME) return Number.NaN;
  const year = digits(value, 0, 4);
  const month = digits(value, 5, 2);
  const day = digits(value, 8, 2);
  if (value.charCodeAt(4) !== HYPHEN || value.charCodeAt(7) !== HYPHEN) return Number.NaN;
  if (value.length === 10) return utcOf(year, month, day, 0, 0, 0, 0);

  readKind = TIME;
  const separator = value.charCodeAt(10);
  const hour = digits(value, 11, 2);
  const minute = digits(value, 14, 2);
  if ((separator !== T && separator !== BLANK) || value.charCodeAt(13) !== COLON) return Number.NaN;
  let end = 16;
  let second = 0;
  let millisecond = 0;
  if (value.charCodeAt(end) === COLON) {
    second = digits(value, end + 1, 2);
    end += 3;
    if (value.charCodeAt(end) === DOT) {
      const from = end + 1;
      for (end = from; isDigit(value.charCodeAt(end)); end++);
      if (end === from) return Number.NaN;
      millisecond = Number(value.slice(from, Math.min(end, from + 3)).padEnd(3, '0'));
    }
  }
  if (end < value.length) {
    const isZulu = end === value.length - 1 && value.charCodeAt(end) === Z;
    const offset = isZulu ? 0 : value.charCodeAt(end + 3) === DOT ? null : offsetMinutesOf(value.slice(end));
    if (offset === null) return Number.NaN;
    readOffset = offset;
  }
  return utcOf(year, month, day, hour, minute, second, millisecond);
}

/** The number that these digits make; -1 where one of them is none. */
export function digits(text: string, start: number, count: number): number {
  let number = 0;
  for (let index = start; index < start + count; index++) {
    const code = text.charCodeAt(index);
    if (!isDigit(code)) return -1;
    number = number * 10 + (code - 48);
  }
  return number;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function daysOf(year: number, month: number): number {
  if (month !== 2) return DAYS[month - 1] ?? 0;
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
}
