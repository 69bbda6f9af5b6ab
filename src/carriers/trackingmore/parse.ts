import type { ParseOutcome } from '../adapter.js';
import { reportOf, type WireScan } from '../report.js';
import { isObject, type JsonObject, malformed, WireReader } from '../wire-reader.js';
import { isoEstimate, isoInstant, isoTime } from '../wire-time.js';
import { isStatus, meaningOf, scanOf } from './statuses.js';

/**
 * Reads a TrackingMore webhook of version 4 or 2, whose `data` is a tracking. Malformed is what it cannot do without:
 * `data.tracking_number`, lists of checkpoints as lists of objects, a time in each, and, where there are no checkpoints but
 * the tracking has moved, the time of its latest; and what cannot be kept: a NUL character, absurd sizes. Everything else
 * that is missing or of another type counts as not said. Never throws.
 */
export function parseTrackingmore(document: unknown): ParseOutcome {
  if (!isObject(document)) return malformed('body', 'must be a JSON object');
  const { data } = document;
  if (!isObject(data)) return malformed('data', 'must be an object');

  const reader = new WireReader();
  const status = either(reader, data, 'delivery_status', 'status', 'data.');
  const detail = reader.text(data, 'substatus', 'data.');
  const checkpoints = [
    ...readCheckpoints(reader, data, 'origin_info'),
    ...readCheckpoints(reader, data, 'destination_info'),
  ];
  const report = reportOf({
    carrier: either(reader, data, 'courier_code', 'carrier_code', 'data.') ?? '',
    trackingNumber: reader.trackingNumber(data, 'tracking_number', 'data.'),
    estimate: isoEstimate(data.scheduled_delivery_date),
    scans:
      checkpoints.length > 0 || reader.errors.length > 0 ? checkpoints : readLatest(reader, data, { status, detail }),
    headline: ({ text }) => meaningOf({ status, detail, text }),
    newestFirst: true,
    takenAt: takenAtOf(data),
    snapshot: false,
  });
  return reader.outcome([report]);
}

/** The field by its name of version 4, else by its former name. */
function either(reader: WireReader, object: JsonObject, key: string, formerly: string, within = ''): string | null {
  return reader.text(object, key, within) ?? reader.text(object, formerly, within);
}

/** The checkpoints of the carrier that took the parcel, or of the one that delivers it. */
function readCheckpoints(reader: WireReader, data: JsonObject, key: 'origin_info' | 'destination_info'): WireScan[] {
  const scans: WireScan[] = [];
  const leg = data[key];
  if (!isObject(leg)) return scans;
  reader.each(leg.trackinfo, `data.${key}.trackinfo`, (checkpoint) => {
    const when = isoTime(checkpoint.checkpoint_date) ?? isoTime(checkpoint.Date);
    if (when === null) {
      const isFormer = checkpoint.checkpoint_date === undefined && checkpoint.Date !== undefined;
      reader.fail(isFormer ? 'Date' : 'checkpoint_date', 'must be a date, or date and time');
    }
    const description = reader.text(checkpoint, 'StatusDescription');
    const details = reader.text(checkpoint, 'Details');
    const ownStatus = either(reader, checkpoint, 'checkpoint_delivery_status', 'checkpoint_status');
    const isWord = ownStatus === null && description !== null && isStatus(description);
    const status = isWord ? description : ownStatus;
    const detail = either(reader, checkpoint, 'checkpoint_delivery_substatus', 'substatus');
    const text = reader.text(checkpoint, 'tracking_detail') ?? (isWord ? null : description) ?? details;
    const place = readPlace(reader, checkpoint) ?? (details === text ? null : details);
    if (when !== null) scans.push(scanOf(when, { status, detail, text }, place));
  });
  return scans;
}

function readPlace(reader: WireReader, checkpoint: JsonObject): string | null {
  return reader.text(checkpoint, 'location') ?? reader.place(checkpoint, PLACE);
}

const PLACE = { city: 'city', region: 'state', country: 'country_iso2', postalCode: 'zip' };

/**
 * Where no checkpoints are sent (version 2), the tracking's status is its latest scan. None before anything has happened:
 * then there is no time either.
 */
function readLatest(
  reader: WireReader,
  data: JsonObject,
  words: { readonly status: string | null; readonly detail: string | null },
): WireScan[] {
  const isFormer = data.latest_checkpoint_time === undefined && data.lastUpdateTime !== undefined;
  const field = isFormer ? 'lastUpdateTime' : 'latest_checkpoint_time';
  const text = either(reader, data, 'latest_event', 'lastEvent', 'data.');
  const when = isoTime(data[field]);
  if (when !== null) return [scanOf(when, { ...words, text }, null)];
  const meaning = meaningOf({ ...words, text });
  const hasMoved = meaning !== null && meaning.status !== 'pre_transit' && meaning.status !== 'unknown';
  if (hasMoved) reader.fail(`data.${field}`, 'must be a date, or date and time');
  return [];
}

/** When the tracking last changed. */
function takenAtOf(data: JsonObject): number | null {
  return isoInstant(data.updated_at) ?? isoInstant(data.update_date);
}
