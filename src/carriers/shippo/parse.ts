import type { Meaning, ParseOutcome } from '../adapter.js';
import type { StatusWords } from '../detail-before-status.js';
import { reportOf, type WireScan } from '../report.js';
import { isObject, type JsonObject, malformed, partOf, WireReader } from '../wire-reader.js';
import { isoEstimate, isoInstant, isoTime, type WireTime } from '../wire-time.js';
import { meaningOf, scanOf } from './statuses.js';

/**
 * Reads a Shippo `track_updated` event, whose `data` is a Track. Other events (`transaction_created`, `batch_purchased` …)
 * are ignored. Malformed is what the event cannot do without: `event`, `data`, `data.tracking_number`,
 * `data.tracking_history` as a list of objects, a `status_date` in each; a `data` that is a Transaction, as versions of the API
 * before 2018-02-08 send it; and what cannot be kept: a NUL character, absurd sizes. Everything else that is missing or of
 * another type counts as not said. Never throws.
 */
export function parseShippo(document: unknown): ParseOutcome {
  if (!isObject(document)) return malformed('body', 'must be a JSON object');
  const { event, data } = document;
  if (typeof event !== 'string' || event === '') return malformed('event', 'must name the event');
  if (event !== 'track_updated') return { outcome: 'ignored', reason: 'not a tracking event' };
  if (!isObject(data)) return malformed('data', 'must be an object');
  if (isTransaction(data)) {
    return malformed('data', 'must be a Track, not a Transaction: set the API version to 2018-02-08 or later');
  }

  const reader = new WireReader();
  const scans = readHistory(reader, data.tracking_history);
  const current = isObject(data.tracking_status) ? data.tracking_status : null;
  const currentTime = current === null ? null : isoTime(current.status_date);
  if (scans.length === 0 && current !== null && currentTime !== null)
    scans.push(readScan(reader, current, currentTime, CURRENT));
  const report = reportOf({
    carrier: reader.text(data, 'carrier', 'data.') ?? '',
    trackingNumber: reader.trackingNumber(data, 'tracking_number', 'data.'),
    estimate: isoEstimate(data.eta),
    scans,
    headline: (latest) => readHeadline(reader, current, currentTime, latest),
    takenAt: takenAtOf(data),
    snapshot: true,
  });
  return reader.outcome([report]);
}

/** The path of the scan that Shippo holds to be the latest; the history repeats it. */
const CURRENT = 'data.tracking_status.';

/** A Track names its carrier; a Transaction holds the rate that was bought instead. */
function isTransaction(data: JsonObject): boolean {
  return data.carrier === undefined && (data.rate !== undefined || data.label_url !== undefined);
}

function readHistory(reader: WireReader, history: unknown): WireScan[] {
  const scans: WireScan[] = [];
  reader.each(history, 'data.tracking_history', (scan) => {
    const when = isoTime(scan.status_date);
    if (when === null) reader.fail('status_date', 'must be an ISO 8601 date and time');
    else scans.push(readScan(reader, scan, when, ''));
  });
  return scans;
}

/** @param within the path to the scan, where it is no member of a list, with its dot */
function readScan(reader: WireReader, scan: JsonObject, when: WireTime, within: string): WireScan {
  const words = readWords(reader, scan, within);
  return scanOf(when, words, reader.place(partOf(scan, 'location'), PLACE, `${within}location.`));
}

/** The status has a sentence of its own; that of its substatus only stands in for it. */
function readWords(reader: WireReader, scan: JsonObject, within: string): StatusWords {
  const status = reader.text(scan, 'status', within);
  const text = reader.text(scan, 'status_details', within);
  const { substatus } = scan;
  if (!isObject(substatus)) return { status, detail: null, text };
  const path = `${within}substatus.`;
  return {
    status,
    detail: reader.text(substatus, 'code', path),
    text: text ?? reader.text(substatus, 'text', path),
  };
}

const PLACE = { city: 'city', region: 'state', country: 'country', postalCode: 'zip' };

/**
 * When Shippo last wrote something of this track: no field of the whole says it, but each status has the time at which Shippo
 * made or changed it. Null where one of them has none, as in test mode: then a newer track could look older.
 */
function takenAtOf(data: JsonObject): number | null {
  const history = Array.isArray(data.tracking_history) ? data.tracking_history : [];
  let takenAt: number | null = null;
  for (const status of [...history, data.tracking_status]) {
    if (!isObject(status)) continue;
    const written = isoInstant(status.object_updated ?? status.object_created);
    if (written === null) return null;
    if (takenAt === null || written > takenAt) takenAt = written;
  }
  return takenAt;
}

/** `tracking_status` has a time of its own: where that is another than the latest scan's, it speaks of another scan. */
function readHeadline(
  reader: WireReader,
  current: JsonObject | null,
  currentTime: WireTime | null,
  latest: WireScan,
): Meaning | null {
  if (current === null || (currentTime !== null && currentTime.order !== latest.order)) return null;
  return meaningOf(readWords(reader, current, CURRENT));
}
