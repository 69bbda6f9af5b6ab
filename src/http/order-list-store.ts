import type { Sql } from '../db/database.js';
import type { Verdict } from '../promises/verdict.js';
import type { TrackingStatus } from '../shipments/tracking-event.js';

/** Which orders; what is null is not asked for. */
export interface OrderFilter {
  /** `none`: never judged. */
  readonly verdict: Verdict | 'none' | null;
  /** Of any of its parcels. */
  readonly status: TrackingStatus | null;
  /** As carriers and numbers are compared (src/carriers/matching.ts). */
  readonly carrierKey: string | null;
  readonly trackingKey: string | null;
  readonly customerId: string | null;
}

/** An order in a list. */
export interface ListedOrder {
  readonly id: string;
  readonly customerId: string;
  readonly registeredAt: Date;
  readonly promisedUntil: Date;
  readonly verdict: string | null;
  readonly lateDays: number | null;
  readonly judgedAt: Date | null;
  readonly dueAt: Date | null;
  readonly shipments: readonly { readonly carrier: string; readonly trackingNumber: string; readonly status: string }[];
}

/**
 * A page of orders, the newest registration first, in one statement. A page begins at its place in an index, and what a page
 * needs besides is read for its rows alone: the ten-thousandth costs what the first does.
 * @param after the last of the page before
 */
export async function listOrders(
  sql: Sql,
  filter: OrderFilter,
  { after, limit }: { after: { at: Date; id: string } | null; limit: number },
): Promise<ListedOrder[]> {
  const values: unknown[] = [];
  const value = (one: unknown): string => `$${values.push(one)}`;
  const conditions = [
    ...(after === null ? [] : [`(o.registered_at, o.id) < (${value(after.at)}::timestamptz, ${value(after.id)})`]),
    ...(filter.verdict === null
      ? []
      : [filter.verdict === 'none' ? 'o.verdict IS NULL' : `o.verdict = ${value(filter.verdict)}`]),
    ...(filter.customerId === null ? [] : [`o.customer_id = ${value(filter.customerId)}`]),
    ...parcelConditions(filter, value),
  ];
  // The verdict is the same in all rows where it is asked for. Named first, it lets the order of its index be used for NULL too.
  const order = `${filter.verdict === null ? '' : 'o.verdict DESC, '}o.registered_at DESC, o.id DESC`;
  const { rows } = await sql.query(
    `WITH page AS MATERIALIZED (
       SELECT o.id, o.customer_id, o.registered_at, o.promised_until, o.verdict, o.verdict_id, o.judged_at, o.due_at FROM orders o
       ${conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`}
       ORDER BY ${order} LIMIT ${value(limit)})
     SELECT p.id, p.customer_id AS "customerId", p.registered_at AS "registeredAt", p.promised_until AS "promisedUntil", p.verdict,
       (SELECT v.late_days FROM verdicts v WHERE v.id = p.verdict_id) AS "lateDays", p.judged_at AS "judgedAt", p.due_at AS "dueAt",
       (SELECT coalesce(json_agg(json_build_object('carrier', s.carrier, 'trackingNumber', s.tracking_number, 'status', s.status)
          ORDER BY s.position), '[]') FROM shipments s WHERE s.order_id = p.id) AS shipments
     FROM page p ORDER BY p.registered_at DESC, p.id DESC`,
    values,
  );
  return rows;
}

/**
 * One parcel that is with the carrier and bears the number; and one, the same or another, that has the status. Each order is listed once,
 * however many of its parcels it is found by.
 */
function parcelConditions({ status, carrierKey, trackingKey }: OrderFilter, value: (one: unknown) => string): string[] {
  const parcel = (wanted: readonly (readonly [column: string, what: string | null])[]): string[] => {
    const asked = wanted.flatMap(([column, what]) => (what === null ? [] : [`s.${column} = ${value(what)}`]));
    return asked.length === 0
      ? []
      : [`EXISTS (SELECT 1 FROM shipments s WHERE s.order_id = o.id AND ${asked.join(' AND ')})`];
  };
  return [
    ...parcel([
      ['carrier_key', carrierKey],
      ['tracking_key', trackingKey],
    ]),
    ...parcel([['status', status]]),
  ];
}
