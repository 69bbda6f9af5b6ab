import type { Sql } from '../db/database.js';
import type { PastApology } from './apologies.js';
import { APOLOGIES, OF_LATENESS } from './letter.js';

/** Takes the customers of these decisions: how many apologies they get is counted by one at a time. */
export async function lockCustomersOf(sql: Sql, decisionIds: readonly string[]): Promise<void> {
  await sql.query(
    `SELECT 1 FROM customers WHERE id IN (SELECT o.customer_id FROM verdicts v JOIN orders o ON o.id = v.order_id WHERE v.id = ANY($1::uuid[]))
     ORDER BY id FOR NO KEY UPDATE`,
    [decisionIds],
  );
}

/** Letters that told nobody of anything, and will not. */
const IN_VAIN = ['suppressed', 'withdrawn', 'blocked', 'failed', 'bounced'];

/** The apologies that each of these customers got, or that are under way, since then. */
export async function loadPastApologies(
  sql: Sql,
  customerIds: readonly string[],
  since: Date,
): Promise<Map<string, readonly PastApology[]>> {
  const { rows } = await sql.query(
    `SELECT customer_id, order_id AS "orderId", coalesce(sent_at, created_at) AS at, status = 'held' AS "isHeld",
       template = ANY($5) AND NOT EXISTS (SELECT 1 FROM notices n WHERE n.order_id = m.order_id AND n.kind = 'correction'
         AND n.facts ->> 'correctionOf' = 'came_in_time') AS "wasLate"
     FROM messages m
     WHERE customer_id = ANY($1) AND created_at >= $2 AND template = ANY($3) AND status <> ALL($4)`,
    [customerIds, since, APOLOGIES, IN_VAIN, OF_LATENESS],
  );
  const past = new Map<string, PastApology[]>();
  for (const { customer_id, ...apology } of rows) past.set(customer_id, [...(past.get(customer_id) ?? []), apology]);
  return past;
}
