import type { Sql } from '../db/database.js';
import { newId } from '../ids.js';
import type { Notice } from '../promises/notices.js';
import { type LetterAwardRow, letterAwardOf } from './letter-award.js';

/** What was noted now, and not before. */
export interface NewNotice extends Pick<Notice, 'orderId' | 'kind' | 'tells'> {
  readonly id: string;
}

/** The ids of those that a letter tells of: what tickets of send-messages name. */
export const tellingIds = (noted: readonly NewNotice[]): string[] =>
  noted.filter(({ tells }) => tells).map(({ id }) => id);

/** Notes what is to be told, each once. @returns what is new */
export async function recordNotices(sql: Sql, notices: readonly Notice[], noticedAt: Date): Promise<NewNotice[]> {
  if (notices.length === 0) return [];
  const rows = notices.map(({ orderId, kind, part, facts, tells }) => ({
    id: newId(),
    order_id: orderId,
    kind,
    part,
    facts,
    tells,
  }));
  const result = await sql.query<NewNotice>(
    `INSERT INTO notices (id, order_id, kind, part, facts, tells, noticed_at)
     SELECT id, order_id, kind, part, facts, tells, $2
     FROM jsonb_to_recordset($1::jsonb) AS n(id uuid, order_id text, kind text, part text, facts jsonb, tells boolean)
     ORDER BY order_id, kind, part ON CONFLICT (order_id, kind, part) DO NOTHING
     RETURNING id, order_id AS "orderId", kind, tells`,
    [JSON.stringify(rows), noticedAt],
  );
  return result.rows;
}

/** Parcels of these orders of which it was noted that they have left. */
export async function findShippedNoticed(sql: Sql, orderIds: readonly string[]): Promise<Set<string>> {
  if (orderIds.length === 0) return new Set();
  const { rows } = await sql.query(`SELECT part FROM notices WHERE order_id = ANY($1) AND kind = 'shipped'`, [
    orderIds,
  ]);
  return new Set(rows.map(({ part }) => part));
}

/** Those of these orders of which a letter has said that they are late, or says so just now. */
export async function findApologised(sql: Sql, orderIds: readonly string[]): Promise<Set<string>> {
  if (orderIds.length === 0) return new Set();
  const { rows } = await sql.query(
    `SELECT DISTINCT v.order_id FROM verdicts v JOIN messages m ON m.decision_id = v.id
     WHERE v.order_id = ANY($1) AND v.incident = 'late' AND m.status IN ('sending', 'sent', 'unknown')`,
    [orderIds],
  );
  return new Set(rows.map(({ order_id }) => order_id));
}

/**
 * Notes that nothing is given for being late, of decisions of which a person has just declined the last that there was to give,
 * where the customer had got in touch about the order, and was given nothing for anything else. The awards of their orders
 * are taken, so that of two who decline at once the second sees what the first did.
 * @returns the ids of what is new
 */
export async function noticeDeclined(sql: Sql, decisionIds: readonly string[], at: Date): Promise<string[]> {
  await sql.query(
    `SELECT 1 FROM awards WHERE order_id IN (SELECT order_id FROM verdicts WHERE id = ANY($1::uuid[])) ORDER BY id FOR UPDATE`,
    [decisionIds],
  );
  const { rows } = await sql.query(
    `SELECT DISTINCT ON (v.order_id) v.order_id, v.facts FROM verdicts v JOIN orders o ON o.id = v.order_id
     WHERE v.id = ANY($1::uuid[]) AND v.incident = 'late' AND v.mode = 'active' AND v.facts IS NOT NULL AND NOT o.backfill
       AND EXISTS (SELECT 1 FROM contacts k WHERE k.order_id = v.order_id)
       AND NOT EXISTS (SELECT 1 FROM awards a WHERE a.order_id = v.order_id AND a.status NOT IN ('declined', 'reversed', 'failed'))
     ORDER BY v.order_id, v.judged_at DESC, v.id`,
    [decisionIds],
  );
  const notices = rows.map(
    ({ order_id, facts }): Notice => ({
      orderId: order_id,
      kind: 'declined',
      part: '',
      facts: { ...facts, asOf: at },
      tells: true,
    }),
  );
  return tellingIds(await recordNotices(sql, notices, at));
}

/**
 * Notes that what a letter has told of, or tells of just now, was taken back.
 * @param award.quantity what was taken, in the unit of the award; null: all of it
 * @returns the ids of what is new
 */
export async function noticeReversed(
  sql: Sql,
  { awardId, quantity }: { readonly awardId: string; readonly quantity: number | null },
  at: Date,
): Promise<string[]> {
  const { rows } = await sql.query<{ order_id: string; facts: Notice['facts']; award: LetterAwardRow }>(
    `SELECT a.order_id, v.facts, to_jsonb(a) AS award
     FROM awards a JOIN verdicts v ON v.id = a.decision_id JOIN orders o ON o.id = a.order_id
     WHERE a.id = $1 AND v.facts IS NOT NULL AND NOT o.backfill AND a.kind <> 'call' AND EXISTS (
       SELECT 1 FROM messages m WHERE m.decision_id = v.id AND a.id = ANY(m.award_ids) AND m.status IN ('sending', 'sent', 'unknown'))`,
    [awardId],
  );
  const notices = rows.map(({ order_id, facts, award }): Notice => {
    const taken = quantity === null ? award : withQuantity(award, quantity);
    const awards = [letterAwardOf(taken, facts.promise.timeZone)];
    const told = { ...facts, asOf: at, correctionOf: 'reversed' as const, awards };
    return { orderId: order_id, kind: 'correction', part: awardId, facts: told, tells: true };
  });
  return tellingIds(await recordNotices(sql, notices, at));
}

function withQuantity(award: LetterAwardRow, quantity: number): LetterAwardRow {
  if (award.amount_minor !== null) return { ...award, amount_minor: quantity };
  return award.months !== null ? { ...award, months: quantity } : { ...award, points: quantity };
}
