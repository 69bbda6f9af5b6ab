import type { ParcelReport, Scan } from '../carriers/adapter.js';
import { carrierKeyOf, trackingKeyOf } from '../carriers/matching.js';
import type { Sql } from '../db/database.js';
import { AppError } from '../errors.js';
import { newId } from '../ids.js';
import { insertScans, type ReportRow, reportRowsOf } from '../inbox/scan-store.js';
import type { OrderDocument } from '../promises/order-document.js';
import {
  FACTS,
  factsOf,
  promiseColumns,
  type RegisteredPromises,
  shipmentKeyOf,
  toPromise,
} from '../promises/order-store.js';
import { refuseChanges } from '../promises/register-order.js';
import { addUpScans } from '../shipments/track-shipments.js';
import type { TrackingEvent } from '../shipments/tracking-event.js';
import { saveCustomers } from './customer-store.js';
import type { ImportedOrder } from './imported-order.js';

/** The source of imported scans. No webhook has this name. */
const SOURCE = 'import';

export type RegistrationOutcome =
  | { readonly outcome: 'registered' | 'completed' | 'unchanged' }
  | { readonly outcome: 'rejected'; readonly error: AppError };

/**
 * Registers many orders, each once, or completes those that are known, by the rules of a registration over HTTP; adds their
 * scans and adds them up. A number of statements that does not depend on how many there are.
 *
 * No order is judged here. What is new is due when its promise ends, and what was judged before and has changed is due now: the
 * deadline watch or the sweep finds both.
 * @param orders no id twice
 * @returns an outcome for each order, in their order, and other orders that share a changed parcel: they are to be judged
 */
export async function registerOrders(
  sql: Sql,
  orders: readonly ImportedOrder[],
  registeredAt: Date,
): Promise<{ outcomes: RegistrationOutcome[]; sharers: string[] }> {
  // Orders before customers before parcels, as everywhere.
  const known = await lockRegistered(
    sql,
    orders.map(({ id }) => id),
  );
  const refused = new Map<string, AppError>();
  refuse(orders, known, refused);
  const fresh = orders.filter(({ id }) => !known.has(id));
  const newCustomers = await addCustomers(sql, fresh);
  const created = await insertOrders(sql, fresh, registeredAt);
  const theirs = fresh.filter(({ id }) => !created.has(id));
  if (theirs.length > 0) {
    // Somebody registered them between our look and our insert: now they are there to compare with.
    const registered = await lockRegistered(
      sql,
      theirs.map(({ id }) => id),
    );
    for (const [id, promises] of registered) known.set(id, promises);
    refuse(theirs, registered, refused);
  }
  const accepted = orders.filter(({ id }) => !refused.has(id));
  const changed = await saveCustomers(sql, accepted, newCustomers);
  const older = accepted.filter(({ id }) => !created.has(id));
  for (const id of await completeOrders(sql, older)) changed.add(id);
  const parcels = await insertShipments(sql, accepted, known);
  const scans = await insertEvents(sql, accepted);
  for (const { orderId } of [...parcels, ...scans]) changed.add(orderId);
  const touched = await addUpScans(sql, [...new Set([...parcels, ...scans].map(({ trackingKey }) => trackingKey))]);
  await makeDue(
    sql,
    older.filter(({ id }) => changed.has(id)).map(({ id }) => id),
    registeredAt,
  );

  const ours = new Set(orders.map(({ id }) => id));
  const outcomes = orders.map(({ id }): RegistrationOutcome => {
    const error = refused.get(id);
    if (error) return { outcome: 'rejected', error };
    if (created.has(id)) return { outcome: 'registered' };
    return { outcome: changed.has(id) ? 'completed' : 'unchanged' };
  });
  return { outcomes, sharers: [...new Set(touched.map(({ orderId }) => orderId))].filter((id) => !ours.has(id)) };
}

function refuse(
  orders: readonly ImportedOrder[],
  known: ReadonlyMap<string, RegisteredPromises>,
  refused: Map<string, AppError>,
): void {
  for (const { id, order } of orders) {
    const registered = known.get(id);
    if (!registered) continue;
    try {
      refuseChanges(registered, order);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      refused.set(id, error);
    }
  }
}

