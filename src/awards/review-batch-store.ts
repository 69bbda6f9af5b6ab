import type { Sql } from '../db/database.js';
import type { Review } from './review-store.js';

/** Which awards a batch is about. All that is named must hold. */
export interface BatchFilter {
  readonly statuses: readonly string[];
  readonly stoppedBy: string | null;
  readonly rule: string | null;
  /** Decided before this instant: what comes later is for the next batch. */
  readonly before: Date;
}

/** The ids of the awards of a batch, the oldest first. */
export async function findBatch(sql: Sql, filter: BatchFilter, limit: number): Promise<string[]> {
  const { rows } = await sql.query(
    `SELECT id FROM awards
     WHERE status IN ('held', 'awaiting_approval', 'failed') AND status = ANY($1) AND decided_at < $2
       AND ($3::text IS NULL OR $3 = ANY(stopped_by)) AND ($4::text IS NULL OR rule = $4)
     ORDER BY decided_at, id LIMIT $5`,
    [filter.statuses, filter.before, filter.stoppedBy, filter.rule, limit],
  );
  return rows.map(({ id }) => id);
}

/** A trip of the breaker. */
export interface BreakerTrip {
  readonly id: string;
  readonly trippedAt: Date;
  readonly policyVersion: number;
  readonly settled: number;
  readonly late: number;
  readonly usualSettled: number;
  readonly usualLate: number;
  readonly resetAt: Date | null;
  readonly resetBy: string | null;
  readonly resetReason: string | null;
}

/** The last trip, open or not; null: there never was one. */
export async function loadLastTrip(sql: Sql): Promise<BreakerTrip | null> {
  const { rows } = await sql.query(
    `SELECT id, tripped_at AS "trippedAt", policy_version AS "policyVersion", settled, late, usual_settled AS "usualSettled",
       usual_late AS "usualLate", reset_at AS "resetAt", reset_by AS "resetBy", reset_reason AS "resetReason"
     FROM breaker_trips ORDER BY reset_at IS NULL DESC, tripped_at DESC LIMIT 1`,
  );
  return rows[0] ?? null;
}

/** Takes the open trip until the transaction ends. @returns whether there is one */
export async function lockOpenTrip(sql: Sql): Promise<boolean> {
  const { rows } = await sql.query('SELECT 1 FROM breaker_trips WHERE reset_at IS NULL FOR UPDATE');
  return rows.length > 0;
}

export async function closeTrip(sql: Sql, { by, at, reason }: Review): Promise<void> {
  await sql.query('UPDATE breaker_trips SET reset_at = $1, reset_by = $2, reset_reason = $3 WHERE reset_at IS NULL', [
    at,
    by,
    reason,
  ]);
}
