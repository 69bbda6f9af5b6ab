import { z } from 'zod';
import type { FieldError } from '../errors.js';
import { FAULTS, type JudgingSettings } from '../promises/verdict.js';
import { fieldErrorsOf } from '../promises/verdict-case.js';
import { AWARD_CLASSES } from './award.js';
import type { Destination } from './decision-input.js';
import { INCIDENTS } from './incident.js';
import { breakerSchema, dailyBudgetSchema, limitSchema, manualSchema } from './policy-limits.js';
import { ruleSchema } from './policy-rules.js';
import {
  callsSchema,
  expirySchema,
  factSchema,
  fulfilmentSchema,
  holdoutSchema,
  judgingSchema,
  personalCallsSchema,
} from './policy-settings.js';
import { currencyCode, days, line, minutes, percentUpTo } from './policy-values.js';

/**
 * A policy says what a broken promise earns. It is data: validated here, stored with all its defaults written out, and evaluated by
 * rules.ts and limits.ts without any of its rules being known to the code. Unknown keys are refused, because a misspelt
 * condition would otherwise widen a rule in silence. The descriptions are what an editor shows: see policy-schema.ts.
 */

/** Percent. Enough for currencies that count in ten thousands where the dollar counts in units. */
const MOST_FACTOR = 1_000_000;

const flag = z.boolean().default(false);
const classSchema = z.strictObject({
  goodwill: flag.describe(
    'Given freely on top: counted by the limits that name goodwill, and withheld from the holdout.',
  ),
  owed: flag.describe('Owed by law or contract: no limit ever stops, shortens or delays it.'),
  heldInOtherCurrencies: flag.describe(
    'In a currency that neither currencies nor the amount names, waits at 0 for a person to name the amount.',
  ),
});

export const policySchema = z
  .strictObject({
    $schema: z.string().max(500).optional().describe('The JSON Schema of this document, for editors.'),
    name: line(100).describe('What people call this policy.'),
    description: line(500).describe('What it does, in a sentence or two.'),
    mode: z.enum(['active', 'shadow']).default('active').describe('shadow: decides and records, and gives nothing.'),
    holdout: holdoutSchema
      .prefault({})
      .describe('A share of the customers who get no goodwill, to measure its effect.'),
    judging: judgingSchema.describe('How a promise is judged.'),
    overdueAfterDays: days.describe('lateDays from which a parcel that is still on its way is an incident.'),
    settleMinutes: minutes.describe(
      'How long an order must have been known before the silence about its parcels means anything.',
    ),
    notMembers: z.array(z.string().min(1)).describe('Membership tiers that count as no membership.'),
    currencies: z
      .record(currencyCode, percentUpTo(MOST_FACTOR))
      .describe(
        'Percent of each amount written as a number that applies in the currency. In a currency that is not named, only amounts by currency are known.',
      ),
    classes: z
      .partialRecord(z.enum(AWARD_CLASSES), classSchema)
      .describe('The classes of awards that the rules use, and what they mean.'),
    noAwardFor: z
      .array(
        z.strictObject({
          incident: z.enum(INCIDENTS),
          fault: z.enum(FAULTS),
          code: z.enum(['customer_fault', 'customs', 'force_majeure']).describe('The reason that is recorded.'),
        }),
      )
      .describe('Faults for which an incident earns no award: the customer is told, not paid.'),
    rules: z.array(ruleSchema).describe('What a broken promise earns.'),
    limits: z.array(limitSchema).describe('How much is too much. What is owed passes all of them.'),
    dailyBudget: dailyBudgetSchema
      .nullable()
      .default(null)
      .describe('How much may be given in one day, in each currency; null: no budget.'),
    breaker: breakerSchema.prefault({}).describe('Stops all money when far more is late than usual.'),
    manual: manualSchema.prefault({}).describe('What a person may give by hand without a second person.'),
    expiry: expirySchema.prefault({}).describe('When what was given ends.'),
    fulfilment: fulfilmentSchema.prefault({}).describe('When a replacement leaves.'),
    calls: callsSchema.prefault({}).describe('When a customer may be telephoned.'),
    personalCalls: personalCallsSchema
      .prefault({})
      .describe('Customers whom a person should simply ring, each day a few; without it, nobody.'),
    facts: z.array(factSchema).default([]).describe('What carriers and regulators say, each with its source and date.'),
  })
  .superRefine((policy, context) => {
    const say = (path: (string | number)[], message: string) => context.addIssue({ code: 'custom', path, message });
    const declared = (name: keyof typeof policy.classes) => policy.classes[name] !== undefined;

    for (const list of ['rules', 'limits', 'facts'] as const) {
      for (const place of repeated(policy[list])) {
        say([list, place, 'id'], `another ${list.slice(0, -1)} has this id already`);
      }
    }
    for (const [name, flags] of Object.entries(policy.classes)) {
      if (flags.goodwill && flags.owed) say(['classes', name], 'what is owed is not goodwill: choose one of the two');
    }
    const facts = new Set(policy.facts.map(({ id }) => id));
    const undeclared = (path: (string | number)[], classes: readonly (keyof typeof policy.classes)[] | undefined) => {
      for (const [place, name] of (classes ?? []).entries()) {
        if (!declared(name)) say([...path, place], `the class ${name} is not declared`);
      }
    };
    for (const [index, { class: name, when }] of policy.rules.entries()) {
      if (!declared(name)) say(['rules', index, 'class'], `the class ${name} is not declared in classes`);
      undeclared(['rules', index, 'when', 'history', 'for', 'classes'], when.history?.for.classes);
      if (when.fact && !facts.has(when.fact.id)) {
        say(['rules', index, 'when', 'fact', 'id'], `there is no fact ${when.fact.id} in facts`);
      }
    }
    for (const [index, limit] of policy.limits.entries()) {
      undeclared(['limits', index, 'for', 'classes'], limit.for.classes);
    }
    undeclared(['dailyBudget', 'classes'], policy.dailyBudget?.classes);
  });

