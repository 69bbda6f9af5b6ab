import { isDeepStrictEqual } from 'node:util';
import type { FieldError } from '../../errors.js';
import type { EventTime } from '../../shipments/tracking-event.js';
import type { ParcelReport, ParseOutcome, Scan } from '../adapter.js';
import { trackingKeyOf } from '../matching.js';
import { meaningOf, UNKNOWN } from './statuses.js';

/** Far above what carriers write. Less would cut real texts; more would let one webhook fill the table. */
const TEXT_LIMIT = 500;
/** Carriers use at most about 40 characters. Longer is refused and not cut: a cut number is another parcel's. */
const TRACKING_CODE_LIMIT = 100;
/** Real parcels have fewer than a hundred. Less would refuse a parcel going round in circles; more, a slow batch. */
const SCAN_LIMIT = 1000;
/** Enough to see what is wrong with a document; a thousand bad scans need no thousand sentences. */
const ERROR_LIMIT = 20;
/**
 * Times before are placeholders for none (0001, 1970), and as a delivery one would keep any promise. Earlier would let
 * them in; later would refuse history.
 */
const EARLIEST_YEAR = 2000;
const LATEST_YEAR = 2200;

type JsonObject = Readonly<Record<string, unknown>>;

/** A time as the wire has it; `order` are milliseconds by which the times of one document are compared. */
interface WireTime {
  readonly time: EventTime;
  readonly order: number;
}

/** A scan in EasyPost's words. */
interface WireScan extends WireTime {
  readonly status: string | null;
  readonly detail: string | null;
  readonly text: string | null;
  readonly place: string | null;
}

/**
 * Reads an EasyPost Event whose `result` is a Tracker. Other events (`batch.*`, `insurance.*` …) and events without a
 * result are ignored. Malformed is what a tracker event cannot do without: `description`, `result.tracking_code`,
 * `result.tracking_details` as a list of objects, a `datetime` in each; and what cannot be kept: a NUL character,
 * absurd sizes. Everything else that is missing or of another type counts as not said. Hand-written and not a schema,
 * because it runs for every webhook; the document's unknown parts are never walked. Never throws.
 */
export function parseEasypost(document: unknown): ParseOutcome {
  if (!isObject(document)) return malformed('body', 'must be a JSON object');
  const { description, id, result } = document;
  if (typeof description !== 'string' || description === '') return malformed('description', 'must name the event');
  if (!description.startsWith('tracker.')) return { outcome: 'ignored', reason: 'not a tracker event' };
  if (result === undefined || result === null) return { outcome: 'ignored', reason: 'an event without a result' };
  if (!isObject(result)) return malformed('result', 'must be an object');

  const errors: FieldError[] = [];
  const deliveryId = typeof id === 'string' && id.length <= TEXT_LIMIT ? readText(document, 'id', '', errors) : null;
  const report: ParcelReport = {
    carrier: readText(result, 'carrier', 'result.', errors) ?? '',
    trackingNumber: readTrackingCode(result, errors),
    estimate: readEstimate(result),
    scans: settleStatuses(readScans(result, errors), result, errors),
  };
  if (errors.length > 0) return { outcome: 'malformed', errors };
  return { outcome: 'parsed', deliveryId, parcels: [report] };
}

function readTrackingCode(result: JsonObject, errors: FieldError[]): string {
  const code = result.tracking_code;
  const problem =
    typeof code !== 'string' || trackingKeyOf(code) === ''
      ? 'must be a tracking number'
      : code.length > TRACKING_CODE_LIMIT
        ? `must have at most ${TRACKING_CODE_LIMIT} characters`
        : null;
  if (problem === null) return readText(result, 'tracking_code', 'result.', errors) ?? '';
  errors.push({ field: 'result.tracking_code', message: problem });
  return '';
}

/** The scans in the order sent, each once. */
function readScans(result: JsonObject, errors: FieldError[]): WireScan[] {
  const details = result.tracking_details ?? [];
  if (!Array.isArray(details) || details.length > SCAN_LIMIT) {
    const message = Array.isArray(details) ? `must have at most ${SCAN_LIMIT} scans` : 'must be a list';
    errors.push({ field: 'result.tracking_details', message });
    return [];
  }
  const scans: WireScan[] = [];
  for (let index = 0; index < details.length && errors.length < ERROR_LIMIT; index++) {
    const problems: FieldError[] = [];
    const scan = readScan(details[index], problems);
    if (scan !== null && !scans.some((known) => isSame(known, scan))) scans.push(scan);
    for (const { field, message } of problems) {
      errors.push({ field: `result.tracking_details[${index}]${field}`, message });
    }
  }
  return scans;
}

/** The fields of its errors begin with a dot, or are empty where the scan as a whole is wrong. */
function readScan(detail: unknown, errors: FieldError[]): WireScan | null {
  if (!isObject(detail)) {
    errors.push({ field: '', message: 'must be an object' });
    return null;
  }
  const when = readTime(detail.datetime);
  if (when === null) errors.push({ field: '.datetime', message: 'must be an ISO 8601 date and time' });
  const status = readText(detail, 'status', '.', errors);
  const statusDetail = readText(detail, 'status_detail', '.', errors);
  const text = readText(detail, 'message', '.', errors);
  const place = readPlace(detail.tracking_location, errors);
  return when === null ? null : { time: when.time, order: when.order, status, detail: statusDetail, text, place };
}

