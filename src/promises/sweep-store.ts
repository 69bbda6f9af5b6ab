import type { Sql } from '../db/database.js';
import { newId } from '../ids.js';
import type { Verdict } from './verdict.js';

/** Orders whose answer may not be final, or that were never judged, after this id, in the order of ids. */
export async function findOpenOrders(sql: Sql, after: string, limit: number): Promise<string[]> {
  const { rows } = await sql.query(
    'SELECT id FROM orders WHERE id > $1 AND (due_at IS NOT NULL OR judged_at IS NULL) ORDER BY id LIMIT $2',
    [after, limit],
  );
  return rows.map((row) => row.id);
}

/** How many `findOpenOrders` will go through. */
export async function countOpenOrders(sql: Sql): Promise<number> {
  const { rows } = await sql.query(
    'SELECT count(*) AS count FROM orders WHERE due_at IS NOT NULL OR judged_at IS NULL',
  );
  return rows[0].count;
}

/** Numbers of registered parcels with a scan that came after their scans were last added up. */
export async function findUntrackedNumbers(sql: Sql): Promise<string[]> {
  const { rows } = await sql.query(
    `SELECT DISTINCT s.tracking_key FROM shipments s
     WHERE EXISTS (SELECT 1 FROM tracking_events e WHERE e.tracking_key = s.tracking_key
                   AND (s.tracked_at IS NULL OR e.received_at > s.tracked_at))`,
  );
  return rows.map((row) => row.tracking_key);
}

/** Awards of these kinds that nobody is granting or carrying out, though nothing stops them. */
export async function findForgottenAwards(sql: Sql, kinds: readonly string[]): Promise<string[]> {
  const { rows } = await sql.query(
    `SELECT a.id FROM awards a WHERE a.status = 'pending' AND a.kind = ANY($1)
       AND NOT EXISTS (SELECT 1 FROM outbox t WHERE t.stage IN ('grant-awards', 'call-providers') AND t.parked_at IS NULL AND a.id::text = ANY(t.ids))`,
    [kinds],
  );
  return rows.map((row) => row.id);
}

/** Decisions that gave something of which nobody was told, and letters that nobody is sending. */
export async function findUntoldDecisions(sql: Sql): Promise<string[]> {
  const { rows } = await sql.query(
    `WITH untold AS (
       SELECT a.decision_id AS id FROM awards a JOIN customers c ON c.id = a.customer_id
       WHERE c.email IS NOT NULL
       GROUP BY a.decision_id
       HAVING bool_or(a.status = 'applied' AND NOT EXISTS (SELECT 1 FROM messages m
           WHERE m.decision_id = a.decision_id AND m.status <> 'suppressed' AND a.id = ANY(m.award_ids)))
         AND NOT bool_or(a.status = 'pending')
       UNION SELECT decision_id FROM messages WHERE status IN ('queued', 'sending')
     )
     SELECT id FROM untold
     WHERE NOT EXISTS (SELECT 1 FROM outbox t WHERE t.stage = 'send-messages' AND t.parked_at IS NULL
                       AND untold.id::text = ANY(t.ids))`,
  );
  return rows.map((row) => row.id);
}

/** Every order by the verdict it has now; an order without one has not been judged. */
export async function countVerdicts(sql: Sql): Promise<Map<Verdict | null, number>> {
  const { rows } = await sql.query('SELECT verdict, count(*) AS count FROM orders GROUP BY verdict');
  return new Map(rows.map((row) => [row.verdict, row.count]));
}

/** Letters that this trace led to. */
export async function countMessagesOfTrace(sql: Sql, trace: string): Promise<number> {
  const { rows } = await sql.query(
    'SELECT count(*) AS count FROM messages m JOIN verdicts v ON v.id = m.decision_id WHERE v.trace = $1',
    [trace],
  );
  return rows[0].count;
}

export async function startSweepRun(sql: Sql, startedAt: Date, asOf: Date): Promise<string> {
  const id = newId();
  await sql.query('INSERT INTO sweep_runs (id, started_at, as_of) VALUES ($1, $2, $3)', [id, startedAt, asOf]);
  return id;
}

export async function finishSweepRun(sql: Sql, id: string, report: unknown): Promise<void> {
  await sql.query('UPDATE sweep_runs SET finished_at = now(), report = $2 WHERE id = $1', [id, JSON.stringify(report)]);
}

/** When the last sweep began that ended well; before the first one, since when there is something to sweep; null: never. */
export async function findLastSweep(sql: Sql): Promise<Date | null> {
  const { rows } = await sql.query(
    'SELECT coalesce(max(started_at), (SELECT min(registered_at) FROM orders)) AS at FROM sweep_runs WHERE finished_at IS NOT NULL',
  );
  return rows[0].at;
}
