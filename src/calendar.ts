import { tzOffset } from '@date-fns/tz';
import { AppError } from './errors.js';

/*
 * Local days and wall-clock times of a place. Dates are text (`2026-11-05`), instants are `Date`, zones are IANA names.
 * Nothing here looks at the zone of the process or at a clock.
 *
 * A local day is the stretch of instants from its first instant to that of the next day, so the days of a zone follow
 * one another without gap or overlap, and each instant belongs to exactly one:
 * - Where midnight is skipped (Sao Paulo 2017-10-15) the day begins at the jump, whenever that is.
 * - A date that was skipped (Apia 2011-12-30) is an empty day: it begins where the day after it begins.
 * - Where the clock goes back to before midnight, a day is over when its date has been left for good. At 00:00 -> 23:00
 *   (Sao Paulo in February) that is simply the second midnight. At 00:01 -> 23:01 (St John's until 2011) the date shows
 *   for a minute, goes back, and comes again: that minute still belongs to the old day. The other reading would end the
 *   promised day while the customer's calendar goes on showing it for 59 minutes, and call a delivery within them late.
 */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/**
 * No zone is, or ever was, further from UTC than this. Smaller, and a local midnight could lie outside of the stretch
 * that is searched for it; much bigger, and two changes of the clock could fall into one stretch.
 */
const FARTHEST_OFFSET_MS = 16 * HOUR_MS;

/** Too small: bounds are computed again and again in a large batch. Too big: some megabytes that never come back. */
const REMEMBERED_DAYS = 20_000;
/** Names are input from outside: too small costs 50 microseconds a name, unbounded would let a stranger fill the memory. */
const REMEMBERED_NAMES = 2_000;
const LONGEST_NAME = 64;

/**
 * Three letters mean a zone only where IANA has them. The runtime knows more, left over from Java (`IST`, `BST`, `PST`),
 * and PostgreSQL reads several of those as another place.
 */
const THREE_LETTER_ZONES = /^(cet|eet|est|gmt|hst|met|mst|prc|roc|rok|uct|utc|wet)$/i;

const dayStarts = new Map<string, number>();
const canonicalNames = new Map<string, string | null>();

/**
 * Whether `name` is an IANA time zone, in any case of letters. Links such as `Asia/Kathmandu` count; offsets
 * (`+05:00`), abbreviations that IANA does not have and nonsense do not.
 */
export function isTimeZone(name: string): boolean {
  return canonicalName(name) !== null;
}

/** Whether `text` is a date of the calendar as `yyyy-MM-dd`, years 0001 to 9999: `2026-02-30` is none. */
export function isCalendarDate(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !text.startsWith('0000') && readMidnight(text) !== null;
}

/** The local date of an instant: the date of the one day it belongs to (see the top for nights that repeat). */
export function localDateOf(instant: Date, zone: string): string {
  const at = readInstant(instant);
  const midnight = Math.floor((at + offsetAt(at, zone)) / DAY_MS) * DAY_MS;
  return dateText(dayStart(midnight, zone) > at ? midnight - DAY_MS : midnight);
}

/**
 * The first instant of a local day.
 * @throws AppError `invalid_request` for an unknown zone or an impossible date.
 */
export function startOfLocalDay(on: string, zone: string): Date {
  return new Date(dayStart(midnightOf(on), zone));
}

/**
 * The first instant after a local day, which is the first of the next: the exclusive end of the day. Days last 23, 23.5,
 * 24 or 25 hours, and none at all where a date was skipped.
 * @throws AppError `invalid_request` for an unknown zone or an impossible date.
 */
export function startOfNextLocalDay(on: string, zone: string): Date {
  return new Date(dayStart(midnightOf(on) + DAY_MS, zone));
}

/**
 * The instants that a wall-clock time without offset (`2026-11-05T23:59:00`) can mean in a zone. They differ where the
 * clock showed it twice, and where it never did: a skipped time is read with the offset before the jump and with the one
 * after it, since the clock that was read was evidently not moved when the zone was.
 * @throws AppError `invalid_request` for an unknown zone or a malformed time.
 */
