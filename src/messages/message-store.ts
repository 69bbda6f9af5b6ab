import type { LetterAwardRow } from '../compensation/letter-award.js';
import type { Sql } from '../db/database.js';
import { messagesSent, telling } from '../events/event-store.js';
import { newId } from '../ids.js';
import type { NoticeKind } from '../promises/notice-kinds.js';
import type { ClaimedMessage } from './claim-letters-store.js';
import { CURRENT_STATE, currentStateOf } from './current-state-store.js';
import type { CurrentState } from './fresh-facts.js';
import type { Letter, TemplateName } from './letter.js';
import type { RenderedLetter } from './render.js';
import { addSuppression } from './suppression-store.js';

/** Letters that the customer has, or is about to have. */
const TOLD = ['queued', 'sending', 'sent', 'unknown'];

/** A decision that can be told: something was given that nobody was told of, and nothing of it is still to be granted. */
export interface TellableDecision {
  readonly decisionId: string;
  readonly orderId: string;
  readonly customerId: string;
  readonly email: string | null;
  readonly name: string | null;
  readonly locale: string | null;
  /** `manual` where a person gave it by hand. */
  readonly incident: string;
  readonly facts: unknown;
  /** What is to be told; instants as ISO 8601, dates as they stand in a calendar. */
  readonly awards: readonly LetterAwardRow[];
  /** A letter told of something of the same class that the same incident got before. */
  readonly isTopUp: boolean;
  /** A letter told of another part of the same decision already. */
  readonly isAddition: boolean;
  /** A letter told already that the occasion was missed. */
  readonly knowsOccasion: boolean;
  /** How the order stands now, which may be another way than when it was decided on. */
  readonly current: CurrentState;
  /** How many letters of each template this decision has. */
  readonly letters: Readonly<Record<string, number>>;
}

/**
 * Decisions of which something was applied and not told yet. What was decided together is told together; what waited for a
 * person is told when it was approved. A letter that was suppressed told nobody.
 */
export async function findTellable(sql: Sql, decisionIds: readonly string[]): Promise<TellableDecision[]> {
  const { rows } = await sql.query(
    `WITH told AS (
       SELECT m.decision_id, m.template, m.status, m.award_ids FROM messages m WHERE m.decision_id = ANY($1::uuid[])
     ), given AS (
       SELECT a.*, a.status = 'applied' AND NOT EXISTS (SELECT 1 FROM told t WHERE t.decision_id = a.decision_id
         AND t.status <> 'suppressed' AND a.id = ANY(t.award_ids)) AS untold
       FROM awards a WHERE a.decision_id = ANY($1::uuid[])
     )
     SELECT v.id, v.order_id, v.facts, v.incident, c.id AS customer_id, c.email, c.name, c.locale,
       jsonb_agg(to_jsonb(a) ORDER BY a.class, a.step) FILTER (WHERE a.untold) AS awards,
       bool_or(a.untold AND EXISTS (SELECT 1 FROM awards e JOIN messages m ON m.order_id = e.order_id AND e.id = ANY(m.award_ids)
         WHERE (e.order_id, e.incident, e.class) = (v.order_id, v.incident, a.class) AND e.decision_id <> v.id
           AND e.status = 'applied' AND e.decided_at <= v.judged_at AND m.status = ANY($2))) AS is_top_up,
       EXISTS (SELECT 1 FROM told t WHERE t.decision_id = v.id AND t.status = ANY($2)) AS is_addition,
       EXISTS (SELECT 1 FROM messages m WHERE m.order_id = v.order_id AND m.template = 'occasion-missed' AND m.status = ANY($2)) AS knows_occasion,
       ${CURRENT_STATE},
       (SELECT coalesce(jsonb_object_agg(template, letters), '{}')
        FROM (SELECT template, count(*) AS letters FROM told t WHERE t.decision_id = v.id GROUP BY template) l) AS letters
     FROM verdicts v JOIN orders o ON o.id = v.order_id JOIN customers c ON c.id = o.customer_id JOIN given a ON a.decision_id = v.id
       LEFT JOIN verdicts cv ON cv.id = o.verdict_id
     WHERE v.id = ANY($1::uuid[]) AND v.facts IS NOT NULL
     GROUP BY v.id, c.id, cv.id, o.id
     HAVING bool_or(a.untold) AND NOT bool_or(a.status = 'pending')
     ORDER BY v.judged_at, v.id`,
    [decisionIds, TOLD],
  );
  return rows.map((row) => ({
    decisionId: row.id,
    orderId: row.order_id,
    customerId: row.customer_id,
    email: row.email,
    name: row.name,
    locale: row.locale,
    incident: row.incident,
    facts: row.facts,
    awards: row.awards,
    isTopUp: row.is_top_up,
    isAddition: row.is_addition,
    knowsOccasion: row.knows_occasion,
    current: currentStateOf(row),
    letters: row.letters,
  }));
}

