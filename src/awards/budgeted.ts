import type { AwardClass } from '../compensation/award.js';
import type { Policy } from '../compensation/policy.js';
import type { Money } from '../money.js';

/** The money of these awards that the budget of the day is about: of the classes it names, but for what is owed. */
export function budgeted(
  awards: readonly {
    readonly class: AwardClass;
    readonly amountMinor: number | null;
    readonly currency: string | null;
  }[],
  { dailyBudget, classes }: Pick<Policy, 'dailyBudget' | 'classes'>,
): Money[] {
  return awards.flatMap(({ class: name, amountMinor, currency }) => {
    const counts = dailyBudget?.classes.includes(name) === true && classes[name]?.owed !== true;
    return counts && amountMinor !== null && currency !== null ? [{ amountMinor, currency }] : [];
  });
}
