import { isBreakerOpen } from '../compensation/till-store.js';
import type { Sql } from '../db/database.js';
import type { GrantableAward } from './posting.js';
import type { RemedyProvider } from './remedy-providers.js';

/** An award that is to be granted and was not. */
export interface PendingAward extends GrantableAward {
  readonly orderId: string;
  readonly incident: string;
  readonly decisionId: string;
  readonly policyVersion: number;
  /** Who was asked to carry it out; null: nobody yet. */
  readonly provider: RemedyProvider | null;
}

/** Takes those of these awards that are still to be granted, in the order of their ids, until the transaction ends. */
export async function lockPending(sql: Sql, ids: readonly string[]): Promise<PendingAward[]> {
  // Customers before awards, as everybody takes them who moves what a customer has.
  await sql.query(
    `SELECT 1 FROM customers WHERE id IN (SELECT customer_id FROM awards WHERE id = ANY($1::uuid[]))
     ORDER BY id FOR NO KEY UPDATE`,
    [ids],
  );
  const { rows } = await sql.query(
    `SELECT id, order_id AS "orderId", incident, customer_id AS "customerId", decision_id AS "decisionId", kind, months, points, amount_minor AS "amountMinor",
       currency, expires_at AS "expiresAt", policy_version AS "policyVersion", provider
     FROM awards WHERE id = ANY($1::uuid[]) AND status = 'pending' ORDER BY id FOR UPDATE`,
    [ids],
  );
  return rows;
}

/**
 * While the breaker is open, stops awards that were decided before it was tripped and not granted yet. What a person has approved
 * was looked at, and what a provider was asked for may have been done: both go on.
 * @returns how many it stopped
 */
export async function holdForBreaker(sql: Sql, ids: readonly string[]): Promise<number> {
  if (!(await isBreakerOpen(sql))) return 0;
  const { rowCount } = await sql.query(
    `UPDATE awards a SET status = 'held', stopped_by = ARRAY['breaker']
     WHERE a.id = ANY($1::uuid[]) AND a.status = 'pending' AND a.reviewed_by IS NULL
       AND NOT EXISTS (SELECT 1 FROM provider_calls c WHERE c.award_id = a.id)`,
    [ids],
  );
  return rowCount ?? 0;
}

export interface DatedAward {
  readonly id: string;
  readonly expiresAt: Date | null;
  /** A calendar date in the warehouse's zone. */
  readonly shipOn: string | null;
}

/** Notes when what is given ends and when a parcel leaves; what was noted before stays. */
export async function dateAwards(sql: Sql, dated: readonly DatedAward[]): Promise<void> {
  const ones = dated.filter(({ expiresAt, shipOn }) => expiresAt !== null || shipOn !== null);
  if (ones.length === 0) return;
  await sql.query(
    `UPDATE awards a SET expires_at = coalesce(a.expires_at, n.expires_at), ship_on = coalesce(a.ship_on, n.ship_on)
     FROM unnest($1::uuid[], $2::timestamptz[], $3::date[]) AS n(id, expires_at, ship_on) WHERE a.id = n.id`,
    [ones.map(({ id }) => id), ones.map(({ expiresAt }) => expiresAt), ones.map(({ shipOn }) => shipOn)],
  );
}

/** Notes who carries these awards out from now on. */
export async function handOver(
  sql: Sql,
  ids: readonly string[],
  providers: readonly (RemedyProvider | null)[],
): Promise<void> {
  if (ids.length === 0) return;
  await sql.query(
    `UPDATE awards a SET provider = n.provider FROM unnest($1::uuid[], $2::text[]) AS n(id, provider)
     WHERE a.id = n.id AND a.provider IS NULL`,
    [ids, providers],
  );
}
