import type { Sql } from '../db/database.js';
import { findDifferences, type LedgerDifference } from './reconcile-store.js';

/** Shown of each kind. More would fill the report with what has one cause. */
const SHOWN = 50;

/**
 * Adds the whole ledger up again and says where it does not agree with itself or with the awards; nothing when all is well.
 * Each question is one statement, which sees one moment: what is being booked meanwhile is no difference.
 */
export async function reconcileLedger(sql: Sql): Promise<readonly LedgerDifference[]> {
  return findDifferences(sql, SHOWN);
}
