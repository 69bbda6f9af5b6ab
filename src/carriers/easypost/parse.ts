import type { ParcelReport, ParseOutcome } from '../adapter.js';
import { reportOf, type WireScan } from '../report.js';
import { isObject, type JsonObject, malformed, partOf, WireReader } from '../wire-reader.js';
import { isoEstimate, isoInstant, isoTime } from '../wire-time.js';
import { meaningOf, scanOf } from './statuses.js';

/**
 * Reads an EasyPost Event whose `result` is a Tracker. Other events (`batch.*`, `insurance.*` …) and events without a
 * result are ignored. Malformed is what a tracker event cannot do without: `description`, `result.tracking_code`,
 * `result.tracking_details` as a list of objects, a `datetime` in each; and what cannot be kept: a NUL character,
 * absurd sizes. Everything else that is missing or of another type counts as not said. Never throws.
 */
export function parseEasypost(document: unknown): ParseOutcome {
  if (!isObject(document)) return malformed('body', 'must be a JSON object');
  const { description, result } = document;
  if (typeof description !== 'string' || description === '') return malformed('description', 'must name the event');
  if (!description.startsWith('tracker.')) return { outcome: 'ignored', reason: 'not a tracker event' };
  if (result === undefined || result === null) return { outcome: 'ignored', reason: 'an event without a result' };
  if (!isObject(result)) return malformed('result', 'must be an object');

  const reader = new WireReader();
  const deliveryId = reader.id(document, 'id');
  const status = reader.text(result, 'status', 'result.');
  const detail = reader.text(result, 'status_detail', 'result.');
  const report = reportOf({
    carrier: reader.text(result, 'carrier', 'result.') ?? '',
    trackingNumber: reader.trackingNumber(result, 'tracking_code', 'result.'),
    estimate: readEstimate(result),
    scans: readScans(reader, result),
    headline: ({ text }) => meaningOf({ status, detail, text }),
    takenAt: takenAtOf(document, result),
    snapshot: true,
  });
  return reader.outcome([report], deliveryId);
}

function readScans(reader: WireReader, result: JsonObject): WireScan[] {
  const scans: WireScan[] = [];
  reader.each(result.tracking_details, 'result.tracking_details', (scan) => {
    const when = isoTime(scan.datetime);
    if (when === null) reader.fail('datetime', 'must be an ISO 8601 date and time');
    const status = reader.text(scan, 'status');
    const detail = reader.text(scan, 'status_detail');
    const text = reader.text(scan, 'message');
    const place = reader.place(partOf(scan, 'tracking_location'), PLACE, 'tracking_location.');
    if (when !== null) scans.push(scanOf(when, { status, detail, text }, place));
  });
  return scans;
}

const PLACE = { city: 'city', region: 'state', country: 'country', postalCode: 'zip' };

/** The tracker's `updated_at` moves with its content, and each event is made of the tracker as it is then. */
function takenAtOf(event: JsonObject, tracker: JsonObject): number | null {
  const made = isoInstant(event.created_at);
  const updated = isoInstant(tracker.updated_at);
  return made === null || updated === null ? (made ?? updated) : Math.max(made, updated);
}

/**
 * The carrier's guess. `est_delivery_date_local` is the day at the destination and wins. What cannot be read is no guess: no
 * estimate is worth refusing a delivery scan for.
 */
function readEstimate(result: JsonObject): ParcelReport['estimate'] {
  const local = isObject(result.carrier_detail) ? isoEstimate(result.carrier_detail.est_delivery_date_local) : null;
  return local !== null && 'on' in local ? local : isoEstimate(result.est_delivery_date);
}
