import type { Sql } from '../db/database.js';
import { caseEvent } from '../events/event.js';
import { recordEvents } from '../events/event-store.js';
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
  /** Who has taken it on, by the key and its name; null: it is free. A key that was revoked holds nothing. */
  readonly assigneeKeyId: string | null;
  readonly assignee: string | null;
  /** Since when it is overdue for too long, and its alarm stands. Of a task that is done: what it came to before. */
  readonly escalatedAt: Date | null;
  /** How often it was tried and nobody was reached. */
  readonly tries: number;
}

const TASK = `t.id, t.kind, t.status, t.order_id AS "orderId", t.customer_id AS "customerId", c.name AS "customerName", c.phone,
  t.incident, t.rule, t.created_at AS "createdAt", t.due_at AS "dueAt", t.time_zone AS "timeZone", t.talking_points AS "talkingPoints",
  t.outcome, t.note, t.completed_at AS "completedAt", t.completed_by AS "completedBy", k.id AS "assigneeKeyId",
  k.name AS assignee, t.escalated_at AS "escalatedAt", t.tries`;
const TASKS = `tasks t JOIN customers c ON c.id = t.customer_id
  LEFT JOIN api_keys k ON k.id = t.assignee_key_id AND k.revoked_at IS NULL`;

/**
 * Opens a case, or opens one again that was closed before the customer got in touch: then it is as new, and anybody's. One
 * that is open stays as it is.
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
       talking_points = CASE WHEN t.completed_at < $9 THEN excluded.talking_points ELSE t.talking_points END,
       outcome = CASE WHEN t.completed_at < $9 THEN NULL ELSE t.outcome END,
       note = CASE WHEN t.completed_at < $9 THEN NULL ELSE t.note END,
       completed_by = CASE WHEN t.completed_at < $9 THEN NULL ELSE t.completed_by END,
       assignee_key_id = CASE WHEN t.completed_at < $9 THEN NULL ELSE t.assignee_key_id END,
       assigned_at = CASE WHEN t.completed_at < $9 THEN NULL ELSE t.assigned_at END,
       escalated_at = CASE WHEN t.completed_at < $9 THEN NULL ELSE t.escalated_at END,
       tries = CASE WHEN t.completed_at < $9 THEN 0 ELSE t.tries END,
       completed_at = CASE WHEN t.completed_at < $9 THEN NULL ELSE t.completed_at END
     RETURNING id, status, due_at`,
    [newId(), one.orderId, one.customerId, one.incident, one.rule, one.now, one.dueAt, one.talkingPoints, one.at],
  );
  const { id, status, due_at: dueAt } = rows[0];
  // One that stood open is due when it was due before, and is no news.
  const isNew = status === 'open' && dueAt?.getTime() === one.dueAt.getTime();
  if (isNew) {
    const { orderId, customerId, incident, rule, now } = one;
    await recordEvents(sql, [
      caseEvent({ taskId: id, orderId, customerId, incident, rule, dueAt: one.dueAt, at: now }),
    ]);
  }
  return id;
}

/** More sentences, and nobody reads them. */
const MOST_POINTS = 40;

/** Adds a sentence to what the record says for whoever does it; one that is there stays one. @returns whether it is there now */
export async function addTalkingPoint(sql: Sql, taskId: string, point: string): Promise<boolean> {
  const { rows } = await sql.query(
    `UPDATE tasks SET talking_points = CASE
       WHEN $2 = ANY (talking_points) OR cardinality(talking_points) >= $3 THEN talking_points ELSE array_append(talking_points, $2) END
     WHERE id = $1 RETURNING $2 = ANY (talking_points) AS "isThere"`,
    [taskId, point, MOST_POINTS],
  );
  return rows[0]?.isThere === true;
}

/** A place in the list: due when, and which. */
export interface TaskCursor {
  readonly dueAt: Date | null;
  readonly id: string;
}

/** Which tasks are meant; null: whatever it is. */
export interface TaskFilter {
  readonly status: string;
  readonly kind: string | null;
  /** The id of a key, or `none`: what nobody has taken. */
  readonly assignee: string | null;
  readonly escalated: boolean | null;
}

