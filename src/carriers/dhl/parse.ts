import type { Handshake, Meaning, ParcelReport, ParseOutcome } from '../adapter.js';
import { lookUpIn } from '../meanings.js';
import { reportOf, type WireScan } from '../report.js';
import { isObject, type JsonObject, malformed, partOf, WireReader } from '../wire-reader.js';
import { isoEstimate, isoLocalTime, isoTime } from '../wire-time.js';
import { meaningOf, unrecognisedOf } from './statuses.js';

/** The steps of a subscription, by their scope. */
const handshakeOf = lookUpIn<Handshake['state']>({
  'subscription.validate': 'validate',
  'subscription.ready': 'ready',
  'subscription.failure': 'failure',
});

/**
 * Reads a message of DHL's Unified Push: a push with its shipments, or a step of the subscription; other scopes are
 * ignored. Malformed is what these cannot do without, `scope`, `shipments` as a list of objects, an `id` in each, `events`
 * as a list of objects, a `timestamp` in each; and what cannot be kept: a NUL character, absurd sizes. Everything else that
 * is missing or of another type counts as not said. Never throws.
 */
export function parseDhl(document: unknown): ParseOutcome {
  if (!isObject(document)) return malformed('body', 'must be a JSON object');
  const { scope, shipments } = document;
  if (typeof scope !== 'string' || scope === '') return malformed('scope', 'must name the kind of message');
  const reader = new WireReader();
  if (scope !== 'subscription.push') {
    const state = handshakeOf(scope);
    if (state === undefined) return { outcome: 'ignored', reason: 'neither a push nor a step of a subscription' };
    const subscription = reader.id(document, 'self') ?? '';
    const secret = reader.id(document, 'secret');
    if (reader.errors.length > 0) return { outcome: 'malformed', errors: reader.errors };
    return { outcome: 'handshake', handshake: { subscription, state, secret } };
  }
  if (!Array.isArray(shipments)) return malformed('shipments', 'must be a list');
  const parcels: ParcelReport[] = [];
  reader.each(shipments, 'shipments', (shipment) => parcels.push(readShipment(reader, shipment)), {
    most: MOST_SHIPMENTS,
    of: 'shipments',
  });
  return reader.outcome(parcels);
}

const NO_TIME = 'must be an ISO 8601 date and time';

/** Far above what fits a message with real shipments in it; more would let one message hold up the others. */
const MOST_SHIPMENTS = 1000;

function readShipment(reader: WireReader, shipment: JsonObject): ParcelReport {
  const scans: DhlScan[] = [];
  const trackingNumber = readId(reader, shipment);
  const status = isObject(shipment.status) ? readScan(reader, shipment.status, 'status.') : null;
  if (status !== null && status.scan === null && status.hasTime) reader.fail('status.timestamp', NO_TIME);
  reader.each(shipment.events, 'events', (event) => {
    const { scan } = readScan(reader, event, '');
    if (scan === null) reader.fail('timestamp', NO_TIME);
    else scans.push(scan);
  });
  return reportOf({
    carrier: 'dhl',
    trackingNumber,
    estimate: isoEstimate(shipment.estimatedTimeOfDelivery),
    scans: status?.scan ? withStatus(scans, status.scan) : scans,
    // With a time it is a scan; without one it is the headline.
    headline: () => (status?.scan ? null : (status?.meaning ?? null)),
    newestFirst: true,
    snapshot: false,
  });
}

/** The shipment's number: a text, or a number, which above 2^53 - 1 is no longer the one that was written. */
function readId(reader: WireReader, shipment: JsonObject): string {
  const { id } = shipment;
  if (typeof id !== 'number') return reader.trackingNumber(shipment, 'id');
  if (Number.isSafeInteger(id) && id >= 0) return String(id);
  reader.fail('id', 'must be a text, or a whole number up to 2^53 - 1');
  return '';
}

interface DhlScan extends WireScan {
  /** As sent. */
  readonly timestamp: unknown;
}

/** An event or the shipment's `status`, which have the same fields. `scan` is null where no time can be read. */
function readScan(
  reader: WireReader,
  item: JsonObject,
  within: string,
): { readonly meaning: Meaning | null; readonly hasTime: boolean; readonly scan: DhlScan | null } {
  const { timestamp } = item;
  const statusCode = reader.text(item, 'statusCode', within);
  const status = reader.text(item, 'status', within);
  const description = reader.text(item, 'description', within);
  const place = reader.place(partOf(partOf(item, 'location'), 'address'), PLACE, `${within}location.address.`);
  const meaning = meaningOf({ statusCode, status, description });
  const when = isoTime(timestamp);
  const hasTime = timestamp !== undefined && timestamp !== null && timestamp !== '';
  if (when === null) return { meaning, hasTime, scan: null };
  const scan = {
    time: when.time,
    order: when.order,
    meaning,
    code: statusCode ?? '',
    text: description ?? status,
    place,
    unrecognised: unrecognisedOf({ statusCode }),
    timestamp,
  };
  return { meaning, hasTime, scan };
}

const PLACE = { city: 'addressLocality', region: null, country: 'countryCode', postalCode: 'postalCode' };

/**
 * The events, and the shipment's status among them. It is one of them if one has its time; DHL may put a `Z` behind local
 * times there, so what counts is the clock's face. To an event without words it lends its own. A delivery at the time of events
 * that are none is a scan of its own all the same: it is the last word of the two, and must not be lost.
 */
function withStatus(events: readonly DhlScan[], status: DhlScan): DhlScan[] {
  const atItsTime = events.filter((event) => isSameTime(event, status));
  if (atItsTime.length === 0) return [status, ...events];
  const { meaning } = status;
  const bare = atItsTime.find((event) => event.meaning === null);
  if (bare !== undefined) {
    if (meaning === null) return [...events];
    return events.map((event) => (event === bare ? { ...event, meaning, isBorrowed: true } : event));
  }
  if (meaning?.status !== 'delivered' || atItsTime.some((event) => event.meaning?.status === 'delivered')) {
    return [...events];
  }
  const isLocal = atItsTime.some((event) => !('at' in event.time));
  const local = isLocal && String(status.timestamp).endsWith('Z') ? isoLocalTime(status.timestamp) : null;
  return [{ ...status, ...local }, ...events];
}

/** Two instants are compared as such. Where one of the two has no zone, it is the clock's face that must be the same. */
function isSameTime(event: DhlScan, status: DhlScan): boolean {
  if ('at' in event.time && 'at' in status.time) return event.order === status.order;
  return faceOf(event) === faceOf(status);
}

function faceOf({ time, order, timestamp }: DhlScan): number | null {
  return 'at' in time ? (isoLocalTime(timestamp)?.order ?? null) : order;
}
