import { z } from 'zod';
import { moneySchema } from '../promises/order-document.js';
import { beforeContactSchema } from './before-contact-view.js';

const instant = z.iso.datetime();

/** An order as `GET /v1/orders/{id}` shows it. Instants are in UTC with Z. */
export const orderViewSchema = z.object({
  id: z.string(),
  customerId: z.string(),
  promisedUntil: instant.meta({
    description:
      'The promise was kept until here: the end of the promised day at the destination, or the promised instant',
  }),
  registeredAt: instant,
  digital: z.boolean().meta({ description: 'No parcel: delivered when it was placed' }),
  shipments: z.array(
    z.object({
      carrier: z.string(),
      trackingNumber: z.string(),
      service: z.string().nullable(),
      status: z.string(),
      deliveredAt: instant.nullable(),
      estimatedDeliveryAt: instant.nullable(),
      estimatedDeliveryOn: z.string().nullable().meta({ description: 'Where the carrier names a day and no time' }),
      events: z.array(
        z.object({
          status: z.string(),
          at: instant,
          latestAt: instant.meta({
            description: 'It happened between `at` and here: the same for an instant, a day apart for a date alone',
          }),
          exception: z.string().nullable(),
          source: z.string(),
          code: z.string().meta({ description: 'The words of the source' }),
          text: z.string().nullable(),
          superseded: z.boolean().meta({ description: 'The source has corrected it since: it counts no more' }),
        }),
      ),
    }),
  ),
  verdict: z
    .object({
      verdict: z.string(),
      metAt: instant.nullable(),
      lateMinutes: z.int().nullable(),
      lateDays: z.int().nullable(),
      fault: z.string().nullable(),
      incident: z.string().nullable(),
      declinedBecause: z.string().nullable(),
      judgedAt: instant,
      policyVersion: z.int(),
      mode: z.string().meta({
        description: 'active; shadow and backfill are for the record alone: nothing is given',
      }),
      arm: z.string().nullable().meta({ description: 'treated or holdout, where the effect of goodwill is measured' }),
    })
    .nullable()
    .meta({ description: 'null until it was judged for the first time' }),
  awards: z.array(
    z.object({
      id: z.string(),
      kind: z.string(),
      months: z.int().optional(),
      amount: moneySchema.optional(),
      points: z.int().optional(),
      shipping: z.string().optional(),
      shipOn: z.string().optional().meta({ description: 'The day on which a replacement leaves' }),
      status: z.string(),
      stoppedBy: z.array(z.string()).meta({ description: 'What it waits for, while held or awaiting_approval' }),
      incident: z.string(),
      rule: z.string(),
      reason: z.string(),
      policyVersion: z.int(),
      proposedBy: z.string(),
      provider: z.string().nullable().meta({ description: 'Who carries it out; null until it was handed over' }),
      decidedAt: instant,
      reviewedAt: instant.nullable(),
      reviewReason: z.string().nullable(),
      appliedAt: instant.nullable(),
      expiresAt: instant.nullable(),
      beforeContact: beforeContactSchema,
    }),
  ),
  overCompensation: z
    .array(z.object({ class: z.string(), unit: z.string(), quantity: z.int() }))
    .meta({ description: 'What was given beyond what the order earns as things stand now: it is never taken back' }),
  reports: z
    .array(
      z.object({
        id: z.string(),
        kind: z.string(),
        title: z.string().nullable(),
        evidence: z.record(z.string(), z.unknown()),
        at: instant,
        recordedAt: instant,
        recordedBy: z.string(),
      }),
    )
    .meta({ description: 'Services that were reported to have been poor, with what was measured' }),
  tasks: z.array(
    z.object({
      id: z.string(),
      kind: z.string(),
      rule: z.string(),
      status: z.string(),
      createdAt: instant,
      dueAt: instant.nullable(),
      assignee: z.string().nullable().meta({ description: 'The name of the key of who has taken it on' }),
      escalatedAt: instant.nullable(),
      tries: z.int().meta({ description: 'How often nobody was reached' }),
      talkingPoints: z.array(z.string()),
      outcome: z.string().nullable(),
      note: z.string().nullable(),
      completedAt: instant.nullable(),
    }),
  ),
  messages: z.array(
    z.object({
      id: z.string(),
      template: z.string(),
      to: z.string(),
      status: z.string(),
      messageId: z.string(),
      sentAt: instant.nullable(),
      sendAfter: instant.nullable().meta({ description: 'Not before: it waits for the morning of whom it is for' }),
      response: z.string().nullable(),
      answer: z
        .enum(['yes', 'no'])
        .nullable()
        .meta({ description: 'Whether it made things right, as the customer said' }),
    }),
  ),
  explanation: z.array(z.string()).meta({ description: 'Why, for the agent: each rule tried and the numbers used' }),
  explanationForCustomer: z.array(z.string()).meta({ description: 'Why, in words to be read out to the customer' }),
});

export type OrderView = z.infer<typeof orderViewSchema>;
