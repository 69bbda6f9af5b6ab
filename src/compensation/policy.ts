import { z } from 'zod';
import type { FieldError } from '../errors.js';
import { FAULTS } from '../promises/verdict.js';
import { fieldErrorsOf } from '../promises/verdict-case.js';
import { AWARD_CLASSES, AWARD_KINDS, MONEY_KINDS, SHIPPING_SPEEDS } from './award.js';
import { INCIDENTS } from './incident.js';

/**
 * A policy says what a broken promise earns. It is data: stored as it was written, validated here, and evaluated by
 * rules.ts and limits.ts without any of its rules being known to the code. Unknown keys are refused, because a misspelt
 * condition would otherwise widen a rule in silence.
 */

/** Far above any real amount, and low enough that an amount times a currency's factor stays a safe integer. */
const MOST_MINOR = 100_000_000_000;
/** Percent. Enough for currencies that count in ten thousands where the dollar counts in units. */
const MOST_FACTOR = 1_000_000;
const MOST_DAYS = 3_650;
const MOST_MINUTES = 1_000_000;

const minorUnits = z.int().min(0).max(MOST_MINOR);
const days = z.int().min(0).max(MOST_DAYS);
const atLeastADay = z.int().min(1).max(MOST_DAYS);
const minutes = z.int().min(0).max(MOST_MINUTES);
/** Two decimals at most: that is what percentOf computes exactly. */
const percentUpTo = (most: number) =>
  z
    .number()
    .positive()
    .max(most)
    .refine((value) => Number.isInteger(Number((value * 100).toFixed(6))), 'a percentage has at most two decimals');
// A control character (NUL above all) could be written here but not stored.
const line = (most: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(most)
    .regex(/^\P{Cc}*$/u, 'one line, without control characters');
const identifier = z
  .string()
  .max(64)
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'small letters, digits and single hyphens, such as late-2');
const listOf = <const T extends readonly [string, ...string[]]>(values: T) => z.array(z.enum(values)).min(1);

const flag = z.boolean().default(false);
const classSchema = z.strictObject({
  /** Given freely on top: counted by the limits that name goodwill. */
  goodwill: flag,
  /** Owed by law or contract: no limit ever stops, shortens or delays it. */
  owed: flag,
  /** In a currency that `currencies` does not name, waits at 0 for a person to name the amount. */
  heldInOtherCurrencies: flag,
});

/** Every condition that is there must hold; one that is absent does not matter. */
const whenSchema = z.strictObject({
  incident: listOf(INCIDENTS),
  member: z.boolean().optional(),
  /** Local calendar days past the promised date, both ends included. Never holds where lateness was not measured. */
  lateDays: z
    .strictObject({ min: days.default(0), max: days.optional() })
    .refine(({ min, max }) => max === undefined || min <= max, { path: ['max'], message: 'max is less than min' })
    .optional(),
  /** True: something was paid for shipping; false: nothing was. */
  shippingPaid: z.boolean().optional(),
  /** True: promised on or before the date of the occasion, and not there until after it. */
  occasionMissed: z.boolean().optional(),
});

/** `percent` of what the order cost or of what was paid for its shipping, kept within the bounds. */
const share = {
  percent: percentUpTo(100),
  minMinor: minorUnits.optional(),
  maxMinor: minorUnits.optional(),
};
const boundsInOrder = (amount: { minMinor?: number | undefined; maxMinor?: number | undefined }) =>
  amount.minMinor === undefined || amount.maxMinor === undefined || amount.minMinor <= amount.maxMinor;
const boundsMessage = { path: ['maxMinor'], message: 'maxMinor is less than minMinor' };

/** Minor units that stand in the policy itself (`minor`, `minMinor`, `maxMinor`) are scaled by the currency's factor. */
const amountSchema = z.discriminatedUnion('of', [
  z.strictObject({ of: z.literal('fixed'), minor: z.int().min(1).max(MOST_MINOR) }),
  z.strictObject({ of: z.literal('total'), ...share }).refine(boundsInOrder, boundsMessage),
  z.strictObject({ of: z.literal('shipping_paid'), ...share }).refine(boundsInOrder, boundsMessage),
]);

const givesSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('membership_extension'), months: z.int().min(1).max(120) }),
  z.strictObject({ kind: z.enum(MONEY_KINDS), amount: amountSchema }),
  z.strictObject({ kind: z.literal('replacement'), shipping: z.enum(SHIPPING_SPEEDS) }),
  z.strictObject({ kind: z.literal('call') }),
]);

const ruleSchema = z.strictObject({
  id: identifier,
  class: z.enum(AWARD_CLASSES),
  when: whenSchema,
  gives: givesSchema,
});

