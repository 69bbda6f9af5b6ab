import type { ParseOutcome } from '../adapter.js';
import { codeOf } from '../detail-before-status.js';
import { reportOf, type WireScan } from '../report.js';
import { isObject, type JsonObject, malformed, WireReader } from '../wire-reader.js';
import { isoEstimate } from '../wire-time.js';
import { scanTimeOf } from './scan-time.js';
import { meaningOf, unrecognisedOf } from './statuses.js';

/**
 * Reads a Karrio event `tracker_created` or `tracker_updated`, whose `data` is a Tracker. Other events (`shipment_…`,
 * `order_…`, `batch_…`) are ignored. Malformed is what a tracker event cannot do without: `event`, `data`,
 * `data.tracking_number`, `data.events` as a list of objects, a `date` in each; and what cannot be kept: a NUL character,
 * absurd sizes. Everything else that is missing or of another type counts as not said. Never throws.
 */
export function parseKarrio(document: unknown): ParseOutcome {
  if (!isObject(document)) return malformed('body', 'must be a JSON object');
  const { event, data } = document;
  if (typeof event !== 'string' || event === '') return malformed('event', 'must name the event');
  if (!event.startsWith('tracker_')) return { outcome: 'ignored', reason: 'not a tracker event' };
  if (!isObject(data)) return malformed('data', 'must be an object');

  const reader = new WireReader();
  const status = reader.text(data, 'status', 'data.');
  const report = reportOf({
    carrier: reader.text(data, 'carrier_name', 'data.') ?? '',
    trackingNumber: reader.trackingNumber(data, 'tracking_number', 'data.'),
    estimate: isoEstimate(data.estimated_delivery),
    scans: readScans(reader, data),
    headline: () => meaningOf({ status, reason: null }),
    newestFirst: true,
    snapshot: true,
  });
  return reader.outcome([report]);
}

function readScans(reader: WireReader, data: JsonObject): WireScan[] {
  const scans: WireScan[] = [];
  reader.each(data.events, 'data.events', (scan) => {
    const when = scanTimeOf(scan.date, scan.time);
    if (when === null) reader.fail('date', 'must be a date');
    const status = reader.text(scan, 'status');
    const reason = reader.text(scan, 'reason');
    const text = reader.text(scan, 'description');
    const place = reader.text(scan, 'location');
    if (when === null) return;
    scans.push({
      time: when.time,
      order: when.order,
      meaning: meaningOf({ status, reason }),
      // Of a scan without words of Karrio's, the carrier's code is all that is left to tell it by.
      code: codeOf(status, reason) || (reader.text(scan, 'code') ?? ''),
      text,
      place,
      unrecognised: unrecognisedOf({ status, reason }),
    });
  });
  return scans;
}
