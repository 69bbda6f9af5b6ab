import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Deps } from '../../deps.js';
import { listAudit } from '../audit-view-store.js';
import { listOf, pageOf, pageShape } from '../list.js';

const text = z
  .string()
  .min(1)
  .max(200)
  .regex(/^\P{Cc}*$/u, 'must not contain control characters');

/** Who did what, when, and why. */
export async function auditRoutes(plain: FastifyInstance, { deps }: { deps: Deps }): Promise<void> {
  const app = plain.withTypeProvider<ZodTypeProvider>();

  app.get(
    '/v1/audit',
    {
      schema: {
        tags: ['audit'],
        summary: 'Who did what, when, and why, the newest first',
        querystring: z.object({
          ...pageShape,
          after: z.coerce.number().int().min(1).optional().meta({ description: '`next` of the page before' }),
          subject: text.optional(),
          action: text.optional(),
        }),
        response: {
          200: listOf(
            z.object({
              seq: z.int(),
              at: z.iso.datetime(),
              actor: z.string(),
              action: z.string(),
              subject: z.string(),
              reason: z.string().nullable(),
              details: z.record(z.string(), z.unknown()),
              hash: z.string().meta({ description: 'Seals it with all that came before, in hexadecimal' }),
            }),
          ),
        },
      },
    },
    async (request) => {
      const { after = null, subject = null, action = null, limit } = request.query;
      return pageOf(await listAudit(deps.db.pool, { before: after, subject, action, limit: limit + 1 }), limit, {
        toJson: ({ at, hash, details, ...line }) => ({
          ...line,
          at: at.toISOString(),
          details: { ...details },
          hash: hash.toString('hex'),
        }),
        toCursor: ({ seq }) => String(seq),
      });
    },
  );
}
