import type { Sql } from '../db/database.js';

/** What is left of one grant, and whose it is. */
export interface OpenLot {
  /** The transfer that granted it. */
  readonly grant: string;
  readonly customerId: string;
  readonly unit: string;
  readonly remaining: number;
}

/** What a debit took from which grant. */
export interface TakenLot {
  readonly grant: string;
  readonly amount: number;
  readonly expiresAt: Date | null;
}

const OPEN_LOTS = `SELECT l.transfer_id AS grant, a.owner_id AS "customerId", a.unit, l.remaining
  FROM ledger_lots l JOIN ledger_accounts a ON a.id = l.account_id`;

/** Rests whose time is over, those that ended first at the front. */
export async function findEndedLots(sql: Sql, now: Date, limit: number): Promise<OpenLot[]> {
  const { rows } = await sql.query(
    `${OPEN_LOTS} WHERE l.remaining > 0 AND l.expires_at <= $1 ORDER BY l.expires_at, l.transfer_id LIMIT $2`,
    [now, limit],
  );
  return rows;
}

/** What is left of these grants now; read while their customers are locked. Those that are used up are left out. */
export async function loadOpenLots(sql: Sql, grants: readonly string[]): Promise<OpenLot[]> {
  const { rows } = await sql.query(
    `${OPEN_LOTS} WHERE l.transfer_id = ANY($1::uuid[]) AND l.remaining > 0 ORDER BY a.owner_id, l.expires_at, l.transfer_id`,
    [grants],
  );
  return rows;
}

/** What a transfer took, soonest-expiring first. */
export async function loadTaken(sql: Sql, transferId: string): Promise<TakenLot[]> {
  const { rows } = await sql.query(
    `SELECT u.lot_transfer_id AS grant, u.amount, l.expires_at AS "expiresAt"
     FROM ledger_lot_uses u JOIN ledger_lots l ON (l.transfer_id, l.account_id) = (u.lot_transfer_id, u.account_id)
     WHERE u.transfer_id = $1 ORDER BY l.expires_at, l.granted_at, l.transfer_id`,
    [transferId],
  );
  return rows;
}

/** What a customer has of a unit, and how much of it can still be spent now: what has ended cannot. */
export async function loadFunds(
  sql: Sql,
  customerId: string,
  unit: string,
  now: Date,
): Promise<{ balance: number; spendable: number }> {
  const { rows } = await sql.query(
    `SELECT coalesce(sum(l.remaining), 0)::bigint AS balance,
       coalesce(sum(l.remaining) FILTER (WHERE l.expires_at IS NULL OR l.expires_at > $3), 0)::bigint AS spendable
     FROM ledger_accounts a JOIN ledger_lots l ON l.account_id = a.id AND l.remaining > 0
     WHERE a.owner_kind = 'customer' AND a.owner_id = $1 AND a.unit = $2`,
    [customerId, unit, now],
  );
  return rows[0];
}

/** A transfer that took from a customer, as it was booked; null when there is none with this id. */
export async function loadDebit(
  sql: Sql,
  transferId: string,
): Promise<{ kind: string; unit: string; amount: number } | null> {
  const { rows } = await sql.query(
    `SELECT t.kind, a.unit, -e.amount AS amount FROM ledger_transfers t
     JOIN ledger_entries e ON e.transfer_id = t.id JOIN ledger_accounts a ON a.id = e.account_id
     WHERE t.id = $1 AND a.owner_kind = 'customer'`,
    [transferId],
  );
  return rows[0] ?? null;
}
