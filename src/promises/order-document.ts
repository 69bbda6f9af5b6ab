import { z } from 'zod';
import { isSingleAddress } from '../messages/address.js';
import { calendarDateSchema, instantSchema, promiseSchema } from './verdict-case.js';

/** Longest text of any field. Longer ones are a mistake of the sender, and would end up in every list and letter. */
const MAX_TEXT = 500;
/** Parcels of one order. */
const MAX_SHIPMENTS = 200;
/** The largest amount: ten billion in major units of a currency with two decimals, far inside what a number holds. */
const MAX_AMOUNT_MINOR = 1_000_000_000_000;

/**
 * Text that can be stored and shown: not empty, no NUL or other control characters, no half of a character (PostgreSQL would
 * keep another one instead, and an id would no longer be equal to itself), at most `max` characters.
 */
const text = (max = MAX_TEXT) =>
  z
    .string('must be text')
    .trim()
    .min(1, 'must not be empty')
    .max(max, `must have at most ${max} characters`)
    .regex(/^[^\p{Cc}\p{Surrogate}]*$/u, 'must not contain control characters');

/** Why somebody does something, for the audit: may have several lines. */
export const reasonSchema = z
  .string('must be text')
  .max(MAX_TEXT, `must have at most ${MAX_TEXT} characters`)
  .regex(/^(?:[^\p{Cc}\p{Surrogate}]|[\t\n\r])*$/u, 'must not contain control characters');

/** An id of the shop's: what it calls its orders and customers. */
export const shopIdSchema = text(200);

export const moneySchema = z.object({
  amountMinor: z
    .int('must be a whole number of minor units')
    .min(0, 'must not be negative')
    .max(MAX_AMOUNT_MINOR, `must be at most ${MAX_AMOUNT_MINOR}`),
  currency: z.string('must be text').regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code such as USD'),
});

const locale = text(35).refine((tag) => {
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
}, 'must be a BCP 47 language tag such as en-US');

const email = text(254).refine(isSingleAddress, 'must be one mail address, such as ann@example.com');

const customerSchema = z.object({
  id: shopIdSchema,
  email: email.nullish(),
  name: text(200).nullish(),
  phone: text(40).nullish(),
  locale: locale.nullish(),
  membership: z
    .object({
      tier: text(50),
      renewsOn: calendarDateSchema.nullish(),
      trial: z.boolean('must be true or false').default(false),
    })
    .nullish(),
});

/** A promise by service level will be computed from calendars; until then it is refused by name, not misread. */
const promiseOrService = z
  .unknown()
  .meta({
    description:
      'What the customer was told: a date, kept until it ends at the destination, or an instant. Exactly one of `on` and `at`.',
    type: 'object',
    required: ['timeZone'],
    properties: {
      on: { type: 'string', format: 'date', examples: ['2026-11-05'] },
      at: { type: 'string', format: 'date-time', examples: ['2026-11-05T17:00:00Z'] },
      timeZone: { type: 'string', description: 'The IANA zone of the destination', examples: ['America/New_York'] },
    },
  })
  .transform((value, context) => {
    if (typeof value === 'object' && value !== null && 'service' in value) {
      const message =
        'a promise by service level is not supported yet: give the date (on) or the instant (at), with timeZone';
      context.addIssue({ code: 'custom', message, path: ['service'] });
      return z.NEVER;
    }
    const parsed = promiseSchema.safeParse(value);
    if (parsed.success) return parsed.data;
    for (const issue of parsed.error.issues)
      context.addIssue({ code: 'custom', message: issue.message, path: [...issue.path] });
    return z.NEVER;
  });

/** How a provider of remedies knows the order; said as the provider says it, and passed on as it is. */
const reference = (example: string) =>
  text(200)
    .nullish()
    .meta({ examples: [example] });
const providerReferencesSchema = z
  .object({
    stripe: z
      .object({
        paymentIntent: reference('pi_3MtwBwLkdIwHu7ix28a3tqPa'),
        customer: reference('cus_NffrFeUfNV2Hib'),
        subscription: reference('sub_1MowQVLkdIwHu7ixeRlqHVzs'),
      })
      .nullish(),
    shopify: z
      .object({
        order: reference('gid://shopify/Order/450789469'),
        customer: reference('gid://shopify/Customer/544365967'),
      })
      .nullish(),
  })
  .meta({ description: 'How those who carry out refunds and credits know the order and its customer' });

const shipmentSchema = z.object({
  carrier: text(100).refine((name) => /[\p{L}\p{Nd}]/u.test(name), 'must contain a letter or digit'),
  trackingNumber: text(100).refine((number) => /[^\s-]/.test(number), 'must contain more than spaces and hyphens'),
  service: text(100).nullish(),
  promise: promiseOrService.optional(),
});

/**
 * An order as `PUT /v1/orders/{id}` takes it. Unknown fields are ignored, so that a shop can send what it has.
 * `promise` and `customer.id` are required; everything else may come later.
 */
export const orderDocumentSchema = z
  .object(
    {
      customer: customerSchema,
      placedAt: instantSchema.nullish(),
      total: moneySchema.nullish(),
      shippingPaid: moneySchema.nullish(),
      promise: promiseOrService,
      shipBy: instantSchema.nullish(),
      occasion: z.object({ name: text(100), on: calendarDateSchema }).nullish(),
      destination: z
        .object({
          country: z
            .string('must be text')
            .regex(/^[A-Z]{2}$/, 'must be an ISO 3166 code such as US')
            .nullish(),
          region: text(100).nullish(),
          postalCode: text(20).nullish(),
        })
        .nullish(),
      digital: z.boolean('must be true or false').nullish().meta({
        description: 'What is downloaded or watched: no parcel, and delivered when it is placed. Never changes.',
      }),
      providerReferences: providerReferencesSchema.nullish(),
      shipments: z
        .array(shipmentSchema, 'must be a list')
        .max(MAX_SHIPMENTS, `must have at most ${MAX_SHIPMENTS} entries`)
        .default([]),
    },
    'must be a JSON object',
  )
  .superRefine((order, context) => {
    if (order.digital === true && order.shipments.length > 0) {
      context.addIssue({
        code: 'custom',
        path: ['shipments'],
        message: 'must be empty: a digital order has no parcel',
      });
    }
    if (order.total && order.shippingPaid && order.total.currency !== order.shippingPaid.currency) {
      context.addIssue({
        code: 'custom',
        path: ['shippingPaid', 'currency'],
        message: 'must be the currency of the total',
      });
    }
  });

export type OrderDocument = z.output<typeof orderDocumentSchema>;
