import type { Clock } from '../clock.js';
import type { LetterAwardRow } from '../compensation/letter-award.js';
import type { Database, Sql } from '../db/database.js';
import { recordMessagesSent } from '../events/event-store.js';
import type { NoticeKind } from '../promises/notice-kinds.js';
import { CURRENT_STATE, currentStateOf } from './current-state-store.js';
import type { CurrentState } from './fresh-facts.js';
import type { Letter, TemplateName } from './letter.js';
import { checkAmounts } from './letter-amounts-store.js';
import {
  type DueMessage,
  findPutOff,
  lockDue,
  OF_THESE,
  type PutOffMessage,
  putOffAsleep,
  type SendingTerms,
  takeTurns,
} from './put-off-store.js';
import type { RenderedLetter } from './render.js';
import { addSuppression, blockSuppressed } from './suppression-store.js';

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

/** A letter that is this process's to send, for one try. */
export interface ClaimedMessage {
  readonly id: string;
  /** The decision or the notice that it tells of. */
  readonly tellsOf: string;
  readonly toAddress: string;
  readonly messageId: string;
  readonly letter: unknown;
  /** As it was written; null: by a release that rendered when it sent. */
  readonly rendered: RenderedLetter | null;
  readonly createdAt: Date;
  /** Which try this is. Whoever was overtaken by a later one can record nothing any more. */
  readonly attempt: number;
  /** It is a copy: of it no other goes out by itself. */
  readonly isCopy: boolean;
}

/**
 * Letters that would tell of what is no longer so, because an award in them was reversed before they left, are kept back.
 * What else they told of is told by another letter.
 */
async function suppressOutdated(sql: Sql, ids: readonly string[]): Promise<void> {
  await sql.query(
    `UPDATE messages m SET status = 'suppressed', response = 'what it tells of was reversed before it was sent'
     WHERE ${OF_THESE} AND m.status IN ('queued', 'held', 'sending') AND m.handover_at IS NULL
       AND EXISTS (SELECT 1 FROM awards a WHERE a.id = ANY(m.award_ids) AND a.status <> 'applied')`,
    [ids],
  );
}

/**
 * An apology for a wait that, as was reported before it left, never was, and news that are none any more: nobody gets them. What
 * was given stays given, and an agent sees it as over-compensation.
 */
async function withdrawUntrue(sql: Sql, ids: readonly string[], now: Date): Promise<void> {
  await sql.query(
    `UPDATE messages m SET status = 'withdrawn', response = 'it came in time after all, as was reported before the letter left'
     FROM verdicts v, orders o
     WHERE (m.decision_id = ANY($1::uuid[]) OR m.notice_id = ANY($1::uuid[])) AND m.status IN ('queued', 'held', 'sending')
       AND m.handover_at IS NULL AND v.id = m.decision_id AND v.incident = 'late' AND o.id = m.order_id AND o.verdict = 'on_time'`,
    [ids],
  );
  await sql.query(
    `UPDATE messages m SET status = 'withdrawn', response = 'it is no news any more: the order has come on since it was written'
     FROM orders o
     WHERE m.notice_id = ANY($1::uuid[]) AND m.status IN ('queued', 'held', 'sending') AND m.handover_at IS NULL AND o.id = m.order_id
       AND (m.template IN ('at-risk', 'shipped') AND o.verdict <> 'pending' OR m.template = 'order-confirmed' AND o.promised_until <= $2)`,
    [ids, now],
  );
}

/** A customer whose address was taken back gets no letter more. */
async function suppressWithoutAddress(sql: Sql, ids: readonly string[]): Promise<void> {
  await sql.query(
    `UPDATE messages m SET status = 'suppressed', response = 'the customer has no address any more'
     WHERE ${OF_THESE} AND m.status IN ('queued', 'held', 'sending') AND m.handover_at IS NULL
       AND EXISTS (SELECT 1 FROM customers c WHERE c.id = m.customer_id AND c.email IS NULL)`,
    [ids],
  );
}

/** How long the customer or the shop has to say that a letter arrived, before a copy goes out by itself. Shorter, and it crosses the answer. */
export const COPY_AFTER_MS = 3_600_000;

/** A letter whose handover had begun when its sender died may or may not have arrived. @returns how many there are */
async function giveUpHandedOver(sql: Sql, ids: readonly string[], terms: SendingTerms, now: Date): Promise<number> {
  const copyAt = terms.unknownLetters === 'resend' ? new Date(now.getTime() + COPY_AFTER_MS) : null;
  const { rowCount } = await sql.query(
    `UPDATE messages SET status = 'unknown', response = 'the process ended while the mail was being handed over',
       send_after = CASE WHEN resent_at IS NULL THEN $2::timestamptz END
     WHERE ${OF_THESE} AND status = 'sending' AND handover_at IS NOT NULL`,
    [ids, copyAt],
  );
  return rowCount ?? 0;
}

