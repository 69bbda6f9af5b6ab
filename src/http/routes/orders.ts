import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Deps } from '../../deps.js';
import { AppError } from '../../errors.js';
import { orderDocumentSchema, reasonSchema, shopIdSchema } from '../../promises/order-document.js';
import { recheck } from '../../promises/recheck.js';
import { registerOrder } from '../../promises/register-order.js';
import { orderViewSchema } from '../order-view.js';
import { loadOrderView } from '../order-view-store.js';
import { actorOf } from '../plugins/auth.js';

const params = z.object({ id: shopIdSchema });

const answer = z.object({
  verdict: z.string(),
  metAt: z.iso.datetime().nullable(),
  lateMinutes: z.int().nullable(),
  lateDays: z.int().nullable(),
  fault: z.string().nullable(),
  incident: z.string().nullable(),
  declinedBecause: z.string().nullable(),
  judgedAt: z.iso.datetime(),
  policyVersion: z.int(),
});

/** Orders: the shop registers them, agents look at them and have them judged again. */
export async function orderRoutes(plain: FastifyInstance, { deps }: { deps: Deps }): Promise<void> {
  const app = plain.withTypeProvider<ZodTypeProvider>();
  const registration = z.object({
    id: z.string(),
    outcome: z.enum(['created', 'completed', 'unchanged']),
    promisedUntil: z.iso.datetime(),
  });

  app.put(
    '/v1/orders/:id',
    {
      schema: {
        tags: ['orders'],
        summary: 'Registers an order with its promise, or completes one',
        description:
          'Idempotent. The first promise made is kept for ever: a document that would change it is refused with 409.',
        params,
        body: orderDocumentSchema,
        response: { 200: registration, 201: registration },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { outcome, promisedUntil } = await registerOrder(deps, id, request.body);
      return reply
        .code(outcome === 'created' ? 201 : 200)
        .send({ id, outcome, promisedUntil: promisedUntil.toISOString() });
    },
  );

  app.get(
    '/v1/orders/:id',
    {
      schema: {
        tags: ['orders'],
        summary: 'An order: parcels, verdict, awards, letters, and why',
        params,
        response: { 200: orderViewSchema },
      },
    },
    async (request) => {
      const view = await loadOrderView(deps.db, request.params.id, deps.config.remedyProviders);
      if (!view) throw new AppError('not_found', 'There is no order with this id.');
      return view;
    },
  );

  app.post(
    '/v1/orders/:id/recheck',
    {
      schema: {
        tags: ['orders'],
        summary: 'Judges the order again, now',
        description: 'Waits behind nothing. Shows the answer before and after. Never pays twice.',
        params,
        body: z.object({ reason: reasonSchema.nullish() }).nullish(),
        response: { 200: z.object({ before: answer.nullable(), after: answer, changed: z.boolean() }) },
      },
    },
    async (request) => {
      const reason = request.body?.reason ?? null;
      const { before, after, changed } = await recheck(deps, request.params.id, { actor: actorOf(request), reason });
      return { before: before && toJson(before), after: toJson(after), changed };
    },
  );
}

function toJson<T extends { metAt: Date | null; judgedAt: Date }>({ metAt, judgedAt, ...row }: T) {
  return { ...row, metAt: metAt?.toISOString() ?? null, judgedAt: judgedAt.toISOString() };
}
