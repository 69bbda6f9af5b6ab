import { carrierKeyOf, trackingKeyOf } from '../carriers/matching.js';
import type { Sql } from '../db/database.js';
import { newId } from '../ids.js';
import type { OrderDocument } from './order-document.js';
import type { DeliveryPromise } from './promise.js';

/** The promises of a registered order, its own and those that its shipments have for themselves, and what else must fit them. */
export interface RegisteredPromises {
  readonly customerId: string;
  readonly promise: DeliveryPromise;
  readonly shipments: ReadonlyMap<string, DeliveryPromise | null>;
  readonly digital: boolean;
  /** All money of an order is in one currency. */
  readonly money: { readonly currency: string | null; readonly total: boolean; readonly shippingPaid: boolean };
}

/** How a shipment of an order is known: the same parcel, however it is spelt. */
export function shipmentKeyOf(shipment: { carrier: string; trackingNumber: string }): string {
  return `${carrierKeyOf(shipment.carrier)}\n${trackingKeyOf(shipment.trackingNumber)}`;
}

/** An order to register, with what follows from its promises. */
export interface OrderToRegister {
  readonly id: string;
  readonly order: OrderDocument;
  readonly promisedUntil: Date;
  /** When it is judged, if not before. */
  readonly dueAt: Date;
  /** Judged, and neither compensated nor written about. */
  readonly backfill: boolean;
}

/** Takes those of these orders that are registered, until the transaction ends. By id. */
export async function lockRegisteredPromises(
  sql: Sql,
  ids: readonly string[],
): Promise<Map<string, RegisteredPromises>> {
  const orders = await sql.query(
    `SELECT id, customer_id, promise_on, promise_at, promise_time_zone, digital, currency, total_minor, shipping_paid_minor
     FROM orders WHERE id = ANY($1) ORDER BY id FOR UPDATE`,
    [ids],
  );
  if (orders.rows.length === 0) return new Map();
  const shipments = await sql.query(
    `SELECT order_id, carrier, tracking_number, promise_on, promise_at, promise_time_zone FROM shipments
     WHERE order_id = ANY($1)`,
    [orders.rows.map((row) => row.id)],
  );
  const parcels = new Map<string, Map<string, DeliveryPromise | null>>();
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
        digital: row.digital,
        money: {
          currency: row.currency,
          total: row.total_minor !== null,
          shippingPaid: row.shipping_paid_minor !== null,
        },
      },
    ]),
  );
}

/** Of the columns promise_on, promise_at and promise_time_zone; null when they are empty. */
export function toPromise(row: {
  promise_on: string | null;
  promise_at: Date | null;
  promise_time_zone: string | null;
}): DeliveryPromise | null {
  const timeZone = row.promise_time_zone ?? '';
  if (row.promise_on !== null) return { on: row.promise_on, timeZone };
  if (row.promise_at !== null) return { at: row.promise_at, timeZone };
  return null;
}

/** The facts of an order that may be completed or corrected later. */
const FACTS = [
  'placed_at',
  'total_minor',
  'shipping_paid_minor',
  'currency',
  'ship_by',
  'occasion_name',
  'occasion_on',
  'destination_country',
  'destination_region',
  'destination_postal_code',
  'provider_references',
] as const;

/** By column, as JSON has them: the database reads them as its own columns. */
function factsOf(order: OrderDocument): Record<(typeof FACTS)[number], unknown> {
  return {
    placed_at: order.placedAt ?? null,
    total_minor: order.total?.amountMinor ?? null,
    shipping_paid_minor: order.shippingPaid?.amountMinor ?? null,
    currency: (order.total ?? order.shippingPaid)?.currency ?? null,
    ship_by: order.shipBy ?? null,
    occasion_name: order.occasion?.name ?? null,
    occasion_on: order.occasion?.on ?? null,
    destination_country: order.destination?.country ?? null,
    destination_region: order.destination?.region ?? null,
    destination_postal_code: order.destination?.postalCode ?? null,
    provider_references: order.providerReferences ?? null,
  };
}

/** @returns the ids of those that nobody else registered meanwhile */
export async function insertOrders(
  sql: Sql,
  orders: readonly OrderToRegister[],
  registeredAt: Date,
): Promise<Set<string>> {
  if (orders.length === 0) return new Set();
  const rows = orders.map(({ id, order, promisedUntil, dueAt, backfill }) => ({
    ...factsOf(order),
    ...promiseColumns(order.promise),
    id,
    customer_id: order.customer.id,
    promised_until: promisedUntil,
    due_at: dueAt,
    backfill,
    digital: order.digital ?? false,
    registered_at: registeredAt,
  }));
  const columns = [
    'id, customer_id, promise_on, promise_at, promise_time_zone, promised_until, due_at, backfill, digital, registered_at',
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
export async function completeOrders(
  sql: Sql,
  orders: readonly Pick<OrderToRegister, 'id' | 'order'>[],
): Promise<string[]> {
  if (orders.length === 0) return [];
  const values = FACTS.map((column) => `coalesce(n.${column}, o.${column})`).join(', ');
  const { rows } = await sql.query(
    `UPDATE orders o SET (${FACTS.join(', ')}) = ROW(${values})
     FROM jsonb_populate_recordset(NULL::orders, $1::jsonb) AS n
     WHERE o.id = n.id AND (${values}) IS DISTINCT FROM (${FACTS.map((column) => `o.${column}`).join(', ')})
     RETURNING o.id`,
    [JSON.stringify(orders.map(({ id, order }) => ({ ...factsOf(order), id })))],
  );
  return rows.map((row) => row.id);
}

/** A parcel of an order. */
export interface OrderParcel {
  readonly orderId: string;
  readonly trackingKey: string;
}

/**
 * Adds the shipments that the orders do not have yet. @returns those
 * @param known what the orders had, by id
 */
export async function insertShipments(
  sql: Sql,
  orders: readonly Pick<OrderToRegister, 'id' | 'order'>[],
  known: ReadonlyMap<string, RegisteredPromises>,
): Promise<OrderParcel[]> {
  const rows = orders.flatMap(({ id: orderId, order }) => {
    const before = known.get(orderId)?.shipments;
    return order.shipments.flatMap((shipment, index) => {
      if (before?.has(shipmentKeyOf(shipment))) return [];
      return {
        ...(shipment.promise ? promiseColumns(shipment.promise) : {}),
        id: newId(),
        order_id: orderId,
        position: (before?.size ?? 0) + index + 1,
        carrier: shipment.carrier,
        carrier_key: carrierKeyOf(shipment.carrier),
        tracking_number: shipment.trackingNumber,
        tracking_key: trackingKeyOf(shipment.trackingNumber),
        service: shipment.service ?? null,
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

/** The other direction of `toPromise`. */
function promiseColumns(promise: DeliveryPromise) {
  const promise_time_zone = promise.timeZone;
  return 'on' in promise
    ? { promise_on: promise.on, promise_at: null, promise_time_zone }
    : { promise_on: null, promise_at: promise.at, promise_time_zone };
}
