import type { Database, Sql } from '../db/database.js';
import { withSessionLock } from '../db/session-lock.js';
import { newId } from '../ids.js';
import type { SweepCounts } from './sweep-counts.js';
import { OF_RUNS } from './trace-store.js';
import type { Verdict } from './verdict.js';

/** Orders of which a sweep has to look at those it has not looked at yet. */
export interface OpenOrders {
  /** In the order of ids, after this one. */
  readonly after: string;
  /** Only up to this one; null: to the end. */
  readonly until: string | null;
  /** Only those that were not judged as of `judgedSince` or later, or are due by `dueBy`; null: all of them. */
  readonly unless: { readonly judgedSince: Date; readonly dueBy: Date | null } | null;
}

/** With the values of `valuesOf` as its first four. */
export const OPEN_ORDERS = `(due_at IS NOT NULL OR judged_at IS NULL) AND id > $1 AND ($2::text IS NULL OR id <= $2)
  AND ($3::timestamptz IS NULL OR judged_at IS NULL OR judged_at < $3 OR due_at <= $4::timestamptz)`;

export const valuesOf = ({ after, until, unless }: OpenOrders) => [
  after,
  until,
  unless?.judgedSince ?? null,
  unless?.dueBy ?? null,
];

/** Orders whose answer may not be final, or that were never judged, in the order of ids. */
export async function findOpenOrders(sql: Sql, which: OpenOrders, limit: number): Promise<string[]> {
  const { rows } = await sql.query(`SELECT id FROM orders WHERE ${OPEN_ORDERS} ORDER BY id LIMIT $5`, [
    ...valuesOf(which),
    limit,
  ]);
  return rows.map((row) => row.id);
}

