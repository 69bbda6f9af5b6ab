import type { AwardKind, AwardStatus } from '../compensation/award.js';
import { assert } from '../errors.js';

/** An award as far as booking it goes. */
export interface GrantableAward {
  readonly id: string;
  readonly customerId: string;
  readonly kind: AwardKind;
  readonly months: number | null;
  readonly amountMinor: number | null;
  readonly currency: string | null;
}

/** How much of which unit moves from the house's goodwill account to the customer's. */
export interface Posting {
  /** An ISO 4217 currency, or `membership_months`. */
  readonly unit: string;
  /** Minor units or months; more than nothing. */
  readonly amount: number;
}

/** The remedies that the ledger itself can grant. The others wait for a provider that can. */
const LEDGER_KINDS: readonly AwardKind[] = ['membership_extension', 'store_credit'];

/** Whether this award can be granted now: decided, not stopped, and of a kind that the ledger grants. */
export function isGrantable({ kind, status }: { readonly kind: AwardKind; readonly status: AwardStatus }): boolean {
  return status === 'pending' && LEDGER_KINDS.includes(kind);
}

/** What an award moves. Pure; only for kinds that the ledger grants. */
export function postAward({ kind, months, amountMinor, currency }: GrantableAward): Posting {
  if (kind === 'membership_extension') {
    assert(months !== null && months > 0, 'an extension has months');
    return { unit: 'membership_months', amount: months };
  }
  assert(
    kind === 'store_credit' && amountMinor !== null && amountMinor > 0 && currency !== null,
    'a credit has an amount',
  );
  return { unit: currency, amount: amountMinor };
}
