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
  if (!(year >= EARLIEST_YEAR && year <= LATEST_YEAR && month >= 1 && month <= 12)) return null;
  if (!(day >= 1 && day <= daysOf(year, month))) return null;
  if (!(hour >= 0 && hour <= 23 && minute >= 0 && minute <= 59 && second >= 0 && second <= 59)) return null;
  const asUtc = Date.UTC(year, month - 1, day, hour, minute, second, millisecond);
  return Number.isInteger(asUtc) ? asUtc : null;
}

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
  const read = readIso(value);
  if (read === null) return null;
  if (read.kind === 'date') return dateAlone(read.reading);
  return read.offsetMinutes === null ? localTime(read.reading) : instantWithOffset(read.reading, read.offsetMinutes);
}

/**
 * As `isoTime`, for sources that write a date alone as the midnight that begins it, with or without an offset: exactly
 * 00:00:00 is that date, as it stands.
 */
export function isoTimeOrMidnightDate(value: unknown): WireTime | null {
  const read = readIso(value);
  if (read === null) return null;
  const { hour = 0, minute = 0, second = 0, millisecond = 0 } = read.reading;
  return hour + minute + second + millisecond === 0 ? dateAlone(read.reading) : isoTime(value);
}

/**
 * As `isoTime`, but the offset or `Z` is not believed: the wall-clock reading alone counts, at the destination. For sources
 * that put a `Z` behind local times.
 */
export function isoLocalTime(value: unknown): WireTime | null {
  const read = readIso(value);
  if (read === null) return null;
  return read.kind === 'date' ? dateAlone(read.reading) : localTime(read.reading);
}

/** An estimate: midnight in UTC is a date in disguise, and of a time without an offset the day is all that is sure. */
export function isoEstimate(value: unknown): { readonly on: string } | { readonly at: Date } | null {
  const read = isoTime(value);
  if (read === null) return null;
  if ('on' in read.time) return { on: read.time.on };
  if ('local' in read.time) return { on: read.time.local.slice(0, 10) };
  const isMidnight = read.order % DAY_MS === 0 && /(Z|[+-]00:?00)$/.test(value as string);
  return isMidnight ? { on: read.time.at.toISOString().slice(0, 10) } : { at: read.time.at };
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

interface IsoReading {
  readonly kind: 'date' | 'time';
  readonly reading: Reading;
  /** Null: none was given. */
  readonly offsetMinutes: number | null;
}

const COLON = 0x3a;
const HYPHEN = 0x2d;
/** Longer is no time; a bound, because a stranger writes these. */
const LONGEST_TIME = 64;

/** By hand and not by an expression: it runs for every scan of every webhook, and is four times as fast. */
function readIso(value: unknown): IsoReading | null {
  if (typeof value !== 'string' || value.length < 10 || value.length > LONGEST_TIME) return null;
  const year = digits(value, 0, 4);
  const month = digits(value, 5, 2);
  const day = digits(value, 8, 2);
  if (year < 0 || month < 0 || day < 0 || value.charCodeAt(4) !== HYPHEN || value.charCodeAt(7) !== HYPHEN) return null;
  if (value.length === 10) return { kind: 'date', reading: { year, month, day }, offsetMinutes: null };

  const separator = value[10];
  const hour = digits(value, 11, 2);
  const minute = digits(value, 14, 2);
  if ((separator !== 'T' && separator !== ' ') || hour < 0 || minute < 0 || value.charCodeAt(13) !== COLON) return null;
  let end = 16;
  let second = 0;
  let millisecond = 0;
  if (value.charCodeAt(end) === COLON) {
    second = digits(value, end + 1, 2);
    if (second < 0) return null;
    end += 3;
    if (value[end] === '.') {
      const from = end + 1;
      for (end = from; isDigit(value.charCodeAt(end)); end++);
      if (end === from) return null;
      millisecond = Number(value.slice(from, Math.min(end, from + 3)).padEnd(3, '0'));
    }
  }
  const reading = { year, month, day, hour, minute, second, millisecond };
  if (end === value.length) return { kind: 'time', reading, offsetMinutes: null };
  if (end === value.length - 1 && value[end] === 'Z') return { kind: 'time', reading, offsetMinutes: 0 };
  const offset = value.slice(end);
  const offsetMinutes = offset.includes('.') ? null : offsetMinutesOf(offset);
  return offsetMinutes === null ? null : { kind: 'time', reading, offsetMinutes };
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
