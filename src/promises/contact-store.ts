import { toPastAward } from '../compensation/award-store.js';
import type { Sql } from '../db/database.js';
import { applyEvents } from '../shipments/apply-events.js';
import { loadScans, loadShipmentsOfOrders, type StoredScan } from '../shipments/shipment-store.js';
import type { OrderRecord, ParcelRecord } from './order-record.js';
import { toPromise } from './order-store.js';

export interface NewContact {
  readonly id: string;
  readonly customerId: string;
  readonly orderId: string | null;
  readonly channel: string;
  readonly reason: string;
  readonly at: Date;
  readonly recordedAt: Date;
  readonly recordedBy: string;
}

export async function insertContact(sql: Sql, contact: NewContact): Promise<void> {
  const { id, customerId, orderId, channel, reason, at, recordedAt, recordedBy } = contact;
  await sql.query(
    `INSERT INTO contacts (id, customer_id, order_id, channel, reason, at, recorded_at, recorded_by)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [id, customerId, orderId, channel, reason, at, recordedAt, recordedBy],
  );
}

/** Whose order it is; null: there is none with this id. */
export async function loadCustomerOfOrder(sql: Sql, orderId: string): Promise<string | null> {
  const { rows } = await sql.query('SELECT customer_id FROM orders WHERE id = $1', [orderId]);
  return rows[0]?.customer_id ?? null;
}

/** Whether the customer is known, and the order that is meant when it is the only one. */
export async function loadOnlyOrder(sql: Sql, customerId: string): Promise<{ orderId: string | null } | null> {
  const { rows } = await sql.query(
    `SELECT (SELECT CASE count(*) WHEN 1 THEN min(o.id) END FROM orders o WHERE o.customer_id = c.id) AS "orderId"
     FROM customers c WHERE c.id = $1`,
    [customerId],
  );
  return rows[0] ?? null;
}

/**
 * What is known of an order when its customer gets in touch. Of other orders, and of earlier contacts, what is not longer ago
 * than `since`; the contact itself is left out.
 * @returns null: there is no such order
 */
export async function loadOrderRecord(
  sql: Sql,
  orderId: string,
  { contactId, since, now }: { readonly contactId: string | null; readonly since: Date; readonly now: Date },
): Promise<OrderRecord | null> {
  const { rows } = await sql.query(
    `SELECT o.customer_id, o.promise_on, o.promise_at, o.promise_time_zone, o.backfill, c.locale, v.verdict, v.mode, v.met_at,
       v.late_days, v.incident, v.customer_wording
     FROM orders o JOIN customers c ON c.id = o.customer_id LEFT JOIN verdicts v ON v.id = o.verdict_id WHERE o.id = $1`,
    [orderId],
  );
  const order = rows[0];
  if (!order) return null;
  const awards = await sql.query(
    `SELECT order_id, incident, class, kind, months, points, amount_minor, currency, status, decided_at FROM awards
     WHERE customer_id = $1 AND (order_id = $2 OR decided_at >= $3) ORDER BY decided_at, id`,
    [order.customer_id, orderId, since],
  );
  const contacts = await sql.query(
    'SELECT reason, channel, at FROM contacts WHERE customer_id = $1 AND at >= $2 AND id IS DISTINCT FROM $3 ORDER BY at, id',
    [order.customer_id, since, contactId],
  );
  return {
    orderId,
    locale: order.locale,
    promise: toPromise(order) ?? { on: '', timeZone: order.promise_time_zone },
    backfill: order.backfill,
    answer:
      order.verdict === null
        ? null
        : {
            verdict: order.verdict,
            mode: order.mode,
            metAt: order.met_at,
            lateDays: order.late_days,
            hasIncident: order.incident !== null,
            wording: order.customer_wording,
          },
    parcels: await loadParcels(sql, orderId, now),
    awards: awards.rows.map(toPastAward),
    contacts: contacts.rows,
  };
}

async function loadParcels(sql: Sql, orderId: string, now: Date): Promise<ParcelRecord[]> {
  const shipments = await loadShipmentsOfOrders(sql, [orderId]);
  const scans = await loadScans(sql, shipments);
  return shipments
    .filter((shipment) => shipment.orderId === orderId)
    .map((shipment) => {
      const { carrier, trackingNumber, estimate, promise, destinationZone } = shipment;
      const known = (scans.get(shipment.id) ?? []).filter(({ interval }) => interval.earliest <= now);
      const last = known.reduce<StoredScan | null>(
        (latest, scan) => (latest === null || scan.interval.earliest >= latest.interval.earliest ? scan : latest),
        null,
      );
      return {
        carrier,
        trackingNumber,
        promise: toPromise({ promise_on: promise.on, promise_at: promise.at, promise_time_zone: promise.timeZone }),
        deliveredAt: applyEvents(known, destinationZone).deliveredAt,
        lastScan: last && {
          status: last.status,
          at: last.interval.earliest,
          isExact: last.interval.earliest.getTime() === last.interval.latest.getTime(),
        },
        estimate,
      };
    });
}
