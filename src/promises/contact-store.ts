import type { Sql } from '../db/database.js';

export interface NewContact {
  readonly id: string;
  readonly customerId: string;
  readonly orderId: string | null;
  readonly channel: string;
  readonly reason: string;
  readonly at: Date;
  readonly recordedAt: Date;
  readonly recordedBy: string;
}

export async function insertContact(sql: Sql, contact: NewContact): Promise<void> {
  const { id, customerId, orderId, channel, reason, at, recordedAt, recordedBy } = contact;
  await sql.query(
    `INSERT INTO contacts (id, customer_id, order_id, channel, reason, at, recorded_at, recorded_by)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [id, customerId, orderId, channel, reason, at, recordedAt, recordedBy],
  );
}

/** Whose order it is; null: there is none with this id. */
export async function loadCustomerOfOrder(sql: Sql, orderId: string): Promise<string | null> {
  const { rows } = await sql.query('SELECT customer_id FROM orders WHERE id = $1', [orderId]);
  return rows[0]?.customer_id ?? null;
}

/** Whether the customer is known, and the order that is meant when it is the only one. */
export async function loadOnlyOrder(sql: Sql, customerId: string): Promise<{ orderId: string | null } | null> {
  const { rows } = await sql.query(
    `SELECT (SELECT CASE count(*) WHEN 1 THEN min(o.id) END FROM orders o WHERE o.customer_id = c.id) AS "orderId"
     FROM customers c WHERE c.id = $1`,
    [customerId],
  );
  return rows[0] ?? null;
}

/** What can be said about an order now. */
export interface ToSay {
  readonly promiseOn: string | null;
  readonly promiseAt: Date | null;
  readonly timeZone: string;
  readonly verdict: string | null;
  readonly wording: readonly string[];
  readonly locale: string | null;
}

export async function loadToSay(sql: Sql, orderId: string): Promise<ToSay | null> {
  const { rows } = await sql.query(
    `SELECT o.promise_on AS "promiseOn", o.promise_at AS "promiseAt", o.promise_time_zone AS "timeZone", o.verdict,
       coalesce(v.customer_wording, '{}') AS wording, c.locale
     FROM orders o JOIN customers c ON c.id = o.customer_id LEFT JOIN verdicts v ON v.id = o.verdict_id WHERE o.id = $1`,
    [orderId],
  );
  return rows[0] ?? null;
}
