import type { ContactReason } from '../compensation/decision-input.js';
import type { Sql } from '../db/database.js';
import { NO_CURRENCY } from '../money.js';
import { toPromise } from '../promises/order-store.js';
import { loadReports } from '../promises/report-store.js';
import { DIGITAL_AT } from '../promises/verdict-store.js';
import { loadScans, loadShipmentsOfOrders } from '../shipments/shipment-store.js';
import type { PastOrder, PastParcel } from './judge-past-order.js';

/**
 * Makes this transaction one that sees the database as it stands now and can write nothing. Must be its first statement.
 */
export async function lookOnly(sql: Sql): Promise<void> {
  await sql.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
}

/** How many orders `loadPastOrders` will go through. */
export async function countPastOrders(sql: Sql, asOf: Date): Promise<number> {
  const { rows } = await sql.query('SELECT count(*) AS count FROM orders WHERE placed_at IS NULL OR placed_at <= $1', [
    asOf,
  ]);
  return rows[0].count;
}

/** Orders that were placed by then, after this id, in the order of ids; with their scans and what their customers said of them. */
export async function loadPastOrders(
  sql: Sql,
  { after, limit, asOf }: { readonly after: string; readonly limit: number; readonly asOf: Date },
): Promise<PastOrder[]> {
  const { rows } = await sql.query(
    `SELECT o.id, o.customer_id, o.promise_on, o.promise_at, o.promise_time_zone, o.promised_until, o.ship_by, o.occasion_name,
       o.occasion_on, o.total_minor, o.shipping_paid_minor, o.currency, o.destination_country, o.destination_region,
       o.destination_postal_code, ${DIGITAL_AT} AS digital_at, c.membership_tier, c.membership_trial
     FROM (SELECT * FROM orders WHERE id > $1 AND (placed_at IS NULL OR placed_at <= $3) ORDER BY id LIMIT $2) o
       JOIN customers c ON c.id = o.customer_id
     ORDER BY o.id`,
    [after, limit, asOf],
  );
  const ids = rows.map((row) => row.id);
  const parcels = await loadParcels(sql, ids);
  const contacts = await loadContacts(sql, ids, asOf);
  const reports = await loadReports(sql, ids, asOf);
  return rows.map((row): PastOrder => {
    const currency = row.currency ?? NO_CURRENCY;
    return {
      order: {
        id: row.id,
        total: { amountMinor: row.total_minor ?? 0, currency },
        shippingPaid: { amountMinor: row.shipping_paid_minor ?? 0, currency },
      },
      customerId: row.customer_id,
      promise: toPromise(row) ?? { on: '', timeZone: row.promise_time_zone },
      promisedUntil: row.promised_until,
      shipBy: row.ship_by,
      occasion: row.occasion_on === null ? null : { name: row.occasion_name, on: row.occasion_on },
      membership: row.membership_tier === null ? null : { tier: row.membership_tier, trial: row.membership_trial },
      destination: {
        country: row.destination_country,
        region: row.destination_region,
        postalCode: row.destination_postal_code,
      },
      contacts: contacts.get(row.id) ?? [],
      reports: reports.get(row.id) ?? [],
      digitalAt: row.digital_at,
      parcels: parcels.get(row.id) ?? [],
    };
  });
}

async function loadParcels(sql: Sql, orderIds: readonly string[]): Promise<Map<string, PastParcel[]>> {
  const shipments = await loadShipmentsOfOrders(sql, orderIds);
  const scans = await loadScans(sql, shipments);
  const wanted = new Map<string, PastParcel[]>(orderIds.map((id) => [id, []]));
  for (const { id, orderId, promise, carrier, service } of shipments) {
    wanted.get(orderId)?.push({
      promise: toPromise({ promise_on: promise.on, promise_at: promise.at, promise_time_zone: promise.timeZone }),
      carrier,
      service,
      events: scans.get(id) ?? [],
    });
  }
  return wanted;
}

async function loadContacts(
  sql: Sql,
  orderIds: readonly string[],
  asOf: Date,
): Promise<Map<string, { reason: ContactReason; at: Date }[]>> {
  const { rows } = await sql.query(
    'SELECT order_id, reason, at FROM contacts WHERE order_id = ANY($1) AND at <= $2 ORDER BY at, id',
    [orderIds, asOf],
  );
  const byOrder = new Map<string, { reason: ContactReason; at: Date }[]>();
  for (const { order_id, reason, at } of rows) {
    byOrder.set(order_id, [...(byOrder.get(order_id) ?? []), { reason: reason as ContactReason, at }]);
  }
  return byOrder;
}
