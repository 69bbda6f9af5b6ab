import { subHours } from 'date-fns';
import { orderDocument, trackerEvent } from '../support/makegood.js';

/** What became of a parcel, and what its customer is owed for it. */
export interface Parcel {
  readonly orderId: string;
  readonly customerId: string;
  readonly email: string;
  readonly document: object;
  /** The carrier's webhooks, one a scan, the oldest first: each brings all scans up to its own. */
  readonly webhooks: readonly object[];
  /** The last of them alone says all: the parcel came, and when. */
  readonly delivery: object;
  /** A letter tells of it: what was given or, where the weather was in the way, why nothing is. */
  readonly isTold: boolean;
  /** null: nothing. */
  readonly owed: { readonly unit: string; readonly amount: number } | null;
}

export type Fate = 'on time' | 'attempted on time' | 'late for a member' | 'late for another' | 'late by weather';
export const FATES: readonly Fate[] = [
  'late for a member',
  'on time',
  'late for another',
  'attempted on time',
  'late for a member',
  'late by weather',
];

/** Written down here and not asked of the product: a month for members, a tenth of the total for four days' lateness. */
const OWED: Readonly<Record<Fate, Parcel['owed']>> = {
  'on time': null,
  'attempted on time': null,
  'late by weather': null,
  'late for a member': { unit: 'membership_months', amount: 1 },
  'late for another': { unit: 'USD', amount: 2_000 },
};

/** By what was promised for 120 hours ago: hours ago, status, detail. */
const SCANS: Readonly<Record<Fate, readonly (readonly [number, string, string])[]>> = {
  'on time': [
    [170, 'pre_transit', 'label_created'],
    [150, 'in_transit', 'departed_facility'],
    [130, 'delivered', 'arrived_at_destination'],
  ],
  'attempted on time': [
    [170, 'pre_transit', 'label_created'],
    [130, 'failure', 'delivery_exception'],
    [100, 'delivered', 'arrived_at_destination'],
  ],
  'late for a member': [
    [170, 'pre_transit', 'label_created'],
    [150, 'in_transit', 'departed_facility'],
    [100, 'delivered', 'arrived_at_destination'],
  ],
  'late for another': [
    [170, 'pre_transit', 'label_created'],
    [150, 'in_transit', 'departed_facility'],
    [20, 'delivered', 'arrived_at_destination'],
  ],
  'late by weather': [
    [170, 'pre_transit', 'label_created'],
    [125, 'in_transit', 'weather_delay'],
    [100, 'delivered', 'arrived_at_destination'],
  ],
};

/** A parcel that was promised for 120 hours ago, by the clock of today: the real program knows no other. */
export function parcel(index: number, fate: Fate = 'late for a member'): Parcel {
  const number = String(index + 1).padStart(4, '0');
  const trackingNumber = `940010000000000000${number}`;
  const customerId = `c-${number}`;
  const now = new Date();
  const hoursAgo = (hours: number) => subHours(now, hours).toISOString();
  const scans = SCANS[fate].map(([hours, status, detail]) => [status, detail, hoursAgo(hours)] as const);
  const webhooks = scans.map((_, last) => trackerEvent(trackingNumber, scans.slice(0, last + 1)));
  return {
    orderId: `o-${number}`,
    customerId,
    email: `${customerId}@example.com`,
    document: orderDocument({
      customerId,
      trackingNumber,
      placedAt: hoursAgo(240),
      promise: { at: hoursAgo(120), timeZone: 'America/New_York' },
      total: { amountMinor: 20_000, currency: 'USD' },
      shippingPaid: { amountMinor: 0, currency: 'USD' },
      customer: { membership: fate === 'late for another' ? null : { tier: 'prime', trial: false } },
    }),
    webhooks,
    delivery: webhooks.at(-1) ?? {},
    isTold: fate.startsWith('late'),
    owed: OWED[fate],
  };
}
