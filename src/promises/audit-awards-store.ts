import type { AwardClass, AwardKind, AwardStatus } from '../compensation/award.js';
import type { DecisionMode } from '../compensation/decision-input.js';
import type { AwardIncident } from '../compensation/incident.js';
import type { Sql } from '../db/database.js';
import { newId } from '../ids.js';
import type { StandingAward } from './compare-standing.js';
import type { RecordedAnswer } from './replay-decision.js';

/** A verdict as it stands in the record, with what it was made of. */
export interface RecordedVerdictRow extends RecordedAnswer {
  readonly id: string;
  readonly orderId: string;
  readonly judgedAt: Date;
  readonly policyVersion: number;
  readonly mode: DecisionMode;
  readonly inputs: unknown;
}

/** Its columns, of a row `v` of verdicts. */
export const RECORDED = `v.id, v.order_id AS "orderId", v.verdict, v.met_at AS "metAt", v.late_minutes AS "lateMinutes",
  v.late_days AS "lateDays", v.fault, v.incident, v.declined_because AS "declinedBecause", v.decision, v.inputs,
  v.judged_at AS "judgedAt", v.policy_version AS "policyVersion", v.mode`;

/**
 * The ids of this many of the newest verdicts, and of as many taken at random from all. Whole pages are drawn, so that a
 * table of millions is not read for it; of each page that is drawn any row may be taken.
 */
export async function sampleVerdicts(sql: Sql, size: number): Promise<string[]> {
  const { rows: known } = await sql.query(
    `SELECT greatest(reltuples, 0)::bigint AS rows FROM pg_class WHERE oid = 'verdicts'::regclass`,
  );
  const percent = Math.min(100, (100 * size * PAGES_DRAWN) / Math.max(1, known[0].rows));
  const { rows } = await sql.query(
    `(SELECT id FROM verdicts ORDER BY id DESC LIMIT $1)
     UNION (SELECT id FROM verdicts TABLESAMPLE SYSTEM ($2) ORDER BY random() LIMIT $1) ORDER BY id`,
    [size, percent],
  );
  return rows.map((row) => row.id);
}

/** How many times more rows are drawn than taken. Fewer, and neighbours are taken together; more, and more is read. */
const PAGES_DRAWN = 10;

/** In the order of their ids. */
export async function loadRecordedVerdicts(sql: Sql, ids: readonly string[]): Promise<RecordedVerdictRow[]> {
  const { rows } = await sql.query(`SELECT ${RECORDED} FROM verdicts v WHERE v.id = ANY($1::uuid[]) ORDER BY v.id`, [
    ids,
  ]);
  return rows;
}

/** Orders that ever had an incident or an award, after this id, in the order of ids. */
export async function findCompensatedOrders(sql: Sql, after: string, limit: number): Promise<string[]> {
  const { rows } = await sql.query(
    `(SELECT DISTINCT order_id FROM incidents WHERE order_id > $1 ORDER BY order_id LIMIT $2)
     UNION (SELECT DISTINCT order_id FROM awards WHERE order_id > $1 ORDER BY order_id LIMIT $2)
     ORDER BY order_id LIMIT $2`,
    [after, limit],
  );
  return rows.map((row) => row.order_id);
}

/** How many `findCompensatedOrders` will go through. */
export async function countCompensatedOrders(sql: Sql): Promise<number> {
  const { rows } = await sql.query(
    'SELECT count(*) AS count FROM (SELECT order_id FROM incidents UNION SELECT order_id FROM awards) AS o',
  );
  return rows[0].count;
}

/** The answer that an order has now, and all that it was given. */
export interface Standing {
  readonly verdict: RecordedVerdictRow;
  readonly awards: readonly StandingAward[];
}

/**
 * Of those of these orders whose current verdict is not older than `since`. One statement: an award and the verdict that
 * gave it are seen together or not at all.
 */
export async function loadStandings(sql: Sql, orderIds: readonly string[], since: Date): Promise<Standing[]> {
  const { rows } = await sql.query(
    `SELECT ${RECORDED}, coalesce(a.awards, '[]'::jsonb) AS awards
     FROM orders o JOIN verdicts v ON v.id = o.verdict_id
     LEFT JOIN LATERAL (
       SELECT jsonb_agg(jsonb_build_object('incident', incident, 'class', class, 'kind', kind, 'months', months, 'points', points,
         'amount_minor', amount_minor, 'currency', currency, 'status', status, 'at', decided_at,
         'by_policy', proposed_by = 'policy', 'reviewed', reviewed_by IS NOT NULL)) AS awards
       FROM awards WHERE order_id = o.id
     ) a ON true
     WHERE o.id = ANY($1) AND v.judged_at >= $2 ORDER BY o.id`,
    [orderIds, since],
  );
  return rows.map(({ awards, ...verdict }) => ({
    verdict,
    awards: awards.map(
      (award: Record<string, string | number | null>): StandingAward => ({
        orderId: verdict.orderId,
        incident: award.incident as AwardIncident,
        class: award.class as AwardClass,
        kind: award.kind as AwardKind,
        months: award.months as number | null,
        points: award.points as number | null,
        amount:
          award.amount_minor === null
            ? null
            : { amountMinor: award.amount_minor as number, currency: String(award.currency) },
        at: new Date(String(award.at)),
        status: award.status as AwardStatus,
        byPolicy: Boolean(award.by_policy),
        reviewed: Boolean(award.reviewed),
      }),
    ),
  }));
}

export async function startAuditRun(sql: Sql, startedAt: Date): Promise<string> {
  const id = newId();
  await sql.query('INSERT INTO audit_runs (id, started_at) VALUES ($1, $2)', [id, startedAt]);
  return id;
}

export async function finishAuditRun(sql: Sql, id: string, finishedAt: Date, report: unknown): Promise<void> {
  await sql.query('UPDATE audit_runs SET finished_at = $2, report = $3 WHERE id = $1', [
    id,
    finishedAt,
    JSON.stringify(report),
  ]);
}
