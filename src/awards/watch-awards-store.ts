import type { AwardKind } from '../compensation/award.js';
import type { Sql } from '../db/database.js';

/** An award that waits, or was refused, and what its provider last said. */
export interface StuckAward {
  readonly id: string;
  readonly status: 'pending' | 'failed';
  readonly kind: AwardKind;
  readonly orderId: string;
  readonly provider: string | null;
  readonly attempts: number;
  readonly error: string | null;
  /** Since when it could have been granted. */
  readonly since: Date;
}

/** Pending since before $1: of an award that a person let through, it counts from then. */
const WAITS_LONG = `a.status = 'pending' AND a.decided_at < $1 AND coalesce(a.reviewed_at, a.decided_at) < $1`;
/** Each half by an index that holds only what waits: what was granted in years is never read. */
const STUCK = `SELECT * FROM awards a WHERE ${WAITS_LONG}
  UNION ALL SELECT * FROM awards a WHERE a.status IN ('held', 'awaiting_approval', 'failed') AND a.status = 'failed'`;

/** Awards that a provider refused, and those that are pending since before `before`; the oldest first. */
export async function findStuckAwards(sql: Sql, before: Date, limit: number): Promise<StuckAward[]> {
  const { rows } = await sql.query(
    `SELECT a.id, a.status, a.kind, a.order_id AS "orderId", coalesce(c.provider, a.provider) AS provider,
       coalesce(c.attempts, 0) AS attempts, c.error, greatest(a.decided_at, a.reviewed_at) AS since
     FROM (${STUCK}) a LEFT JOIN provider_calls c ON c.award_id = a.id ORDER BY a.decided_at, a.id LIMIT $2`,
    [before, limit],
  );
  return rows;
}

/** How many `findStuckAwards` would find without its limit. */
export async function countStuckAwards(sql: Sql, before: Date): Promise<number> {
  const { rows } = await sql.query(`SELECT count(*) AS count FROM (${STUCK}) a`, [before]);
  return rows[0].count;
}

/** Clears the alarms of awards that are stuck no more. @returns how many */
export async function clearAlarmsOfAwards(sql: Sql, before: Date, at: Date): Promise<number> {
  const { rowCount } = await sql.query(
    `UPDATE alarms m SET cleared_at = $2
     WHERE m.kind IN ('award_pending', 'award_failed') AND m.cleared_at IS NULL
       AND NOT EXISTS (SELECT 1 FROM awards a WHERE a.id = m.subject::uuid AND 'award_' || a.status = m.kind
         AND (a.status = 'failed' OR (${WAITS_LONG})))`,
    [before, at],
  );
  return rowCount ?? 0;
}

/** How many awards wait, by status. */
export async function countWaitingAwards(sql: Sql): Promise<Readonly<Record<WaitingStatus, number>>> {
  const { rows } = await sql.query(
    `SELECT status, count(*) AS count FROM (
       SELECT status FROM awards WHERE status = 'pending'
       UNION ALL SELECT status FROM awards WHERE status IN ('held', 'awaiting_approval', 'failed')
     ) waiting GROUP BY status`,
  );
  const counts = new Map<string, number>(rows.map((row) => [row.status, row.count]));
  return Object.fromEntries(WAITING.map((status) => [status, counts.get(status) ?? 0])) as Record<
    WaitingStatus,
    number
  >;
}

const WAITING = ['pending', 'held', 'awaiting_approval', 'failed'] as const;
export type WaitingStatus = (typeof WAITING)[number];
