import type { PastAward } from '../compensation/award.js';
import type { ContactReason, DecisionMode } from '../compensation/decision-input.js';
import type { TrackingStatus } from '../shipments/tracking-event.js';
import type { DeliveryPromise } from './promise.js';
import type { Verdict } from './verdict.js';

/** What is known of an order when its customer gets in touch: what can be told them, and whoever looks at it. */
export interface OrderRecord {
  readonly orderId: string;
  readonly locale: string | null;
  readonly promise: DeliveryPromise;
  /** Registered long after its promise had ended: nothing is given for it. */
  readonly backfill: boolean;
  /** The answer that stands; null: not judged yet. */
  readonly answer: RecordedAnswer | null;
  /** In the order in which they were registered. */
  readonly parcels: readonly ParcelRecord[];
  /** Of the customer: everything for this order, and for others what is not long ago. Oldest first. */
  readonly awards: readonly PastAward[];
  /** When the customer got in touch before, about whichever order. Oldest first. */
  readonly contacts: readonly { readonly reason: ContactReason; readonly channel: string; readonly at: Date }[];
}

export interface RecordedAnswer {
  readonly verdict: Verdict;
  readonly mode: DecisionMode;
  readonly metAt: Date | null;
  readonly lateDays: number | null;
  /** Whether a broken promise was found that is made good for, or would be. */
  readonly hasIncident: boolean;
  /** As it was recorded: the promise, what happened, and what was done about it. Empty in old rows. */
  readonly wording: readonly string[];
}

export interface ParcelRecord {
  readonly carrier: string;
  readonly trackingNumber: string;
  /** Of its own; null: the order's holds. */
  readonly promise: DeliveryPromise | null;
  readonly deliveredAt: Date | null;
  /** The newest thing that a carrier told of it; `isExact`: to the minute, else of the day alone. */
  readonly lastScan: { readonly status: TrackingStatus; readonly at: Date; readonly isExact: boolean } | null;
  /** The carrier's current guess. */
  readonly estimate: { readonly on: string } | { readonly at: Date } | null;
}
