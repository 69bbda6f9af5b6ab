import { AWARD_KINDS } from '../compensation/award.js';
import type { Sql } from '../db/database.js';
import { newId } from '../ids.js';
import { type GrantableAward, isGrantable, postAward } from './posting.js';

/** Takes these awards until the transaction ends, in the order of their ids; only those that can still be granted. */
export async function lockGrantable(
  sql: Sql,
  ids: readonly string[],
): Promise<(GrantableAward & { decisionId: string })[]> {
  const kinds = AWARD_KINDS.filter((kind) => isGrantable({ kind, status: 'pending' }));
  const { rows } = await sql.query(
    `SELECT id, customer_id, decision_id, kind, months, amount_minor, currency FROM awards
     WHERE id = ANY($1::uuid[]) AND status = 'pending' AND kind = ANY($2) ORDER BY id FOR UPDATE`,
    [ids, kinds],
  );
  return rows.map((row) => ({
    id: row.id,
    customerId: row.customer_id,
    decisionId: row.decision_id,
    kind: row.kind,
    months: row.months,
    amountMinor: row.amount_minor,
    currency: row.currency,
  }));
}

/**
 * Books awards from the house to their customers, both sides of each in one statement; the database moves the balances.
 * An award that has its transfer already is left alone, whoever booked it.
 */
export async function postTransfers(sql: Sql, awards: readonly GrantableAward[], postedAt: Date): Promise<void> {
  const postings = awards.map((award) => ({
    transferId: newId(),
    awardId: award.id,
    customerId: award.customerId,
    ...postAward(award),
  }));
  const units = postings.map(({ unit }) => unit);
  const customers = postings.map(({ customerId }) => customerId);
  await sql.query(
    `INSERT INTO ledger_accounts (id, owner_kind, owner_id, unit)
     SELECT gen_random_uuid(), kind, owner_id, unit FROM (
       SELECT DISTINCT 'customer' AS kind, owner_id, unit FROM unnest($1::text[], $2::text[]) AS n(owner_id, unit)
       UNION SELECT DISTINCT 'house', 'goodwill', unit FROM unnest($2::text[]) AS u(unit)
     ) wanted
     WHERE NOT EXISTS (SELECT 1 FROM ledger_accounts a WHERE (a.owner_kind, a.owner_id, a.unit) = (wanted.kind, wanted.owner_id, wanted.unit))
     ORDER BY kind, owner_id, unit
     ON CONFLICT (owner_kind, owner_id, unit) DO NOTHING`,
    [customers, units],
  );
  // Balances are taken in one order, so that two batches with the same customers wait instead of deadlocking.
  await sql.query(
    `SELECT 1 FROM ledger_accounts WHERE owner_kind = 'customer' AND (owner_id, unit) IN
       (SELECT * FROM unnest($1::text[], $2::text[])) ORDER BY id FOR NO KEY UPDATE`,
    [customers, units],
  );
  await sql.query(
    `WITH n AS (
       SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::bigint[]) AS n(transfer_id, award_id, customer_id, unit, amount)
     ), posted AS (
       INSERT INTO ledger_transfers (id, award_id, kind, posted_at) SELECT transfer_id, award_id, 'award', $6 FROM n
       ON CONFLICT (award_id) DO NOTHING RETURNING id
     )
     INSERT INTO ledger_entries (transfer_id, account_id, amount)
     SELECT n.transfer_id, a.id, CASE a.owner_kind WHEN 'customer' THEN n.amount ELSE -n.amount END
     FROM posted JOIN n ON n.transfer_id = posted.id
     JOIN ledger_accounts a ON a.unit = n.unit
       AND ((a.owner_kind = 'customer' AND a.owner_id = n.customer_id) OR (a.owner_kind = 'house' AND a.owner_id = 'goodwill'))`,
    [
      postings.map((p) => p.transferId),
      postings.map((p) => p.awardId),
      customers,
      units,
      postings.map((p) => p.amount),
      postedAt,
    ],
  );
  await sql.query(`UPDATE awards SET status = 'applied', applied_at = $2 WHERE id = ANY($1::uuid[])`, [
    awards.map(({ id }) => id),
    postedAt,
  ]);
}
