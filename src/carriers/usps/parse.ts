import type { ParcelReport, ParseOutcome } from '../adapter.js';
import { reportOf, type WireScan } from '../report.js';
import { parseStrictJson } from '../strict-json.js';
import { isObject, type JsonObject, malformed, WireReader } from '../wire-reader.js';
import { isoEstimate, isoInstant, isoTime, offsetMinutesOf, type WireTime } from '../wire-time.js';
import { headlineOf, meaningOf, unrecognisedOf } from './statuses.js';

/**
 * Reads the envelope of a USPS subscription to tracking, whose `payload` is a JSON text: the whole history, newest scan
 * first. Other subscription types are ignored. Malformed is a payload that is no JSON object, one without `trackingNumber`,
 * `trackingEvents` that are no list of objects, a scan without a readable time, and what cannot be kept. All else that is
 * missing or of another type counts as not said. Never throws.
 */
export function parseUsps(document: unknown): ParseOutcome {
  if (!isObject(document)) return malformed('body', 'must be a JSON object');
  const { subscriptionType, payload } = document;
  if (typeof subscriptionType === 'string' && subscriptionType !== 'TRACKING') {
    return { outcome: 'ignored', reason: 'not a subscription to tracking' };
  }
  const tracking = typeof payload === 'string' ? parseObject(payload) : null;
  if (tracking === null) return malformed('payload', 'must be the text of a JSON object, with no key twice');

  const reader = new WireReader();
  const category = reader.text(tracking, 'statusCategory', 'payload.');
  const status = reader.text(tracking, 'status', 'payload.');
  const report = reportOf({
    carrier: 'usps',
    trackingNumber: reader.trackingNumber(tracking, 'trackingNumber', 'payload.'),
    estimate: readEstimate(tracking),
    scans: readScans(reader, tracking),
    headline: ({ code, text }) => headlineOf({ category, status }, { code: code === '' ? null : code, text }),
    newestFirst: true,
    // When USPS made the envelope, which it signs.
    takenAt: isoInstant(document.timestamp),
    snapshot: true,
  });
  return reader.outcome([report]);
}

/** Null for what is no JSON object. What is refused of a whole body is refused here too. */
function parseObject(text: string): JsonObject | null {
  const read = parseStrictJson(text, Buffer.from(text));
  return read.outcome === 'read' && isObject(read.document) ? read.document : null;
}

const PLACE = { city: 'eventCity', region: 'eventState', country: 'eventCountry', postalCode: 'eventZIP' };

function readScans(reader: WireReader, tracking: JsonObject): WireScan[] {
  const scans: WireScan[] = [];
  reader.each(tracking.trackingEvents, 'payload.trackingEvents', (scan) => {
    const when = timeOf(scan);
    if (when === null) reader.fail('eventTimestamp', 'must be an ISO 8601 date and time, unless GMTTimestamp is one');
    const code = reader.text(scan, 'eventCode');
    const text = reader.text(scan, 'eventType');
    const place = reader.place(scan, PLACE);
    if (when === null) return;
    scans.push({
      time: when.time,
      order: when.order,
      meaning: meaningOf({ code, text }),
      code: code ?? '',
      text,
      place,
      unrecognised: unrecognisedOf({ code, text }),
    });
  });
  return scans;
}

/** The time in GMT; else the local one, with its offset if there is one. */
function timeOf({ GMTTimestamp, GMTOffset, eventTimestamp }: JsonObject): WireTime | null {
  const gmt = isoTime(GMTTimestamp);
  if (gmt !== null && !('on' in gmt.time)) return instantAt(gmt, 0);
  const local = isoTime(eventTimestamp);
  const offset = offsetMinutesOf(GMTOffset);
  return local === null || offset === null ? local : instantAt(local, offset);
}

/** A wall-clock reading at this offset is an instant; what is one already, and a date alone, stay as they are. */
function instantAt(read: WireTime, offsetMinutes: number): WireTime {
  if (!('local' in read.time)) return read;
  const order = read.order - offsetMinutes * 60_000;
  return { time: { at: new Date(order) }, order };
}

/** The day that USPS expects goes before the one that it predicts. What cannot be read is no guess. */
function readEstimate(tracking: JsonObject): ParcelReport['estimate'] {
  return (
    isoEstimate(tracking.expectedDeliveryDate) ??
    isoEstimate(tracking.expectedDeliveryTimeStamp) ??
    isoEstimate(tracking.predictedDeliveryDate)
  );
}
