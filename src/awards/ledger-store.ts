import type { Sql } from '../db/database.js';
import { assert } from '../errors.js';
import { newId } from '../ids.js';
import { type GrantableAward, HOUSE_ACCOUNTS, postAward, type TransferKind } from './posting.js';

/**
 * Books awards from the house to their customers, and marks them as applied. An award that has its transfer already is not
 * booked again, whoever booked it. Their customers are locked (`lockPending`).
 */
export async function postTransfers(sql: Sql, awards: readonly GrantableAward[], postedAt: Date): Promise<void> {
  const transfers = awards.map((award) => ({
    id: newId(),
    kind: 'award' as const,
    awardId: award.id,
    customerId: award.customerId,
    ...postAward(award),
    expiresAt: award.expiresAt,
  }));
  await bookTransfers(sql, transfers, postedAt);
  await sql.query(
    `UPDATE awards SET status = 'applied', applied_at = $2, provider = 'ledger' WHERE id = ANY($1::uuid[])`,
    [awards.map(({ id }) => id), postedAt],
  );
}

/** A movement between a customer and the house. An award gives to the customer, everything else takes. */
export interface LedgerTransfer {
  readonly id: string;
  readonly kind: TransferKind;
  readonly customerId: string;
  readonly unit: string;
  /** More than nothing; its kind says in which direction. */
  readonly amount: number;
  readonly awardId?: string;
  readonly expiresAt?: Date | null;
  /** The grant to take from, and from no other. */
  readonly ofTransfer?: string;
  readonly actor?: string;
  readonly reason?: string;
  readonly reference?: string;
}

/** SQLSTATE of the database's own check that there is enough to take. */
const TOO_LITTLE = 'MG001';

/** Whether the database refused to take more than there is. The transaction is over then. */
export function isTooLittle(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === TOO_LITTLE;
}

/**
 * Writes transfers with both sides of each, in one statement; the database checks that they add up, moves the balances, and
 * keeps what is left of each grant. The customers' rows are locked by the caller.
 * @throws an error with `isTooLittle` when a customer has not that much
 */
export async function bookTransfers(sql: Sql, transfers: readonly LedgerTransfer[], postedAt: Date): Promise<void> {
  const accounts = await openAccounts(
    sql,
    transfers.flatMap((transfer) => [customerAccount(transfer), houseAccount(transfer)]),
  );
  const idOf = (account: Account) => {
    const id = accounts.get(keyOf(account));
    assert(id !== undefined, 'every account was opened');
    return id;
  };
  await sql.query(
    `WITH n AS (
       SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $5::uuid[], $6::text[], $7::text[], $8::text[],
         $9::uuid[], $10::uuid[], $11::bigint[])
         AS n(id, award_id, kind, expires_at, of_transfer, actor, reason, reference, customer_account, house_account, amount)
     ), posted AS (
       INSERT INTO ledger_transfers (id, award_id, kind, posted_at, expires_at, of_transfer, actor, reason, reference)
       SELECT id, award_id, kind, $12, expires_at, of_transfer, actor, reason, reference FROM n
       ON CONFLICT (award_id) DO NOTHING RETURNING id
     )
     INSERT INTO ledger_entries (transfer_id, account_id, amount)
     SELECT n.id, side.account_id, side.amount
     FROM posted JOIN n ON n.id = posted.id
     CROSS JOIN LATERAL (VALUES (n.customer_account, n.amount), (n.house_account, -n.amount)) AS side(account_id, amount)`,
    [
      transfers.map(({ id }) => id),
      transfers.map(({ awardId }) => awardId ?? null),
      transfers.map(({ kind }) => kind),
      transfers.map(({ expiresAt }) => expiresAt ?? null),
      transfers.map(({ ofTransfer }) => ofTransfer ?? null),
      transfers.map(({ actor }) => actor ?? null),
      transfers.map(({ reason }) => reason ?? null),
      transfers.map(({ reference }) => reference ?? null),
      transfers.map((transfer) => idOf(customerAccount(transfer))),
      transfers.map((transfer) => idOf(houseAccount(transfer))),
      transfers.map(({ kind, amount }) => (kind === 'award' ? amount : -amount)),
      postedAt,
    ],
  );
}

/** Whose account, of which unit. */
interface Account {
  readonly ownerKind: 'customer' | 'house';
  readonly ownerId: string;
  readonly unit: string;
}
type Parties = Pick<LedgerTransfer, 'customerId' | 'kind' | 'unit'>;

const customerAccount = ({ customerId, unit }: Parties): Account => ({
  ownerKind: 'customer',
  ownerId: customerId,
  unit,
});
const houseAccount = ({ kind, unit }: Parties): Account => ({
  ownerKind: 'house',
  ownerId: HOUSE_ACCOUNTS[kind],
  unit,
});
const keyOf = ({ ownerKind, ownerId, unit }: Account): string => JSON.stringify([ownerKind, ownerId, unit]);

/** The ids of these accounts, by their keys. Those that are not there are opened; mostly they are. */
async function openAccounts(sql: Sql, wanted: readonly Account[]): Promise<ReadonlyMap<string, string>> {
  const distinct = [...new Map(wanted.map((account) => [keyOf(account), account])).values()];
  const values = [
    distinct.map(({ ownerKind }) => ownerKind),
    distinct.map(({ ownerId }) => ownerId),
    distinct.map(({ unit }) => unit),
  ];
  const load = async (): Promise<ReadonlyMap<string, string>> => {
    const { rows } = await sql.query(
      `SELECT a.id, a.owner_kind AS "ownerKind", a.owner_id AS "ownerId", a.unit
       FROM unnest($1::text[], $2::text[], $3::text[]) AS n(owner_kind, owner_id, unit)
       JOIN ledger_accounts a USING (owner_kind, owner_id, unit)`,
      values,
    );
    return new Map(rows.map((row) => [keyOf(row), row.id]));
  };
  const found = await load();
  if (found.size === distinct.length) return found;
  await sql.query(
    `INSERT INTO ledger_accounts (id, owner_kind, owner_id, unit)
     SELECT gen_random_uuid(), n.* FROM unnest($1::text[], $2::text[], $3::text[]) AS n(owner_kind, owner_id, unit)
     ORDER BY owner_kind, owner_id, unit
     ON CONFLICT (owner_kind, owner_id, unit) DO NOTHING`,
    values,
  );
  // Read again: those that somebody else has opened meanwhile are found as well.
  return load();
}
