import type { ParcelReport, ParseOutcome } from '../adapter.js';
import { codeOf } from '../detail-before-status.js';
import { reportOf, type WireScan } from '../report.js';
import { isObject, type JsonObject, malformed, partOf, WireReader } from '../wire-reader.js';
import { isoEstimate, isoInstant, isoTime, type WireTime } from '../wire-time.js';
import { meaningOf, unrecognisedOf } from './statuses.js';

/** Real parcels have two or three. Less would refuse one with many forwarders; more, a slow update. */
const PROVIDER_LIMIT = { most: 50, of: 'providers' };

/**
 * Reads 17TRACK's `TRACKING_UPDATED`, v2.2 and v2.4. Other events (`TRACKING_STOPPED`) are ignored. Malformed is what an
 * update cannot do without: `event`, `data.number`, the providers and their events as lists of objects, a time in each
 * event; and what cannot be kept: a NUL character, absurd sizes. Everything else that is missing or of another type
 * counts as not said. Never throws.
 */
export function parseSeventeentrack(document: unknown): ParseOutcome {
  if (!isObject(document)) return malformed('body', 'must be a JSON object');
  const { event, data } = document;
  if (typeof event !== 'string' || event === '') return malformed('event', 'must name the event');
  if (event !== 'TRACKING_UPDATED') return { outcome: 'ignored', reason: 'not a tracking update' };
  if (!isObject(data)) return malformed('data', 'must be an object');

  const reader = new WireReader();
  const info = partOf(data, 'track_info');
  const latest = partOf(info, 'latest_status');
  const stage = reader.text(latest, 'status', 'data.track_info.latest_status.');
  const subStatus = reader.text(latest, 'sub_status', 'data.track_info.latest_status.');
  const { scans, syncedAt } = readProviders(reader, partOf(info, 'tracking'));
  const report = reportOf({
    carrier: readCarrier(reader, data),
    trackingNumber: reader.trackingNumber(data, 'number', 'data.'),
    estimate: readEstimate(info),
    scans,
    headline: ({ text }) => meaningOf({ stage, subStatus, text }),
    newestFirst: true,
    takenAt: syncedAt,
    snapshot: true,
  });
  return reader.outcome([report]);
}

/** 17TRACK numbers its carriers. */
function readCarrier(reader: WireReader, data: JsonObject): string {
  const { carrier } = data;
  return Number.isSafeInteger(carrier) ? String(carrier) : (reader.text(data, 'carrier', 'data.') ?? '');
}

/**
 * The scans of all providers (the carrier at the origin, that of the last mile), which are one history of one parcel; and
 * when 17TRACK asked one of them last, in epoch milliseconds.
 */
function readProviders(reader: WireReader, tracking: JsonObject): { scans: WireScan[]; syncedAt: number | null } {
  const scans: WireScan[] = [];
  let syncedAt: number | null = null;
  reader.each(
    tracking.providers,
    'data.track_info.tracking.providers',
    (provider) => {
      const synced = isoInstant(provider.latest_sync_time);
      if (synced !== null && synced > (syncedAt ?? 0)) syncedAt = synced;
      reader.each(provider.events, 'events', (event) => {
        const scan = readScan(reader, event);
        if (scan !== null) scans.push(scan);
      });
    },
    PROVIDER_LIMIT,
  );
  return { scans, syncedAt };
}

function readScan(reader: WireReader, event: JsonObject): WireScan | null {
  const when = timeOf(event);
  if (when === null) reader.fail('time_utc', 'must be an ISO 8601 date and time, or time_iso or time_raw be one');
  const stage = reader.text(event, 'stage');
  const subStatus = reader.text(event, 'sub_status');
  const text = reader.text(event, 'description');
  const place = reader.text(event, 'location') ?? reader.place(partOf(event, 'address'), PLACE, 'address.');
  if (when === null) return null;
  return {
    time: when.time,
    order: when.order,
    meaning: meaningOf({ stage, subStatus, text }),
    code: codeOf(stage, subStatus),
    text,
    place,
    unrecognised: unrecognisedOf({ stage, subStatus }),
  };
}

/** UTC by its name: without `Z` or an offset it would be taken for a wall-clock reading, so the next field is asked. */
function timeOf(event: JsonObject): WireTime | null {
  const utc = isoTime(event.time_utc);
  return utc !== null && 'at' in utc.time ? utc : (isoTime(event.time_iso) ?? rawTimeOf(event.time_raw));
}

/**
 * The time as the carrier gave it: a text, or `{date, time, timezone}`. An instant only with an offset; a date alone
 * where the carrier told no clock time.
 */
function rawTimeOf(raw: unknown): WireTime | null {
  if (!isObject(raw)) return isoTime(raw);
  const { date, time, timezone } = raw;
  if (typeof time !== 'string' || time === '') return isoTime(date);
  const local = `${date}T${time}`;
  return (typeof timezone === 'string' ? isoTime(local + timezone) : null) ?? isoTime(local);
}

const PLACE = { city: 'city', region: 'state', country: 'country', postalCode: 'postal_code' };

/** Of a range its end: until then the carrier does not count itself as late. */
function readEstimate(info: JsonObject): ParcelReport['estimate'] {
  const { from, to } = partOf(partOf(info, 'time_metrics'), 'estimated_delivery_date');
  return isoEstimate(to) ?? isoEstimate(from);
}
