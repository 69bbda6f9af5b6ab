import type { Sql } from '../db/database.js';
import type { ShipmentState } from './apply-events.js';
import { type Interval, intervalOf } from './event-interval.js';
import { type MatchableScan, matchScans, type RegisteredParcel } from './match-scans.js';
import { type CorrectableScan, findSuperseded } from './supersede.js';
import type { ToldScan } from './told-scans.js';
import type { EventTime, ExceptionKind, TrackingEvent, TrackingStatus } from './tracking-event.js';

/** A registered parcel with what it takes to judge it. */
export interface Shipment extends RegisteredParcel {
  readonly orderId: string;
  readonly position: number;
  readonly carrier: string;
  readonly trackingNumber: string;
  readonly service: string | null;
  /** The zone in which local times of its scans are read. */
  readonly destinationZone: string;
  /** The promise of its own, where it has one; else the order's holds. */
  readonly promise: { readonly on: string | null; readonly at: Date | null; readonly timeZone: string | null };
  /** The carriers' newest guess, as of the last time the scans were added up. */
  readonly estimate: { readonly on: string } | { readonly at: Date } | null;
}

/** A scan as it is stored. */
export interface StoredScan extends TrackingEvent, MatchableScan, CorrectableScan {
  readonly status: TrackingStatus;
  readonly time: EventTime;
  readonly code: string;
  readonly text: string | null;
  readonly interval: Interval;
  /** Its source tells otherwise by now: it is kept, and counts no more. */
  readonly superseded: boolean;
}

const SHIPMENT_COLUMNS = `s.id, s.order_id, s.position, s.carrier, s.carrier_key, s.alias_keys, s.tracking_number, s.tracking_key, s.service,
  s.promise_on, s.promise_at, s.promise_time_zone, s.estimated_on, s.estimated_at, coalesce(s.promise_time_zone, o.promise_time_zone) AS destination_zone, o.placed_at,
  o.promised_until`;

/**
 * Takes the parcels that bear these tracking keys, so that nobody else adds up their scans meanwhile: their scans must be
 * read after this, else an older sum could replace a newer one.
 */
export async function lockShipmentsByNumber(sql: Sql, trackingKeys: readonly string[]): Promise<Shipment[]> {
  await sql.query('SELECT 1 FROM shipments WHERE tracking_key = ANY($1) ORDER BY id FOR NO KEY UPDATE', [trackingKeys]);
  const { rows } = await sql.query(
    `SELECT ${SHIPMENT_COLUMNS} FROM shipments s JOIN orders o ON o.id = s.order_id
     WHERE s.tracking_key = ANY($1) ORDER BY s.id`,
    [trackingKeys],
  );
  return rows.map(toShipment);
}

/** The parcels of these orders, and all others that share a number with one of them (whose scans must be told apart). */
export async function loadShipmentsOfOrders(sql: Sql, orderIds: readonly string[]): Promise<Shipment[]> {
  const { rows } = await sql.query(
    `SELECT ${SHIPMENT_COLUMNS} FROM shipments s JOIN orders o ON o.id = s.order_id
     WHERE s.tracking_key IN (SELECT tracking_key FROM shipments WHERE order_id = ANY($1)) ORDER BY s.order_id, s.position`,
    [orderIds],
  );
  return rows.map(toShipment);
}

/** The scans of these parcels that count, by shipment id. Pass all parcels that share a number. */
export async function loadScans(sql: Sql, shipments: readonly Shipment[]): Promise<Map<string, StoredScan[]>> {
  const scans = await loadAllScans(sql, shipments);
  return matchScans(
    shipments,
    scans.filter(({ superseded }) => !superseded),
  );
}

/** As `loadScans`, and besides the scans of the same numbers that their sources have corrected. */
export async function loadScansEverTold(sql: Sql, shipments: readonly Shipment[]): Promise<Map<string, StoredScan[]>> {
  const scans = await loadAllScans(sql, shipments);
  // Whose a scan is, is decided by those that count: the same answer as everywhere else.
  const counting = matchScans(
    shipments,
    scans.filter(({ superseded }) => !superseded),
  );
  const corrected = matchScans(shipments, scans);
  return new Map(
    shipments.map(({ id }) => [
      id,
      [...(counting.get(id) ?? []), ...(corrected.get(id) ?? []).filter(({ superseded }) => superseded)],
    ]),
  );
}