/** A notice of which a letter is to tell, that nobody has written yet. */
export interface TellableNotice {
  readonly noticeId: string;
  readonly kind: NoticeKind;
  readonly orderId: string;
  readonly customerId: string;
  readonly email: string | null;
  readonly name: string | null;
  readonly locale: string | null;
  readonly facts: unknown;
}

export async function findTellableNotices(sql: Sql, noticeIds: readonly string[]): Promise<TellableNotice[]> {
  const { rows } = await sql.query(
    `SELECT n.id, n.kind, n.order_id, n.facts, c.id AS customer_id, c.email, c.name, c.locale
     FROM notices n JOIN orders o ON o.id = n.order_id JOIN customers c ON c.id = o.customer_id
     WHERE n.id = ANY($1::uuid[]) AND n.tells AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.notice_id = n.id)
     ORDER BY n.id`,
    [noticeIds],
  );
  return rows.map((row) => ({
    noticeId: row.id,
    kind: row.kind,
    orderId: row.order_id,
    customerId: row.customer_id,
    email: row.email,
    name: row.name,
    locale: row.locale,
    facts: row.facts,
  }));
}

export interface NewMessage {
  readonly id: string;
  readonly orderId: string;
  readonly customerId: string;
  /** What it tells of: one of the two, the other is null. */
  readonly decisionId: string | null;
  readonly noticeId: string | null;
  readonly template: TemplateName;
  /** 1, or the next of its template for this decision. */
  readonly part: number;
  /** The awards it tells of. */
  readonly awardIds: readonly string[];
  readonly toAddress: string;
  readonly messageId: string;
  readonly letter: Letter;
  readonly rendered: RenderedLetter;
  /** Why it waits for a person; null: it does not. */
  readonly held: string | null;
}

/** Queues letters, or holds them. One per decision, template and part, or per notice: who comes second finds it there. */
export async function queueMessages(sql: Sql, messages: readonly NewMessage[], createdAt: Date): Promise<void> {
  if (messages.length === 0) return;
  await sql.query(
    `INSERT INTO messages (id, order_id, customer_id, decision_id, notice_id, template, part, award_ids, to_address, message_id, letter,
       rendered, status, response, created_at)
     SELECT n.id, n.order_id, n.customer_id, n.decision_id, n.notice_id, n.template, n.part, n.award_ids, n.to_address, n.message_id,
       n.letter, n.rendered, CASE WHEN n.held IS NULL THEN 'queued' ELSE 'held' END, n.held, $2
     FROM jsonb_to_recordset($1::jsonb) AS n(id uuid, order_id text, customer_id text, decision_id uuid, notice_id uuid, template text,
       part int, award_ids uuid[], to_address text, message_id text, letter jsonb, rendered jsonb, held text)
     ORDER BY n.message_id
     ON CONFLICT DO NOTHING`,
    [
      JSON.stringify(
        messages.map((message) => ({
          id: message.id,
          order_id: message.orderId,
          customer_id: message.customerId,
          decision_id: message.decisionId,
          notice_id: message.noticeId,
          template: message.template,
          part: message.part,
          award_ids: message.awardIds,
          to_address: message.toAddress,
          message_id: message.messageId,
          letter: message.letter,
          rendered: message.rendered,
          held: message.held,
        })),
      ),
      createdAt,
    ],
  );
}

