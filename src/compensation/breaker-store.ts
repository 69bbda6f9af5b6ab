import { subDays, subMinutes } from 'date-fns';
import type { Sql } from '../db/database.js';
import { newId } from '../ids.js';
import { raiseAlarm } from './alarm-store.js';
import { judgeBreaker } from './breaker.js';
import type { Policy } from './policy.js';

/** How far back the usual level is measured. Shorter, and one bad week is usual; longer, and last season is. */
const USUAL_DAYS = 28;

/** Orders that were found kept or broken just now, and how many of them late. */
export interface SettledCounts {
  readonly settled: number;
  readonly late: number;
}

/**
 * Counts what was just found out. The row of the minute is held until the transaction ends: whoever counts after us sees
 * us, so the fiftieth late order is the fiftieth for all of them.
 */
export async function countSettled(sql: Sql, at: Date, { settled, late }: SettledCounts): Promise<void> {
  if (settled === 0) return;
  await sql.query(
    `INSERT INTO verdict_minutes AS m (minute, settled, late) VALUES ($1, $2, $3)
     ON CONFLICT (minute) DO UPDATE SET settled = m.settled + excluded.settled, late = m.late + excluded.late`,
    [new Date(Math.floor(at.getTime() / 60_000) * 60_000), settled, late],
  );
}

/**
 * Trips the breaker when the last hour holds far more late orders than is usual: then a carrier's feed has gone wrong, or
 * something has happened that a person should look at before money goes out. One alarm says why.
 * @returns whether it was tripped by this call
 */
export async function watchBreaker(
  sql: Sql,
  at: Date,
  { policy, version }: { policy: Policy; version: number },
): Promise<boolean> {
  const { breaker } = policy;
  const { rows: windows } = await sql.query(
    `SELECT coalesce(sum(settled), 0)::bigint AS settled, coalesce(sum(late), 0)::bigint AS late FROM verdict_minutes
     WHERE minute > greatest($1::timestamptz, (SELECT max(reset_at) FROM breaker_trips))`,
    [subMinutes(at, breaker.windowMinutes)],
  );
  const recent = windows[0] as SettledCounts;
  // Below this nothing can trip it, and the long look back is spared.
  if (recent.late < breaker.atLeast) return false;
  const { rows } = await sql.query(
    `SELECT coalesce(sum(settled), 0)::bigint AS settled, coalesce(sum(late), 0)::bigint AS late,
       (SELECT min(minute) FROM verdict_minutes) AS since
     FROM verdict_minutes WHERE minute BETWEEN $1 AND $2`,
    [subDays(at, USUAL_DAYS), subMinutes(at, breaker.windowMinutes)],
  );
  const usual = rows[0] as SettledCounts & { since: Date | null };
  const sinceDays = usual.since === null ? 0 : (at.getTime() - usual.since.getTime()) / 86_400_000;
  const { tripped, because } = judgeBreaker(recent, { ...usual, sinceDays }, breaker);
  if (!tripped) return false;
  const { rowCount } = await sql.query(
    `INSERT INTO breaker_trips (id, tripped_at, policy_version, settled, late, usual_settled, usual_late)
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT ((1)) WHERE reset_at IS NULL DO NOTHING`,
    [newId(), at, version, recent.settled, recent.late, usual.settled, usual.late],
  );
  if (rowCount !== 1) return false;
  await raiseAlarm(sql, {
    kind: 'breaker',
    subject: 'breaker',
    message: `Money has stopped and every award is held: ${because}. See what the carriers' feeds say, then release or decline what is held.`,
    details: { ...recent, usualSettled: usual.settled, usualLate: usual.late, policyVersion: version },
    at,
  });
  return true;
}