/** Takes those of these orders that are registered, until the transaction ends. */
async function lockRegistered(sql: Sql, ids: readonly string[]): Promise<Map<string, RegisteredPromises>> {
  const orders = await sql.query(
    `SELECT id, customer_id, promise_on, promise_at, promise_time_zone, currency, total_minor, shipping_paid_minor
     FROM orders WHERE id = ANY($1) ORDER BY id FOR UPDATE`,
    [ids],
  );
  if (orders.rows.length === 0) return new Map();
  const shipments = await sql.query(
    `SELECT order_id, carrier, tracking_number, promise_on, promise_at, promise_time_zone FROM shipments
     WHERE order_id = ANY($1)`,
    [orders.rows.map((row) => row.id)],
  );
  const parcels = new Map<string, Map<string, ReturnType<typeof toPromise>>>();
  for (const row of shipments.rows) {
    const ofOrder = parcels.get(row.order_id) ?? new Map();
    ofOrder.set(shipmentKeyOf({ carrier: row.carrier, trackingNumber: row.tracking_number }), toPromise(row));
    parcels.set(row.order_id, ofOrder);
  }
  return new Map(
    orders.rows.map((row) => [
      row.id,
      {
        customerId: row.customer_id,
        promise: toPromise(row) ?? { on: '', timeZone: row.promise_time_zone },
        shipments: parcels.get(row.id) ?? new Map(),
        money: {
          currency: row.currency,
          total: row.total_minor !== null,
          shippingPaid: row.shipping_paid_minor !== null,
        },
      },
    ]),
  );
}

/** @returns the customers that were not there before */
async function addCustomers(sql: Sql, orders: readonly ImportedOrder[]): Promise<Set<string>> {
  if (orders.length === 0) return new Set();
  const { rows } = await sql.query(
    `INSERT INTO customers (id) SELECT DISTINCT id FROM unnest($1::text[]) AS n(id) ORDER BY id
     ON CONFLICT (id) DO NOTHING RETURNING id`,
    [orders.map(({ order }) => order.customer.id)],
  );
  return new Set(rows.map((row) => row.id));
}

/** The facts of an order by column, as JSON has them: the database reads them as its own columns. */
function factsByColumn(order: OrderDocument): Record<string, unknown> {
  const values = factsOf(order);
  const facts = Object.fromEntries(FACTS.map((column, index) => [column, values[index]]));
  // It is text already for whoever sends it alone.
  return { ...facts, provider_references: order.providerReferences ?? null };
}

/** @returns the ids of those that nobody else registered meanwhile */
async function insertOrders(sql: Sql, orders: readonly ImportedOrder[], registeredAt: Date): Promise<Set<string>> {
  if (orders.length === 0) return new Set();
  const rows = orders.map(({ id, order, promisedUntil, dueAt, backfill }) => {
    const [promise_on, promise_at, promise_time_zone] = promiseColumns(order.promise);
    return {
      ...factsByColumn(order),
      id,
      customer_id: order.customer.id,
      promise_on,
      promise_at,
      promise_time_zone,
      promised_until: promisedUntil,
      due_at: dueAt,
      backfill,
      registered_at: registeredAt,
    };
  });
  const columns = [
    'id, customer_id, promise_on, promise_at, promise_time_zone, promised_until, due_at, backfill, registered_at',
    ...FACTS,
  ].join(', ');
  const result = await sql.query(
    `INSERT INTO orders (${columns}) SELECT ${columns} FROM jsonb_populate_recordset(NULL::orders, $1::jsonb)
     ORDER BY id ON CONFLICT (id) DO NOTHING RETURNING id`,
    [JSON.stringify(rows)],
  );
  return new Set(result.rows.map((row) => row.id));
}

/** What is given replaces what was known; what is left out stays. @returns the ids of those that changed */
async function completeOrders(sql: Sql, orders: readonly ImportedOrder[]): Promise<string[]> {
  if (orders.length === 0) return [];
  const values = FACTS.map((column) => `coalesce(n.${column}, o.${column})`).join(', ');
  const { rows } = await sql.query(
    `UPDATE orders o SET (${FACTS.join(', ')}) = ROW(${values})
     FROM jsonb_populate_recordset(NULL::orders, $1::jsonb) AS n
     WHERE o.id = n.id AND (${values}) IS DISTINCT FROM (${FACTS.map((column) => `o.${column}`).join(', ')})
     RETURNING o.id`,
    [JSON.stringify(orders.map(({ id, order }) => ({ ...factsByColumn(order), id })))],
  );
  return rows.map((row) => row.id);
}

