import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { CONTACT_REASONS } from '../../compensation/decision-input.js';
import type { Deps } from '../../deps.js';
import { recordContact } from '../../promises/contacts.js';
import { reasonSchema, shopIdSchema } from '../../promises/order-document.js';
import { instantSchema } from '../../promises/verdict-case.js';
import { personOf } from '../plugins/auth.js';
import { doOnce } from '../plugins/idempotency.js';

/** The customer got in touch. */
export async function contactRoutes(plain: FastifyInstance, { deps }: { deps: Deps }): Promise<void> {
  const app = plain.withTypeProvider<ZodTypeProvider>();

  app.post(
    '/v1/contacts',
    {
      schema: {
        tags: ['contacts'],
        summary: 'Notes that a customer got in touch',
        description:
          '`not_received` and `damaged` have the order judged at once and open a case. Answers what can be told the customer.',
        body: z
          .object({
            orderId: shopIdSchema.optional(),
            customerId: shopIdSchema.optional(),
            channel: z
              .string()
              .trim()
              .min(1)
              .max(50)
              .regex(/^[^\p{Cc}\p{Surrogate}]*$/u, 'must not contain control characters'),
            reason: z.enum(CONTACT_REASONS),
            at: instantSchema.nullish(),
            note: reasonSchema.nullish(),
          })
          .refine(({ orderId, customerId }) => orderId !== undefined || customerId !== undefined, {
            path: ['orderId'],
            message: 'name the order, or the customer',
          }),
        response: {
          201: z.object({
            id: z.string(),
            customerId: z.string(),
            orderId: z.string().nullable().meta({ description: 'null: the customer has several, or none' }),
            reason: z.enum(CONTACT_REASONS),
            at: z.iso.datetime(),
            taskId: z.string().nullable().meta({ description: 'The case that is open for it' }),
            answer: z.string().nullable().meta({ description: 'What can be told the customer: it is in the record' }),
          }),
        },
      },
    },
    (request, reply) =>
      doOnce(deps, request, reply, {
        status: 201,
        work: async (sql) => {
          const { at, note, ...contact } = request.body;
          const { noted, tickets } = await recordContact(deps, sql, personOf(request), {
            ...contact,
            at: at ? new Date(at) : null,
            note: note ?? null,
          });
          return { body: { ...noted, at: noted.at.toISOString() }, tickets };
        },
      }),
  );
}
