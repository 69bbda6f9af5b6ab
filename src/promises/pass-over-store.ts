import type { Sql } from '../db/database.js';
import { NEVER_SCANNED_DAYS, STALLED_DAYS } from './quiet-parcels.js';
import { OPEN_ORDERS, type OpenOrders, valuesOf } from './sweep-store.js';

/** An order that a sweep has come to. */
export interface FoundOrder {
  readonly id: string;
  /** Judging it now would come to what it came to before, and find no silent parcel: nothing would be written or told. */
  readonly standsStill: boolean;
}

/** What it takes to know of an order that it stands still. */
export interface StandStill {
  /** Now: of what a sweep as of another time would find nothing is known here. */
  readonly at: Date;
  /** Whether customers are told that a parcel has left. */
  readonly tellsShipped: boolean;
}

/**
 * Longer than any transaction lasts. Who looked at an order so soon after a policy was put in force may have judged by the one
 * before.
 */
const SETTLED_AFTER = `interval '1 hour'`;

/** Of a number that was silent for longer, what was scanned before may be of another parcel. */
const ONE_LIFE = `interval '180 days'`;

/**
 * What the order itself says: pending when it was last judged, by the policy that is in force; its promise is still running, and
 * time alone changes nothing before that ends. A date that is put off by whoever took the order is no such date.
 */
const RUNS_ON = `NOT (o.digital OR o.backfill) AND o.verdict = 'pending' AND o.promised_until > $6 AND o.due_at >= o.promised_until
  AND o.due_at > $6 AND o.looked_at > (SELECT max(activated_at) FROM policy_versions) + ${SETTLED_AFTER}`;

/** What is recorded of it is all that pending comes to: nothing would be recorded anew. */
const RECORDED = `SELECT true AS found FROM verdicts v WHERE p.runs_on AND v.id = p.verdict_id AND v.verdict = 'pending'
  AND v.declined_because = 'not_due' AND num_nonnulls(v.incident, v.met_at, v.late_days, v.fault) = 0 LIMIT 1`;

/** Of the parcel `s` of the order `p`: not expected after the promise, or nobody said when. */
const IS_EXPECTED_IN_TIME = `CASE WHEN s.estimated_on IS NOT NULL
    THEN s.estimated_on <= p.promise_on OR s.estimated_on < p.promised_until - interval '1 day'
  ELSE s.estimated_at IS NULL OR s.estimated_at < p.promised_until END`;

/**
 * Of all scans `e` that bear its number: they say that it is on its way and nothing else, at instants that are past; and they are
 * its own, whatever subset of them a judgement would look at. A scan of any other kind needs one.
 */
const SCANS = `SELECT count(*) AS scans, bool_or(e.status IN ('in_transit', 'out_for_delivery')) AS moved,
    max(e.occurred_at) AS last_at, min(e.occurred_at) AS first_at,
    bool_and(e.status IN ('pre_transit', 'unknown', 'in_transit', 'out_for_delivery') AND e.exception IS NULL AND NOT e.disputed
      AND e.superseded_at IS NULL AND e.carrier_key = s.carrier_key AND e.occurred_at IS NOT NULL) AS are_plain
  FROM tracking_events e WHERE e.tracking_key = s.tracking_key`;

const IS_ONE_JOURNEY = `e.are_plain AND e.last_at <= $6 AND e.first_at > $6::timestamptz - ${ONE_LIFE}
  AND (p.placed_at IS NULL OR e.first_at >= p.placed_at - interval '30 days')`;

/** As quiet-parcels.ts says it. */
const IS_HEARD_OF = `CASE WHEN e.moved THEN e.last_at > $6::timestamptz - interval '${STALLED_DAYS} days'
  ELSE p.registered_at > $6::timestamptz - interval '${NEVER_SCANNED_DAYS} days' END`;

/** Every parcel of the order `p`; an order without one has nothing that could be silent. */
const PARCELS = `SELECT coalesce(bool_and(
    num_nonnulls(s.promise_on, s.promise_at) = 0 AND shared.found IS NULL AND (e.scans = 0 OR (${IS_ONE_JOURNEY}))
    AND ${IS_EXPECTED_IN_TIME} AND ${IS_HEARD_OF}
    AND (NOT $7::boolean OR e.moved IS NOT TRUE OR told.found IS NOT NULL)
  ), true) AS stand_still
  FROM shipments s
    CROSS JOIN LATERAL (${SCANS}) e
    LEFT JOIN LATERAL (SELECT true AS found FROM shipments t WHERE t.tracking_key = s.tracking_key AND t.id <> s.id LIMIT 1) shared ON true
    LEFT JOIN LATERAL (SELECT true AS found FROM notices n WHERE $7::boolean AND n.order_id = p.id AND n.kind = 'shipped'
      AND n.part = s.id::text LIMIT 1) told ON true
  WHERE p.runs_on AND s.order_id = p.id`;

/**
 * Open orders as `findOpenOrders` finds them, each with whether it stands still. That is not taken from when it was last looked
 * at: it is proved from the rows as they are now, because what a lost ticket should have said must be found here. What cannot be
 * proved so does not stand still, and is judged.
 */
export async function findAndTellApart(
  sql: Sql,
  which: OpenOrders,
  { at, tellsShipped }: StandStill,
  limit: number,
): Promise<FoundOrder[]> {
  // LATERAL throughout: a page costs as many look-ups as it has orders, and never a scan of a table that grows.
  const { rows } = await sql.query(
    `WITH p AS MATERIALIZED (
       SELECT o.id, o.verdict_id, o.promise_on, o.promised_until, o.placed_at, o.registered_at, coalesce(${RUNS_ON}, false) AS runs_on
       FROM orders o WHERE ${OPEN_ORDERS} ORDER BY o.id LIMIT $5
     )
     SELECT p.id, p.runs_on AND recorded.found IS NOT NULL AND contact.found IS NULL AND report.found IS NULL
       AND coalesce(parcels.stand_still, false) AS "standsStill"
     FROM p
       LEFT JOIN LATERAL (${RECORDED}) recorded ON true
       LEFT JOIN LATERAL (SELECT true AS found FROM contacts k WHERE p.runs_on AND k.order_id = p.id LIMIT 1) contact ON true
       LEFT JOIN LATERAL (SELECT true AS found FROM reported_incidents r WHERE p.runs_on AND r.order_id = p.id LIMIT 1) report ON true
       LEFT JOIN LATERAL (${PARCELS}) parcels ON true
     ORDER BY p.id`,
    [...valuesOf(which), limit, at, tellsShipped],
  );
  return rows;
}
