import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Deps } from '../../deps.js';
import { AppError } from '../../errors.js';
import { reasonSchema } from '../../promises/order-document.js';
import { MOST_RECHECKED, previewRecheck, recheckMany } from '../../promises/recheck-many.js';
import { loadRecheckProgress, type RecheckFilter, type RecheckProgress } from '../../promises/recheck-many-store.js';
import { VERDICTS } from '../../promises/verdict.js';
import { instantSchema } from '../../promises/verdict-case.js';
import { TRACKING_STATUSES } from '../../shipments/tracking-event.js';
import { actorOf } from '../plugins/auth.js';
import { doOnce } from '../plugins/idempotency.js';

const filterSchema = z
  .object({
    verdicts: z.array(z.enum(VERDICTS)).min(1).nullish(),
    carrier: z
      .string()
      .trim()
      .min(1)
      .max(100)
      .regex(/^[^\p{Cc}\p{Surrogate}]*$/u, 'must not contain control characters')
      .nullish(),
    status: z.enum(TRACKING_STATUSES).nullish().meta({ description: 'That one of its parcels has' }),
    promisedFrom: instantSchema.nullish().meta({ description: 'The promise ended then or later' }),
    promisedBefore: instantSchema.nullish().meta({ description: 'The promise ended before' }),
  })
  .meta({ description: 'All of what is named must be so; at least one must be named' });

const progress = z.object({
  id: z.string(),
  requestedAt: z.iso.datetime(),
  requestedBy: z.string(),
  reason: z.string().nullable(),
  total: z.int(),
  done: z.int(),
  failed: z.int().meta({ description: 'Could not be judged, and set aside with their error' }),
  changed: z.int().meta({ description: 'Orders whose answer changed' }),
  awards: z.int(),
  finished: z.boolean(),
});

/** Re-checks of many orders at once: preview, order, and look how far it is. */
export async function recheckRoutes(plain: FastifyInstance, { deps }: { deps: Deps }): Promise<void> {
  const app = plain.withTypeProvider<ZodTypeProvider>();

  app.post(
    '/v1/rechecks/preview',
    {
      schema: {
        tags: ['orders'],
        summary: 'Which orders a re-check of many would judge again',
        description: 'Changes nothing.',
        body: z.object({ filter: filterSchema }),
        response: {
          200: z.object({
            count: z.int(),
            verdicts: z
              .record(z.string(), z.int())
              .meta({ description: 'By the verdict they have now; `none`: not judged yet' }),
            first: z.array(z.string()),
            tooMany: z.boolean().meta({ description: `More than ${MOST_RECHECKED}: one request does not take them` }),
          }),
        },
      },
    },
    async (request) => {
      const preview = await previewRecheck(deps, filterOf(request.body.filter));
      return { ...preview, verdicts: { ...preview.verdicts }, first: [...preview.first] };
    },
  );

  app.post(
    '/v1/rechecks',
    {
      schema: {
        tags: ['orders'],
        summary: 'Judges many orders again',
        description:
          'Goes ahead of what carriers report meanwhile. Never pays twice. `GET /v1/rechecks/{id}` says how far it is.',
        body: z.object({ filter: filterSchema, reason: reasonSchema.nullish() }),
        response: { 202: progress },
      },
    },
    (request, reply) =>
      doOnce(deps, request, reply, {
        status: 202,
        work: async (sql) => {
          const { filter, reason = null } = request.body;
          const by = { actor: actorOf(request), reason: reason ?? null };
          const { run, tickets } = await recheckMany(deps, sql, filterOf(filter), by);
          const begun = await loadRecheckProgress(sql, run.id);
          if (!begun) throw new Error('assertion failed: a run that was just written is there');
          return { body: toJson(begun), tickets };
        },
      }),
  );

  app.get(
    '/v1/rechecks/:id',
    {
      schema: {
        tags: ['orders'],
        summary: 'How far a re-check of many is, and what came of it',
        params: z.object({ id: z.uuid() }),
        response: { 200: progress },
      },
    },
    async (request) => {
      const found = await loadRecheckProgress(deps.db.pool, request.params.id);
      if (!found) throw new AppError('not_found', 'There is no re-check of many with this id.');
      return toJson(found);
    },
  );
}

function filterOf(filter: z.output<typeof filterSchema>): RecheckFilter {
  const instant = (text: string | Date | null | undefined) => (text ? new Date(text) : null);
  return {
    verdicts: filter.verdicts ?? null,
    carrier: filter.carrier ?? null,
    status: filter.status ?? null,
    promisedFrom: instant(filter.promisedFrom),
    promisedBefore: instant(filter.promisedBefore),
  };
}

function toJson({ requestedAt, waiting, trace: _trace, ...run }: RecheckProgress): z.infer<typeof progress> {
  const done = Math.max(0, run.total - waiting - run.failed);
  return { ...run, requestedAt: requestedAt.toISOString(), done, finished: waiting === 0 };
}
