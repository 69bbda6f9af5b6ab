import type { AwardKind } from '../compensation/award.js';
import { assert } from '../errors.js';

/** An award as far as booking it goes. */
export interface GrantableAward {
  readonly id: string;
  readonly customerId: string;
  readonly kind: AwardKind;
  readonly months: number | null;
  readonly points: number | null;
  readonly amountMinor: number | null;
  readonly currency: string | null;
  /** When what it gives ends; null: never. */
  readonly expiresAt: Date | null;
}

/** How much of which unit moves. */
export interface Posting {
  /** An ISO 4217 currency, `membership_months`, or `points`. */
  readonly unit: string;
  /** Minor units, months or points; more than nothing. */
  readonly amount: number;
}

/** What an award moves. Pure; only for kinds that the ledger grants. */
export function postAward({ kind, months, points, amountMinor, currency }: GrantableAward): Posting {
  if (kind === 'membership_extension') {
    assert(months !== null && months > 0, 'an extension has months');
    return { unit: 'membership_months', amount: months };
  }
  if (kind === 'points') {
    assert(points !== null && points > 0, 'points have a number');
    return { unit: 'points', amount: points };
  }
  assert(
    kind === 'store_credit' && amountMinor !== null && amountMinor > 0 && currency !== null,
    'a credit has an amount',
  );
  return { unit: currency, amount: amountMinor };
}

/** What a transfer is for. Only an award gives to a customer; the others take. */
export type TransferKind = 'award' | 'spend' | 'expire' | 'adjust' | 'reversal';

/** The house's account on the other side: what is reversed goes back to where it came from. */
export const HOUSE_ACCOUNTS = {
  award: 'goodwill',
  reversal: 'goodwill',
  spend: 'redeemed',
  expire: 'expired',
  adjust: 'adjustments',
} as const satisfies Record<TransferKind, string>;
