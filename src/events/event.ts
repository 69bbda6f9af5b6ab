import type { Money } from '../money.js';

/** What the shop's own systems are told of. */
export const EVENT_TYPES = [
  'promise.at_risk',
  'promise.broken',
  'award.applied',
  'award.reversed',
  'message.sent',
  'case.opened',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** Sent on request to one endpoint, whatever types it wants. */
export const TEST_EVENT = 'makegood.test';

/** Something that happened, as whoever notices it tells it. */
export interface NewEvent {
  readonly type: EventType | typeof TEST_EVENT;
  readonly orderId: string | null;
  /** What it happened to: the same type and subject are one event, however often the work is repeated. */
  readonly subject: string;
  /** Ids, codes, amounts and instants as ISO 8601 with Z; nothing personal besides. */
  readonly data: Readonly<Record<string, unknown>>;
  readonly at: Date;
}

/** What is shown of a judgement, as `GET /v1/orders/{id}` shows it. */
export interface ToldJudgement {
  readonly verdict: string;
  readonly promisedUntil: Date;
  readonly metAt: Date | null;
  readonly lateMinutes: number | null;
  readonly lateDays: number | null;
  readonly fault: string | null;
}

interface OfOrder {
  readonly orderId: string;
  readonly customerId: string;
  readonly at: Date;
}

/** A promise may not be kept: once for each order. */
export function atRiskEvent(
  one: OfOrder & {
    readonly promisedUntil: Date;
    /** When the carrier expects it now, a day or an instant; null: not known. */
    readonly expected: { readonly on: string } | { readonly at: Date } | null;
  },
): NewEvent {
  const { orderId, customerId, promisedUntil, expected } = one;
  return {
    type: 'promise.at_risk',
    orderId,
    subject: orderId,
    data: {
      orderId,
      customerId,
      promisedUntil: promisedUntil.toISOString(),
      expectedOn: expected !== null && 'on' in expected ? expected.on : null,
      expectedAt: expected !== null && 'at' in expected ? expected.at.toISOString() : null,
    },
    at: one.at,
  };
}

/** A promise is broken: once for each order and verdict, so that overdue and then lost are two. */
export function brokenEvent(one: OfOrder & { readonly judgement: ToldJudgement; readonly mode: string }): NewEvent {
  const { orderId, customerId, judgement, mode } = one;
  const { verdict, promisedUntil, metAt, lateMinutes, lateDays, fault } = judgement;
  return {
    type: 'promise.broken',
    orderId,
    subject: `${orderId}:${verdict}`,
    data: {
      orderId,
      customerId,
      verdict,
      promisedUntil: promisedUntil.toISOString(),
      metAt: metAt?.toISOString() ?? null,
      lateMinutes,
      lateDays,
      fault,
      mode,
    },
    at: one.at,
  };
}

/** An award as its events tell of it: `months`, `points` or an amount, as its kind has it. */
export interface ToldAward {
  readonly id: string;
  readonly orderId: string;
  readonly customerId: string;
  readonly kind: string;
  readonly incident: string;
  readonly months: number | null;
  readonly points: number | null;
  readonly amountMinor: number | null;
  readonly currency: string | null;
  readonly provider: string | null;
  readonly expiresAt: Date | null;
}

/**
 * Both happen to an award at the most once.
 * @param takenBack of a reversal by the ledger: how much, in its unit, and what the customer keeps because it is used
 */
export function awardEvent(
  type: 'award.applied' | 'award.reversed',
  award: ToldAward,
  at: Date,
  takenBack: { readonly unit: string; readonly amount: number; readonly kept: number } | null = null,
): NewEvent {
  const { id, orderId, customerId, kind, incident, months, points, amountMinor, currency, provider, expiresAt } = award;
  const amount: Money | null = amountMinor === null || currency === null ? null : { amountMinor, currency };
  return {
    type,
    orderId,
    subject: id,
    data: {
      awardId: id,
      orderId,
      customerId,
      incident,
      kind,
      ...(months === null ? {} : { months }),
      ...(points === null ? {} : { points }),
      ...(amount === null ? {} : { amount }),
      provider,
      expiresAt: expiresAt?.toISOString() ?? null,
      ...(takenBack === null ? {} : { takenBack }),
    },
    at,
  };
}

/** A case for a person; one that was closed and opens again is another event. */
export function caseEvent(
  one: OfOrder & { readonly taskId: string; readonly incident: string; readonly rule: string; readonly dueAt: Date },
): NewEvent {
  const { taskId, orderId, customerId, incident, rule, dueAt } = one;
  return {
    type: 'case.opened',
    orderId,
    subject: `${taskId}:${dueAt.toISOString()}`,
    data: { taskId, orderId, customerId, incident, rule, dueAt: dueAt.toISOString() },
    at: one.at,
  };
}
