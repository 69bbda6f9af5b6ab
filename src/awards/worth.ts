import type { AwardKind, MoneyKind, Remedy } from '../compensation/award.js';
import { MONEY_KINDS } from '../compensation/award.js';
import { showMoney } from '../compensation/wording.js';
import { AppError } from '../errors.js';
import type { Money } from '../money.js';
import type { GivenAward } from './agent-limits.js';

/** What a person names for an award: the one measure that its kind has. */
interface Named {
  readonly amount?: Money | undefined;
  readonly months?: number | undefined;
  readonly points?: number | undefined;
}

/**
 * An award of a kind with what a person names for it. Money is in the order's own currency.
 * @param currency of the order; null when nobody has told it
 * @throws AppError `invalid_request` with the field, when the measure of the kind is missing or another one is there
 */
export function remedyWith({ kind }: { readonly kind: AwardKind }, named: Named, currency: string | null): Remedy {
  const { amount, months, points } = named;
  const measure = isMoney(kind) ? 'amount' : kind === 'membership_extension' ? 'months' : 'points';
  if (!isMoney(kind) && kind !== 'membership_extension' && kind !== 'points')
    throw invalid('kind', `a ${kind} is worth no amount that could be named`);
  for (const field of ['amount', 'months', 'points'] as const) {
    if (field !== measure && named[field] !== undefined) throw invalid(field, `a ${kind} has no ${field}`);
  }
  if (kind === 'points') {
    if (points === undefined) throw invalid('points', 'say how many points');
    return { kind, points };
  }
  if (!isMoney(kind)) {
    if (months === undefined) throw invalid('months', 'say how many months');
    return { kind, months };
  }
  if (currency === null) throw invalid('amount', 'the currency of the order is not known: register its total first');
  if (amount === undefined) throw invalid('amount', `name the amount, in ${currency}`);
  if (amount.currency !== currency) throw invalid('amount.currency', `the order is in ${currency}`);
  if (amount.amountMinor < 1) throw invalid('amount.amountMinor', 'must be more than nothing');
  return { kind, amount };
}

/** What an order cost, and what was given back of it. null: not known. */
export interface Paid {
  readonly totalMinor: number | null;
  readonly shippingPaidMinor: number | null;
  readonly given: readonly GivenAward[];
}

/**
 * Nobody gets more back than was paid: all refunds of an order together are at most its total, all of its shipping at most
 * what was paid for that.
 * @throws AppError `invalid_request`
 */
export function refuseBeyondOrder(remedy: Remedy, { totalMinor, shippingPaidMinor, given }: Paid): void {
  if (remedy.kind !== 'refund' && remedy.kind !== 'shipping_refund') return;
  const { currency, amountMinor } = remedy.amount;
  const paid = (remedy.kind === 'refund' ? totalMinor : shippingPaidMinor) ?? 0;
  const before = given
    .filter(({ kind, amount }) => kind === remedy.kind && amount?.currency === currency)
    .reduce((sum, { amount }) => sum + (amount?.amountMinor ?? 0), 0);
  if (before + amountMinor <= paid) return;
  const left = showMoney({ amountMinor: Math.max(0, paid - before), currency });
  const what = remedy.kind === 'refund' ? 'the total of the order' : 'what was paid for shipping';
  throw invalid('amount.amountMinor', `is more than is left of ${what}: ${left}`);
}

const isMoney = (kind: AwardKind): kind is MoneyKind => (MONEY_KINDS as readonly AwardKind[]).includes(kind);

function invalid(field: string, message: string): AppError {
  return new AppError('invalid_request', `The award cannot be worth this: ${field} ${message}.`, {
    errors: [{ field, message }],
  });
}