interface Parcel {
  readonly orderId: string;
  readonly trackingKey: string;
}

/** Adds the shipments that the orders do not have yet. @returns those */
async function insertShipments(
  sql: Sql,
  orders: readonly ImportedOrder[],
  known: ReadonlyMap<string, RegisteredPromises>,
): Promise<Parcel[]> {
  const rows = orders.flatMap(({ id: orderId, order }) => {
    const before = known.get(orderId)?.shipments;
    return order.shipments.flatMap((shipment, index) => {
      if (before?.has(shipmentKeyOf(shipment))) return [];
      const [promise_on, promise_at, promise_time_zone] = shipment.promise ? promiseColumns(shipment.promise) : [];
      return {
        id: newId(),
        order_id: orderId,
        position: (before?.size ?? 0) + index + 1,
        carrier: shipment.carrier,
        carrier_key: carrierKeyOf(shipment.carrier),
        tracking_number: shipment.trackingNumber,
        tracking_key: trackingKeyOf(shipment.trackingNumber),
        service: shipment.service ?? null,
        promise_on: promise_on ?? null,
        promise_at: promise_at ?? null,
        promise_time_zone: promise_time_zone ?? null,
      };
    });
  });
  if (rows.length === 0) return [];
  const columns =
    'id, order_id, position, carrier, carrier_key, tracking_number, tracking_key, service, promise_on, promise_at, promise_time_zone';
  const result = await sql.query(
    `INSERT INTO shipments (${columns}) SELECT ${columns} FROM jsonb_populate_recordset(NULL::shipments, $1::jsonb)
     ON CONFLICT (order_id, carrier_key, tracking_key) DO NOTHING RETURNING order_id, tracking_key`,
    [JSON.stringify(rows)],
  );
  return result.rows.map((row) => ({ orderId: row.order_id, trackingKey: row.tracking_key }));
}

/** Stores the scans as those of a carrier are. @returns the parcels of those that are new */
async function insertEvents(sql: Sql, orders: readonly ImportedOrder[]): Promise<Parcel[]> {
  const reports: { orderId: string; row: ReportRow }[] = [];
  for (const { id: orderId, order, events } of orders) {
    const parcels = order.shipments.flatMap((shipment, index) => {
      const ofShipment = events[index] ?? [];
      return ofShipment.length === 0 ? [] : [toReport(shipment, ofShipment)];
    });
    const rows = reportRowsOf({ inboxId: null, source: SOURCE, carrier: null, parcels });
    reports.push(...rows.map((row) => ({ orderId, row })));
  }
  const inserted = await insertScans(
    sql,
    reports.map(({ row }) => row),
  );
  return reports
    .filter(({ row }) => row.scans.some(({ scanKey }) => inserted.has(scanKey)))
    .map(({ orderId, row }) => ({ orderId, trackingKey: row.trackingKey }));
}

function toReport(
  { carrier, trackingNumber }: { carrier: string; trackingNumber: string },
  events: readonly TrackingEvent[],
): ParcelReport {
  const scans = events.map((event): Scan => {
    // Files say our own words, so those are the words of the source.
    const code = event.exception === null ? event.status : `${event.status}/${event.exception}`;
    return { ...event, code, text: null, place: null, isBorrowed: false, unrecognised: null };
  });
  return { carrier, trackingNumber, estimate: null, reportedAt: new Date(0), scans, snapshot: null };
}

/** What was judged before and is otherwise now is judged again by whoever looks next. */
async function makeDue(sql: Sql, ids: readonly string[], at: Date): Promise<void> {
  if (ids.length === 0) return;
  await sql.query(
    'UPDATE orders SET due_at = $2 WHERE id = ANY($1) AND judged_at IS NOT NULL AND (due_at IS NULL OR due_at > $2)',
    [ids, at],
  );
}
