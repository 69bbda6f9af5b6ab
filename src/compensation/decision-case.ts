import { z } from 'zod';
import type { FieldError } from '../errors.js';
import type { Money } from '../money.js';
import { judge } from '../promises/verdict.js';
import { calendarDateSchema, fieldErrorsOf, instantSchema, parseVerdictCase } from '../promises/verdict-case.js';
import {
  AWARD_CLASSES,
  AWARD_KINDS,
  AWARD_STATUSES,
  type AwardKind,
  type DecidedAward,
  MONEY_KINDS,
  type PastAward,
} from './award.js';
import type { Decision } from './decide.js';
import { ARMS, CONTACT_REASONS, type DecisionCase } from './decision-input.js';
import { firstDeliveredAt } from './first-delivered-at.js';
import { AWARD_INCIDENTS } from './incident.js';
import { judgingFor, type Policy } from './policy.js';

const moneySchema = z.object(
  {
    amountMinor: z.int('expected a whole number of minor units').min(0, 'expected 0 or more minor units'),
    currency: z.string('expected a currency, such as USD').regex(/^[A-Z]{3}$/, 'expected a currency, such as USD'),
  },
  'expected {amountMinor, currency}',
);

const orderSchema = z
  .object(
    { id: z.string('expected the id of the order').min(1), total: moneySchema, shippingPaid: moneySchema.nullish() },
    'expected {id, total, shippingPaid}',
  )
  .transform(({ id, total, shippingPaid }) => ({
    id,
    total,
    // An order that says nothing of shipping was shipped free of charge.
    shippingPaid: shippingPaid ?? { amountMinor: 0, currency: total.currency },
  }))
  .refine(({ total, shippingPaid }) => total.currency === shippingPaid.currency, {
    path: ['shippingPaid', 'currency'],
    message: 'expected the currency of the total',
  });

const pastAwardSchema = z
  .object(
    {
      orderId: z.string('expected the id of the order').min(1),
      incident: z.enum(AWARD_INCIDENTS),
      class: z.enum(AWARD_CLASSES),
      kind: z.enum(AWARD_KINDS),
      months: z.int('expected a whole number of months').min(0).nullish(),
      points: z.int('expected a whole number of points').min(0).nullish(),
      amount: moneySchema.nullish(),
      at: instantSchema,
      status: z.enum(AWARD_STATUSES),
    },
    'expected an award that was made earlier',
  )
  .transform(
    (past): PastAward => ({
      ...past,
      months: past.months ?? null,
      points: past.points ?? null,
      amount: past.amount ?? null,
    }),
  )
  // Without its measure, a top-up would start from nothing and pay what was paid before once more.
  .refine(({ kind, months }) => kind !== 'membership_extension' || months !== null, {
    path: ['months'],
    message: 'is missing: a membership_extension has months',
  })
  .refine(({ kind, amount }) => !isMoneyKind(kind) || amount !== null, {
    path: ['amount'],
    message: `is missing: ${MONEY_KINDS.join(', ')} have an amount`,
  });

const optionalText = z
  .string('expected text')
  .nullish()
  .transform((text) => text ?? null);

const decisionFieldsSchema = z.object({
  order: orderSchema,
  membership: z
    .object({ tier: z.string('expected the name of a tier').min(1), trial: z.boolean().default(false) })
    .nullish()
    .transform((membership) => membership ?? null),
  occasion: z
    .object({ name: z.string('expected the name of the occasion').min(1), on: calendarDateSchema })
    .nullish()
    .transform((occasion) => occasion ?? null),
  registeredAt: instantSchema.nullish().transform((at) => at ?? null),
  contacts: z.array(z.object({ reason: z.enum(CONTACT_REASONS), at: instantSchema })).default([]),
  reports: z
    .array(
      z.object({ kind: z.string('expected the kind of the report').min(1), title: optionalText, at: instantSchema }),
    )
    .default([]),
  history: z.array(pastAwardSchema).default([]),
  arm: z
    .enum(ARMS)
    .nullish()
    .transform((arm) => arm ?? null),
  destination: z
    .object(
      { country: optionalText, region: optionalText, postalCode: optionalText },
      'expected {country, region, postalCode}',
    )
    .nullish()
    .transform((destination) => destination ?? null),
  digital: z.boolean('expected true or false').default(false),
  carrier: optionalText,
  service: optionalText,
});

export type ParsedDecisionCase =
  | { readonly outcome: 'ok'; readonly case: DecisionCase }
  | { readonly outcome: 'invalid'; readonly errors: readonly FieldError[] };

/**
 * Reads the JSON form of a decision case, a verdict case with the order and its customer, and judges it. Settings that
 * the case leaves out (`graceMinutes`, `attemptCounts`, `lostAfterDays`) are those of the policy for the destination; those
 * that it gives win. Other keys are ignored. Every fault is listed, with the path of its field.
 */
export function parseDecisionCase(json: unknown, policy: Policy): ParsedDecisionCase {
  const isObject = typeof json === 'object' && json !== null && !Array.isArray(json);
  const verdictCase = parseVerdictCase(isObject ? { ...judgingFor(policy, destinationIn(json)), ...json } : json);
  if (!isObject) return { outcome: 'invalid', errors: verdictCase.outcome === 'invalid' ? verdictCase.errors : [] };

  const fields = decisionFieldsSchema.safeParse(json);
  const errors = [
    ...(verdictCase.outcome === 'invalid' ? verdictCase.errors : []),
    ...(fields.success ? [] : fieldErrorsOf(fields.error)),
  ];
  if (verdictCase.outcome === 'invalid' || !fields.success) return { outcome: 'invalid', errors };
  const { promise, asOf } = verdictCase.case;
  const judgement = judge(verdictCase.case);
  const delivered = firstDeliveredAt(verdictCase.case);
  return { outcome: 'ok', case: { judgement, promise, asOf, firstDeliveredAt: delivered, ...fields.data } };
}

/** The JSON form of an award: `{kind, class, months | amount | points | shipping, status, rule}`. */
export interface AwardAnswer {
  readonly kind: AwardKind;
  readonly class: string;
  readonly months?: number;
  readonly amount?: Money;
  readonly points?: number;
  readonly shipping?: string;
  readonly status: string;
  readonly rule: string;
}

/** The JSON form of a decision: what `makegood decide` prints. */
export interface DecisionAnswer {
  readonly verdict: string;
  readonly incident: string | null;
  readonly awards: readonly AwardAnswer[];
  readonly tasks: readonly { readonly kind: 'call'; readonly rule: string }[];
  readonly declinedBecause: string | null;
  readonly explanation: readonly string[];
}

export function decisionAnswer(decision: Decision): DecisionAnswer {
  const { verdict, incident, awards, tasks, declinedBecause, explanation } = decision;
  return { verdict, incident, awards: awards.map(awardAnswer), tasks, declinedBecause, explanation };
}

function awardAnswer({ reason: _reason, stoppedBy: _stoppedBy, ...award }: DecidedAward): AwardAnswer {
  return award;
}

/** Where the case goes, as far as it can be read yet. */
function destinationIn(json: object): { country: string | null } | null {
  const parsed = z.looseObject({ destination: z.looseObject({ country: z.string() }) }).safeParse(json);
  return parsed.success ? parsed.data.destination : null;
}

function isMoneyKind(kind: AwardKind): boolean {
  return (MONEY_KINDS as readonly AwardKind[]).includes(kind);
}
