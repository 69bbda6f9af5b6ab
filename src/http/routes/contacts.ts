import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { CONTACT_REASONS } from '../../compensation/decision-input.js';
import { AWARD_INCIDENTS } from '../../compensation/incident.js';
import { readNow } from '../../db/now.js';
import type { Deps } from '../../deps.js';
import { AppError } from '../../errors.js';
import { measureBeforeContact } from '../../promises/before-contact-store.js';
import { recordContact } from '../../promises/contacts.js';
import { reasonSchema, shopIdSchema } from '../../promises/order-document.js';
import { instantSchema } from '../../promises/verdict-case.js';
import { personOf } from '../plugins/auth.js';
import { doOnce } from '../plugins/idempotency.js';

/** The period of a question that names none. */
const USUAL_DAYS = 30;
/** More, and one question reads all awards that were ever made. */
const MOST_DAYS = 366;
const DAY_MS = 86_400_000;

const instant = z.iso.datetime();
const counts = {
  awards: z.int(),
  first: z.int().meta({ description: 'Applied before anybody complained' }),
  after: z.int(),
  waiting: z.int().meta({ description: 'Not applied, and nobody has complained' }),
  share: z.number().nullable().meta({ description: 'Of `first` and `after`, the part that came first' }),
  medianMinutesAhead: z
    .number()
    .nullable()
    .meta({ description: 'Of those that came first and were followed by a complaint' }),
};

/** The customer got in touch: notes it, and measures what was made good before anybody did. */
export async function contactRoutes(plain: FastifyInstance, { deps }: { deps: Deps }): Promise<void> {
  const app = plain.withTypeProvider<ZodTypeProvider>();

  app.post(
    '/v1/contacts',
    {
      schema: {
        tags: ['contacts'],
        summary: 'Notes that a customer got in touch',
        description:
          '`not_received` and `damaged` have the order judged at once and open a case. Answers what can be told the customer. An order of another customer is answered as an unknown one.',
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
            answer: z.string().nullable().meta({ description: 'What can be told the customer, true as of now' }),
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

  app.get(
    '/v1/contacts/measure',
    {
      schema: {
        tags: ['contacts'],
        summary: 'How much was made good before the customer complained',
        description:
          'Over the awards decided in the period, `until` left out; without one the last 30 days, 366 at the most. ' +
          'What was declined or reversed is left out; what was given by hand never came first. ' +
          'A contact of reason `other` is no complaint.',
        querystring: z.object({ since: instantSchema.optional(), until: instantSchema.optional() }),
        response: {
          200: z.object({
            since: instant,
            until: instant,
            ...counts,
            byIncident: z.array(z.object({ incident: z.enum(AWARD_INCIDENTS), ...counts })),
          }),
        },
      },
    },
    async (request) => {
      const until = request.query.until ?? (await readNow(deps.db.pool, deps.clock));
      const since = request.query.since ?? new Date(until.getTime() - USUAL_DAYS * DAY_MS);
      const refuse = (message: string) =>
        new AppError('invalid_request', `The period cannot be measured: since ${message}.`, {
          errors: [{ field: 'since', message }],
        });
      if (since >= until) throw refuse('does not lie before until');
      if (until.getTime() - since.getTime() > MOST_DAYS * DAY_MS)
        throw refuse(`lies more than ${MOST_DAYS} days before until`);
      const { byIncident, ...total } = await measureBeforeContact(deps.db.pool, { since, until });
      return { since: since.toISOString(), until: until.toISOString(), ...total, byIncident: [...byIncident] };
    },
  );
}