/** `OMAHA, NE, US 68102`, of whatever parts there are; null of none. */
function readPlace(location: unknown, errors: FieldError[]): string | null {
  if (!isObject(location)) return null;
  const city = readText(location, 'city', '.tracking_location.', errors);
  const state = readText(location, 'state', '.tracking_location.', errors);
  const country = readText(location, 'country', '.tracking_location.', errors);
  const zip = readText(location, 'zip', '.tracking_location.', errors);
  const place = joined(joined(city, ', ', state), ', ', joined(country, ' ', zip));
  return place !== null && place.length > TEXT_LIMIT ? cut(place) : place;
}

function joined(left: string | null, separator: string, right: string | null): string | null {
  return left === null ? right : right === null ? left : left + separator + right;
}

function isSame(a: WireScan, b: WireScan): boolean {
  return (
    a.order === b.order &&
    a.status === b.status &&
    a.detail === b.detail &&
    a.text === b.text &&
    a.place === b.place &&
    isDeepStrictEqual(a.time, b.time)
  );
}

/**
 * Gives each scan its status. The tracker's own status speaks for the latest scan alone, and only where that scan names
 * none: it repeats what a scan said, so it makes no event by itself. The code keeps the scan's words and never borrows
 * the tracker's, because the same scan must look the same in the next snapshot.
 */
function settleStatuses(scans: readonly WireScan[], result: JsonObject, errors: FieldError[]): Scan[] {
  const status = readText(result, 'status', 'result.', errors);
  const detail = readText(result, 'status_detail', 'result.', errors);
  let latest: WireScan | undefined;
  for (const scan of scans) {
    if (latest === undefined || scan.order >= latest.order) latest = scan;
  }
  return scans.map((scan) => {
    const headline = scan === latest ? meaningOf({ status, detail, text: scan.text }) : null;
    const meaning = meaningOf(scan) ?? headline ?? UNKNOWN;
    return {
      status: meaning.status,
      time: scan.time,
      exception: meaning.exception,
      disputed: false,
      code: scan.detail === null ? (scan.status ?? '') : `${scan.status ?? ''}/${scan.detail}`,
      text: scan.text,
      place: scan.place,
    };
  });
}

/**
 * The carrier's guess. `est_delivery_date_local` is the day at the destination. `est_delivery_date` at midnight Z is a
 * day written as an instant, and without an offset its day is all that is sure. What cannot be read is no guess: no
 * estimate is worth refusing a delivery scan for.
 */
function readEstimate(result: JsonObject): ParcelReport['estimate'] {
  const local = isObject(result.carrier_detail) ? readTime(result.carrier_detail.est_delivery_date_local) : null;
  if (local !== null && !('at' in local.time)) return { on: dayOf(local.time) };
  const estimate = readTime(result.est_delivery_date);
  if (estimate === null) return null;
  if (!('at' in estimate.time)) return { on: dayOf(estimate.time) };
  const isDay = estimate.order % 86_400_000 === 0 && String(result.est_delivery_date).endsWith('Z');
  return isDay ? { on: estimate.time.at.toISOString().slice(0, 10) } : { at: estimate.time.at };
}

function dayOf(time: { readonly on: string } | { readonly local: string }): string {
  return 'on' in time ? time.on : time.local.slice(0, 10);
}

const WIRE_TIME =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?(?:(Z)|([+-])(\d{2}):?(\d{2}))?)?$/;

/**
 * ISO 8601: with `Z` or an offset an instant, without one a wall-clock reading, without a clock time a date. Fractions
 * of a second may have any length and are cut to milliseconds. Null for all else, and for what no calendar or clock
 * shows (30 February, 24:00), which `Date` would quietly move to another day.
 */
function readTime(value: unknown): WireTime | null {
  if (typeof value !== 'string' || value.length > 64) return null;
  const match = WIRE_TIME.exec(value);
  if (match === null) return null;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const [hour, minute, second] = [Number(match[4] ?? 0), Number(match[5] ?? 0), Number(match[6] ?? 0)];
  const millisecond = Number((match[7] ?? '').slice(0, 3).padEnd(3, '0'));
  const order = Date.UTC(year, month - 1, day, hour, minute, second, millisecond);
  const reading = new Date(order);
  if (year < EARLIEST_YEAR || year > LATEST_YEAR || hour > 23 || minute > 59 || second > 59) return null;
  if (reading.getUTCMonth() !== month - 1 || reading.getUTCDate() !== day) return null;

  if (match[4] === undefined) return { time: { on: value }, order };
  if (match[8] !== undefined) return { time: { at: reading }, order };
  if (match[9] !== undefined) {
    const [offsetHours, offsetMinutes] = [Number(match[10]), Number(match[11])];
    if (offsetHours > 14 || offsetMinutes > 59) return null;
    const offset = (offsetHours * 60 + offsetMinutes) * (match[9] === '-' ? -60_000 : 60_000);
    return { time: { at: new Date(order - offset) }, order: order - offset };
  }
  return { time: { local: reading.toISOString().slice(0, millisecond === 0 ? 19 : 23) }, order };
}

/**
 * A text as sent, cut to what is kept; null for a blank and for anything but a string. PostgreSQL can store neither
 * NUL, which is an error of `path + key`, nor half a surrogate pair, which becomes U+FFFD.
 */
function readText(object: JsonObject, key: string, path: string, errors: FieldError[]): string | null {
  const value = object[key];
  if (typeof value !== 'string' || value.trim() === '') return null;
  if (value.includes('\0')) {
    errors.push({ field: `${path}${key}`, message: 'must not contain a NUL character' });
    return null;
  }
  return cut(value);
}

function cut(text: string): string {
  const short = text.length > TEXT_LIMIT ? text.slice(0, TEXT_LIMIT) : text;
  return /\p{Surrogate}/u.test(short) ? short.replace(/\p{Surrogate}/gu, '\uFFFD') : short;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(field: string, message: string): ParseOutcome {
  return { outcome: 'malformed', errors: [{ field, message }] };
}