export function readingsOf(local: string, zone: string): { readonly earliest: Date; readonly latest: Date } {
  const wall = readWallClock(local);
  if (wall === null) throw invalid('local', `${shown(local)} is not a wall-clock time such as 2026-11-05T23:59:00`);
  return readingsOfWall(wall, zone);
}

/**
 * When the clock of a zone comes to a wall-clock time: twice where it shows it twice; where it jumps over it, the instant of
 * the jump, since from then on the time has passed.
 * @throws AppError `invalid_request` for an unknown zone or a malformed time.
 */
export function clockReaches(local: string, zone: string): { readonly earliest: Date; readonly latest: Date } {
  const wall = readWallClock(local);
  if (wall === null) throw invalid('local', `${shown(local)} is not a wall-clock time such as 2026-11-05T23:59:00`);
  const { earliest, latest } = readingsOfWall(wall, zone);
  const isShown = offsetAt(earliest.getTime(), zone) === wall - earliest.getTime();
  if (isShown) return { earliest, latest };
  const jump = new Date(jumpWithin(wall - FARTHEST_OFFSET_MS, wall + FARTHEST_OFFSET_MS, zone));
  return { earliest: jump, latest: jump };
}

/** Every instant that a date can mean in a zone which skipped it: the day as the offset before the jump has it, and as the one after it has. */
export function readingsOfSkippedDate(on: string, zone: string): { readonly earliest: Date; readonly latest: Date } {
  const midnight = midnightOf(on);
  return {
    earliest: readingsOfWall(midnight, zone).earliest,
    latest: readingsOfWall(midnight + DAY_MS - 1, zone).latest,
  };
}

/** Calendar days from one date to another: 1 from any date to the day after it, negative when `to` comes first. */
export function daysBetween(from: string, to: string): number {
  return (midnightOf(to) - midnightOf(from)) / DAY_MS;
}

/** The date `days` calendar days after `on`, or before it when negative. */
export function addDaysTo(on: string, days: number): string {
  return dateText(midnightOf(on) + days * DAY_MS);
}

/**
 * Reads an ISO 8601 instant with its offset (`Z`, `-05:00`, `-0500` or `-05`); null when it is anything else. Seconds
 * may be missing; what is finer than a millisecond is dropped.
 */
export function parseInstant(text: string): Date | null {
  const parts = /^(.*)(?:Z|([+-])(0\d|1[0-5])(?::?([0-5]\d))?)$/.exec(text);
  const wall = readWallClock(parts?.[1] ?? '');
  if (parts === null || wall === null) return null;
  const offset = Number(parts[3] ?? 0) * HOUR_MS + Number(parts[4] ?? 0) * MINUTE_MS;
  return new Date(parts[2] === '-' ? wall + offset : wall - offset);
}

/** Whether `text` is a wall-clock time without offset: `2026-11-05T23:59`, with seconds and their fraction if known. */
export function isWallClockTime(text: string): boolean {
  return readWallClock(text) !== null;
}

/**
 * When a local day begins, given its midnight as if the place were at UTC.
 *
 * Within reach of that midnight the clock changes at most once, at some instant `jump`. After it the date is reached
 * `after` hours from UTC; if that is later than the jump, it is the answer, whatever the clock showed before. Else the
 * date holds ever since the jump at the latest, and the day began at its own midnight or, where there was none, with
 * the jump.
 */
function dayStart(midnight: number, zone: string): number {
  const key = `${midnight} ${zone}`;
  const known = dayStarts.get(key);
  if (known !== undefined) return known;

  const before = offsetAt(midnight - FARTHEST_OFFSET_MS, zone);
  const after = offsetAt(midnight + FARTHEST_OFFSET_MS, zone);
  let start = midnight - after;
  if (before !== after) {
    const jump = jumpWithin(midnight - FARTHEST_OFFSET_MS, midnight + FARTHEST_OFFSET_MS, zone);
    if (start <= jump) start = Math.min(midnight - before, jump);
  }
  return remember(dayStarts, REMEMBERED_DAYS, key, start);
}

