import { assert } from '../errors.js';
import type { LetterAward } from './letter.js';

/** How much of what: a currency, `membership_months`, `points`, or the kind of what is given as a whole. */
export interface Figure {
  readonly unit: string;
  readonly quantity: number;
}

/** What a letter says that the customer has been given. */
export function figureOf(award: LetterAward): Figure {
  switch (award.kind) {
    case 'membership_extension':
      return { unit: 'membership_months', quantity: award.months };
    case 'points':
      return { unit: 'points', quantity: award.points };
    case 'store_credit':
    case 'refund':
    case 'shipping_refund':
      return { unit: award.amount.currency, quantity: award.amount.amountMinor };
    case 'replacement':
    case 'gift':
      return { unit: award.kind, quantity: 1 };
    default:
      return award satisfies never;
  }
}

/**
 * Holds what a letter says against what was given: the amount in the mail is the amount in the ledger.
 * @throws an assertion with both figures where they differ
 */
export function assertSameFigures(messageId: string, said: readonly Figure[], given: readonly Figure[]): void {
  const [says, gave] = [listed(said), listed(given)];
  assert(says === gave, `letter ${messageId} says what was given: it says ${says}, and it was ${gave}`);
}

function listed(figures: readonly Figure[]): string {
  if (figures.length === 0) return 'nothing';
  return figures
    .map(({ unit, quantity }) => `${quantity} ${unit}`)
    .sort()
    .join(', ');
}
