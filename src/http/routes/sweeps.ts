import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Deps } from '../../deps.js';
import { listSweeps } from '../../promises/sweep-store.js';
import { listOf, pageOf, pageShape } from '../list.js';

const instant = z.iso.datetime();

/** The nights: what each sweep found, and why. */
export async function sweepRoutes(plain: FastifyInstance, { deps }: { deps: Deps }): Promise<void> {
  const app = plain.withTypeProvider<ZodTypeProvider>();

  app.get(
    '/v1/sweeps',
    {
      schema: {
        tags: ['sweeps'],
        summary: 'What the nightly sweeps found, the newest first',
        querystring: z.object({
          ...pageShape,
          after: z.uuid().optional().meta({ description: '`next` of the page before' }),
        }),
        response: {
          200: listOf(
            z.object({
              id: z.string(),
              startedAt: instant,
              finishedAt: instant.nullable().meta({ description: 'null: it is under way, or ended early' }),
              asOf: instant,
              resumedAt: instant
                .nullable()
                .meta({ description: 'When it was last carried on after it had ended early' }),
              judged: z.int().meta({ description: 'Orders looked at so far' }),
              messages: z.int().meta({ description: 'Letters that came of it' }),
              report: z
                .record(z.string(), z.unknown())
                .nullable()
                .meta({ description: 'As `makegood sweep --json` prints it' }),
            }),
          ),
        },
      },
    },
    async (request) => {
      const { after = null, limit } = request.query;
      return pageOf(await listSweeps(deps.db.pool, { after, limit: limit + 1 }), limit, {
        toJson: ({ startedAt, finishedAt, asOf, resumedAt, report, ...run }) => ({
          ...run,
          startedAt: startedAt.toISOString(),
          finishedAt: finishedAt?.toISOString() ?? null,
          asOf: asOf.toISOString(),
          resumedAt: resumedAt?.toISOString() ?? null,
          report: report && { ...report },
        }),
        toCursor: ({ id }) => id,
      });
    },
  );
}