/** The first instant with the offset that holds at `to`, where the offset changes once between `from` and `to`. */
function jumpWithin(from: number, to: number, zone: string): number {
  const after = offsetAt(to, zone);
  let [before, since] = [from, to];
  while (since - before > 1) {
    const middle = Math.floor((before + since) / 2);
    if (offsetAt(middle, zone) === after) since = middle;
    else before = middle;
  }
  return since;
}

function readingsOfWall(wall: number, zone: string): { earliest: Date; latest: Date } {
  const readings = [offsetAt(wall - FARTHEST_OFFSET_MS, zone), offsetAt(wall + FARTHEST_OFFSET_MS, zone)].map(
    (offset) => ({ at: wall - offset, shown: offsetAt(wall - offset, zone) === offset }),
  );
  const real = readings.filter(({ shown }) => shown);
  const instants = (real.length > 0 ? real : readings).map(({ at }) => at);
  return { earliest: new Date(Math.min(...instants)), latest: new Date(Math.max(...instants)) };
}

/** Milliseconds that the clock of a zone is ahead of UTC. Offsets of old local mean times have seconds, hence the rounding. */
function offsetAt(at: number, zone: string): number {
  const name = canonicalName(zone);
  if (name === null) throw invalid('timeZone', `${shown(zone)} is not an IANA time zone such as America/New_York`);
  return Math.round(tzOffset(name, new Date(at)) * MINUTE_MS);
}

/**
 * The name under which the runtime keeps a zone, null when there is none. `tzOffset` keeps a formatter for ever for
 * each name it is given: with canonical names these are some 400, with the letters of strangers there is no end to them.
 */
function canonicalName(name: string): string | null {
  const known = canonicalNames.get(name);
  if (known !== undefined) return known;
  if (name.length > LONGEST_NAME) return null;
  return remember(canonicalNames, REMEMBERED_NAMES, name, resolveName(name));
}

function resolveName(name: string): string | null {
  if (!/^[a-z]/i.test(name) || /^systemv\//i.test(name)) return null;
  if (name.length === 3 && !THREE_LETTER_ZONES.test(name)) return null;
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    return null;
  }
}

/** Midnight of a date in milliseconds, as if the place were at UTC. */
function midnightOf(on: string): number {
  const midnight = readMidnight(on);
  if (midnight === null) throw invalid('on', `${shown(on)} is not a calendar date such as 2026-11-05`);
  return midnight;
}

/** The runtime takes 30 February for 2 March, so a date is one only if it comes out as it went in. */
function readMidnight(on: string): number | null {
  const midnight = Date.parse(`${on}T00:00:00Z`);
  return !Number.isNaN(midnight) && dateText(midnight) === on ? midnight : null;
}

/** A wall-clock time in milliseconds, as if the place were at UTC; null when it is malformed or its date impossible. */
function readWallClock(local: string): number | null {
  const parts = /^([^T]{10})T([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.(\d{1,9}))?)?$/.exec(local);
  if (parts === null) return null;
  const [, on = '', hours, minutes, seconds = '0', fraction = ''] = parts;
  if (!isCalendarDate(on)) return null;
  const clock = Number(hours) * HOUR_MS + Number(minutes) * MINUTE_MS + Number(seconds) * 1000;
  return midnightOf(on) + clock + Number(fraction.slice(0, 3).padEnd(3, '0'));
}

function readInstant(instant: Date): number {
  const at = instant.getTime();
  if (Number.isNaN(at)) throw invalid('at', 'not an instant');
  return at;
}

function dateText(midnight: number): string {
  return new Date(midnight).toISOString().slice(0, -'T00:00:00.000Z'.length);
}

/** Forgets everything when it is full: the next batch asks for few days and zones, and soon has them again. */
function remember<V>(memory: Map<string, V>, limit: number, key: string, value: V): V {
  if (memory.size >= limit) memory.clear();
  memory.set(key, value);
  return value;
}

function invalid(field: string, message: string): AppError {
  return new AppError('invalid_request', message, { errors: [{ field, message }] });
}

function shown(text: string): string {
  return JSON.stringify(text.length > LONGEST_NAME ? `${text.slice(0, LONGEST_NAME)}…` : text);
}