/** Which awards a limit is about: those it counts in the past, and those it stops now. All named fields must match. */
const selectionSchema = z
  .strictObject({
    classes: listOf(AWARD_CLASSES).optional(),
    kinds: listOf(AWARD_KINDS).optional(),
    incidents: listOf(INCIDENTS).optional(),
    goodwill: z.literal(true).optional(),
  })
  .refine((selection) => Object.keys(selection).length > 0, 'say which awards: classes, kinds, incidents or goodwill');

/** `held` and `awaiting_approval` stop the award for a person; a decline code means that it is not given. */
const beyondSchema = z.enum(['held', 'awaiting_approval', 'limit_membership']);

const pastLimit = {
  id: identifier,
  for: selectionSchema,
  /** The window, in days of 24 hours before the decision. */
  days: atLeastADay,
  /** The one being decided counts too: with 3, three may be given and the fourth is stopped. */
  atMost: z.int().min(0),
  atMostInTrial: z.int().min(0).optional(),
  beyond: beyondSchema,
};
const limitSchema = z.discriminatedUnion('counts', [
  z.strictObject({ counts: z.literal('awards'), ...pastLimit }),
  z.strictObject({ counts: z.literal('orders'), ...pastLimit }),
  z.strictObject({
    counts: z.literal('amount_of_order'),
    id: identifier,
    for: selectionSchema,
    /** All that this one order has had and now gets, over all its incidents; scaled by the currency's factor. */
    atMostMinor: minorUnits,
    beyond: z.enum(['held', 'awaiting_approval']),
  }),
]);

export const policySchema = z
  .strictObject({
    name: line(100),
    description: line(500),
    judging: z.strictObject({ graceMinutes: minutes, attemptCounts: z.boolean(), lostAfterDays: atLeastADay }),
    /** `lateDays` from which a parcel that is still on its way is an incident. */
    overdueAfterDays: days,
    /** How long an order must have been known before the silence about its parcels means anything. */
    settleMinutes: minutes,
    /** Membership tiers that count as no membership. */
    notMembers: z.array(z.string().min(1)),
    /** Percent of each fixed amount that applies in the currency; a currency not named here has no fixed amounts. */
    currencies: z.record(z.string(), percentUpTo(MOST_FACTOR)),
    classes: z.partialRecord(z.enum(AWARD_CLASSES), classSchema),
    noAwardFor: z.array(
      z.strictObject({
        incident: z.enum(INCIDENTS),
        fault: z.enum(FAULTS),
        code: z.enum(['customer_fault', 'customs', 'force_majeure']),
      }),
    ),
    rules: z.array(ruleSchema),
    limits: z.array(limitSchema),
  })
  .superRefine((policy, context) => {
    const say = (path: (string | number)[], message: string) => context.addIssue({ code: 'custom', path, message });
    const declared = (name: keyof typeof policy.classes) => policy.classes[name] !== undefined;

    for (const currency of Object.keys(policy.currencies)) {
      if (!/^[A-Z]{3}$/.test(currency)) say(['currencies', currency], 'is not a currency, three capital letters');
    }
    for (const repeat of repeated(policy.rules)) say(['rules', repeat, 'id'], 'another rule has this id already');
    for (const repeat of repeated(policy.limits)) say(['limits', repeat, 'id'], 'another limit has this id already');
    for (const [name, flags] of Object.entries(policy.classes)) {
      if (flags.goodwill && flags.owed) say(['classes', name], 'what is owed is not goodwill: choose one of the two');
    }
    for (const [index, rule] of policy.rules.entries()) {
      if (!declared(rule.class)) say(['rules', index, 'class'], `the class ${rule.class} is not declared in classes`);
    }
    for (const [index, limit] of policy.limits.entries()) {
      for (const [place, name] of (limit.for.classes ?? []).entries()) {
        if (!declared(name)) say(['limits', index, 'for', 'classes', place], `the class ${name} is not declared`);
      }
    }
  });

/** The places at which an id stands for the second time or more. */
function repeated(items: readonly { readonly id: string }[]): number[] {
  return items.flatMap((item, index) => (items.findIndex((other) => other.id === item.id) < index ? [index] : []));
}

export type Policy = z.infer<typeof policySchema>;
export type Rule = z.infer<typeof ruleSchema>;
export type Conditions = z.infer<typeof whenSchema>;
export type AmountRule = z.infer<typeof amountSchema>;
export type Limit = z.infer<typeof limitSchema>;
export type Selection = z.infer<typeof selectionSchema>;

export type PolicyOutcome =
  | { readonly outcome: 'ok'; readonly policy: Policy }
  | { readonly outcome: 'invalid'; readonly errors: readonly FieldError[] };

/** Reads a policy document. Every fault is listed, each with the path of its field, such as `rules[3].gives.amount.of`. */
export function parsePolicy(json: unknown): PolicyOutcome {
  const parsed = policySchema.safeParse(json);
  if (parsed.success) return { outcome: 'ok', policy: parsed.data };
  return { outcome: 'invalid', errors: fieldErrorsOf(parsed.error) };
}
