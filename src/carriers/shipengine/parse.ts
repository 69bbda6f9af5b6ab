import type { ParseOutcome } from '../adapter.js';
import { reportOf, type WireScan } from '../report.js';
import { isObject, type JsonObject, malformed, WireReader } from '../wire-reader.js';
import { isoEstimate, isoLocalTime, isoTime, type WireTime } from '../wire-time.js';
import { meaningOf, scanOf } from './statuses.js';

/**
 * Reads a ShipEngine webhook of type `API_TRACK`, or ShipStation's `TRACK_EVENT_V2`: both hold the whole tracking record of
 * a parcel. Other types (`API_BATCH`, `API_RATE` …) are ignored. Malformed is what such a webhook cannot do without:
 * `resource_type`, `data`, `data.tracking_number`, `data.events` as a list of objects, a time in each; and what cannot be
 * kept: a NUL character, absurd sizes. Everything else that is missing or of another type counts as not said. Never
 * throws.
 */
export function parseShipengine(document: unknown): ParseOutcome {
  if (!isObject(document)) return malformed('body', 'must be a JSON object');
  const { resource_type: type, data } = document;
  if (typeof type !== 'string' || type === '') return malformed('resource_type', 'must name the event');
  if (type !== 'API_TRACK' && type !== 'TRACK_EVENT_V2') return { outcome: 'ignored', reason: 'not a tracking event' };
  if (!isObject(data)) return malformed('data', 'must be an object');

  const reader = new WireReader();
  const status = reader.text(data, 'status_code', 'data.');
  const detail = reader.text(data, 'status_detail_code', 'data.');
  const report = reportOf({
    carrier: reader.text(data, 'carrier_code', 'data.') ?? '',
    trackingNumber: reader.trackingNumber(data, 'tracking_number', 'data.'),
    estimate: isoEstimate(data.estimated_delivery_date),
    scans: readScans(reader, data),
    headline: ({ text }) => meaningOf({ status, detail, text }),
    newestFirst: true,
    snapshot: true,
  });
  return reader.outcome([report]);
}

const PLACE = {
  city: 'city_locality',
  region: 'state_province',
  country: 'country_code',
  postalCode: 'postal_code',
};

function readScans(reader: WireReader, data: JsonObject): WireScan[] {
  const scans: WireScan[] = [];
  reader.each(data.events, 'data.events', (scan) => {
    const when = timeOf(scan);
    if (when === null) reader.fail('occurred_at', 'must be an ISO 8601 date and time');
    const status = reader.text(scan, 'status_code');
    const detail = reader.text(scan, 'status_detail_code');
    const text = reader.text(scan, 'description') ?? reader.text(scan, 'carrier_status_description');
    const place = reader.place(scan, PLACE);
    if (when === null) return;
    const read = scanOf(when, { status, detail, text }, place);
    // Of a scan without words of ShipEngine's, the carrier's code is all that is left to tell it by.
    scans.push(read.code === '' ? { ...read, code: reader.text(scan, 'event_code') ?? '' } : read);
  });
  return scans;
}

/** `carrier_occurred_at` is the clock on the wall where the scan happened, whatever stands behind it. */
function timeOf(scan: JsonObject): WireTime | null {
  return isoTime(scan.occurred_at) ?? isoLocalTime(scan.carrier_occurred_at);
}
