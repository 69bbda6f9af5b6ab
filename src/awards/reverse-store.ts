import type { AwardKind, AwardStatus } from '../compensation/award.js';
import type { Sql } from '../db/database.js';
import type { ToldAward } from '../events/event.js';

/** An award that is to be taken back, with what the ledger knows of it. */
export interface ReversibleAward extends ToldAward {
  readonly kind: AwardKind;
  readonly status: AwardStatus;
  /** The transfer that granted it; null: not the ledger. */
  readonly grant: string | null;
  readonly unit: string | null;
  readonly granted: number | null;
  readonly remaining: number | null;
}

/** Takes an award until the transaction ends, and its customer before it; null when there is none with this id. */
export async function lockAwardToReverse(sql: Sql, awardId: string): Promise<ReversibleAward | null> {
  await sql.query(
    'SELECT 1 FROM customers WHERE id = (SELECT customer_id FROM awards WHERE id = $1) FOR NO KEY UPDATE',
    [awardId],
  );
  const { rows } = await sql.query('SELECT 1 FROM awards WHERE id = $1 FOR UPDATE', [awardId]);
  if (rows.length === 0) return null;
  const { rows: found } = await sql.query(
    `SELECT w.id, w.order_id AS "orderId", w.customer_id AS "customerId", w.kind, w.status, w.provider, w.incident,
       w.months, w.points, w.amount_minor AS "amountMinor", w.currency, w.expires_at AS "expiresAt", t.id AS grant, a.unit, l.granted, l.remaining
     FROM awards w LEFT JOIN ledger_transfers t ON t.award_id = w.id
     LEFT JOIN ledger_lots l ON l.transfer_id = t.id LEFT JOIN ledger_accounts a ON a.id = l.account_id
     WHERE w.id = $1`,
    [awardId],
  );
  return found[0] ?? null;
}

export async function markReversed(
  sql: Sql,
  awardId: string,
  { by, at, reason }: { by: string; at: Date; reason: string },
): Promise<void> {
  await sql.query(
    `UPDATE awards SET status = 'reversed', reviewed_by = $2, reviewed_at = $3, review_reason = $4 WHERE id = $1`,
    [awardId, by, at, reason],
  );
}
