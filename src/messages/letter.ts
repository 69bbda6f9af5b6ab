import type { Money } from '../money.js';
import type { DeliveryPromise } from '../promises/promise.js';
import type { Verdict } from '../promises/verdict.js';
import type { TrackingStatus } from '../shipments/tracking-event.js';

/** Every letter there is. These names are stored with each message and shown by the API: never rename one. */
export const TEMPLATE_NAMES = [
  'late-delivered',
  'late-overdue',
  'occasion-missed',
  'top-up',
  'lost',
  'not-received',
  'damaged',
  'returned',
] as const;
export type TemplateName = (typeof TEMPLATE_NAMES)[number];

/**
 * Something the customer HAS been given: a letter is only written once every award in it is applied, and its amounts
 * are the ledger's. Days are local calendar days (`2027-03-01`), null where they are not known or where there is none.
 */
export type LetterAward =
  | { readonly kind: 'membership_extension'; readonly months: number; readonly endsOn: string | null }
  | { readonly kind: 'store_credit'; readonly amount: Money; readonly expiresOn: string | null }
  | { readonly kind: 'refund' | 'shipping_refund'; readonly amount: Money; readonly arrivesOn: string | null }
  | { readonly kind: 'points'; readonly points: number; readonly expiresOn: string | null }
  | { readonly kind: 'replacement'; readonly twoDayShipping: boolean; readonly arrivesOn: string | null }
  | { readonly kind: 'gift' };

/**
 * The facts of one letter, and all that its text depends on: the same facts give the same words for ever, so that a
 * retry is a copy and not a second letter. Strings that a customer or a shop wrote may hold anything; rendering makes
 * them safe.
 */
export interface Letter {
  readonly template: TemplateName;
  readonly shopName: string;
  /** `locale` is a BCP 47 tag and decides how dates and money look; missing or unusable: `en-US`. */
  readonly customer: { readonly name: string | null; readonly locale: string | null };
  readonly orderId: string;
  /** The instant of the decision this letter tells of: "now" in its text. Fixed: a retry next day reads the same. */
  readonly asOf: Date;
  /** The promise that was broken. Its zone, the destination's, is the zone of every time in the letter. */
  readonly promise: DeliveryPromise;
  readonly verdict: Verdict;
  /** When the promise was met, too late, and by what; null while it is not. `deliveredAt` may come after an attempt. */
  readonly metAt: Date | null;
  readonly metBy: 'delivered' | 'attempted' | 'available_for_pickup' | null;
  readonly deliveredAt: Date | null;
  readonly lateDays: number | null;
  readonly lateMinutes: number | null;
  /** The newest scan, for saying where the parcel is; null when there is none. Only its local date is shown. */
  readonly lastScan: { readonly status: TrackingStatus; readonly at: Date } | null;
  /** When it is expected now. One that lies before `asOf` is known to be wrong and is not shown. */
  readonly estimate: { readonly on: string } | { readonly at: Date } | null;
  /** The occasion that was MISSED. Null also for an order whose occasion was, or can still be, kept. */
  readonly occasion: { readonly name: string; readonly on: string } | null;
  /** In the order to be told. In a top-up the differences, not the totals. */
  readonly awards: readonly LetterAward[];
  /** Something was given, and told, for the same incident before. */
  readonly isTopUp: boolean;
  /** A person is going to telephone the customer about it. */
  readonly callPlanned: boolean;
}

/**
 * Which letter tells of a decision. `occasionMissed`: an award or a call of this very decision was for the missed
 * occasion; it goes before everything else of a late order, because the occasion is what the customer feels.
 */
export function templateFor(decision: {
  readonly incident: 'late' | 'lost' | 'not_received' | 'damaged' | 'returned';
  readonly verdict: Verdict;
  readonly occasionMissed: boolean;
  readonly isTopUp: boolean;
}): TemplateName {
  switch (decision.incident) {
    case 'late':
      if (decision.occasionMissed) return 'occasion-missed';
      if (decision.isTopUp) return 'top-up';
      return decision.verdict === 'late' ? 'late-delivered' : 'late-overdue';
    case 'not_received':
      return 'not-received';
    case 'lost':
    case 'damaged':
    case 'returned':
      return decision.incident;
    default:
      return decision.incident satisfies never;
  }
}
