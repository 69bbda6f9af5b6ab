import type { ParcelReport, ParseOutcome } from '../adapter.js';
import { codeOf } from '../detail-before-status.js';
import { latestOf, reportOf, type WireScan } from '../report.js';
import { isObject, type JsonObject, malformed, partOf, WireReader } from '../wire-reader.js';
import { isoEstimate, isoInstant, isoTime, isoTimeOrMidnightDate } from '../wire-time.js';
import { meaningOf, unrecognisedOf } from './statuses.js';

/** The topic of changes; the oldest form of the webhook names none. */
const EVENTS_TOPIC = 'tracking/events';
/** Ship24 groups what comes in a quarter of an hour. Less would refuse a large shop's batch; more, a slow one. */
const BATCH_LIMIT = { most: 1000, of: 'trackings' };

/**
 * Reads a Ship24 webhook: a list of trackings, each with the events that are new. A call of nothing but other topics
 * (proof of delivery) is ignored. Malformed is what a tracking cannot do without: `tracker.trackingNumber`, its events as
 * a list of objects, an `occurrenceDatetime` in each; and what cannot be kept: a NUL character, absurd sizes. Everything
 * else that is missing or of another type counts as not said. Never throws.
 */
export function parseShip24(document: unknown): ParseOutcome {
  if (!isObject(document)) return malformed('body', 'must be a JSON object');
  const { trackings } = document;
  if (!Array.isArray(trackings)) return malformed('trackings', 'must be a list');

  const reader = new WireReader();
  const parcels: ParcelReport[] = [];
  let deliveryId: string | null = null;
  reader.each(
    trackings,
    'trackings',
    (tracking) => {
      const metadata = partOf(tracking, 'metadata');
      if (typeof metadata.topic === 'string' && metadata.topic !== EVENTS_TOPIC) return;
      if (trackings.length === 1) deliveryId = reader.id(metadata, 'messageId', 'metadata.');
      parcels.push(...readTracking(reader, tracking, metadata));
    },
    BATCH_LIMIT,
  );
  if (reader.errors.length === 0 && trackings.length > 0 && parcels.length === 0) {
    return { outcome: 'ignored', reason: 'not a tracking event' };
  }
  return reader.outcome(parcels, deliveryId);
}

/**
 * The reports of a tracking: one for each courier that its events name, because a scan is known by its carrier, and must be the
 * same scan whichever events it comes with. The shipment's own words and its estimate go with the latest event.
 */
function readTracking(reader: WireReader, tracking: JsonObject, metadata: JsonObject): ParcelReport[] {
  const shipment = partOf(tracking, 'shipment');
  const milestone = reader.text(shipment, 'statusMilestone', 'shipment.');
  const code = reader.text(shipment, 'statusCode', 'shipment.');
  const trackingNumber = reader.trackingNumber(partOf(tracking, 'tracker'), 'trackingNumber', 'tracker.');
  const events = readEvents(reader, tracking);
  const latest = latestOf(events, true);
  const generated = isoInstant(metadata.generatedAt);
  const carrier = latest?.courier ?? '';
  const couriers = new Set([carrier]);
  for (const { courier } of events) couriers.add(courier);
  return Array.from(couriers, (courier) =>
    reportOf({
      carrier: courier,
      trackingNumber,
      estimate: courier === carrier ? readEstimate(shipment) : null,
      scans: couriers.size === 1 ? events : events.filter((event) => event.courier === courier),
      headline: (scan) => (scan === latest ? meaningOf({ milestone, code, text: scan.text }) : null),
      newestFirst: true,
      takenAt: generated,
      snapshot: false,
    }),
  );
}

interface Ship24Scan extends WireScan {
  /** Empty where the event names none. */
  readonly courier: string;
}

function readEvents(reader: WireReader, tracking: JsonObject): Ship24Scan[] {
  const scans: Ship24Scan[] = [];
  reader.each(tracking.events, 'events', (event) => {
    const scan = readScan(reader, event);
    if (scan !== null) scans.push(scan);
  });
  return scans;
}

function readScan(reader: WireReader, event: JsonObject): Ship24Scan | null {
  const when = (event.hasNoTime === true ? isoTimeOrMidnightDate : isoTime)(event.occurrenceDatetime);
  if (when === null) reader.fail('occurrenceDatetime', 'must be an ISO 8601 date and time');
  const milestone = reader.text(event, 'statusMilestone');
  const code = reader.text(event, 'statusCode');
  const text = reader.text(event, 'status');
  const place = reader.text(event, 'location');
  const courier = reader.text(event, 'courierCode') ?? '';
  if (when === null) return null;
  return {
    time: when.time,
    order: when.order,
    meaning: meaningOf({ milestone, code, text }),
    code: codeOf(milestone, code),
    text,
    place,
    courier,
    unrecognised: unrecognisedOf({ milestone, code }),
  };
}

/** The date that Ship24 takes for the likeliest, else the end of the carrier's own range. */
function readEstimate(shipment: JsonObject): ParcelReport['estimate'] {
  const delivery = partOf(shipment, 'delivery');
  return (
    isoEstimate(delivery.estimatedDeliveryDate) ?? isoEstimate(partOf(delivery, 'courierEstimatedDeliveryDate').to)
  );
}
