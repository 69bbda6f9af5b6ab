import { z } from 'zod';
import type { AwardView } from '../awards/queue-view-store.js';
import { moneySchema, reasonSchema } from '../promises/order-document.js';
import { beforeContactSchema, beforeContactToJson } from './before-contact-view.js';

const instant = z.iso.datetime();

/** Why somebody decides: without it the audit says nothing. */
export const requiredReasonSchema = reasonSchema.trim().min(1, 'must not be empty');

/** The one measure of an award that its kind has. */
export const worthShape = {
  amount: moneySchema.optional(),
  months: z.int().min(1).max(120).optional(),
  points: z.int().min(1).max(1_000_000).optional(),
};

/** An award as those see it who decide about it. */
export const awardViewSchema = z.object({
  id: z.string(),
  orderId: z.string(),
  customerId: z.string(),
  incident: z.string(),
  class: z.string(),
  kind: z.string(),
  amount: moneySchema.optional(),
  months: z.int().optional(),
  points: z.int().optional(),
  shipping: z.string().optional(),
  status: z.string(),
  rule: z.string(),
  reason: z.string(),
  stoppedBy: z.array(z.string()).meta({ description: 'Everything that stopped it: limits, the breaker, a budget' }),
  proposedBy: z.string().meta({ description: '`policy`, or the name of the key: who proposed it never approves it' }),
  own: z.boolean().meta({ description: 'Proposed by the key that asks' }),
  reviewedBy: z.string().nullable(),
  reviewedAt: instant.nullable(),
  reviewReason: z.string().nullable(),
  provider: z.string().nullable(),
  decidedAt: instant,
  appliedAt: instant.nullable(),
  earlierAwards: z.int().meta({ description: 'Other awards of the customer in the 90 days before' }),
  beforeContact: beforeContactSchema,
});

/** @param firstContacts by order, as `loadFirstContacts` has them */
export function awardToJson(
  award: AwardView,
  keyId: string,
  firstContacts: ReadonlyMap<string, Date>,
): z.infer<typeof awardViewSchema> {
  const { amountMinor, currency, months, points, shipping, proposedBy, proposedByName, reviewedByName, ...rest } =
    award;
  return {
    ...rest,
    ...(amountMinor === null || currency === null ? {} : { amount: { amountMinor, currency } }),
    ...(months === null ? {} : { months }),
    ...(points === null ? {} : { points }),
    ...(shipping === null ? {} : { shipping }),
    stoppedBy: [...award.stoppedBy],
    proposedBy: proposedByName,
    own: proposedBy === `key:${keyId}`,
    reviewedBy: reviewedByName,
    reviewedAt: award.reviewedAt?.toISOString() ?? null,
    decidedAt: award.decidedAt.toISOString(),
    appliedAt: award.appliedAt?.toISOString() ?? null,
    beforeContact: beforeContactToJson(award, firstContacts.get(award.orderId) ?? null),
  };
}
