import { createHash } from 'node:crypto';
import { lockCustomers } from '../compensation/award-store.js';
import { recordAudit } from '../db/audit-store.js';
import type { Sql } from '../db/database.js';
import { readNow } from '../db/now.js';
import type { Deps } from '../deps.js';
import { AppError } from '../errors.js';
import { newId } from '../ids.js';
import { formatQuantity } from './format-quantity.js';
import { bookTransfers, isTooLittle } from './ledger-store.js';
import { loadDebit, loadFunds, loadTaken, type TakenLot } from './lot-store.js';

/** What a shop, or a person, takes from what a customer has. */
export interface LedgerDebit {
  /** `spend`: the customer used it; `expire`: it is forfeited; `adjust`: a person sets something right. */
  readonly kind: 'spend' | 'adjust' | 'expire';
  /** An ISO 4217 currency, `membership_months`, or `points`. */
  readonly unit: string;
  /** Minor units, months or points; more than nothing. */
  readonly amount: number;
  readonly reason: string;
  /** The shop's own name for it: the same one again is the same debit, and nothing is taken twice. */
  readonly reference?: string | null;
  readonly actor: string;
}

export interface DebitAnswer {
  readonly transferId: string;
  readonly unit: string;
  readonly amount: number;
  /** What the customer has left of the unit. */
  readonly balance: number;
  /** The grants that it was taken from, soonest-expiring first. */
  readonly taken: readonly TakenLot[];
}

/**
 * Takes an amount from what a customer has, soonest-expiring first. What has ended cannot be spent, even while nobody has
 * booked its end yet. All of it or nothing.
 * @throws AppError `not_found`, `insufficient_funds`, or `idempotency_conflict` when the reference was used for something else
 */
export async function debitLedger(
  deps: Pick<Deps, 'db' | 'clock'>,
  customerId: string,
  debit: LedgerDebit,
): Promise<DebitAnswer> {
  return deps.db.transaction(async (sql) => {
    const found = await lockCustomers(sql, [customerId]);
    if (found.length === 0) throw new AppError('not_found', 'There is no customer with this id.');
    const now = await readNow(sql, deps.clock);
    const transferId = idOfDebit(customerId, debit.reference ?? null);
    const earlier = await loadDebit(sql, transferId);
    if (earlier === null) await take(sql, customerId, debit, transferId, now);
    else if (earlier.kind !== debit.kind || earlier.unit !== debit.unit || earlier.amount !== debit.amount) {
      throw new AppError(
        'idempotency_conflict',
        `The reference was used before, to ${earlier.kind} ${formatQuantity(earlier)}. Name this one differently.`,
      );
    }
    const { balance } = await loadFunds(sql, customerId, debit.unit, now);
    return { transferId, unit: debit.unit, amount: debit.amount, balance, taken: await loadTaken(sql, transferId) };
  });
}

async function take(sql: Sql, customerId: string, debit: LedgerDebit, transferId: string, now: Date): Promise<void> {
  const { kind, unit, amount, reason, reference, actor } = debit;
  const funds = await loadFunds(sql, customerId, unit, now);
  const available = kind === 'spend' ? funds.spendable : funds.balance;
  if (available < amount) throw tooLittle({ unit, amount }, available);
  const common = { kind, customerId, unit, amount, actor, reason };
  try {
    await bookTransfers(sql, [{ id: transferId, ...common, ...(reference ? { reference } : {}) }], now);
  } catch (error) {
    // Whoever wrote past the customer's lock has taken it meanwhile.
    throw isTooLittle(error) ? tooLittle({ unit, amount }, available) : error;
  }
  if (kind === 'spend') return;
  await recordAudit(sql, {
    at: now,
    actor,
    action: `ledger.${kind}`,
    subject: customerId,
    reason,
    details: { transferId, unit, amount, reference: reference ?? null },
  });
}

function tooLittle(wanted: { unit: string; amount: number }, available: number): AppError {
  const there = formatQuantity({ unit: wanted.unit, amount: available });
  return new AppError('insufficient_funds', `${formatQuantity(wanted)} is wanted, and there is ${there}.`);
}

/**
 * With a reference the id follows from it and the customer (RFC 9562, version 8): the primary key itself then refuses a second
 * transfer, whoever writes it.
 */
function idOfDebit(customerId: string, reference: string | null): string {
  if (reference === null) return newId();
  const digest = createHash('sha256')
    .update(JSON.stringify(['ledger debit', customerId, reference]))
    .digest('hex');
  const variant = '89ab'.charAt(Number.parseInt(digest.charAt(16), 16) & 3);
  return `${digest.slice(0, 8)}-${digest.slice(8, 12)}-8${digest.slice(13, 16)}-${variant}${digest.slice(17, 20)}-${digest.slice(20, 32)}`;
}
