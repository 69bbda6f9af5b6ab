import type { Sql } from '../db/database.js';

/** A letter as whoever follows a link in it sees it. */
export interface LinkedLetter {
  readonly orderId: string;
  readonly customerId: string;
  readonly template: string;
  readonly toAddress: string;
  readonly locale: string | null;
  readonly shopName: string;
  /** Of the decision that it told of; null: it was a notice. */
  readonly incident: string | null;
  readonly answer: 'yes' | 'no' | null;
}

/** The letter of a link. `lock`: until the transaction ends, two answers come one after the other. */
export async function findLinkedLetter(
  sql: Pick<Sql, 'query'>,
  messageId: string,
  { lock }: { lock: boolean },
): Promise<LinkedLetter | null> {
  const { rows } = await sql.query(
    `SELECT m.order_id AS "orderId", m.customer_id AS "customerId", m.template, m.to_address AS "toAddress",
       m.letter #>> '{customer,locale}' AS locale, m.letter ->> 'shopName' AS "shopName", v.incident, m.answer
     FROM messages m LEFT JOIN verdicts v ON v.id = m.decision_id WHERE m.id = $1 ${lock ? 'FOR UPDATE OF m' : ''}`,
    [messageId],
  );
  return rows[0] ?? null;
}

/** The last answer counts. */
export async function saveAnswer(sql: Sql, messageId: string, answer: 'yes' | 'no', at: Date): Promise<void> {
  await sql.query('UPDATE messages SET answer = $2, answered_at = $3 WHERE id = $1', [messageId, answer, at]);
}