/** The places at which an id stands for the second time or more. */
function repeated(items: readonly { readonly id: string }[]): number[] {
  const seen = new Set<string>();
  return items.flatMap(({ id }, place) => {
    if (seen.has(id)) return [place];
    seen.add(id);
    return [];
  });
}

export type Policy = z.infer<typeof policySchema>;
export type { Limit } from './policy-limits.js';
export type { AmountRule, Conditions, Rule, Selection } from './policy-rules.js';

export type PolicyOutcome =
  | { readonly outcome: 'ok'; readonly policy: Policy }
  | { readonly outcome: 'invalid'; readonly errors: readonly FieldError[] };

/** Reads a policy document. Every fault is listed, each with the path of its field, such as `rules[3].gives.amount.of`. */
export function parsePolicy(json: unknown): PolicyOutcome {
  const parsed = policySchema.safeParse(json);
  if (parsed.success) return { outcome: 'ok', policy: parsed.data };
  return { outcome: 'invalid', errors: fieldErrorsOf(parsed.error) };
}

/**
 * The settings by which a promise to this place is judged. Abroad is where the shop does not ship from; an unknown country, or
 * a policy that does not say where it ships from, is at home.
 */
export function judgingFor(
  { judging }: Pick<Policy, 'judging'>,
  destination: Pick<Destination, 'country'> | null | undefined,
): JudgingSettings {
  const { graceMinutes, attemptCounts, lostAfterDays, lostAfterDaysAbroad = lostAfterDays, shipsFrom } = judging;
  const country = destination?.country?.toUpperCase() ?? null;
  const abroad = country !== null && shipsFrom.length > 0 && !shipsFrom.includes(country);
  return { graceMinutes, attemptCounts, lostAfterDays: abroad ? lostAfterDaysAbroad : lostAfterDays };
}

/**
 * How many days back any limit or condition looks: older awards of other orders need not be known. Those of the order
 * itself are needed whatever their age, because top-ups start from them.
 */
export function historyDaysOf({ limits, rules }: Pick<Policy, 'limits' | 'rules'>): number {
  const windows = [
    ...limits.map((limit) => (limit.counts === 'amount_of_order' ? 0 : limit.days)),
    ...rules.map(({ when }) => when.history?.days ?? 0),
  ];
  return Math.max(0, ...windows);
}
