import type { Database } from '../db/database.js';
import { AppError } from '../errors.js';
import type { TransferKind } from './posting.js';

/** A line of a customer's ledger; instants are ISO 8601 in UTC. */
export interface LedgerLine {
  /** The transfer. */
  readonly id: string;
  readonly kind: TransferKind;
  /** An ISO 4217 currency, `membership_months`, or `points`. */
  readonly unit: string;
  /** Minor units, months or points; less than nothing where something was taken. */
  readonly amount: number;
  readonly at: string;
  /** Of a grant: when it ends; null: never. */
  readonly expiresAt: string | null;
  /** Of a grant: what is left of it; else null. */
  readonly remaining: number | null;
  /** Of a reversal or an expiry: the line that it takes from. */
  readonly of: string | null;
  readonly awardId: string | null;
  readonly orderId: string | null;
  readonly reason: string | null;
  readonly reference: string | null;
}

export interface LedgerView {
  /** By unit: what there is, as the sum of all entries. What has ended counts until its end is booked. */
  readonly balances: Readonly<Record<string, number>>;
  readonly entries: readonly LedgerLine[];
  /** The last line of this page: what comes after it is older; null when nothing does. */
  readonly next: string | null;
}

const TRANSFER_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * What a customer has and how it came about, newest first; null for a customer that nobody knows.
 * @param page.after `next` of the page before
 * @throws AppError `invalid_request` when that is no `next`
 */
export async function loadLedger(
  db: Pick<Database, 'pool'>,
  customerId: string,
  { after = null, limit }: { readonly after?: string | null; readonly limit: number },
): Promise<LedgerView | null> {
  if (after !== null && !TRANSFER_ID.test(after)) {
    throw new AppError('invalid_request', 'There is no such place in the list.', {
      errors: [{ field: 'after', message: 'is not what `next` of a list said' }],
    });
  }
  const { rows: customers } = await db.pool.query(
    `SELECT coalesce(jsonb_object_agg(a.unit, a.balance) FILTER (WHERE a.unit IS NOT NULL), '{}') AS balances
     FROM customers c LEFT JOIN ledger_accounts a ON a.owner_kind = 'customer' AND a.owner_id = c.id
     WHERE c.id = $1 GROUP BY c.id`,
    [customerId],
  );
  if (customers.length === 0) return null;
  const { rows } = await db.pool.query(
    `SELECT t.id, t.kind, a.unit, e.amount, t.posted_at, t.expires_at, l.remaining, t.of_transfer,
       coalesce(t.award_id, g.award_id) AS award_id, w.order_id, coalesce(t.reason, w.reason) AS reason, t.reference
     FROM ledger_accounts a JOIN ledger_entries e ON e.account_id = a.id JOIN ledger_transfers t ON t.id = e.transfer_id
     LEFT JOIN ledger_lots l ON (l.transfer_id, l.account_id) = (e.transfer_id, e.account_id)
     LEFT JOIN ledger_transfers g ON g.id = t.of_transfer
     LEFT JOIN awards w ON w.id = coalesce(t.award_id, g.award_id)
     WHERE a.owner_kind = 'customer' AND a.owner_id = $1
       AND ($2::uuid IS NULL OR (t.posted_at, t.id) < (SELECT last.posted_at, last.id FROM ledger_transfers last WHERE last.id = $2))
     ORDER BY t.posted_at DESC, t.id DESC LIMIT $3`,
    [customerId, after, limit + 1],
  );
  const entries = rows.slice(0, limit).map(
    (row): LedgerLine => ({
      id: row.id,
      kind: row.kind,
      unit: row.unit,
      amount: row.amount,
      at: row.posted_at.toISOString(),
      expiresAt: row.expires_at?.toISOString() ?? null,
      remaining: row.remaining,
      of: row.of_transfer,
      awardId: row.award_id,
      orderId: row.order_id,
      reason: row.reason,
      reference: row.reference,
    }),
  );
  return { balances: customers[0].balances, entries, next: rows.length > limit ? (entries.at(-1)?.id ?? null) : null };
}