/**
 * As `loadScans`, and marks before which of the scans their sources have corrected since, or no longer correct. The parcels must
 * be locked: their marks are set by whoever adds up their scans.
 */
export async function settleScans(sql: Sql, shipments: readonly Shipment[]): Promise<Map<string, StoredScan[]>> {
  const scans = await loadAllScans(sql, shipments);
  const superseded = findSuperseded(scans, await loadTold(sql, trackingKeysOf(shipments)));
  const changed = scans.filter((scan) => scan.superseded !== superseded.has(scan.scanKey));
  if (changed.length > 0) {
    const scanKeys = changed.map(({ scanKey }) => scanKey);
    await sql.query('SELECT 1 FROM tracking_events WHERE scan_key = ANY($1) ORDER BY scan_key FOR NO KEY UPDATE', [
      scanKeys,
    ]);
    await sql.query(
      `UPDATE tracking_events e SET superseded_at = CASE WHEN n.superseded THEN now() END
       FROM unnest($1::uuid[], $2::boolean[]) AS n(scan_key, superseded) WHERE e.scan_key = n.scan_key`,
      [scanKeys, scanKeys.map((scanKey) => superseded.has(scanKey))],
    );
  }
  return matchScans(
    shipments,
    scans.filter(({ scanKey }) => !superseded.has(scanKey)),
  );
}

/** What the snapshots of all sources have told of these parcels, by scan key. */
async function loadTold(sql: Sql, trackingKeys: readonly string[]): Promise<Map<string, ToldScan>> {
  const { rows } = await sql.query(
    `SELECT n.* FROM histories, unnest(scan_keys, first_told_at, first_reaches_back_to, last_told_at)
       AS n(scan_key, first_told_at, first_reaches_back_to, last_told_at) WHERE tracking_key = ANY($1)`,
    [trackingKeys],
  );
  return new Map(
    rows.map((row) => [
      row.scan_key,
      {
        firstToldAt: row.first_told_at.getTime(),
        firstReachesBackTo: row.first_reaches_back_to.getTime(),
        lastToldAt: row.last_told_at.getTime(),
      },
    ]),
  );
}

function trackingKeysOf(shipments: readonly Shipment[]): string[] {
  return [...new Set(shipments.map((shipment) => shipment.trackingKey))];
}

async function loadAllScans(sql: Sql, shipments: readonly Shipment[]): Promise<StoredScan[]> {
  const keys = trackingKeysOf(shipments);
  if (keys.length === 0) return [];
  const { rows } = await sql.query(
    `SELECT scan_key, source, carrier_key, tracking_key, status, exception, disputed, occurred_at, occurred_local, occurred_on,
       time_zone, code, text, first_hand, superseded_at IS NOT NULL AS superseded
     FROM tracking_events WHERE tracking_key = ANY($1) ORDER BY scan_key`,
    [keys],
  );
  // A number shared across zones is read in the zone of each; to find its owner the first one serves, a day is near enough.
  const zones = new Map(shipments.map((shipment) => [shipment.trackingKey, shipment.destinationZone]));
  return rows.map((row) => toScan(row, zones.get(row.tracking_key) ?? 'UTC'));
}

/** Notes under which other names of their carriers these parcels got scans. */
export async function saveAliases(
  sql: Sql,
  aliases: readonly { readonly id: string; readonly carrierKey: string }[],
): Promise<void> {
  if (aliases.length === 0) return;
  await sql.query(
    `UPDATE shipments s SET alias_keys = s.alias_keys || n.keys
     FROM (SELECT id, array_agg(DISTINCT key) AS keys FROM unnest($1::uuid[], $2::text[]) AS n(id, key) GROUP BY id) n
     WHERE s.id = n.id`,
    [aliases.map(({ id }) => id), aliases.map(({ carrierKey }) => carrierKey)],
  );
}

/** Of the parcel `p`: what its own carrier says goes before what is said under another name. */
const NEWEST_ESTIMATE = `SELECT e.estimated_on, e.estimated_at, e.reported_at FROM estimates e WHERE e.tracking_key = p.tracking_key
  ORDER BY e.carrier_key = p.carrier_key DESC, e.reported_at DESC LIMIT 1`;

