import type { ParcelReport, ParseOutcome } from '../adapter.js';
import { codeOf } from '../detail-before-status.js';
import { reportOf, type WireScan } from '../report.js';
import { isObject, type JsonObject, malformed, partOf, WireReader } from '../wire-reader.js';
import {
  digits,
  instantWithOffset,
  localTime,
  offsetMinutesOf,
  type Reading,
  readingAsUtc,
  type WireTime,
} from '../wire-time.js';
import { meaningOf, unrecognisedOf } from './statuses.js';

/**
 * Reads a UPS Track Alert: one scan of one parcel, in a flat object. Malformed is what it cannot do without,
 * `trackingNumber` and a date of the activity, and what cannot be kept: a NUL character, absurd sizes. Everything else that
 * is missing, empty or of another type counts as not said. Never throws.
 */
export function parseUps(document: unknown): ParseOutcome {
  if (!isObject(document)) return malformed('body', 'must be a JSON object');
  const reader = new WireReader();
  const scan = readScan(reader, document);
  const report = reportOf({
    carrier: 'ups',
    trackingNumber: reader.trackingNumber(document, 'trackingNumber'),
    estimate: scan === null ? null : readEstimate(document, scan),
    scans: scan === null ? [] : [scan],
    snapshot: false,
  });
  return reader.outcome([report]);
}

function readScan(reader: WireReader, document: JsonObject): WireScan | null {
  const when = readTime(document);
  if (when === null) {
    reader.fail('gmtActivityDate', 'must be YYYYMMDD, with HHMMSS in gmtActivityTime, or else localActivityDate');
  }
  const status = partOf(document, 'activityStatus');
  const type = reader.text(status, 'type', 'activityStatus.');
  const code = reader.text(status, 'code', 'activityStatus.');
  const text = reader.text(status, 'description', 'activityStatus.');
  const place = reader.place(partOf(document, 'activityLocation'), PLACE, 'activityLocation.');
  if (when === null) return null;
  return {
    time: when.time,
    order: when.order,
    meaning: meaningOf({ type, code, text }),
    code: codeOf(type, code),
    text,
    place,
    unrecognised: unrecognisedOf({ type, code }),
  };
}

const PLACE = { city: 'city', region: 'stateProvince', country: 'country', postalCode: 'postalCode' };

/**
 * The best of what is there: the GMT date and time; the local ones with their offset; without it; the local date; the GMT
 * date, which is a day in UTC and not at the destination.
 */
function readTime(document: JsonObject): WireTime | null {
  const { gmtActivityDate, gmtActivityTime, localActivityDate, localActivityTime, gmtOffset } = document;
  const gmt = readingOf(gmtActivityDate, gmtActivityTime);
  const instant = gmt === null ? null : instantWithOffset(gmt, 0);
  if (instant !== null) return instant;

  const local = readingOf(localActivityDate, localActivityTime);
  const offsetMinutes = local === null ? null : offsetMinutesOf(gmtOffset);
  const reading = local && (offsetMinutes === null ? localTime(local) : instantWithOffset(local, offsetMinutes));
  if (reading !== null) return reading;

  const localDate = dateOf(localActivityDate);
  if (localDate !== null) return localDate;
  const gmtDate = dateOf(gmtActivityDate);
  return gmtDate && { ...gmtDate, time: { ...gmtDate.time, timeZone: 'UTC' } };
}

/** `YYYYMMDD` and `HHMMSS`, on a clock of 24 hours. Whether there is such a time is for the calendar to say. */
function readingOf(date: unknown, time: unknown): Reading | null {
  if (!isDigits(date, 8) || !isDigits(time, 6)) return null;
  return {
    year: digits(date, 0, 4),
    month: digits(date, 4, 2),
    day: digits(date, 6, 2),
    hour: digits(time, 0, 2),
    minute: digits(time, 2, 2),
    second: digits(time, 4, 2),
  };
}

/** `YYYYMMDD`; null for a day that is in no calendar. */
function dateOf(value: unknown): { readonly time: { readonly on: string }; readonly order: number } | null {
  if (!isDigits(value, 8)) return null;
  const order = readingAsUtc({ year: digits(value, 0, 4), month: digits(value, 4, 2), day: digits(value, 6, 2) });
  if (order === null) return null;
  return { time: { on: `${value.slice(0, 4)}-${value.slice(4, 6)}-${value.slice(6)}` }, order };
}

function isDigits(value: unknown, count: number): value is string {
  return typeof value === 'string' && value.length === count && digits(value, 0, count) >= 0;
}

/**
 * An estimate so long before the scan is none of this journey: UPS's own sample has a date of 2019 beside a delivery in
 * 2024. Less would drop the date of a parcel that is weeks late; more would show one that means nothing.
 */
const STALE_ESTIMATE_MS = 60 * 24 * 3_600_000;

/** `scheduledDeliveryDate`. What cannot be read is no guess: no estimate is worth refusing a delivery scan for. */
function readEstimate(document: JsonObject, { order }: WireScan): ParcelReport['estimate'] {
  const scheduled = dateOf(document.scheduledDeliveryDate);
  return scheduled === null || order - scheduled.order > STALE_ESTIMATE_MS ? null : scheduled.time;
}
