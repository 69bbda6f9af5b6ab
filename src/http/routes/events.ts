import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Deps } from '../../deps.js';
import { EVENT_TYPES, TEST_EVENT } from '../../events/event.js';
import { listEvents } from '../../events/event-store.js';
import { listOf, pageOf, pageShape } from '../list.js';

/** The log of events, for whoever would rather ask than be told. */
export async function eventRoutes(plain: FastifyInstance, { deps }: { deps: Deps }): Promise<void> {
  const app = plain.withTypeProvider<ZodTypeProvider>();

  app.get(
    '/v1/events',
    {
      schema: {
        tags: ['events'],
        summary: 'What happened, in the order of its numbers',
        description:
          'Whoever keeps the `seq` of the last one and goes on after it misses nothing: none with a smaller number appears later.',
        querystring: z.object({
          ...pageShape,
          after: z
            .string()
            .regex(/^\d{1,15}$/, 'must be the seq of an event')
            .default('0')
            .meta({ description: 'Those behind this `seq`; `next` of the page before is one' }),
          type: z.enum([...EVENT_TYPES, TEST_EVENT]).optional(),
          orderId: z
            .string()
            .min(1)
            .max(200)
            .regex(/^[^\p{Cc}\p{Surrogate}]*$/u, 'must not contain control characters')
            .optional(),
        }),
        response: {
          200: listOf(
            z.object({
              seq: z.int(),
              id: z.string().meta({ description: 'The `webhook-id` under which it is delivered' }),
              type: z.string(),
              orderId: z.string().nullable(),
              timestamp: z.iso.datetime(),
              data: z.record(z.string(), z.unknown()),
            }),
          ),
        },
      },
    },
    async (request) => {
      const { after, limit, type = null, orderId = null } = request.query;
      const place = { after: Number(after), type, orderId, limit: limit + 1 };
      return pageOf(await listEvents(deps.db.pool, place), limit, {
        toJson: ({ createdAt, data, ...event }) => ({
          ...event,
          timestamp: createdAt.toISOString(),
          data: { ...data },
        }),
        toCursor: ({ seq }) => String(seq),
      });
    },
  );
}