/** What one try came to. */
export type SendRecord =
  | { readonly status: 'sent'; readonly sentAt: Date; readonly response: string }
  | { readonly status: 'queued'; readonly response: string }
  /** `deadSince`: when the server said that there is nobody at the address; null: it said something else. */
  | { readonly status: 'failed'; readonly response: string; readonly deadSince: Date | null }
  /** `copyAt`: when a copy goes out by itself; null: when a person says so. */
  | { readonly status: 'unknown'; readonly response: string; readonly copyAt: Date | null };

/** A letter, and what its try came to. */
export interface Outcome {
  readonly message: ClaimedMessage;
  readonly record: SendRecord;
}

/** What is to be noted of letters under way, all in one statement: connections of the mail server wait for it. */
export interface Notes {
  /** The first byte of each is about to leave. */
  readonly handovers: readonly ClaimedMessage[];
  readonly outcomes: readonly Outcome[];
}

/**
 * Notes handovers, and the outcome of tries, unless a later try has taken over; and tells the shop's own systems what was sent.
 * Whoever was given up for dead meanwhile, and knows after all, settles what was `unknown`.
 * @returns the ids of the letters that may be handed over: those of a try that is still the current one
 */
export async function noteProgress(sql: Sql, { handovers, outcomes }: Notes): Promise<ReadonlySet<string>> {
  const { rows } = await sql.query({
    name: 'note-progress',
    text: `WITH handed AS (
         UPDATE messages m SET handover_at = now() FROM unnest($1::uuid[], $2::int[]) AS n(id, attempt)
         WHERE m.id = n.id AND m.attempts = n.attempt AND m.status = 'sending' AND m.handover_at IS NULL RETURNING m.id
       ), n AS (
         SELECT * FROM unnest($3::uuid[], $4::int[], $5::text[], $6::text[], $7::timestamptz[], $8::timestamptz[], $9::uuid[])
           AS n(id, attempt, status, response, sent_at, send_after, event_id)
       ), recorded AS (
         UPDATE messages m SET status = n.status, response = n.response, sent_at = n.sent_at, send_after = n.send_after,
           handover_at = CASE WHEN n.status = 'queued' THEN NULL ELSE m.handover_at END
         FROM n WHERE m.id = n.id AND m.attempts = n.attempt AND m.status IN ('sending', 'unknown')
         RETURNING m.id, m.order_id, m.customer_id, m.template, m.message_id, m.award_ids, m.status, m.sent_at
       ), news AS (${messagesSent('recorded', 'n')}), ${telling('news', '$10')}
       SELECT id FROM handed`,
    values: [
      handovers.map(({ id }) => id),
      handovers.map(({ attempt }) => attempt),
      outcomes.map(({ message }) => message.id),
      outcomes.map(({ message }) => message.attempt),
      outcomes.map(({ record }) => record.status),
      outcomes.map(({ record }) => record.response),
      outcomes.map(({ record }) => (record.status === 'sent' ? record.sentAt : null)),
      outcomes.map(({ record }) => (record.status === 'unknown' ? record.copyAt : null)),
      outcomes.map(() => newId()),
      newId(),
    ],
  });
  return new Set(rows.map(({ id }) => id));
}

/** Puts the addresses at which, as the servers said, there is nobody, on the list of those that nothing is sent to. */
export async function suppressDead(sql: Sql, outcomes: readonly Outcome[]): Promise<void> {
  for (const { message, record } of outcomes) {
    if (record.status !== 'failed' || record.deadSince === null) continue;
    await addSuppression(sql, {
      address: message.toAddress,
      scope: 'all',
      reason: 'refused',
      detail: record.response,
      createdAt: record.deadSince,
      createdBy: 'makegood',
    });
  }
}

/** Puts a mail into the local mailbox; in the transaction that records it as sent, so it is there exactly once. */
export async function deliverLocally(
  sql: Sql,
  mail: { messageId: string; toAddress: string; subject: string; source: Buffer; receivedAt: Date },
): Promise<void> {
  await sql.query(
    `INSERT INTO mailbox (message_id, to_address, subject, source, received_at) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (message_id) DO NOTHING`,
    [mail.messageId, mail.toAddress, mail.subject, mail.source, mail.receivedAt],
  );
}
