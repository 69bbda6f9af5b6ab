import { carrierKeyOf } from '../carriers/matching.js';
import type { Sql } from '../db/database.js';
import { countOutcomesOfTrace } from './trace-store.js';
import type { Verdict } from './verdict.js';

/** Which orders are judged again: those that meet all of what is named. */
export interface RecheckFilter {
  readonly verdicts: readonly Verdict[] | null;
  readonly carrier: string | null;
  /** A status that one of its parcels has. */
  readonly status: string | null;
  /** The promise ended at this instant or later. */
  readonly promisedFrom: Date | null;
  /** The promise ended before this instant. */
  readonly promisedBefore: Date | null;
}

const MATCHES = `($1::text[] IS NULL OR o.verdict = ANY($1))
  AND ($2::timestamptz IS NULL OR o.promised_until >= $2) AND ($3::timestamptz IS NULL OR o.promised_until < $3)
  AND ($4::text IS NULL OR EXISTS (SELECT 1 FROM shipments s WHERE s.order_id = o.id AND s.carrier_key = $4))
  AND ($5::text IS NULL OR EXISTS (SELECT 1 FROM shipments s WHERE s.order_id = o.id AND s.status = $5))`;

const valuesOf = ({ verdicts, promisedFrom, promisedBefore, carrier, status }: RecheckFilter) => [
  verdicts,
  promisedFrom,
  promisedBefore,
  carrier === null ? null : carrierKeyOf(carrier),
  status,
];

/** How many orders a filter names, by their verdict; an order without one has not been judged. */
export async function countMatching(sql: Sql, filter: RecheckFilter): Promise<Map<Verdict | null, number>> {
  const { rows } = await sql.query(
    `SELECT verdict, count(*) AS count FROM orders o WHERE ${MATCHES} GROUP BY verdict ORDER BY verdict`,
    valuesOf(filter),
  );
  return new Map(rows.map(({ verdict, count }) => [verdict, count]));
}

/** The ids of the orders that a filter names, in their order. */
export async function findMatching(sql: Sql, filter: RecheckFilter, limit: number): Promise<string[]> {
  const { rows } = await sql.query(`SELECT id FROM orders o WHERE ${MATCHES} ORDER BY id LIMIT $6`, [
    ...valuesOf(filter),
    limit,
  ]);
  return rows.map(({ id }) => id);
}

export interface NewRecheckRun {
  readonly id: string;
  readonly requestedAt: Date;
  readonly requestedBy: string;
  readonly reason: string | null;
  readonly filter: RecheckFilter;
  readonly total: number;
  readonly trace: string;
}

export async function insertRecheckRun(sql: Sql, run: NewRecheckRun): Promise<void> {
  await sql.query(
    `INSERT INTO recheck_runs (id, requested_at, requested_by, reason, filter, total, trace)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [run.id, run.requestedAt, run.requestedBy, run.reason, JSON.stringify(run.filter), run.total, run.trace],
  );
}

/** A re-check of many: what was asked for, how far it is, and what came of it. */
export interface RecheckProgress {
  readonly id: string;
  readonly requestedAt: Date;
  readonly requestedBy: string;
  readonly reason: string | null;
  readonly total: number;
  /** Orders that still wait for their turn. */
  readonly waiting: number;
  /** Orders that could not be judged, and were set aside with their error. */
  readonly failed: number;
  /** Orders whose answer changed. */
  readonly changed: number;
  readonly awards: number;
  readonly trace: string;
}

/** null: there is none with this id. */
export async function loadRecheckProgress(sql: Sql, id: string): Promise<RecheckProgress | null> {
  const { rows } = await sql.query(
    `SELECT r.id, r.requested_at AS "requestedAt", r.requested_by AS "requestedBy", r.reason, r.total, r.trace,
       (SELECT coalesce(sum(cardinality(ids)) FILTER (WHERE parked_at IS NULL), 0) FROM outbox t
        WHERE t.trace = r.trace AND t.stage = 'judge-promises')::int AS waiting,
       (SELECT coalesce(sum(cardinality(ids)) FILTER (WHERE parked_at IS NOT NULL), 0) FROM outbox t
        WHERE t.trace = r.trace AND t.stage = 'judge-promises')::int AS failed
     FROM recheck_runs r WHERE r.id::text = $1`,
    [id],
  );
  const [run] = rows;
  if (!run) return null;
  const { changed, awards } = await countOutcomesOfTrace(sql, run.trace);
  return { ...run, changed, awards };
}
