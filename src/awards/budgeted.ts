import type { AwardClass } from '../compensation/award.js';
import type { Policy } from '../compensation/policy.js';
import { isBudgeted } from '../compensation/till.js';
import type { Money } from '../money.js';

/** The money of these awards that the budget of the day is about. */
export function budgeted(
  awards: readonly {
    readonly class: AwardClass;
    readonly amountMinor: number | null;
    readonly currency: string | null;
  }[],
  policy: Pick<Policy, 'dailyBudget' | 'classes'>,
): Money[] {
  return awards.flatMap(({ amountMinor, currency, ...award }) =>
    isBudgeted(award, policy) && amountMinor !== null && currency !== null ? [{ amountMinor, currency }] : [],
  );
}
