import type { OrderToRegister } from '../promises/order-store.js';
import { boundOf } from '../promises/verdict.js';
import type { OrderOfRow } from './order-of-row.js';

/** An order of a file, with what follows from its promises. It is due when the first of them ends. */
export type ImportedOrder = OrderOfRow & OrderToRegister;

/** @param backfillBefore orders whose last promise ended before this are for the record alone; null: none is */
export function toImportedOrder(row: OrderOfRow, backfillBefore: Date | null): ImportedOrder {
  const { promisedUntil } = boundOf(row.order.promise, 0);
  const own = row.order.shipments.flatMap(({ promise }) => (promise ? [boundOf(promise, 0).promisedUntil] : []));
  const bounds = [promisedUntil, ...own].map((bound) => bound.getTime());
  return {
    ...row,
    promisedUntil,
    dueAt: new Date(Math.min(...bounds)),
    backfill: backfillBefore !== null && Math.max(...bounds) < backfillBefore.getTime(),
  };
}