/** The tasks that are meant, what is due first first; what is due at no time comes last. */
export async function listTasks(
  sql: Sql,
  filter: TaskFilter & { readonly after: TaskCursor | null; readonly limit: number },
): Promise<Task[]> {
  const { status, kind, assignee, escalated, after, limit } = filter;
  const { rows } = await sql.query(
    `SELECT ${TASK} FROM ${TASKS}
     WHERE t.status = $1 AND ($2::text IS NULL OR t.kind = $2)
       AND ($6::text IS NULL OR CASE $6 WHEN 'none' THEN k.id IS NULL ELSE k.id::text = $6 END)
       AND ($7::boolean IS NULL OR (t.escalated_at IS NOT NULL) = $7)
       AND ($4::uuid IS NULL OR (coalesce(t.due_at, 'infinity'), t.id) > (coalesce($3::timestamptz, 'infinity'), $4::uuid))
     ORDER BY coalesce(t.due_at, 'infinity'), t.id LIMIT $5`,
    [status, kind, after?.dueAt ?? null, after?.id ?? null, limit, assignee, escalated],
  );
  return rows;
}

/** Takes a task until the transaction ends. null: there is none. */
export async function lockTask(sql: Sql, id: string): Promise<Task | null> {
  await sql.query('SELECT 1 FROM tasks WHERE id = $1 FOR UPDATE', [id]);
  const { rows } = await sql.query(`SELECT ${TASK} FROM ${TASKS} WHERE t.id = $1`, [id]);
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

/**
 * Takes the key of somebody who is to have a task, until the transaction ends: it must not be revoked meanwhile.
 * @returns its name; null: there is no such key, it was revoked, or it is no person's
 */
export async function holdAssignee(sql: Sql, keyId: string): Promise<string | null> {
  const { rows } = await sql.query(
    `SELECT name FROM api_keys WHERE id = $1 AND revoked_at IS NULL AND role IN ('agent', 'supervisor', 'admin') FOR SHARE`,
    [keyId],
  );
  return rows[0]?.name ?? null;
}

/** @param keyId null: nobody has it any more */
export async function saveAssignee(sql: Sql, id: string, keyId: string | null, at: Date): Promise<void> {
  await sql.query(
    'UPDATE tasks SET assignee_key_id = $2, assigned_at = CASE WHEN $2::uuid IS NOT NULL THEN $3::timestamptz END WHERE id = $1',
    [id, keyId, at],
  );
}

/** The zone in which the order of a task was promised: that of its customer. */
export async function loadZoneOfOrder(sql: Sql, orderId: string): Promise<string> {
  const { rows } = await sql.query('SELECT promise_time_zone AS zone FROM orders WHERE id = $1', [orderId]);
  return rows[0].zone;
}

/** Another try that reached nobody: the next one is due later, and nothing is overdue until then. */
export async function savePostponed(
  sql: Sql,
  id: string,
  next: { readonly dueAt: Date; readonly timeZone: string | null; readonly note: string | null },
): Promise<void> {
  await sql.query(
    'UPDATE tasks SET tries = tries + 1, due_at = $2, time_zone = $3, note = $4, escalated_at = NULL WHERE id = $1',
    [id, next.dueAt, next.timeZone, next.note],
  );
}

/** A task that is overdue for too long. */
export type EscalatedTask = Pick<Task, 'id' | 'kind' | 'orderId' | 'rule' | 'assigneeKeyId'> & { readonly dueAt: Date };

/**
 * Marks open tasks as escalated, what was due first first; each once, however many look at the same time.
 * @param due calls and everything else that was due at these instants or before
 */
export async function escalateTasks(
  sql: Sql,
  due: { readonly calls: Date; readonly others: Date },
  at: Date,
  limit: number,
): Promise<EscalatedTask[]> {
  const { rows } = await sql.query(
    `UPDATE tasks SET escalated_at = $3
     WHERE id IN (SELECT id FROM tasks WHERE status = 'open' AND escalated_at IS NULL
                  AND due_at <= CASE kind WHEN 'call' THEN $1::timestamptz ELSE $2::timestamptz END
                  ORDER BY due_at, id LIMIT $4 FOR NO KEY UPDATE SKIP LOCKED)
     RETURNING id, kind, order_id AS "orderId", rule, due_at AS "dueAt", assignee_key_id AS "assigneeKeyId"`,
    [due.calls, due.others, at, limit],
  );
  return rows;
}
