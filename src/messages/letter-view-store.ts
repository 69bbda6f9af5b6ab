import type { Sql } from '../db/database.js';
import { recordMessagesSent } from '../events/event-store.js';
import type { RenderedLetter } from './render.js';

export const MESSAGE_STATUSES = [
  'queued',
  'held',
  'sending',
  'sent',
  'failed',
  'unknown',
  'suppressed',
  'blocked',
  'bounced',
  'withdrawn',
] as const;
export type MessageStatus = (typeof MESSAGE_STATUSES)[number];

/** A letter as people look at it. */
export interface LetterView {
  readonly id: string;
  readonly orderId: string;
  readonly customerId: string;
  /** The decision or the notice that it tells of. */
  readonly tellsOf: string;
  readonly template: string;
  /** null: a release wrote it that kept no words. */
  readonly subject: string | null;
  readonly status: MessageStatus;
  readonly to: string;
  readonly messageId: string;
  readonly attempts: number;
  readonly createdAt: Date;
  readonly sendAfter: Date | null;
  readonly handoverAt: Date | null;
  readonly sentAt: Date | null;
  readonly resentAt: Date | null;
  readonly response: string | null;
  readonly answer: 'yes' | 'no' | null;
}

const VIEW = `m.id, m.order_id AS "orderId", m.customer_id AS "customerId", coalesce(m.decision_id, m.notice_id) AS "tellsOf", m.template,
  m.status, m.to_address AS "to", m.message_id AS "messageId", m.attempts, m.created_at AS "createdAt", m.send_after AS "sendAfter",
  m.handover_at AS "handoverAt", m.sent_at AS "sentAt", m.resent_at AS "resentAt", m.response, m.answer,
  m.rendered ->> 'subject' AS subject`;

/** Letters, the newest first, before this one; null: whatever it is. */
export async function listLetters(
  sql: Sql,
  filter: {
    readonly status: string | null;
    readonly orderId: string | null;
    readonly template: string | null;
    readonly after: { readonly at: Date; readonly id: string } | null;
    readonly limit: number;
  },
): Promise<LetterView[]> {
  const { status, orderId, template, after, limit } = filter;
  const { rows } = await sql.query(
    `SELECT ${VIEW} FROM messages m
     WHERE ($1::text IS NULL OR m.status = $1) AND ($2::text IS NULL OR m.order_id = $2) AND ($3::text IS NULL OR m.template = $3)
       AND ($5::uuid IS NULL OR (m.created_at, m.id) < ($4, $5::uuid))
     ORDER BY m.created_at DESC, m.id DESC LIMIT $6`,
    [status, orderId, template, after?.at ?? null, after?.id ?? null, limit],
  );
  return rows;
}

/** A letter with its words; `rendered` is null, and `letter` its facts, where a release wrote it that kept no words. */
export async function loadLetter(
  sql: Sql,
  id: string,
): Promise<{ view: LetterView; rendered: RenderedLetter | null; letter: unknown } | null> {
  const { rows } = await sql.query(`SELECT ${VIEW}, m.rendered, m.letter FROM messages m WHERE m.id = $1`, [id]);
  const [row] = rows;
  if (!row) return null;
  const { rendered, letter, ...view } = row;
  return { view, rendered, letter };
}

/** Takes a letter until the transaction ends. null: there is none. */
export async function lockLetter(sql: Sql, id: string): Promise<LetterView | null> {
  const { rows } = await sql.query(`SELECT ${VIEW} FROM messages m WHERE m.id = $1 FOR UPDATE`, [id]);
  return rows[0] ?? null;
}

/** Queues a letter that a person lets go. @param copyFrom since when it is a copy; null: it is none */
export async function queueLetter(sql: Sql, id: string, copyFrom: Date | null): Promise<void> {
  await sql.query(
    `UPDATE messages SET status = 'queued', send_after = NULL, turn_at = NULL, handover_at = NULL, resent_at = coalesce($2, resent_at)
     WHERE id = $1`,
    [id, copyFrom],
  );
}

/** Ends a letter, by what a person says of it. */
export async function settleLetter(
  sql: Sql,
  id: string,
  { status, response, sentAt }: { status: 'sent' | 'failed' | 'withdrawn'; response: string; sentAt: Date | null },
): Promise<void> {
  await sql.query(
    'UPDATE messages SET status = $2, response = $3, sent_at = $4, send_after = NULL, turn_at = NULL WHERE id = $1',
    [id, status, response, sentAt],
  );
  if (status === 'sent') await recordMessagesSent(sql, [id]);
}
