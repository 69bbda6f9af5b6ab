import { z } from 'zod';
import { AWARD_CLASSES } from './award.js';
import { selectionSchema } from './policy-rules.js';
import { atLeastADay, count, identifier, listOf, minorAmount } from './policy-values.js';

/** `held` and `awaiting_approval` stop the award for a person; a decline code means that it is not given. */
const beyondSchema = z
  .enum(['held', 'awaiting_approval', 'limit_membership'])
  .describe('held and awaiting_approval stop the award for a person; limit_membership: it is not given.');

const pastLimit = {
  id: identifier.describe('Its name in stopped awards and explanations.'),
  for: selectionSchema.describe('Which awards it counts in the past, and which it stops now.'),
  days: atLeastADay.describe('The window, in days of 24 hours before the decision. Other orders only.'),
  atMost: count.describe('The one being decided counts too: with 3, three may be given and the fourth is stopped.'),
  atMostInTrial: count.optional().describe('The most while the membership is in trial, if that is less.'),
  beyond: beyondSchema,
};

export const limitSchema = z.discriminatedUnion('counts', [
  z.strictObject({ counts: z.literal('awards'), ...pastLimit }),
  z.strictObject({ counts: z.literal('orders'), ...pastLimit }),
  z.strictObject({
    counts: z.literal('amount_of_order'),
    id: pastLimit.id,
    for: pastLimit.for,
    atMostMinor: minorAmount().describe('All that this one order has had and now gets, over all its incidents.'),
    beyond: z.enum(['held', 'awaiting_approval']).describe('What becomes of the awards beyond it.'),
  }),
]);
export type Limit = z.infer<typeof limitSchema>;

/** How much may be given in one day, in each currency: what would go beyond is held. What is owed passes. */
export const dailyBudgetSchema = z.strictObject({
  classes: listOf(AWARD_CLASSES).describe('Classes that are paid from the budget.'),
  atMostMinor: minorAmount().describe('In minor units, for each day and currency.'),
});

/**
 * Stops all money when far more is late than usual: a carrier's feed that went wrong must not empty the till. It is armed
 * once enough is known of what is usual.
 */
export const breakerSchema = z.strictObject({
  factor: z
    .number()
    .min(1)
    .max(1_000)
    .default(5)
    .describe('How many times its usual level the share of late orders must reach.'),
  atLeast: z.int().min(1).max(1_000_000).default(50).describe('Late orders in the window that it takes in any case.'),
  windowMinutes: z.int().min(1).max(10_080).default(60).describe('How far back the window reaches.'),
  armedAfterDays: z.int().min(1).max(365).default(14).describe('Days of history before it is armed.'),
  armedAfterVerdicts: z
    .int()
    .min(1)
    .max(100_000_000)
    .default(500)
    .describe('Orders in that history before it is armed.'),
});

const handLimits = (perOrderMinor: number, perDayMinor: number) =>
  z
    .strictObject({
      perOrderMinor: minorAmount().default(perOrderMinor).describe('All that this role may give on one order by hand.'),
      perDayMinor: minorAmount().default(perDayMinor).describe('All that one person of this role may give in one day.'),
    })
    .prefault({});

/** What a person may give by hand without a second person. */
export const manualSchema = z.strictObject({
  agent: handLimits(2_500, 25_000),
  supervisor: handLimits(25_000, 250_000),
});
