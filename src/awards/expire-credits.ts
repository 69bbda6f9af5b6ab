import { lockCustomers } from '../compensation/award-store.js';
import { readNow } from '../db/now.js';
import type { Deps } from '../deps.js';
import { newId } from '../ids.js';
import { bookTransfers } from './ledger-store.js';
import { findEndedLots, loadOpenLots } from './lot-store.js';

/** Grants in one transaction. More, and their customers are held for longer than a shop at its till wants to wait. */
const BATCH_SIZE = 200;

export interface ExpiryReport {
  /** Grants whose rest has ended. */
  readonly grants: number;
  /** What ended, by unit. */
  readonly amounts: Readonly<Record<string, number>>;
}

/**
 * Books the end of what has ended: one transfer for the rest of each grant, from that grant and no other. Twice is as once,
 * and any number may run at once, beside spending: what is left is read again when the customers are locked.
 */
export async function expireCredits(
  deps: Pick<Deps, 'db' | 'clock'>,
  { batchSize = BATCH_SIZE }: { readonly batchSize?: number } = {},
): Promise<ExpiryReport> {
  const amounts: Record<string, number> = {};
  let grants = 0;
  for (;;) {
    const batch = await expireBatch(deps, batchSize);
    if (batch === null) return { grants, amounts };
    grants += batch.length;
    for (const { unit, amount } of batch) amounts[unit] = (amounts[unit] ?? 0) + amount;
  }
}

/** Null when there was nothing to end; empty when somebody else has just done it. */
async function expireBatch(
  { db, clock }: Pick<Deps, 'db' | 'clock'>,
  size: number,
): Promise<readonly { unit: string; amount: number }[] | null> {
  return db.transaction(async (sql) => {
    const found = await findEndedLots(sql, await readNow(sql, clock), size);
    if (found.length === 0) return null;
    await lockCustomers(
      sql,
      found.map(({ customerId }) => customerId),
    );
    const now = await readNow(sql, clock);
    const ended = await loadOpenLots(
      sql,
      found.map(({ grant }) => grant),
    );
    const transfers = ended.map(({ grant, customerId, unit, remaining }) => ({
      id: newId(),
      kind: 'expire' as const,
      customerId,
      unit,
      amount: remaining,
      ofTransfer: grant,
    }));
    if (transfers.length > 0) await bookTransfers(sql, transfers, now);
    return transfers;
  });
}
