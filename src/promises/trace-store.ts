import type { Sql } from '../db/database.js';

/**
 * The triggers of runs over many orders: verdicts of these have an index on their trace, whose condition this must be. Webhooks,
 * which make most verdicts, pay nothing for it.
 */
export const OF_RUNS = `v.trigger IN ('sweep', 'recheck', 'replay')`;

/** What a run over many orders has led to: orders with another answer than before, awards, and letters. */
export async function countOutcomesOfTrace(
  sql: Sql,
  trace: string,
): Promise<{ changed: number; awards: number; messages: number }> {
  const { rows } = await sql.query(
    `SELECT (SELECT count(DISTINCT v.order_id) FROM verdicts v WHERE v.trace = $1 AND ${OF_RUNS}) AS changed,
       (SELECT count(*) FROM awards a JOIN verdicts v ON v.id = a.decision_id WHERE v.trace = $1 AND ${OF_RUNS}) AS awards,
       (SELECT count(*) FROM messages m JOIN verdicts v ON v.id = m.decision_id WHERE v.trace = $1 AND ${OF_RUNS}) AS messages`,
    [trace],
  );
  return rows[0];
}
