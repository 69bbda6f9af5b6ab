import { z } from 'zod';
import { FAULTS, VERDICTS } from '../promises/verdict.js';
import { AWARD_CLASSES, AWARD_KINDS, MONEY_KINDS, SHIPPING_SPEEDS } from './award.js';
import { AWARD_INCIDENTS, INCIDENTS } from './incident.js';
import {
  atLeastADay,
  count,
  countries,
  days,
  identifier,
  inOrder,
  line,
  linesOf,
  listOf,
  minorAmount,
  minutes,
  percentUpTo,
  rangeOf,
} from './policy-values.js';

/** Which awards a limit or a condition is about. All named fields must match. */
export const selectionSchema = z
  .strictObject({
    classes: listOf(AWARD_CLASSES).optional(),
    kinds: listOf(AWARD_KINDS).optional(),
    incidents: listOf(AWARD_INCIDENTS).optional().describe('`manual` is what a person gave by hand.'),
    goodwill: z.literal(true).optional().describe('Awards of the classes that are goodwill.'),
  })
  .refine((selection) => Object.keys(selection).length > 0, 'say which awards: classes, kinds, incidents or goodwill')
  .describe('Which awards are meant: all that is named must match.');

const historySchema = z
  .strictObject({
    for: selectionSchema,
    counts: z.enum(['awards', 'orders']).describe('Awards one by one, or orders that had at least one.'),
    days: atLeastADay.describe('How far to look back, in days of 24 hours.'),
    min: count.default(0).describe('The least, included.'),
    max: count.optional().describe('The most, included; without it there is no most.'),
  })
  .refine(({ min, max }) => max === undefined || min <= max, { path: ['max'], message: 'max is less than min' });

const destinationSchema = z
  .strictObject({
    countries: countries.min(1).optional(),
    regions: linesOf(100)
      .optional()
      .describe('Regions as the orders name them, such as NY; letter case does not matter.'),
    postalCodes: linesOf(20)
      .optional()
      .describe('Beginnings of postal codes, such as 100 for 10001; spaces, hyphens and letter case do not matter.'),
  })
  .refine((wanted) => Object.keys(wanted).length > 0, 'say where: countries, regions or postalCodes');

const orderValueSchema = z
  .strictObject({
    minMinor: minorAmount().optional().describe('The least, included, in minor units.'),
    maxMinor: minorAmount().optional().describe('The most, included, in minor units.'),
  })
  .refine(
    ({ minMinor, maxMinor }) => minMinor !== undefined || maxMinor !== undefined,
    'say minMinor, maxMinor or both',
  )
  .refine(({ minMinor, maxMinor }) => inOrder(minMinor, maxMinor), {
    path: ['maxMinor'],
    message: 'maxMinor is less than minMinor',
  });

/** Every condition that is there must hold; one that is absent does not matter. */
export const whenSchema = z
  .strictObject({
    incident: listOf(INCIDENTS).describe('The ways the promise was broken.'),
    verdict: listOf(VERDICTS).optional().describe('What the scans say, such as overdue instead of late.'),
    fault: listOf(FAULTS).optional().describe('Whose fault it was. Never holds where nobody’s fault was found.'),
    member: z.boolean().optional().describe('True: members; false: everybody else. See notMembers.'),
    tier: linesOf(50).optional().describe('Tiers of membership, letter for letter. Never holds without a membership.'),
    lateMinutes: rangeOf(minutes)
      .optional()
      .describe('Minutes past the bound, both ends included. Never holds where lateness was not measured.'),
    lateDays: rangeOf(days)
      .optional()
      .describe(
        'Local calendar days past the promised date, both ends included. Never holds where lateness was not measured.',
      ),
    occasion: linesOf(100).optional().describe('Names of occasions, such as christmas; letter case does not matter.'),
    occasionMissed: z
      .boolean()
      .optional()
      .describe('True: promised on or before the date of the occasion, and not there until after it.'),
    orderValue: orderValueSchema
      .optional()
      .describe('The total of the order. Never holds in a currency without bounds.'),
    shippingPaid: z.boolean().optional().describe('True: something was paid for shipping; false: nothing was.'),
    destination: destinationSchema.optional().describe('Where the order goes. Never holds where that is not known.'),
    carrier: linesOf(100)
      .optional()
      .describe('Carriers of this parcel; letter case, spaces and punctuation do not matter.'),
    service: linesOf(100).optional().describe('Services of the carrier, such as priority; compared as carriers are.'),
    history: historySchema
      .optional()
      .describe('How much this customer was given for other orders before, as the limits count.'),
    fact: z
      .strictObject({
        id: identifier.describe('One of facts.'),
        applies: z.boolean().default(true).describe('False: where the fact does not apply.'),
      })
      .optional()
      .describe('A dated fact applies to this parcel: its carrier, service, country and promised date.'),
  })
  .describe('Every condition that is named must hold.');

/** `percent` of what the order cost or of what was paid for its shipping, kept within the bounds. */
const share = {
  percent: percentUpTo(100),
  minMinor: minorAmount().optional().describe('At least this much, in minor units.'),
  maxMinor: minorAmount().optional().describe('At most this much, in minor units.'),
};
type Bounds = Parameters<typeof inOrder>;
const boundsInOrder = (amount: { minMinor?: Bounds[0]; maxMinor?: Bounds[1] }) =>
  inOrder(amount.minMinor, amount.maxMinor);
const boundsMessage = { path: ['maxMinor'], message: 'maxMinor is less than minMinor' };

const amountSchema = z
  .discriminatedUnion('of', [
    z.strictObject({ of: z.literal('fixed'), minor: minorAmount(1).describe('The amount in minor units.') }),
    z.strictObject({ of: z.literal('total'), ...share }).refine(boundsInOrder, boundsMessage),
    z.strictObject({ of: z.literal('shipping_paid'), ...share }).refine(boundsInOrder, boundsMessage),
  ])
  .describe(
    'A fixed amount, or a percentage of the total or of the shipping paid, within bounds. Amounts are minor units scaled by currencies, or exact by currency: {"USD": 300, "EUR": 280}.',
  );

const givesSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('membership_extension'), months: z.int().min(1).max(120) }),
    z.strictObject({ kind: z.enum(MONEY_KINDS), amount: amountSchema }),
    z.strictObject({ kind: z.literal('points'), points: z.int().min(1).max(1_000_000_000) }),
    z.strictObject({ kind: z.literal('replacement'), shipping: z.enum(SHIPPING_SPEEDS) }),
    z.strictObject({ kind: z.literal('call') }),
  ])
  .describe('What the rule gives. A call is a task for a person, not an award.');

export const ruleSchema = z.strictObject({
  id: identifier.describe('Its name in awards and explanations.'),
  class: z
    .enum(AWARD_CLASSES)
    .describe('Within one order and incident there is one award of a class: the most generous rule wins.'),
  note: line(500).optional().describe('For whoever reads the policy.'),
  when: whenSchema,
  gives: givesSchema,
});

export type Rule = z.infer<typeof ruleSchema>;
export type Conditions = z.infer<typeof whenSchema>;
export type AmountRule = z.infer<typeof amountSchema>;
export type Selection = z.infer<typeof selectionSchema>;
