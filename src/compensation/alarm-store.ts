import type { Sql } from '../db/database.js';
import { newId } from '../ids.js';

/**
 * What a person must look at. `breaker`: money is stopped; `award_pending`: decided and not granted for an hour;
 * `award_failed`: a provider refused it for good; `ledger`: the books do not add up; `audit`: the nightly audit found a
 * wrong answer, something due and not paid, or something paid and not due; `task_overdue`: a person should have done it by now;
 * `letters_held`: letters would be more apologies to a customer than the limit; `letters_unsettled`: letters failed, came back, or nobody
 * knows whether they arrived; `event_endpoint`: a system of the shop's says that it is gone, and gets no events;
 * `event_delivery`: events for one were given up.
 */
export const ALARM_KINDS = [
  'breaker',
  'award_pending',
  'award_failed',
  'ledger',
  'audit',
  'task_overdue',
  'letters_held',
  'letters_unsettled',
  'event_endpoint',
  'event_delivery',
] as const;
export type AlarmKind = (typeof ALARM_KINDS)[number];

export interface Alarm {
  readonly id: string;
  readonly kind: AlarmKind;
  /** What it is about: the id of an award, a task or an endpoint, or a word for the one thing of its kind. */
  readonly subject: string;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly raisedAt: Date;
  readonly lastSeenAt: Date;
  readonly clearedAt: Date | null;
}

/** An alarm as whoever notices it raises it. `message` and `details` hold ids, codes and numbers, nothing personal. */
export type NewAlarm = Pick<Alarm, 'kind' | 'subject' | 'message' | 'details'> & { readonly at: Date };

/**
 * Raises an alarm, unless one of its kind and subject is open: then it is the same trouble, seen once more.
 * @returns whether it is new
 */
export async function raiseAlarm(sql: Sql, alarm: NewAlarm): Promise<boolean> {
  return (await raiseAlarms(sql, [alarm])) > 0;
}

/**
 * As `raiseAlarm`, for many at once, no two of one kind and subject.
 * @returns how many are new
 */
export async function raiseAlarms(sql: Sql, alarms: readonly NewAlarm[]): Promise<number> {
  if (alarms.length === 0) return 0;
  const rows = alarms.map(({ at, ...alarm }) => ({ id: newId(), ...alarm, at: at.toISOString() }));
  const { rows: raised } = await sql.query(
    `INSERT INTO alarms AS known (id, kind, subject, message, details, raised_at, last_seen_at)
     SELECT n.id, n.kind, n.subject, n.message, n.details, n.at, n.at
     FROM jsonb_to_recordset($1::jsonb) AS n(id uuid, kind text, subject text, message text, details jsonb, at timestamptz)
     ORDER BY n.kind, n.subject
     ON CONFLICT (kind, subject) WHERE cleared_at IS NULL
     DO UPDATE SET last_seen_at = greatest(known.last_seen_at, excluded.last_seen_at)
     RETURNING id`,
    [JSON.stringify(rows)],
  );
  const made = new Set(rows.map(({ id }) => id));
  return raised.filter((row) => made.has(row.id)).length;
}

/**
 * Notes that it is so no more. Raised again later it is a new alarm.
 * @returns whether one was open
 */
export async function clearAlarm(
  sql: Sql,
  { kind, subject, at }: { kind: AlarmKind; subject: string; at: Date },
): Promise<boolean> {
  const { rowCount } = await sql.query(
    'UPDATE alarms SET cleared_at = $3 WHERE kind = $1 AND subject = $2 AND cleared_at IS NULL',
    [kind, subject, at],
  );
  return (rowCount ?? 0) > 0;
}

/** The newest first. @param options.after the id of the last one of the page before */
export async function listAlarms(
  sql: Sql,
  { openOnly, after = null, limit }: { openOnly: boolean; after?: string | null; limit: number },
): Promise<Alarm[]> {
  const { rows } = await sql.query(
    `SELECT id, kind, subject, message, details, raised_at AS "raisedAt", last_seen_at AS "lastSeenAt", cleared_at AS "clearedAt"
     FROM alarms
     WHERE (NOT $1 OR cleared_at IS NULL)
       AND ($2::uuid IS NULL OR (raised_at, id) < (SELECT raised_at, id FROM alarms WHERE id = $2::uuid))
     ORDER BY raised_at DESC, id DESC LIMIT $3`,
    [openOnly, after, limit],
  );
  return rows;
}

/** How many are open, by kind; every kind is there. */
export async function countOpenAlarms(sql: Sql): Promise<Record<AlarmKind, number>> {
  const { rows } = await sql.query('SELECT kind, count(*) AS count FROM alarms WHERE cleared_at IS NULL GROUP BY kind');
  const counts = new Map<string, number>(rows.map((row) => [row.kind, row.count]));
  return Object.fromEntries(ALARM_KINDS.map((kind) => [kind, counts.get(kind) ?? 0])) as Record<AlarmKind, number>;
}
