import type { Sql } from '../db/database.js';
import type { CurrentState } from './fresh-facts.js';

/** Of `orders o LEFT JOIN verdicts cv ON cv.id = o.verdict_id`. */
export const CURRENT_STATE = `o.verdict AS current_verdict, cv.met_at AS current_met_at, cv.late_days AS current_late_days,
  cv.late_minutes AS current_late_minutes,
  (SELECT max(s.delivered_at) FROM shipments s WHERE s.order_id = o.id) AS current_delivered_at`;

export function currentStateOf(row: {
  current_verdict: string | null;
  current_met_at: Date | null;
  current_late_days: number | null;
  current_late_minutes: number | null;
  current_delivered_at: Date | null;
}): CurrentState {
  return {
    verdict: row.current_verdict,
    metAt: row.current_met_at,
    deliveredAt: row.current_delivered_at,
    lateDays: row.current_late_days,
    lateMinutes: row.current_late_minutes,
  };
}

/** How the orders of these letters stand, by letter. */
export async function loadCurrentStates(sql: Sql, messageIds: readonly string[]): Promise<Map<string, CurrentState>> {
  if (messageIds.length === 0) return new Map();
  const { rows } = await sql.query(
    `SELECT m.id, ${CURRENT_STATE} FROM messages m JOIN orders o ON o.id = m.order_id LEFT JOIN verdicts cv ON cv.id = o.verdict_id
     WHERE m.id = ANY($1::uuid[])`,
    [messageIds],
  );
  return new Map(rows.map((row) => [row.id, currentStateOf(row)]));
}

/** Writes letters anew that were never tried. */
export async function rewriteLetters(
  sql: Sql,
  letters: readonly {
    readonly id: string;
    readonly template: string;
    readonly letter: object;
    readonly rendered: object;
  }[],
  now: Date,
): Promise<void> {
  if (letters.length === 0) return;
  await sql.query(
    `UPDATE messages m SET template = n.template, letter = n.letter, rendered = n.rendered, created_at = $2
     FROM jsonb_to_recordset($1::jsonb) AS n(id uuid, template text, letter jsonb, rendered jsonb) WHERE m.id = n.id AND m.attempts = 0`,
    [JSON.stringify(letters), now],
  );
}
