import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { listAlarms } from '../../compensation/alarm-store.js';
import type { Deps } from '../../deps.js';
import { listOf, pageOf, pageShape } from '../list.js';

const instant = z.iso.datetime();

/** What a person must look at. */
export async function alarmRoutes(plain: FastifyInstance, { deps }: { deps: Deps }): Promise<void> {
  const app = plain.withTypeProvider<ZodTypeProvider>();

  app.get(
    '/v1/alarms',
    {
      schema: {
        tags: ['alarms'],
        summary: 'What a person must look at, the newest first',
        querystring: z.object({
          ...pageShape,
          open: z.enum(['true', 'false']).default('true').meta({ description: '`false`: also what is over' }),
          after: z.uuid().optional().meta({ description: '`next` of the page before' }),
        }),
        response: {
          200: listOf(
            z.object({
              id: z.string(),
              kind: z.string(),
              subject: z.string(),
              message: z.string(),
              details: z.record(z.string(), z.unknown()),
              raisedAt: instant,
              lastSeenAt: instant,
              clearedAt: instant.nullable(),
            }),
          ),
        },
      },
    },
    async (request) => {
      const { open, after = null, limit } = request.query;
      return pageOf(await listAlarms(deps.db.pool, { openOnly: open === 'true', after, limit: limit + 1 }), limit, {
        toJson: ({ raisedAt, lastSeenAt, clearedAt, details, ...alarm }) => ({
          ...alarm,
          details: { ...details },
          raisedAt: raisedAt.toISOString(),
          lastSeenAt: lastSeenAt.toISOString(),
          clearedAt: clearedAt?.toISOString() ?? null,
        }),
        toCursor: ({ id }) => id,
      });
    },
  );
}
