import type { AwardClass, AwardKind, AwardStatus } from '../compensation/award.js';
import { lockTill, recordSpent } from '../compensation/till-store.js';
import type { Sql } from '../db/database.js';
import type { GivenAward } from './agent-limits.js';

/** An award as a person looks at it who decides about it. */
export interface ReviewedAward {
  readonly id: string;
  readonly orderId: string;
  readonly customerId: string;
  readonly decisionId: string;
  readonly class: AwardClass;
  readonly kind: AwardKind;
  readonly months: number | null;
  readonly points: number | null;
  readonly amountMinor: number | null;
  readonly currency: string | null;
  readonly status: AwardStatus;
  readonly rule: string;
  readonly stoppedBy: readonly string[];
  readonly proposedBy: string;
  /** A person has decided about it before. */
  readonly reviewed: boolean;
  /** A provider outside was asked for it, whatever came of it. */
  readonly asked: boolean;
}

const REVIEWED = `a.id, a.order_id AS "orderId", a.customer_id AS "customerId", a.decision_id AS "decisionId", a.class, a.kind,
  a.months, a.points, a.amount_minor AS "amountMinor", a.currency, a.status, a.rule, a.stopped_by AS "stoppedBy",
  a.proposed_by AS "proposedBy", a.reviewed_at IS NOT NULL AS reviewed, EXISTS (SELECT 1 FROM provider_calls c WHERE c.award_id = a.id) AS asked`;

/**
 * Takes the key of whoever decides, before anything else: a key that is revoked meanwhile decides nothing more.
 * @param alone what one key does is counted: its requests wait for each other
 * @returns whether the key is still good
 */
export async function lockPerson(sql: Sql, keyId: string, { alone }: { alone: boolean }): Promise<boolean> {
  const { rows } = await sql.query(
    `SELECT 1 FROM api_keys WHERE id = $1 AND revoked_at IS NULL ${alone ? 'FOR NO KEY UPDATE' : 'FOR SHARE'}`,
    [keyId],
  );
  return rows.length > 0;
}

/** Takes these awards until the transaction ends, in the order of their ids. Unknown ids are left out. */
export async function lockAwards(sql: Sql, ids: readonly string[]): Promise<ReviewedAward[]> {
  // Two statements: the second sees what whoever we waited for has written, also in other tables.
  await sql.query('SELECT 1 FROM awards WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE', [ids]);
  return loadAwards(sql, ids);
}

/** The same without taking them. */
export async function loadAwards(sql: Sql, ids: readonly string[]): Promise<ReviewedAward[]> {
  const { rows } = await sql.query(`SELECT ${REVIEWED} FROM awards a WHERE a.id = ANY($1::uuid[]) ORDER BY a.id`, [
    ids,
  ]);
  return rows;
}

/** The order that an award is for, as far as it bounds what can be given. */
export interface OrderBounds {
  readonly currency: string | null;
  readonly totalMinor: number | null;
  readonly shippingPaidMinor: number | null;
  /** Every award of the order that counts. */
  readonly given: readonly (GivenAward & { readonly id: string })[];
}

/** Takes order and customer of an award, in this order, as whoever judges does. null: no such award. */
export async function lockOrderOfAward(sql: Sql, awardId: string): Promise<boolean> {
  const { rows } = await sql.query('SELECT order_id, customer_id FROM awards WHERE id = $1', [awardId]);
  if (!rows[0]) return false;
  await sql.query('SELECT 1 FROM orders WHERE id = $1 FOR NO KEY UPDATE', [rows[0].order_id]);
  await sql.query('SELECT 1 FROM customers WHERE id = $1 FOR NO KEY UPDATE', [rows[0].customer_id]);
  return true;
}

export async function loadOrderBounds(sql: Sql, orderId: string): Promise<OrderBounds> {
  const { rows } = await sql.query(
    `SELECT currency, total_minor AS "totalMinor", shipping_paid_minor AS "shippingPaidMinor" FROM orders WHERE id = $1`,
    [orderId],
  );
  const { rows: given } = await sql.query(
    `SELECT id, kind, incident, months, points, amount_minor, currency FROM awards
     WHERE order_id = $1 AND status NOT IN ('declined', 'reversed', 'failed')`,
    [orderId],
  );
  return { ...rows[0], given: given.map(toGiven) };
}

