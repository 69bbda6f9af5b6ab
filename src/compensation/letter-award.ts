import { addDaysTo, localDateOf } from '../calendar.js';
import { assert } from '../errors.js';
import type { Money } from '../money.js';

/**
 * Something that the customer was given, as a letter tells it: its amounts are the ledger's. Days are local calendar days
 * (`2027-03-01`), null where they are not known or where there is none.
 */
export type LetterAward =
  | { readonly kind: 'membership_extension'; readonly months: number; readonly endsOn: string | null }
  | { readonly kind: 'store_credit'; readonly amount: Money; readonly expiresOn: string | null }
  | { readonly kind: 'refund' | 'shipping_refund'; readonly amount: Money; readonly arrivesOn: string | null }
  | { readonly kind: 'points'; readonly points: number; readonly expiresOn: string | null }
  | {
      readonly kind: 'replacement';
      readonly twoDayShipping: boolean;
      readonly shipsOn?: string | null;
      readonly arrivesOn: string | null;
    }
  | { readonly kind: 'gift' };

/** An award as it comes out of the database as JSON: instants as ISO 8601, dates as they stand in a calendar. */
export interface LetterAwardRow {
  readonly id: string;
  readonly kind: string;
  readonly months: number | null;
  readonly points: number | null;
  readonly amount_minor: number | null;
  readonly currency: string | null;
  readonly shipping: string | null;
  readonly expires_at: string | null;
  readonly ship_on: string | null;
}

/** @param timeZone in which days are told: the destination's */
export function letterAwardOf(award: LetterAwardRow, timeZone: string): LetterAward {
  const amount = { amountMinor: award.amount_minor ?? 0, currency: award.currency ?? '' };
  const expiresOn = award.expires_at === null ? null : lastDayOf(new Date(award.expires_at), timeZone);
  switch (award.kind) {
    case 'membership_extension':
      return { kind: 'membership_extension', months: award.months ?? 0, endsOn: null };
    case 'store_credit':
      return { kind: 'store_credit', amount, expiresOn };
    case 'points':
      return { kind: 'points', points: award.points ?? 0, expiresOn };
    case 'refund':
    case 'shipping_refund':
      return { kind: award.kind, amount, arrivesOn: null };
    case 'replacement':
      return {
        kind: 'replacement',
        twoDayShipping: award.shipping === 'two_day',
        shipsOn: award.ship_on,
        arrivesOn: null,
      };
    case 'gift':
      return { kind: 'gift' };
    default:
      assert(false, `no letter can tell of ${award.kind}`);
  }
}

/** The last day on which the whole day can be used: the day on which it ends is told as the day before. */
function lastDayOf(expiresAt: Date, timeZone: string): string {
  return addDaysTo(localDateOf(expiresAt, timeZone), -1);
}