/** Of a letter of which nobody knows whether it arrived one copy goes out, where the shop wants it and the time has come. */
async function queueCopies(sql: Sql, ids: readonly string[], terms: SendingTerms, now: Date): Promise<void> {
  if (terms.unknownLetters !== 'resend') return;
  await sql.query(
    `UPDATE messages SET status = 'queued', resent_at = $2, send_after = NULL, handover_at = NULL
     WHERE ${OF_THESE} AND status = 'unknown' AND resent_at IS NULL AND send_after <= $2`,
    [ids, now],
  );
}

async function takeForTry(sql: Sql, messages: readonly DueMessage[]): Promise<ClaimedMessage[]> {
  if (messages.length === 0) return [];
  const { rows } = await sql.query(
    `UPDATE messages SET status = 'sending', attempts = attempts + 1, send_after = NULL, turn_at = NULL
     WHERE id = ANY($1::uuid[]) AND handover_at IS NULL
     RETURNING id, coalesce(decision_id, notice_id) AS "tellsOf", to_address AS "toAddress", message_id AS "messageId", letter, rendered,
       created_at AS "createdAt", attempts AS attempt, resent_at IS NOT NULL AS "isCopy"`,
    [messages.map(({ id }) => id)],
  );
  const place = new Map(messages.map(({ id }, index) => [id, index]));
  return rows.sort((one, other) => (place.get(one.id) ?? 0) - (place.get(other.id) ?? 0));
}

/**
 * Takes the letters of these decisions and notices for a try, as far as they may leave now.
 * @throws an assertion for a letter that does not say what was given
 */
export async function claimMessages(
  sql: Sql,
  ids: readonly string[],
  {
    terms,
    clock,
    now,
    freshen,
  }: {
    readonly terms: SendingTerms;
    readonly clock: Clock;
    readonly now: Date;
    /** Writes anew what was written for another day and never tried. */
    readonly freshen: (due: readonly DueMessage[]) => Promise<readonly DueMessage[]>;
  },
): Promise<{ claimed: ClaimedMessage[]; putOff: PutOffMessage[]; unknown: number }> {
  const unknown = await giveUpHandedOver(sql, ids, terms, now);
  await queueCopies(sql, ids, terms, now);
  await suppressOutdated(sql, ids);
  await withdrawUntrue(sql, ids, now);
  await suppressWithoutAddress(sql, ids);
  await blockSuppressed(sql, ids);
  const due = await freshen(await lockDue(sql, ids, now));
  await checkAmounts(sql, due);
  const awake = await putOffAsleep(sql, due, terms, now);
  const claimed = await takeForTry(sql, await takeTurns(sql, awake, terms, clock));
  return { claimed, putOff: await findPutOff(sql, ids, terms), unknown };
}

/**
 * Notes that the first byte of each is about to leave.
 * @returns for each, false when a later try has taken over: then it must not leave
 */
export async function markHandovers(db: Database, messages: readonly ClaimedMessage[]): Promise<boolean[]> {
  const { rows } = await db.pool.query(
    `UPDATE messages m SET handover_at = now() FROM unnest($1::uuid[], $2::int[]) AS n(id, attempt)
     WHERE m.id = n.id AND m.attempts = n.attempt AND m.status = 'sending' AND m.handover_at IS NULL RETURNING m.id`,
    [messages.map(({ id }) => id), messages.map(({ attempt }) => attempt)],
  );
  const marked = new Set(rows.map(({ id }) => id));
  return messages.map(({ id }) => marked.has(id));
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

/**
 * Records the outcome of each try, unless a later try has taken over. Whoever was given up for dead meanwhile, and knows after
 * all, settles what was `unknown`.
 */
export async function recordOutcomes(sql: Sql, outcomes: readonly Outcome[]): Promise<void> {
  await sql.query(
    `UPDATE messages m SET status = n.status, response = n.response, sent_at = n.sent_at, send_after = n.send_after,
       handover_at = CASE WHEN n.status = 'queued' THEN NULL ELSE m.handover_at END
     FROM unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[])
       AS n(id, attempt, status, response, sent_at, send_after)
     WHERE m.id = n.id AND m.attempts = n.attempt AND m.status IN ('sending', 'unknown')`,
    [
      outcomes.map(({ message }) => message.id),
      outcomes.map(({ message }) => message.attempt),
      outcomes.map(({ record }) => record.status),
      outcomes.map(({ record }) => record.response),
      outcomes.map(({ record }) => (record.status === 'sent' ? record.sentAt : null)),
      outcomes.map(({ record }) => (record.status === 'unknown' ? record.copyAt : null)),
    ],
  );
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
  const sent = outcomes.filter(({ record }) => record.status === 'sent');
  await recordMessagesSent(
    sql,
    sent.map(({ message }) => message.id),
  );
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
