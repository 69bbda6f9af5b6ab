import type { ParcelReport, ParseOutcome, Scan } from '../adapter.js';
import { isSameTime, reportOf, type WireScan } from '../report.js';
import { isObject, type JsonObject, malformed, WireReader } from '../wire-reader.js';
import { instantFromUnixMs, isoEstimate, isoInstant, isoTime } from '../wire-time.js';
import { meaningOf, scanOf } from './statuses.js';

/**
 * Reads an AfterShip `tracking_update`, whose `msg` is a tracking. Other events (`edd_revise`, `tracking_pending_time` …)
 * are ignored. Malformed is what an update cannot do without: `event`, `msg.tracking_number`, `msg.checkpoints` as a list of
 * objects, a `checkpoint_time` in each; and what cannot be kept: a NUL character, absurd sizes. Everything else that is
 * missing or of another type counts as not said. Never throws.
 */
export function parseAftership(document: unknown): ParseOutcome {
  if (!isObject(document)) return malformed('body', 'must be a JSON object');
  const { event, msg } = document;
  if (typeof event !== 'string' || event === '') return malformed('event', 'must name the event');
  if (event !== 'tracking_update') return { outcome: 'ignored', reason: 'not a tracking update' };
  if (!isObject(msg)) return malformed('msg', 'must be an object');

  const reader = new WireReader();
  const deliveryId = reader.id(document, 'event_id');
  const status = reader.text(msg, 'tag', 'msg.');
  const detail = reader.text(msg, 'subtag', 'msg.');
  const updatedAt = updatedAtOf(document, msg);
  const report = reportOf({
    carrier: reader.text(msg, 'slug', 'msg.') ?? '',
    trackingNumber: reader.trackingNumber(msg, 'tracking_number', 'msg.'),
    estimate: readEstimate(msg),
    scans: withoutPoorerTwins(readScans(reader, msg)),
    headline: ({ text }) => meaningOf({ status, detail, text }),
    takenAt: updatedAt,
    snapshot: true,
  });
  const isReturned =
    msg.return_to_sender === true || meaningOf({ status: null, detail, text: null })?.status === 'return_to_sender';
  return reader.outcome([isReturned ? withReturn(report, updatedAt) : report], deliveryId);
}

function readScans(reader: WireReader, msg: JsonObject): WireScan[] {
  const scans: WireScan[] = [];
  reader.each(msg.checkpoints, 'msg.checkpoints', (checkpoint) => {
    const when = isoTime(checkpoint.checkpoint_time);
    if (when === null) reader.fail('checkpoint_time', 'must be an ISO 8601 date, or date and time');
    const status = reader.text(checkpoint, 'tag');
    const detail = reader.text(checkpoint, 'subtag');
    const text = reader.text(checkpoint, 'message') ?? reader.text(checkpoint, 'subtag_message');
    const place = readPlace(reader, checkpoint);
    if (when !== null) scans.push(scanOf(when, { status, detail, text }, place));
  });
  return scans;
}

/** `location` where there is one. The parts were renamed between webhook versions: both names are read. */
function readPlace(reader: WireReader, checkpoint: JsonObject): string | null {
  const isFormer = checkpoint.country_region === undefined && checkpoint.postal_code === undefined;
  return reader.text(checkpoint, 'location') ?? reader.place(checkpoint, isFormer ? FORMER_PLACE : PLACE);
}

const PLACE = { city: 'city', region: 'state', country: 'country_region', postalCode: 'postal_code' };
const FORMER_PLACE = { city: 'city', region: 'state', country: 'country_iso3', postalCode: 'zip' };

/**
 * AfterShip sends the same checkpoint twice, with the city and without: of two that differ only in that the place of one
 * ends as the other's, or is missing, the fuller one stays.
 */
function withoutPoorerTwins(scans: readonly WireScan[]): WireScan[] {
  return scans.filter(
    (poor) =>
      !scans.some(
        (rich) =>
          rich.order === poor.order &&
          rich !== poor &&
          rich.code === poor.code &&
          rich.text === poor.text &&
          isPoorer(poor.place, rich.place) &&
          isSameTime(rich.time, poor.time),
      ),
  );
}

function isPoorer(place: string | null, than: string | null): boolean {
  return than !== null && (place === null || (place.length < than.length && than.endsWith(place)));
}

/** When the tracking last changed, else when the event was made, in epoch milliseconds; null where neither can be read. */
function updatedAtOf(document: JsonObject, msg: JsonObject): number | null {
  const updated = isoInstant(msg.updated_at);
  return updated ?? instantFromUnixMs(typeof document.ts === 'number' ? document.ts * 1000 : null)?.order ?? null;
}

/**
 * Adds that the parcel goes back, where only the tracking as a whole says so and no checkpoint does. Its code and text are
 * always the same and its time is the tracking's, so a repeat is the same event. It is added behind `reportOf`, since it is
 * no checkpoint: the headline still belongs to the latest of those.
 */
function withReturn(report: ParcelReport, updatedAt: number | null): ParcelReport {
  if (updatedAt === null || report.scans.some((scan) => scan.status === 'return_to_sender')) return report;
  const returned: Scan = {
    status: 'return_to_sender',
    time: { at: new Date(updatedAt) },
    exception: null,
    disputed: false,
    code: 'return_to_sender',
    text: null,
    place: null,
    isBorrowed: false,
    unrecognised: null,
  };
  return { ...report, scans: [...report.scans, returned] };
}

/** The carrier's guess, else AfterShip's own. What cannot be read is no guess. */
function readEstimate(msg: JsonObject): ParcelReport['estimate'] {
  return estimateIn(msg.courier_estimated_delivery_date) ?? estimateIn(msg.aftership_estimated_delivery_date);
}

/** An object in today's webhooks; former versions had the date itself. */
function estimateIn(value: unknown): ParcelReport['estimate'] {
  return isoEstimate(isObject(value) ? value.estimated_delivery_date : value);
}
