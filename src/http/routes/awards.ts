import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { proposerOf } from '../../awards/agent-limits.js';
import { loadAwardViews } from '../../awards/queue-view-store.js';
import { reverseAward } from '../../awards/reverse-award.js';
import { approveAward, changeAward, declineAward, retryAward } from '../../awards/review-awards.js';
import { REMEDY_KINDS, SHIPPING_SPEEDS } from '../../compensation/award.js';
import type { Sql } from '../../db/database.js';
import type { Deps } from '../../deps.js';
import { AppError } from '../../errors.js';
import { awardByHand } from '../../promises/award-by-hand.js';
import { loadFirstContacts } from '../../promises/before-contact-store.js';
import { shopIdSchema } from '../../promises/order-document.js';
import { awardToJson, awardViewSchema, requiredReasonSchema, worthShape } from '../award-view.js';
import { personOf } from '../plugins/auth.js';
import { doOnce } from '../plugins/idempotency.js';

const params = z.object({ id: z.uuid() });
const decision = z.object({ reason: requiredReasonSchema, ...worthShape });

/** Awards that people decide about: by hand, approved, declined, changed, tried again, taken back. */
export async function awardRoutes(plain: FastifyInstance, { deps }: { deps: Deps }): Promise<void> {
  const app = plain.withTypeProvider<ZodTypeProvider>();
  const view = async (request: FastifyRequest, id: string, sql: Sql = deps.db.pool) => {
    const [award] = await loadAwardViews(sql, [id]);
    if (!award) throw new AppError('not_found', 'There is no award with this id.');
    return awardToJson(award, personOf(request).keyId, await loadFirstContacts(sql, [award.orderId]));
  };

  app.post(
    '/v1/orders/:id/awards',
    {
      schema: {
        tags: ['awards'],
        summary: 'Gives something by hand',
        description:
          'Within the limits of the role it is granted at once; beyond them, for the order or for the day, it waits for another person. ' +
          'An `Idempotency-Key` makes sure that it is given once.',
        params: z.object({ id: shopIdSchema }),
        body: z.object({
          kind: z.enum(REMEDY_KINDS),
          ...worthShape,
          shipping: z.enum(SHIPPING_SPEEDS).optional(),
          reason: requiredReasonSchema,
        }),
        response: { 201: awardViewSchema },
      },
    },
    (request, reply) =>
      doOnce(deps, request, reply, {
        status: 201,
        work: async (sql) => {
          const { awardId, tickets } = await awardByHand(deps, sql, request.params.id, personOf(request), request.body);
          return { body: await view(request, awardId, sql), tickets };
        },
      }),
  );

  app.post(
    '/v1/awards/:id/approve',
    {
      schema: {
        tags: ['awards'],
        summary: 'Lets an award through that waits',
        description:
          'Never by who proposed it. With `amount`, `months` or `points` only if it is still worth that. An award in a currency without amounts needs `amount`. ' +
          'An open breaker or a spent budget does not stop what a person has looked at.',
        params,
        body: decision,
        response: { 200: awardViewSchema },
      },
    },
    async (request) => {
      const { reason, ...expected } = request.body;
      await approveAward(deps, request.params.id, { person: personOf(request), reason, expected });
      return view(request, request.params.id);
    },
  );

  app.post(
    '/v1/awards/:id/decline',
    {
      schema: {
        tags: ['awards'],
        summary: 'Ends an award that was not given',
        description: 'One that waits, that failed, or that nobody was asked to carry out yet.',
        params,
        body: decision,
        response: { 200: awardViewSchema },
      },
    },
    async (request) => {
      const { reason, ...expected } = request.body;
      await declineAward(deps, request.params.id, { person: personOf(request), reason, expected });
      return view(request, request.params.id);
    },
  );

  app.post(
    '/v1/awards/:id/retry',
    {
      schema: {
        tags: ['awards'],
        summary: 'Tries an award again that failed',
        params,
        body: z.object({ reason: requiredReasonSchema }),
        response: { 200: awardViewSchema },
      },
    },
    async (request) => {
      await retryAward(deps, request.params.id, { person: personOf(request), reason: request.body.reason });
      return view(request, request.params.id);
    },
  );

  app.patch(
    '/v1/awards/:id',
    {
      schema: {
        tags: ['awards'],
        summary: 'Names another amount for an award that waits',
        description: 'Whoever does so proposes it: another person must approve it.',
        params,
        body: decision,
        response: { 200: awardViewSchema },
      },
    },
    async (request) => {
      const { reason, ...worth } = request.body;
      await changeAward(deps, request.params.id, { person: personOf(request), reason, worth });
      return view(request, request.params.id);
    },
  );

  app.post(
    '/v1/awards/:id/reverse',
    {
      schema: {
        tags: ['awards'],
        summary: 'Takes back what an award gave',
        description:
          'A compensating entry; history stays. `partial`: what is left, where some of it is spent. `recordOnly`: it was taken back at the provider, and is noted here.',
        params,
        body: z.object({
          reason: requiredReasonSchema,
          partial: z.boolean().default(false),
          recordOnly: z.boolean().default(false),
        }),
        response: {
          200: z.object({
            awardId: z.string(),
            status: z.literal('reversed'),
            transferId: z.string().nullable(),
            unit: z.string().nullable(),
            amount: z.int().nullable(),
            kept: z.int().nullable(),
          }),
        },
      },
    },
    (request) => {
      const person = personOf(request);
      return reverseAward(deps, request.params.id, {
        ...request.body,
        actor: person.actor,
        reviewer: proposerOf(person),
      });
    },
  );
}
