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
  /** All money of an order is in one currency. */
  readonly money: { readonly currency: string | null; readonly total: boolean; readonly shippingPaid: boolean };
}

/** How a shipment of an order is known: the same parcel, however it is spelt. */
export function shipmentKeyOf(shipment: { carrier: string; trackingNumber: string }): string {
  return `${carrierKeyOf(shipment.carrier)}\n${trackingKeyOf(shipment.trackingNumber)}`;
}

/** Takes the order until the transaction ends. null: it is not registered. */
export async function lockRegisteredPromises(sql: Sql, orderId: string): Promise<RegisteredPromises | null> {
  const { rows } = await sql.query(
    `SELECT customer_id, promise_on, promise_at, promise_time_zone, currency, total_minor, shipping_paid_minor
     FROM orders WHERE id = $1 FOR UPDATE`,
    [orderId],
  );
  const order = rows[0];
  if (!order) return null;
  const shipments = await sql.query(
    'SELECT carrier, tracking_number, promise_on, promise_at, promise_time_zone FROM shipments WHERE order_id = $1',
    [orderId],
  );
  return {
    customerId: order.customer_id,
    promise: toPromise(order) ?? { on: '', timeZone: order.promise_time_zone },
    shipments: new Map(
      shipments.rows.map((row) => [
        shipmentKeyOf({ carrier: row.carrier, trackingNumber: row.tracking_number }),
        toPromise(row),
      ]),
    ),
    money: {
      currency: order.currency,
      total: order.total_minor !== null,
      shippingPaid: order.shipping_paid_minor !== null,
    },
  };
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

/** Makes sure that there is a row for the customer, without holding one that was there. @returns whether it is new */
export async function addCustomer(sql: Sql, id: string): Promise<boolean> {
  const { rowCount } = await sql.query('INSERT INTO customers (id) VALUES ($1) ON CONFLICT (id) DO NOTHING', [id]);
  return rowCount === 1;
}

/** What the document says of the customer replaces what was known; what it leaves out stays. @returns whether anything changed */
export async function saveCustomer(sql: Sql, { customer }: OrderDocument): Promise<boolean> {
  const { membership } = customer;
  const { rowCount } = await sql.query(
    `INSERT INTO customers AS c (id, email, name, phone, locale, membership_tier, membership_renews_on, membership_trial)
     VALUES ($1, $2, $3, $4, $5, $6, $7, coalesce($8, false))
     ON CONFLICT (id) DO UPDATE SET
       email = coalesce(excluded.email, c.email), name = coalesce(excluded.name, c.name),
       phone = coalesce(excluded.phone, c.phone), locale = coalesce(excluded.locale, c.locale),
       membership_tier = CASE WHEN $9 THEN excluded.membership_tier ELSE c.membership_tier END,
       membership_renews_on = CASE WHEN $9 THEN excluded.membership_renews_on ELSE c.membership_renews_on END,
       membership_trial = CASE WHEN $9 THEN excluded.membership_trial ELSE c.membership_trial END,
       updated_at = now()
     WHERE (coalesce(excluded.email, c.email), coalesce(excluded.name, c.name), coalesce(excluded.phone, c.phone),
            coalesce(excluded.locale, c.locale)) IS DISTINCT FROM (c.email, c.name, c.phone, c.locale)
       OR ($9 AND (excluded.membership_tier, excluded.membership_renews_on, excluded.membership_trial)
            IS DISTINCT FROM (c.membership_tier, c.membership_renews_on, c.membership_trial))`,
    [
      customer.id,
      customer.email ?? null,
      customer.name ?? null,
      customer.phone ?? null,
      customer.locale ?? null,
      membership?.tier ?? null,
      membership?.renewsOn ?? null,
      membership?.trial ?? null,
      // null says that there is no membership any more; a document without the field says nothing.
      membership !== undefined,
    ],
  );
  return rowCount === 1;
}

/** The facts of an order that may be completed or corrected later, in the order of the columns below. */
export function factsOf(order: OrderDocument): unknown[] {
  const money = order.total ?? order.shippingPaid;
  return [
    order.placedAt ?? null,
    order.total?.amountMinor ?? null,
    order.shippingPaid?.amountMinor ?? null,
    money?.currency ?? null,
    order.shipBy ?? null,
    order.occasion?.name ?? null,
    order.occasion?.on ?? null,
    order.destination?.country ?? null,
    order.destination?.region ?? null,
    order.destination?.postalCode ?? null,
    order.providerReferences ? JSON.stringify(order.providerReferences) : null,
  ];
}
export const FACTS = [
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
];

/** @returns false when somebody else registered the same order meanwhile */
export async function insertOrder(
  sql: Sql,
  id: string,
  order: OrderDocument,
  bounds: { promisedUntil: Date; registeredAt: Date },
): Promise<boolean> {
  const { rowCount } = await sql.query(
    `INSERT INTO orders (id, customer_id, promise_on, promise_at, promise_time_zone, promised_until, registered_at, due_at, ${FACTS.join(', ')})
     VALUES ($1, $2, $3, $4, $5, $6, $7, $6, ${FACTS.map((_, index) => `$${index + 8}`).join(', ')})
     ON CONFLICT (id) DO NOTHING`,
    [
      id,
      order.customer.id,
      ...promiseColumns(order.promise),
      bounds.promisedUntil,
      bounds.registeredAt,
      ...factsOf(order),
    ],
  );
  return rowCount === 1;
}

/** What is given replaces what was known; what is left out stays. @returns whether anything changed */
export async function completeOrder(sql: Sql, id: string, order: OrderDocument): Promise<boolean> {
  const values = FACTS.map((column, index) => `coalesce($${index + 2}, ${column})`);
  const { rowCount } = await sql.query(
    `UPDATE orders SET (${FACTS.join(', ')}) = ROW(${values.join(', ')})
     WHERE id = $1 AND (${values.join(', ')}) IS DISTINCT FROM (${FACTS.join(', ')})`,
    [id, ...factsOf(order)],
  );
  return rowCount === 1;
}

/** Adds the shipments that the order does not have yet. @returns how many */
export async function addShipments(sql: Sql, orderId: string, order: OrderDocument): Promise<number> {
  const { shipments } = order;
  if (shipments.length === 0) return 0;
  const promises = shipments.map(({ promise }) => (promise ? promiseColumns(promise) : [null, null, null]));
  const { rowCount } = await sql.query(
    `INSERT INTO shipments (id, order_id, position, carrier, carrier_key, tracking_number, tracking_key, service, promise_on, promise_at,
       promise_time_zone)
     SELECT n.id, $2, (SELECT count(*) FROM shipments WHERE order_id = $2) + n.place, n.carrier, n.carrier_key, n.tracking_number,
       n.tracking_key, n.service, n.promise_on, n.promise_at, n.promise_time_zone
     FROM unnest($1::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::date[], $9::timestamptz[], $10::text[])
       WITH ORDINALITY AS n(id, carrier, carrier_key, tracking_number, tracking_key, service, promise_on, promise_at,
       promise_time_zone, place)
     ON CONFLICT (order_id, carrier_key, tracking_key) DO NOTHING`,
    [
      shipments.map(() => newId()),
      orderId,
      shipments.map((shipment) => shipment.carrier),
      shipments.map((shipment) => carrierKeyOf(shipment.carrier)),
      shipments.map((shipment) => shipment.trackingNumber),
      shipments.map((shipment) => trackingKeyOf(shipment.trackingNumber)),
      shipments.map((shipment) => shipment.service ?? null),
      promises.map(([on]) => on),
      promises.map(([, at]) => at),
      promises.map(([, , timeZone]) => timeZone),
    ],
  );
  return rowCount ?? 0;
}

export function promiseColumns(promise: DeliveryPromise): [string | null, Date | null, string] {
  return 'on' in promise ? [promise.on, null, promise.timeZone] : [null, promise.at, promise.timeZone];
}