/** What a key proposed since an instant and what counts of it, for any order. */
export async function loadGivenBy(
  sql: Sql,
  proposer: string,
  since: Date,
): Promise<(GivenAward & { readonly id: string })[]> {
  const { rows } = await sql.query(
    `SELECT id, kind, incident, months, points, amount_minor, currency FROM awards
     WHERE proposed_by = $1 AND proposed_by <> 'policy' AND decided_at >= $2 AND status NOT IN ('declined', 'reversed', 'failed')`,
    [proposer, since],
  );
  return rows.map(toGiven);
}

// biome-ignore lint/suspicious/noExplicitAny: a row as it comes.
function toGiven({ id, kind, incident, months, points, amount_minor: amountMinor, currency }: any) {
  return { id, kind, incident, months, points, amount: amountMinor === null ? null : { amountMinor, currency } };
}

/** What somebody decided about awards. */
export interface Review {
  readonly by: string;
  readonly at: Date;
  readonly reason: string;
}

/** Lets awards go on, or ends them: nothing stops them any more. */
export async function settleAwards(
  sql: Sql,
  ids: readonly string[],
  status: 'pending' | 'declined',
  review: Review,
): Promise<void> {
  await sql.query(
    `UPDATE awards SET status = $2, stopped_by = CASE $2 WHEN 'pending' THEN '{}' ELSE stopped_by END,
       reviewed_by = $3, reviewed_at = $4, review_reason = $5 WHERE id = ANY($1::uuid[])`,
    [ids, status, review.by, review.at, review.reason],
  );
}

/** Names what an award is worth that nobody could name before. */
export async function nameAmount(sql: Sql, id: string, amountMinor: number, currency: string): Promise<void> {
  await sql.query('UPDATE awards SET amount_minor = $2, currency = $3 WHERE id = $1', [id, amountMinor, currency]);
}

/** Another amount, proposed by somebody else: whatever was decided about the one before is void. */
export async function proposeAnew(
  sql: Sql,
  id: string,
  proposal: {
    readonly amountMinor: number | null;
    readonly currency: string | null;
    readonly months: number | null;
    readonly points: number | null;
    readonly stoppedBy: readonly string[];
    readonly proposedBy: string;
  },
): Promise<void> {
  await sql.query(
    `UPDATE awards SET amount_minor = $2, currency = $3, months = $4, points = $5, stopped_by = $6, proposed_by = $7,
       status = 'awaiting_approval', reviewed_by = NULL, reviewed_at = NULL, review_reason = NULL WHERE id = $1`,
    [
      id,
      proposal.amountMinor,
      proposal.currency,
      proposal.months,
      proposal.points,
      proposal.stoppedBy,
      proposal.proposedBy,
    ],
  );
}

/** Takes one stop from awards. What nothing else stops goes on; the rest stays as it is. @returns the ids of what goes on */
export async function removeStop(sql: Sql, ids: readonly string[], stop: string, review: Review): Promise<string[]> {
  const { rows } = await sql.query(
    `UPDATE awards SET stopped_by = array_remove(stopped_by, $2),
       status = CASE WHEN array_remove(stopped_by, $2) = '{}' THEN 'pending' ELSE status END,
       reviewed_by = $3, reviewed_at = $4, review_reason = $5
     WHERE id = ANY($1::uuid[]) RETURNING id, status`,
    [ids, stop, review.by, review.at, review.reason],
  );
  return rows.filter(({ status }) => status === 'pending').map(({ id }) => id);
}

/** What a person lets through counts as let through today, though no budget stops it. */
export async function countAsSpent(
  sql: Sql,
  at: Date,
  amounts: readonly { readonly amountMinor: number; readonly currency: string }[],
): Promise<void> {
  const spent = new Map<string, number>();
  for (const { amountMinor, currency } of amounts) spent.set(currency, (spent.get(currency) ?? 0) + amountMinor);
  if (spent.size === 0) return;
  await lockTill(sql, at, [...spent.keys()]);
  await recordSpent(sql, at, spent);
}
