import { dateAlone, digits, localTime, type WireTime } from '../wire-time.js';

const HYPHEN = 0x2d;
const COLON = 0x3a;

/**
 * The time of a scan: `date` (`2026-04-08`) with `time` (`HH:MM` or `HH:MM:SS`, either with AM or PM) is a wall-clock
 * reading; without a time that can be read, the date alone, which claims less and is still true. Null for a date that no
 * calendar shows.
 */
export function scanTimeOf(date: unknown, time: unknown): WireTime | null {
  if (typeof date !== 'string' || date.length !== 10) return null;
  const year = digits(date, 0, 4);
  const month = digits(date, 5, 2);
  const day = digits(date, 8, 2);
  if (year < 0 || month < 0 || day < 0 || date.charCodeAt(4) !== HYPHEN || date.charCodeAt(7) !== HYPHEN) return null;
  const second = secondOfDay(time);
  if (second < 0) return dateAlone({ year, month, day });
  const hour = Math.floor(second / 3600);
  const minute = Math.floor(second / 60) % 60;
  return localTime({ year, month, day, hour, minute, second: second % 60 });
}

/** -1 for what no clock shows. */
function secondOfDay(text: unknown): number {
  if (typeof text !== 'string') return -1;
  const half = halfOfDay(text);
  const clock = half === null ? text : text.slice(0, -2).trimEnd();
  const hasSeconds = clock.length === 8;
  if ((clock.length !== 5 && !hasSeconds) || clock.charCodeAt(2) !== COLON) return -1;
  if (hasSeconds && clock.charCodeAt(5) !== COLON) return -1;
  const hour = hourOfDay(digits(clock, 0, 2), half);
  const minute = digits(clock, 3, 2);
  const second = hasSeconds ? digits(clock, 6, 2) : 0;
  const isTime = hour >= 0 && hour <= 23 && minute >= 0 && minute <= 59 && second >= 0 && second <= 59;
  return isTime ? (hour * 60 + minute) * 60 + second : -1;
}

/** Mostly the last character tells that there is none. */
function halfOfDay(text: string): 'AM' | 'PM' | null {
  const last = text.charCodeAt(text.length - 1);
  if (last !== 0x4d && last !== 0x6d) return null;
  const end = text.slice(-2).toUpperCase();
  return end === 'AM' || end === 'PM' ? end : null;
}

/** Some connectors write `14:30 PM`: that half of the day is said twice. -1 where the two disagree. */
function hourOfDay(hour: number, half: 'AM' | 'PM' | null): number {
  if (half === null) return hour;
  if (half === 'AM') return hour < 12 ? hour : hour === 12 ? 0 : -1;
  return hour === 0 ? -1 : hour > 0 && hour < 12 ? hour + 12 : hour;
}
