import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { carrierKeyOf, trackingKeyOf } from '../../carriers/matching.js';
import type { Deps } from '../../deps.js';
import { shopIdSchema } from '../../promises/order-document.js';
import { VERDICTS } from '../../promises/verdict.js';
import { TRACKING_STATUSES } from '../../shipments/tracking-event.js';
import { fromDatedCursor, toCursor } from '../cursor.js';
import { listOf, pageOf, pageShape } from '../list.js';
import { type ListedOrder, listOrders } from '../order-list-store.js';

const instant = z.iso.datetime();
const word = z
  .string()
  .trim()
  .min(1, 'must not be empty')
  .max(100, 'must have at most 100 characters')
  .regex(/^[^\p{Cc}\p{Surrogate}]*$/u, 'must not contain control characters');

const item = z.object({
  id: z.string(),
  customerId: z.string(),
  registeredAt: instant,
  promisedUntil: instant,
  verdict: z.string().nullable().meta({ description: 'null: it was never judged' }),
  lateDays: z.int().nullable(),
  judgedAt: instant.nullable(),
  dueAt: instant.nullable().meta({ description: 'When time alone can next change the answer; null: only news can' }),
  shipments: z.array(z.object({ carrier: z.string(), trackingNumber: z.string(), status: z.string() })),
});

/** The list of orders, in which agents look for one. */
export async function orderListRoutes(plain: FastifyInstance, { deps }: { deps: Deps }): Promise<void> {
  const app = plain.withTypeProvider<ZodTypeProvider>();

  app.get(
    '/v1/orders',
    {
      schema: {
        tags: ['orders'],
        summary: 'Orders, the newest registration first',
        description: 'Each that fits all that is asked for. What comes in while you page stands before the first page.',
        querystring: z.object({
          ...pageShape,
          // An id of the shop may have 200 characters of several bytes.
          after: z.string().max(2_000).optional().meta({ description: '`next` of the page before' }),
          verdict: z
            .enum([...VERDICTS, 'none'])
            .optional()
            .meta({ description: '`none`: never judged' }),
          status: z.enum(TRACKING_STATUSES).optional().meta({ description: 'Of any of its parcels' }),
          carrier: word
            .refine((carrier) => carrierKeyOf(carrier) !== '', 'must contain a letter or digit')
            .optional()
            .meta({ description: 'Its letters and digits count: `Royal-Mail` is `royalmail`', examples: ['usps'] }),
          customerId: shopIdSchema.optional().meta({ examples: ['c-1'] }),
          trackingNumber: word
            .refine((number) => trackingKeyOf(number) !== '', 'must contain more than spaces and hyphens')
            .optional()
            .meta({ description: 'Without regard to case, spaces and hyphens' }),
        }),
        response: { 200: listOf(item) },
      },
    },
    async (request) => {
      const { after, limit, verdict, status, carrier, customerId, trackingNumber } = request.query;
      const filter = {
        verdict: verdict ?? null,
        status: status ?? null,
        carrierKey: carrier === undefined ? null : carrierKeyOf(carrier),
        trackingKey: trackingNumber === undefined ? null : trackingKeyOf(trackingNumber),
        customerId: customerId ?? null,
      };
      const place = fromDatedCursor(after, (id) => shopIdSchema.safeParse(id).data === id && id !== undefined);
      return pageOf(await listOrders(deps.db.pool, filter, { after: place, limit: limit + 1 }), limit, {
        toJson,
        toCursor: ({ registeredAt, id }) => toCursor([registeredAt.toISOString(), id]),
      });
    },
  );
}

function toJson({ registeredAt, promisedUntil, judgedAt, dueAt, shipments, ...order }: ListedOrder) {
  return {
    ...order,
    registeredAt: registeredAt.toISOString(),
    promisedUntil: promisedUntil.toISOString(),
    judgedAt: judgedAt?.toISOString() ?? null,
    dueAt: dueAt?.toISOString() ?? null,
    shipments: [...shipments],
  };
}
