import type { Money } from '../money.js';
import type { DeliveryPromise } from '../promises/promise.js';
import type { Judgement } from '../promises/verdict.js';
import type { PastAward } from './award.js';

export const CONTACT_REASONS = ['late', 'not_received', 'damaged', 'other'] as const;
export type ContactReason = (typeof CONTACT_REASONS)[number];

/** In which arm of the experiment an order is: the holdout arm gets no goodwill, so that its effect can be measured. */
export const ARMS = ['treated', 'holdout'] as const;
export type Arm = (typeof ARMS)[number];

/** Whether a decision gives what it says: `shadow` and `backfill` decide and record, and give nothing. */
export type DecisionMode = 'active' | 'shadow' | 'backfill';

/** A service that was poor, as whoever measures it says. `title` is what the customer knows it by; null: not said. */
export interface ReportedService {
  readonly kind: string;
  readonly title: string | null;
  readonly at: Date;
}

/** Where the order goes. `country` as ISO 3166-1 alpha-2; null is not known. */
export interface Destination {
  readonly country: string | null;
  readonly region: string | null;
  readonly postalCode: string | null;
}

/**
 * Everything the decision about one shipment depends on, and nothing else. All but `judgement`, `promise`,
 * `firstDeliveredAt`, `carrier` and `service` belongs to the order and is the same for each of its shipments.
 */
export interface DecisionCase {
  readonly judgement: Judgement;
  readonly promise: DeliveryPromise;
  /** Downloaded or watched: there is no parcel that a customer could miss. */
  readonly digital: boolean;
  /** The earliest instant of the first delivered scan known at `asOf`, disputed or not; null without one. */
  readonly firstDeliveredAt: Date | null;
  readonly asOf: Date;
  /** Both moneys in one currency. */
  readonly order: { readonly id: string; readonly total: Money; readonly shippingPaid: Money };
  readonly membership: { readonly tier: string; readonly trial: boolean } | null;
  /** `on` is a calendar date. */
  readonly occasion: { readonly name: string; readonly on: string } | null;
  /** When the order became known here; null when that is long ago. */
  readonly registeredAt: Date | null;
  /** Those after `asOf` are not there. */
  readonly contacts: readonly { readonly reason: ContactReason; readonly at: Date }[];
  /** What was reported of a service that was poor. Those after `asOf` are not there. */
  readonly reports: readonly ReportedService[];
  /** Every award already made to this customer, for any order. Their order does not matter. */
  readonly history: readonly PastAward[];
  /** Null: nobody is held out. */
  readonly arm: Arm | null;
  readonly destination: Destination | null;
  /** Of this shipment, in the words of whoever registered it. */
  readonly carrier: string | null;
  readonly service: string | null;
}
