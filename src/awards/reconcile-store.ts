import type { Sql } from '../db/database.js';

/** What does not agree, and the account, transfer or award that it is about. */
export interface LedgerDifference {
  readonly kind: keyof typeof QUESTIONS;
  readonly subject: string;
  readonly details: Readonly<Record<string, unknown>>;
  /** How many of this kind there are, also those that are not shown. */
  readonly found: number;
}

/** Each answers with `subject` and `details` of what is wrong, and with nothing when all is well. */
const QUESTIONS = {
  /** A customer's balance is the sum of the entries, and of what is left of the grants. */
  balance: `
    SELECT a.id AS subject, jsonb_build_object('customerId', a.owner_id, 'unit', a.unit, 'balance', a.balance,
      'entries', coalesce(e.amount, 0), 'lots', coalesce(l.amount, 0)) AS details
    FROM ledger_accounts a
    LEFT JOIN (SELECT account_id, sum(amount) AS amount FROM ledger_entries GROUP BY account_id) e ON e.account_id = a.id
    LEFT JOIN (SELECT account_id, sum(remaining) AS amount FROM ledger_lots GROUP BY account_id) l ON l.account_id = a.id
    WHERE a.owner_kind = 'customer' AND (a.balance <> coalesce(e.amount, 0) OR a.balance <> coalesce(l.amount, 0) OR a.balance < 0)`,
  /** The entries of a transfer add up to nothing, in one unit. */
  transfer: `
    SELECT t.id AS subject, jsonb_build_object('kind', t.kind, 'sum', coalesce(sum(e.amount), 0), 'entries', count(e.amount),
      'units', count(DISTINCT a.unit)) AS details
    FROM ledger_transfers t LEFT JOIN ledger_entries e ON e.transfer_id = t.id LEFT JOIN ledger_accounts a ON a.id = e.account_id
    GROUP BY t.id HAVING count(e.amount) < 2 OR sum(e.amount) <> 0 OR count(DISTINCT a.unit) <> 1`,
  /** What the ledger is said to have given, it has given. */
  award_without_transfer: `
    SELECT w.id AS subject, jsonb_build_object('status', w.status, 'kind', w.kind, 'orderId', w.order_id) AS details
    FROM awards w LEFT JOIN ledger_transfers t ON t.award_id = w.id
    WHERE w.provider = 'ledger' AND w.status IN ('applied', 'reversed') AND t.id IS NULL`,
  /** What the ledger has given belongs to an award that says so, and is as much of the same. */
  transfer_without_award: `
    SELECT t.id AS subject, jsonb_build_object('awardId', w.id, 'status', w.status, 'provider', w.provider) AS details
    FROM ledger_transfers t LEFT JOIN awards w ON w.id = t.award_id
    WHERE t.kind = 'award' AND (w.id IS NULL OR w.status NOT IN ('applied', 'reversed') OR w.provider IS DISTINCT FROM 'ledger')`,
  award_amount: `
    SELECT w.id AS subject, jsonb_build_object('transferId', t.id, 'kind', w.kind, 'booked', e.amount, 'unit', a.unit,
      'customerId', a.owner_id) AS details
    FROM awards w JOIN ledger_transfers t ON t.award_id = w.id JOIN ledger_entries e ON e.transfer_id = t.id
    JOIN ledger_accounts a ON a.id = e.account_id
    WHERE a.owner_kind = 'customer' AND (a.owner_id, e.amount, a.unit) IS DISTINCT FROM (w.customer_id,
      coalesce(w.months, w.points, w.amount_minor)::bigint,
      CASE w.kind WHEN 'membership_extension' THEN 'membership_months' WHEN 'points' THEN 'points' ELSE w.currency END)`,
  /** An award of the ledger is reversed when a reversal of its grant is booked, and only then. */
  reversal: `
    SELECT w.id AS subject, jsonb_build_object('status', w.status, 'grant', t.id, 'reversal', r.id) AS details
    FROM awards w JOIN ledger_transfers t ON t.award_id = w.id
    LEFT JOIN ledger_transfers r ON r.of_transfer = t.id AND r.kind = 'reversal'
    WHERE (w.status = 'reversed') <> (r.id IS NOT NULL)`,
  /** Each grant to a customer has its lot, and what is gone of it was taken by somebody. */
  lot: `
    SELECT coalesce(l.transfer_id, e.transfer_id) AS subject, jsonb_build_object('accountId', coalesce(l.account_id, e.account_id),
      'entry', e.amount, 'granted', l.granted, 'remaining', l.remaining, 'taken', coalesce(u.amount, 0)) AS details
    FROM (SELECT e.* FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.account_id
      WHERE a.owner_kind = 'customer' AND e.amount > 0) e
    FULL JOIN ledger_lots l ON (l.transfer_id, l.account_id) = (e.transfer_id, e.account_id)
    LEFT JOIN (SELECT lot_transfer_id, account_id, sum(amount) AS amount FROM ledger_lot_uses GROUP BY 1, 2) u
      ON (u.lot_transfer_id, u.account_id) = (l.transfer_id, l.account_id)
    WHERE l.granted IS DISTINCT FROM e.amount OR l.granted - l.remaining <> coalesce(u.amount, 0)`,
  /** What a debit took from a customer, it took from grants. */
  debit: `
    SELECT coalesce(e.transfer_id, u.transfer_id) AS subject, jsonb_build_object('accountId', coalesce(e.account_id, u.account_id),
      'entry', e.amount, 'taken', coalesce(u.amount, 0)) AS details
    FROM (SELECT e.* FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.account_id
      WHERE a.owner_kind = 'customer' AND e.amount < 0) e
    FULL JOIN (SELECT transfer_id, account_id, sum(amount) AS amount FROM ledger_lot_uses GROUP BY 1, 2) u
      ON (u.transfer_id, u.account_id) = (e.transfer_id, e.account_id)
    WHERE -e.amount IS DISTINCT FROM u.amount`,
} as const;

/** @param shown of each kind at the most */
export async function findDifferences(sql: Sql, shown: number): Promise<LedgerDifference[]> {
  const differences: LedgerDifference[] = [];
  for (const [kind, question] of Object.entries(QUESTIONS)) {
    const { rows } = await sql.query(
      `SELECT subject::text, details, count(*) OVER () AS found FROM (${question}) differences ORDER BY subject LIMIT $1`,
      [shown],
    );
    differences.push(...rows.map((row) => ({ ...row, kind: kind as LedgerDifference['kind'] })));
  }
  return differences;
}
