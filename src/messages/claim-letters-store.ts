import type { Clock } from '../clock.js';
import type { Sql } from '../db/database.js';
import { SERVICE_LETTERS } from '../promises/notice-kinds.js';
import type { Letter } from './letter.js';
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
import { suppressionOf } from './suppression-store.js';

/** A letter that is this process's to send, for one try. */
export interface ClaimedMessage {
  readonly id: string;
  /** The decision or the notice that it tells of. */
  readonly tellsOf: string;
  readonly toAddress: string;
  readonly messageId: string;
  readonly letter: Letter;
  /** As it was written; null: by a release that rendered when it sent. */
  readonly rendered: RenderedLetter | null;
  readonly createdAt: Date;
  /** Which try this is. Whoever was overtaken by a later one can record nothing any more. */
  readonly attempt: number;
  /** It is a copy: of it no other goes out by itself. */
  readonly isCopy: boolean;
}

/** How long the customer or the shop has to say that a letter arrived, before a copy goes out by itself. Shorter, and it crosses the answer. */
export const COPY_AFTER_MS = 3_600_000;

/** A letter `m` that has not begun to leave. */
const NOT_OUT = `m.status IN ('queued', 'held', 'sending') AND m.handover_at IS NULL`;

/**
 * What becomes of letters before any of them is claimed, one after the other. $1: the ids of the ticket; $2: now; $3: when a copy goes
 * out by itself, null where none does; $4: the letters that an address may be on the list for alone.
 */
const BEFORE_CLAIM = {
  /** Its handover had begun when its sender died: it may or may not have arrived. */
  unknown: {
    when: `m.status = 'sending' AND m.handover_at IS NOT NULL`,
    becomes: `status = 'unknown', response = 'the process ended while the mail was being handed over',
      send_after = CASE WHEN m.resent_at IS NULL THEN $3::timestamptz END`,
  },
  /** Nobody knows whether it arrived: one copy goes out, where the shop wants it and the time has come. */
  copied: {
    when: `m.status = 'unknown' AND m.resent_at IS NULL AND m.send_after <= $2::timestamptz AND $3::timestamptz IS NOT NULL`,
    becomes: `status = 'queued', resent_at = $2, send_after = NULL, handover_at = NULL`,
  },
  /** It would tell of what is no longer so, because an award in it was reversed. What else it told of is told by another letter. */
  outdated: {
    when: `${NOT_OUT} AND EXISTS (SELECT 1 FROM awards a WHERE a.id = ANY(m.award_ids) AND a.status <> 'applied')`,
    becomes: `status = 'suppressed', response = 'what it tells of was reversed before it was sent'`,
  },
  /** An apology for a wait that never was. What was given stays given, and an agent sees it as over-compensation. */
  untrue: {
    when: `${NOT_OUT} AND EXISTS (SELECT 1 FROM verdicts v JOIN orders o ON o.id = v.order_id
      WHERE v.id = m.decision_id AND v.incident = 'late' AND o.verdict = 'on_time')`,
    becomes: `status = 'withdrawn', response = 'it came in time after all, as was reported before the letter left'`,
  },
  noNews: {
    when: `${NOT_OUT} AND m.notice_id IS NOT NULL AND EXISTS (SELECT 1 FROM orders o WHERE o.id = m.order_id
      AND (m.template IN ('at-risk', 'shipped') AND o.verdict <> 'pending'
        OR m.template = 'order-confirmed' AND o.promised_until <= $2::timestamptz))`,
    becomes: `status = 'withdrawn', response = 'it is no news any more: the order has come on since it was written'`,
  },
  /** A customer whose address was taken back gets no letter more. */
  addressless: {
    when: `${NOT_OUT} AND EXISTS (SELECT 1 FROM customers c WHERE c.id = m.customer_id AND c.email IS NULL)`,
    becomes: `status = 'suppressed', response = 'the customer has no address any more'`,
  },
  blocked: {
    when: `m.status IN ('queued', 'sending') AND m.handover_at IS NULL AND EXISTS (${suppressionOf('$4')})`,
    becomes: `status = 'blocked', response = 'the address is on the list of those that nothing is sent to: ' || (${suppressionOf('$4')} LIMIT 1)`,
  },
};

/** Mostly none of it applies, so that it is asked for in one statement first. @returns how many letters became `unknown` */
async function settleBeforeClaim(sql: Sql, ids: readonly string[], terms: SendingTerms, now: Date): Promise<number> {
  const copyAt = terms.unknownLetters === 'resend' ? new Date(now.getTime() + COPY_AFTER_MS) : null;
  const ask = (text: string) =>
    sql.query(`WITH terms AS (SELECT $1::uuid[], $2::timestamptz, $3::timestamptz, $4::text[]) ${text}`, [
      ids,
      now,
      copyAt,
      SERVICE_LETTERS,
    ]);
  const steps = Object.entries(BEFORE_CLAIM);
  const { rows } = await ask(
    `SELECT EXISTS (SELECT 1 FROM messages m WHERE ${OF_THESE} AND (${steps.map(([, { when }]) => `(${when})`).join(' OR ')})) AS applies`,
  );
  if (!rows[0].applies) return 0;
  let unknown = 0;
  for (const [name, { when, becomes }] of steps) {
    const { rowCount } = await ask(`UPDATE messages m SET ${becomes} WHERE ${OF_THESE} AND (${when})`);
    if (name === 'unknown') unknown = rowCount ?? 0;
  }
  return unknown;
}

async function takeForTry(sql: Sql, messages: readonly DueMessage[]): Promise<ClaimedMessage[]> {
  if (messages.length === 0) return [];
  const { rows } = await sql.query(
    `UPDATE messages SET status = 'sending', attempts = attempts + 1, send_after = NULL, turn_at = NULL
     WHERE id = ANY($1::uuid[]) AND handover_at IS NULL
     RETURNING id, coalesce(decision_id, notice_id) AS "tellsOf", to_address AS "toAddress", message_id AS "messageId", rendered,
       created_at AS "createdAt", attempts AS attempt, resent_at IS NOT NULL AS "isCopy"`,
    [messages.map(({ id }) => id)],
  );
  const taken = new Map(rows.map((row) => [row.id, row]));
  return messages.flatMap(({ id, letter }) => {
    const row = taken.get(id);
    return row ? [{ ...row, letter }] : [];
  });
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
  const unknown = await settleBeforeClaim(sql, ids, terms, now);
  const due = await freshen(await lockDue(sql, ids, now));
  await checkAmounts(sql, due);
  const awake = await putOffAsleep(sql, due, terms, now);
  const claimed = await takeForTry(sql, await takeTurns(sql, awake, terms, clock));
  return { claimed, putOff: await findPutOff(sql, ids, terms), unknown };
}
