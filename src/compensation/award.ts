import type { Money } from '../money.js';
import type { AwardIncident } from './incident.js';

/** Everything that can be granted. */
export const REMEDY_KINDS = [
  'membership_extension',
  'store_credit',
  'refund',
  'shipping_refund',
  'points',
  'replacement',
  'gift',
] as const;
export type RemedyKind = (typeof REMEDY_KINDS)[number];

/** Everything a customer can be given. `call` is answered as a task, not as an award, whenever a rule decides it. */
export const AWARD_KINDS = [...REMEDY_KINDS, 'call'] as const;
export type AwardKind = (typeof AWARD_KINDS)[number];

/** The kinds that are worth an amount of money. */
export const MONEY_KINDS = ['store_credit', 'refund', 'shipping_refund', 'gift'] as const satisfies AwardKind[];
export type MoneyKind = (typeof MONEY_KINDS)[number];

export const AWARD_STATUSES = [
  'pending',
  'held',
  'awaiting_approval',
  'applied',
  'declined',
  'reversed',
  'failed',
] as const;
export type AwardStatus = (typeof AWARD_STATUSES)[number];

/** What a decision may answer: to be granted, stopped for a second person, stopped for evidence or risk. */
export type DecidedStatus = Extract<AwardStatus, 'pending' | 'awaiting_approval' | 'held'>;

/** Within one order and incident there is one award per class; more of it only as a top-up. */
export const AWARD_CLASSES = ['membership', 'money', 'fulfilment', 'entitlement', 'care'] as const;
export type AwardClass = (typeof AWARD_CLASSES)[number];

/** Why nothing is given. */
export const DECLINE_CODES = [
  'kept',
  'not_due',
  'uncertain',
  'cancelled',
  'customer_fault',
  'customs',
  'force_majeure',
  'limit_membership',
  'already_compensated',
  'holdout',
  'no_rule',
] as const;
export type DeclineCode = (typeof DECLINE_CODES)[number];

export const SHIPPING_SPEEDS = ['two_day', 'expedited', 'standard'] as const;
export type ShippingSpeed = (typeof SHIPPING_SPEEDS)[number];

/** What exactly is given: each kind with the one measure it has. */
export type Remedy =
  | { readonly kind: 'membership_extension'; readonly months: number }
  | { readonly kind: MoneyKind; readonly amount: Money }
  | { readonly kind: 'points'; readonly points: number }
  | { readonly kind: 'replacement'; readonly shipping: ShippingSpeed };

/** A remedy that was decided on, under which rule, and whether it may be granted at once. */
export type DecidedAward = Remedy & {
  readonly class: AwardClass;
  readonly status: DecidedStatus;
  readonly rule: string;
  /** One sentence for the agent: the rule and the arithmetic. */
  readonly reason: string;
  /**
   * Everything that stopped it, empty when `pending`: ids of limits, `currency`, and what the till adds (`breaker`,
   * `daily-budget`, `refused-before`). More than one may have; who releases one stop can see that another remains.
   */
  readonly stoppedBy: readonly string[];
};

/** An award made to this customer earlier, for whichever order. `months`, `points` or `amount` as its kind has it, else null. */
export interface PastAward {
  readonly orderId: string;
  readonly incident: AwardIncident;
  readonly class: AwardClass;
  readonly kind: AwardKind;
  readonly months: number | null;
  readonly points: number | null;
  readonly amount: Money | null;
  readonly at: Date;
  readonly status: AwardStatus;
}

/** A decided award, as the history has it from then on. */
export function asPast(
  award: DecidedAward,
  of: { readonly orderId: string; readonly incident: AwardIncident; readonly at: Date },
): PastAward {
  return {
    ...of,
    class: award.class,
    kind: award.kind,
    months: 'months' in award ? award.months : null,
    points: 'points' in award ? award.points : null,
    amount: 'amount' in award ? award.amount : null,
    status: award.status,
  };
}

/** Declined, reversed and failed awards never reached the customer: they are no start of a top-up and use up no limit. */
export function counts(award: PastAward): boolean {
  return award.status !== 'declined' && award.status !== 'reversed' && award.status !== 'failed';
}

/** Two remedies can be compared, and one be topped up to another, when they share a unit. */
export interface Measure {
  /** `months`, `replacement`, `points`, or a currency. */
  readonly unit: string;
  readonly quantity: number;
}

export function measureOf(remedy: Remedy): Measure {
  if (remedy.kind === 'membership_extension') return { unit: 'months', quantity: remedy.months };
  if (remedy.kind === 'points') return { unit: 'points', quantity: remedy.points };
  if (remedy.kind === 'replacement') return { unit: 'replacement', quantity: 1 };
  return { unit: remedy.amount.currency, quantity: remedy.amount.amountMinor };
}

/** Null for a call, and for a row without its measure. How fast a replacement was sent is not part of a past award. */
export function remedyOfPast({ kind, months, points, amount }: PastAward): Remedy | null {
  if (kind === 'call') return null;
  if (kind === 'replacement') return { kind, shipping: 'standard' };
  if (kind === 'membership_extension') return months === null ? null : { kind, months };
  if (kind === 'points') return points === null ? null : { kind, points };
  return amount === null ? null : { kind, amount };
}

/** Null for a call: a person's time is not an amount that a remedy could be measured against. */
export function measureOfPast(award: PastAward): Measure | null {
  if (award.kind === 'call') return null;
  if (award.kind === 'membership_extension') return { unit: 'months', quantity: award.months ?? 0 };
  if (award.kind === 'points') return { unit: 'points', quantity: award.points ?? 0 };
  if (award.amount) return { unit: award.amount.currency, quantity: award.amount.amountMinor };
  return { unit: award.kind, quantity: 1 };
}