/** How many `findOpenOrders` will go through. */
export async function countOpenOrders(sql: Sql, which: OpenOrders): Promise<number> {
  const { rows } = await sql.query(`SELECT count(*) AS count FROM orders WHERE ${OPEN_ORDERS}`, valuesOf(which));
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

/** Settled orders with a parcel whose scans were added up after the order was last judged, and that nobody is judging. */
export async function findUnjudgedOrders(sql: Sql): Promise<string[]> {
  const { rows } = await sql.query(
    `SELECT DISTINCT o.id FROM orders o JOIN shipments s ON s.order_id = o.id
     WHERE o.due_at IS NULL AND coalesce(o.looked_at, o.judged_at) < s.tracked_at
       AND NOT EXISTS (SELECT 1 FROM outbox t WHERE t.stage = 'judge-promises' AND t.parked_at IS NULL AND o.id = ANY(t.ids))`,
  );
  return rows.map((row) => row.id);
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

/** Awards that are said to be given by the ledger, and of which it has no entry. */
export async function findUnbookedAwards(sql: Sql): Promise<string[]> {
  const { rows } = await sql.query(
    `SELECT w.id FROM awards w WHERE w.provider = 'ledger' AND w.status IN ('applied', 'reversed')
       AND NOT EXISTS (SELECT 1 FROM ledger_transfers t WHERE t.award_id = w.id)`,
  );
  return rows.map((row) => row.id);
}

/** Decisions that gave something of which nobody was told, notices without a letter, and letters that nobody is sending. */
export async function findUntoldDecisions(sql: Sql): Promise<string[]> {
  const { rows } = await sql.query(
    `WITH untold AS (
       SELECT a.decision_id AS id FROM awards a JOIN customers c ON c.id = a.customer_id
       WHERE c.email IS NOT NULL
       GROUP BY a.decision_id
       HAVING bool_or(a.status = 'applied' AND NOT EXISTS (SELECT 1 FROM messages m
           WHERE m.decision_id = a.decision_id AND m.status <> 'suppressed' AND a.id = ANY(m.award_ids)))
         AND NOT bool_or(a.status = 'pending')
       UNION SELECT coalesce(decision_id, notice_id) FROM messages WHERE status IN ('queued', 'sending')
       UNION SELECT n.id FROM notices n JOIN orders o ON o.id = n.order_id JOIN customers c ON c.id = o.customer_id
         WHERE n.tells AND c.email IS NOT NULL AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.notice_id = n.id)
     )
     SELECT id FROM untold
     WHERE NOT EXISTS (SELECT 1 FROM outbox t WHERE t.stage = 'send-messages' AND t.parked_at IS NULL
                       AND untold.id::text = ANY(t.ids))`,
  );
  return rows.map((row) => row.id);
}

/**
 * Numbers that carriers have told of for longer than this and no order has: mistyped, or never registered. How many there are,
 * and the newest of them.
 */
export async function findUnmatchedNumbers(
  sql: Sql,
  heardBefore: Date,
  limit: number,
): Promise<{ count: number; newest: { carrier: string; trackingKey: string }[] }> {
  const { rows } = await sql.query(
    `SELECT min(e.carrier) AS carrier, e.tracking_key AS "trackingKey", count(*) OVER () AS count FROM tracking_events e
     WHERE NOT EXISTS (SELECT 1 FROM shipments s WHERE s.tracking_key = e.tracking_key)
     GROUP BY e.tracking_key HAVING min(e.received_at) < $1 ORDER BY max(e.received_at) DESC, e.tracking_key LIMIT $2`,
    [heardBefore, limit],
  );
  return { count: rows[0]?.count ?? 0, newest: rows.map(({ carrier, trackingKey }) => ({ carrier, trackingKey })) };
}

/** Every order by the verdict it has now; an order without one has not been judged. */
export async function countVerdicts(sql: Sql): Promise<Map<Verdict | null, number>> {
  const { rows } = await sql.query('SELECT verdict, count(*) AS count FROM orders GROUP BY verdict');
  return new Map(rows.map((row) => [row.verdict, row.count]));
}

/** A run of the sweep that has not come to its end. */
export interface SweepRun {
  readonly id: string;
  readonly startedAt: Date;
  readonly asOf: Date;
  readonly trace: string;
  /** The last order of the last chunk that was committed; empty before the first. */
  readonly cursor: string;
  readonly counts: SweepCounts | null;
}

/** What there is of a run that has not come to its end: one that was left, and is ours now; one that somebody is at; none. */
export type UnfinishedRun =
  | { readonly outcome: 'taken'; readonly run: SweepRun }
  | { readonly outcome: 'under-way' }
  | { readonly outcome: 'none' };

/**
 * Takes a run that ended early and that nobody carries on, the newest first, for as long as `work` lasts.
 * @param wanted.asOf of a run as of a named instant: only one as of the same; null: only one as of its own beginning
 * @param wanted.startedAfter an older one is left alone: too much has happened since
 */
export async function withUnfinishedRun<T>(
  db: Database,
  wanted: { readonly asOf: Date | null; readonly startedAfter: Date },
  work: (unfinished: UnfinishedRun) => Promise<T>,
): Promise<T> {
  const { rows } = await db.pool.query(
    `SELECT id FROM sweep_runs WHERE finished_at IS NULL AND trace IS NOT NULL AND started_at > $1 AND is_past = $2
       AND (NOT is_past OR as_of = $3) ORDER BY started_at DESC`,
    [wanted.startedAfter, wanted.asOf !== null, wanted.asOf],
  );
  let isUnderWay = false;
  for (const { id } of rows) {
    const attempt = await withSessionLock(db, lockOf(id), async (holder) => {
      if (!holder) isUnderWay = true;
      // Whoever had it may have ended it between our look and our lock.
      const run = holder && (await loadUnfinishedRun(holder, id));
      return run ? { result: await work({ outcome: 'taken', run }) } : null;
    });
    if (attempt) return attempt.result;
  }
  return work({ outcome: isUnderWay ? 'under-way' : 'none' });
}

/** Begins a run, and holds it for as long as `work` lasts. */
export async function withNewRun<T>(
  db: Database,
  run: { readonly startedAt: Date; readonly asOf: Date; readonly isPast: boolean; readonly trace: string },
  work: (run: SweepRun) => Promise<T>,
): Promise<T> {
  const id = newId();
  // Held before it is there: nobody takes it for one that was left.
  return withSessionLock(db, lockOf(id), async () => {
    await db.pool.query('INSERT INTO sweep_runs (id, started_at, as_of, is_past, trace) VALUES ($1, $2, $3, $4, $5)', [
      id,
      run.startedAt,
      run.asOf,
      run.isPast,
      run.trace,
    ]);
    return work({ id, startedAt: run.startedAt, asOf: run.asOf, trace: run.trace, cursor: '', counts: null });
  });
}

const lockOf = (id: string): string => `sweep ${id}`;

async function loadUnfinishedRun(sql: Sql, id: string): Promise<SweepRun | null> {
  const { rows } = await sql.query(
    `SELECT id, started_at AS "startedAt", as_of AS "asOf", trace, coalesce(cursor, '') AS cursor, counts
     FROM sweep_runs WHERE id = $1 AND finished_at IS NULL`,
    [id],
  );
  return rows[0] ?? null;
}

export async function markResumed(sql: Sql, id: string): Promise<void> {
  await sql.query('UPDATE sweep_runs SET resumed_at = now() WHERE id = $1', [id]);
}

/**
 * Notes how far a run is, in the transaction of the chunk.
 * @returns false: it is not where we left it, so somebody else has carried it on; the chunk must not count twice
 */
export async function moveCursor(
  sql: Sql,
  id: string,
  { from, to, counts }: { readonly from: string; readonly to: string; readonly counts: SweepCounts },
): Promise<boolean> {
  const { rowCount } = await sql.query(
    `UPDATE sweep_runs SET cursor = $3, counts = $4
     WHERE id = $1 AND coalesce(cursor, '') = $2 AND finished_at IS NULL`,
    [id, from, to, JSON.stringify(counts)],
  );
  return rowCount === 1;
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

/** A run as people look at it. */
export interface ListedSweep {
  readonly id: string;
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
  readonly asOf: Date;
  /** When it was last carried on after it had ended early. */
  readonly resumedAt: Date | null;
  readonly judged: number;
  readonly messages: number;
  readonly report: Readonly<Record<string, unknown>> | null;
}

/** The runs, the newest first, before this one. */
export async function listSweeps(sql: Sql, page: { after: string | null; limit: number }): Promise<ListedSweep[]> {
  const { rows } = await sql.query(
    `SELECT r.id, r.started_at AS "startedAt", r.finished_at AS "finishedAt", r.as_of AS "asOf", r.resumed_at AS "resumedAt", r.report,
       coalesce((r.counts -> 'judged')::int, 0) AS judged,
       (SELECT count(*) FROM messages m JOIN verdicts v ON v.id = m.decision_id
        WHERE v.trace = r.trace AND ${OF_RUNS})::int AS messages
     FROM sweep_runs r WHERE $1::uuid IS NULL OR r.id < $1 ORDER BY r.id DESC LIMIT $2`,
    [page.after, page.limit],
  );
  return rows;
}
