import type { Clock } from '../clock.js';
import type { Config } from '../config.js';
import type { Sql } from '../db/database.js';
import { readNow } from '../db/now.js';
import { cameToday } from './came-today.js';
import type { Letter } from './letter.js';
import { giveTurns } from './mail-rate.js';
import { nextSendAt } from './quiet-hours.js';

/** What letters leave by, besides what they tell. */
export type SendingTerms = Pick<Config, 'quietHours' | 'mailsPerMinute' | 'unknownLetters'>;

/** The letters that a ticket's ids name: decisions and notices. */
export const OF_THESE = '(decision_id = ANY($1::uuid[]) OR notice_id = ANY($1::uuid[]))';

/** A letter that is not to leave yet. */
export interface PutOffMessage {
  readonly tellsOf: string;
  readonly sendAfter: Date;
  readonly reason: string;
}

/** A letter that may leave, if nothing puts it off. */
export interface DueMessage {
  readonly id: string;
  readonly messageId: string;
  readonly decisionId: string | null;
  readonly awardIds: readonly string[];
  readonly letter: Letter;
  readonly createdAt: Date;
  readonly turnAt: Date | null;
  /** How often it was tried before. */
  readonly attempts: number;
}

/** Takes the letters that nothing puts off. Not one that a later look is to come back to. */
export async function lockDue(sql: Sql, ids: readonly string[], now: Date): Promise<DueMessage[]> {
  const { rows } = await sql.query(
    `SELECT id, message_id AS "messageId", decision_id AS "decisionId", award_ids AS "awardIds", letter, created_at AS "createdAt",
       turn_at AS "turnAt", attempts
     FROM messages WHERE ${OF_THESE} AND status IN ('queued', 'sending') AND handover_at IS NULL
       AND (send_after IS NULL OR send_after <= $2)
     ORDER BY id FOR UPDATE`,
    [ids, now],
  );
  return rows;
}

/** Puts off the letters whose readers are asleep. @returns the others */
export async function putOffAsleep(
  sql: Sql,
  due: readonly DueMessage[],
  { quietHours }: SendingTerms,
  now: Date,
): Promise<readonly DueMessage[]> {
  if (quietHours === null) return due;
  const times = due.map(({ id, letter }) => ({ id, sendAfter: nextSendAt(now, letter.promise.timeZone, quietHours) }));
  const asleep = times.filter(({ sendAfter }) => sendAfter > now);
  await putOff(sql, asleep, null);
  const later = new Set(asleep.map(({ id }) => id));
  return due.filter(({ id }) => !later.has(id));
}

/** Lets leave those whose turn it is, and puts the others off until theirs. What came today goes first. */
export async function takeTurns(
  sql: Sql,
  due: readonly DueMessage[],
  { mailsPerMinute: perMinute }: SendingTerms,
  clock: Clock,
): Promise<readonly DueMessage[]> {
  if (perMinute === 0 || due.length === 0) return due;
  const { rows } = await sql.query('SELECT next_at FROM mail_rate WHERE id = 1 FOR UPDATE');
  // Only now: others may have waited here before us.
  const now = await readNow(sql, clock);
  const inOrder = [...due].sort((one, other) => comesFirst(one, other, now));
  const { turns, nextAt } = giveTurns(inOrder, { nextAt: rows[0].next_at, now, perMinute });
  await sql.query('UPDATE mail_rate SET next_at = $1 WHERE id = 1', [nextAt]);
  const given = inOrder.map((message, index) => ({ message, id: message.id, sendAfter: turns[index] as Date }));
  await putOff(
    sql,
    given.filter(({ sendAfter }) => sendAfter > now),
    'turn',
  );
  return given.filter(({ sendAfter }) => sendAfter <= now).map(({ message }) => message);
}

function comesFirst(one: DueMessage, other: DueMessage, now: Date): number {
  const urgency = Number(cameToday(other.letter, now)) - Number(cameToday(one.letter, now));
  return urgency || one.createdAt.getTime() - other.createdAt.getTime() || (one.id < other.id ? -1 : 1);
}

/** @param turn `turn`: what it waits for is its turn, which it has from now on */
async function putOff(
  sql: Sql,
  messages: readonly { readonly id: string; readonly sendAfter: Date }[],
  turn: 'turn' | null,
): Promise<void> {
  if (messages.length === 0) return;
  await sql.query(
    `UPDATE messages m SET status = 'queued', send_after = n.at, turn_at = CASE WHEN $3 THEN n.at END
     FROM unnest($1::uuid[], $2::timestamptz[]) AS n(id, at) WHERE m.id = n.id`,
    [messages.map(({ id }) => id), messages.map(({ sendAfter }) => sendAfter), turn !== null],
  );
}

/** Letters of these that somebody has to come back to, and when. */
export async function findPutOff(
  sql: Sql,
  ids: readonly string[],
  { unknownLetters }: SendingTerms,
): Promise<PutOffMessage[]> {
  const { rows } = await sql.query(
    `SELECT coalesce(decision_id, notice_id) AS "tellsOf", send_after AS "sendAfter",
       CASE WHEN status = 'unknown' THEN 'a copy goes out unless somebody says what became of it'
         WHEN turn_at IS NULL THEN 'it is night where it goes' ELSE 'it waits for its turn' END AS reason
     FROM messages WHERE ${OF_THESE} AND send_after IS NOT NULL
       AND (status = 'queued' OR status = 'unknown' AND resent_at IS NULL AND $2)
     ORDER BY send_after`,
    [ids, unknownLetters === 'resend'],
  );
  return rows;
}
