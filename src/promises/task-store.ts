import type { Sql } from '../db/database.js';
import { newId } from '../ids.js';

/** Something for a person to do. */
export interface Task {
  readonly id: string;
  readonly kind: string;
  readonly status: string;
  readonly orderId: string;
  readonly customerId: string;
  readonly customerName: string | null;
  readonly phone: string | null;
  readonly incident: string;
  readonly rule: string;
  readonly createdAt: Date;
  readonly dueAt: Date | null;
  readonly timeZone: string | null;
  readonly talkingPoints: readonly string[];
  readonly outcome: string | null;
  readonly note: string | null;
  readonly completedAt: Date | null;
  readonly completedBy: string | null;
}

const TASK = `t.id, t.kind, t.status, t.order_id AS "orderId", t.customer_id AS "customerId", c.name AS "customerName", c.phone,
  t.incident, t.rule, t.created_at AS "createdAt", t.due_at AS "dueAt", t.time_zone AS "timeZone", t.talking_points AS "talkingPoints",
  t.outcome, t.note, t.completed_at AS "completedAt", t.completed_by AS "completedBy"`;

/**
 * Opens a case, or opens one again that was closed before the customer got in touch; one that is open stays as it is.
 * @returns its id
 */
export async function openCase(
  sql: Sql,
  one: {
    readonly orderId: string;
    readonly customerId: string;
    readonly incident: string;
    readonly rule: string;
    readonly at: Date;
    readonly now: Date;
    readonly dueAt: Date;
    readonly talkingPoints: readonly string[];
  },
): Promise<string> {
  const { rows } = await sql.query(
    `INSERT INTO tasks AS t (id, order_id, customer_id, incident, rule, kind, created_at, due_at, talking_points)
     VALUES ($1, $2, $3, $4, $5, 'case', $6, $7, $8)
     ON CONFLICT (order_id, incident, rule) DO UPDATE SET
       status = CASE WHEN t.completed_at < $9 THEN 'open' ELSE t.status END,
       due_at = CASE WHEN t.completed_at < $9 THEN excluded.due_at ELSE t.due_at END,
       outcome = CASE WHEN t.completed_at < $9 THEN NULL ELSE t.outcome END,
       note = CASE WHEN t.completed_at < $9 THEN NULL ELSE t.note END,
       completed_by = CASE WHEN t.completed_at < $9 THEN NULL ELSE t.completed_by END,
       completed_at = CASE WHEN t.completed_at < $9 THEN NULL ELSE t.completed_at END
     RETURNING id`,
    [newId(), one.orderId, one.customerId, one.incident, one.rule, one.now, one.dueAt, one.talkingPoints, one.at],
  );
  return rows[0].id;
}

/** A place in the list: due when, and which. */
export interface TaskCursor {
  readonly dueAt: Date | null;
  readonly id: string;
}

/** The tasks of a status and kind, what is due first first; what is due at no time comes last. */
export async function listTasks(
  sql: Sql,
  filter: { status: string; kind: string | null; after: TaskCursor | null; limit: number },
): Promise<Task[]> {
  const { status, kind, after, limit } = filter;
  const { rows } = await sql.query(
    `SELECT ${TASK} FROM tasks t JOIN customers c ON c.id = t.customer_id
     WHERE t.status = $1 AND ($2::text IS NULL OR t.kind = $2)
       AND ($4::uuid IS NULL OR (coalesce(t.due_at, 'infinity'), t.id) > (coalesce($3::timestamptz, 'infinity'), $4::uuid))
     ORDER BY coalesce(t.due_at, 'infinity'), t.id LIMIT $5`,
    [status, kind, after?.dueAt ?? null, after?.id ?? null, limit],
  );
  return rows;
}

/** Takes a task until the transaction ends. null: there is none. */
export async function lockTask(sql: Sql, id: string): Promise<Task | null> {
  await sql.query('SELECT 1 FROM tasks WHERE id = $1 FOR UPDATE', [id]);
  const { rows } = await sql.query(
    `SELECT ${TASK} FROM tasks t JOIN customers c ON c.id = t.customer_id WHERE t.id = $1`,
    [id],
  );
  return rows[0] ?? null;
}

export async function saveOutcome(
  sql: Sql,
  id: string,
  done: { readonly outcome: string; readonly note: string | null; readonly at: Date; readonly by: string },
): Promise<void> {
  await sql.query(
    `UPDATE tasks SET status = 'done', outcome = $2, note = $3, completed_at = $4, completed_by = $5 WHERE id = $1`,
    [id, done.outcome, done.note, done.at, done.by],
  );
}
