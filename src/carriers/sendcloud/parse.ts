import type { ParseOutcome } from '../adapter.js';
import { reportOf } from '../report.js';
import { isObject, malformed, WireReader } from '../wire-reader.js';
import { instantFromUnixMs, type WireTime } from '../wire-time.js';
import { comesBeforeTheNumber, isRequest, meaningOf, unrecognisedOf } from './statuses.js';

/**
 * Reads a Sendcloud `parcel_status_changed`, one status of one parcel. Ignored are other actions, statuses that only ask for
 * a cancellation, and those of a parcel that has no label and so no tracking number yet. Malformed is what the event cannot do
 * without: `action`, `parcel`, `parcel.tracking_number`, a readable time in one of the two fields for it; and what cannot be
 * kept: a NUL character, absurd sizes. Everything else that is missing or of another type counts as not said. Never throws.
 */
export function parseSendcloud(document: unknown): ParseOutcome {
  if (!isObject(document)) return malformed('body', 'must be a JSON object');
  const { action, parcel } = document;
  if (typeof action !== 'string' || action === '') return malformed('action', 'must name the event');
  if (action !== 'parcel_status_changed') return { outcome: 'ignored', reason: 'not a change of status' };
  if (!isObject(parcel)) return malformed('parcel', 'must be an object');

  const reader = new WireReader();
  const id = readStatusId(reader, parcel.status);
  if (isRequest(id)) return { outcome: 'ignored', reason: 'a request to cancel, which changes nothing yet' };
  if (comesBeforeTheNumber(id) && (parcel.tracking_number === '' || parcel.tracking_number === null)) {
    return { outcome: 'ignored', reason: 'a parcel without a tracking number yet' };
  }

  const text = isObject(parcel.status) ? reader.text(parcel.status, 'message', 'parcel.status.') : null;
  const carrier = isObject(parcel.carrier) ? reader.text(parcel.carrier, 'code', 'parcel.carrier.') : null;
  const trackingNumber = reader.trackingNumber(parcel, 'tracking_number', 'parcel.');
  const sent = unixTime(document.timestamp);
  const when = unixTime(document.carrier_status_change_timestamp) ?? sent;
  if (when === null) reader.fail('timestamp', 'must be a unix time');
  if (when === null || reader.errors.length > 0) return { outcome: 'malformed', errors: reader.errors };

  const { time, order } = when;
  const meaning = meaningOf({ id, text });
  const scan = { time, order, meaning, code: id ?? '', text, place: null, unrecognised: unrecognisedOf(id) };
  const report = reportOf({
    carrier: carrier ?? '',
    trackingNumber,
    estimate: null,
    scans: [scan],
    takenAt: sent === null ? null : sent.order,
    snapshot: false,
  });
  return { outcome: 'parsed', deliveryId: null, parcels: [report] };
}

/** Ids are numbers; one that is written as a text is looked up as it stands, so that none is passed over in silence. */
function readStatusId(reader: WireReader, status: unknown): string | null {
  if (!isObject(status)) return null;
  const { id } = status;
  return typeof id === 'number' && Number.isFinite(id) ? String(id) : reader.text(status, 'id', 'parcel.status.');
}

/** As seconds this would be the year 5138, as milliseconds it is 1973: whatever is above counts milliseconds. */
const LARGEST_SECONDS = 1e11;

/** Sendcloud documents "unix timestamp", and sends seconds or milliseconds. */
function unixTime(value: unknown): WireTime | null {
  if (typeof value !== 'number') return null;
  return instantFromUnixMs(value > LARGEST_SECONDS ? value : value * 1000);
}