/** Records what the scans add up to, with the carriers' newest estimate. */
export async function saveStates(
  sql: Sql,
  states: readonly (ShipmentState & { readonly id: string })[],
): Promise<void> {
  if (states.length === 0) return;
  await sql.query(
    `UPDATE shipments s SET status = n.status, delivered_at = n.delivered_at, tracked_at = now(),
       estimated_on = e.estimated_on, estimated_at = e.estimated_at
     FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS n(id, status, delivered_at)
     LEFT JOIN shipments p ON p.id = n.id LEFT JOIN LATERAL (${NEWEST_ESTIMATE}) e ON true
     WHERE s.id = n.id`,
    [states.map((s) => s.id), states.map((s) => s.status), states.map((s) => s.deliveredAt)],
  );
}

/** The carriers' newest estimate of each of these parcels, chosen as for its state, and when it was made; by shipment id. */
export async function loadEstimates(
  sql: Sql,
  shipmentIds: readonly string[],
): Promise<Map<string, { estimate: NonNullable<Shipment['estimate']>; reportedAt: Date }>> {
  if (shipmentIds.length === 0) return new Map();
  const { rows } = await sql.query(
    `SELECT p.id, e.estimated_on, e.estimated_at, e.reported_at FROM shipments p JOIN LATERAL (${NEWEST_ESTIMATE}) e ON true
     WHERE p.id = ANY($1::uuid[])`,
    [shipmentIds],
  );
  return new Map(
    rows.flatMap(({ id, reported_at: reportedAt, ...row }) => {
      const estimate = toEstimate(row);
      return estimate === null ? [] : [[id, { estimate, reportedAt }]];
    }),
  );
}

interface ShipmentRow {
  id: string;
  order_id: string;
  position: number;
  carrier: string;
  carrier_key: string;
  alias_keys: string[];
  tracking_number: string;
  tracking_key: string;
  service: string | null;
  promise_on: string | null;
  promise_at: Date | null;
  promise_time_zone: string | null;
  estimated_on: string | null;
  estimated_at: Date | null;
  destination_zone: string;
  placed_at: Date | null;
  promised_until: Date;
}

function toShipment(row: ShipmentRow): Shipment {
  return {
    id: row.id,
    orderId: row.order_id,
    position: row.position,
    carrier: row.carrier,
    carrierKey: row.carrier_key,
    aliasKeys: row.alias_keys,
    trackingNumber: row.tracking_number,
    trackingKey: row.tracking_key,
    service: row.service,
    placedAt: row.placed_at,
    promisedUntil: row.promised_until,
    destinationZone: row.destination_zone,
    promise: { on: row.promise_on, at: row.promise_at, timeZone: row.promise_time_zone },
    estimate: toEstimate(row),
  };
}

function toEstimate({
  estimated_on,
  estimated_at,
}: Pick<ShipmentRow, 'estimated_on' | 'estimated_at'>): Shipment['estimate'] {
  if (estimated_on !== null) return { on: estimated_on };
  return estimated_at === null ? null : { at: estimated_at };
}

interface ScanRow {
  scan_key: string;
  source: string;
  carrier_key: string;
  tracking_key: string;
  status: TrackingStatus;
  exception: ExceptionKind | null;
  disputed: boolean;
  occurred_at: Date | null;
  occurred_local: string | null;
  occurred_on: string | null;
  time_zone: string | null;
  code: string;
  text: string | null;
  first_hand: boolean;
  superseded: boolean;
}

function toScan(row: ScanRow, destinationZone: string): StoredScan {
  const zone = row.time_zone === null ? {} : { timeZone: row.time_zone };
  const time: EventTime =
    row.occurred_at !== null
      ? { at: row.occurred_at }
      : row.occurred_local !== null
        ? { local: row.occurred_local, ...zone }
        : { on: row.occurred_on ?? '', ...zone };
  return {
    scanKey: row.scan_key,
    source: row.source,
    carrierKey: row.carrier_key,
    trackingKey: row.tracking_key,
    status: row.status,
    exception: row.exception,
    disputed: row.disputed,
    time,
    interval: intervalOf(time, destinationZone),
    code: row.code,
    text: row.text,
    firstHand: row.first_hand,
    superseded: row.superseded,
  };
}
