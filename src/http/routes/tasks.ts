import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Deps } from '../../deps.js';
import { reasonSchema } from '../../promises/order-document.js';
import { listTasks, type Task } from '../../promises/task-store.js';
import { completeTask } from '../../promises/tasks.js';
import { fromCursor, toCursor } from '../cursor.js';
import { listOf, pageOf, pageShape } from '../list.js';
import { personOf } from '../plugins/auth.js';

const instant = z.iso.datetime();
const task = z.object({
  id: z.string(),
  kind: z.string(),
  status: z.string(),
  orderId: z.string(),
  customerId: z.string(),
  customerName: z.string().nullable(),
  phone: z.string().nullable(),
  incident: z.string(),
  rule: z.string(),
  createdAt: instant,
  dueAt: instant.nullable().meta({ description: 'Of a call, within the hours of the customer' }),
  timeZone: z.string().nullable().meta({ description: 'The zone of the customer' }),
  talkingPoints: z.array(z.string()),
  outcome: z.string().nullable(),
  note: z.string().nullable(),
  completedAt: instant.nullable(),
  completedBy: z.string().nullable(),
});

/** Calls to make, and cases to look at. */
export async function taskRoutes(plain: FastifyInstance, { deps }: { deps: Deps }): Promise<void> {
  const app = plain.withTypeProvider<ZodTypeProvider>();

  app.get(
    '/v1/tasks',
    {
      schema: {
        tags: ['tasks'],
        summary: 'Calls to make and cases to look at, what is due first first',
        querystring: z.object({
          status: z.enum(['open', 'done']).default('open'),
          kind: z.enum(['call', 'case']).optional(),
          ...pageShape,
        }),
        response: { 200: listOf(task) },
      },
    },
    async (request) => {
      const { status, kind = null, after, limit } = request.query;
      const place = fromCursor(after);
      const cursor = place && { dueAt: place.at, id: place.id };
      return pageOf(await listTasks(deps.db.pool, { status, kind, after: cursor, limit: limit + 1 }), limit, {
        toJson,
        toCursor: ({ dueAt, id }) => toCursor([dueAt?.toISOString() ?? null, id]),
      });
    },
  );

  app.post(
    '/v1/tasks/:id/complete',
    {
      schema: {
        tags: ['tasks'],
        summary: 'Notes what came of a task',
        params: z.object({ id: z.uuid() }),
        body: z.object({ outcome: reasonSchema.trim().min(1, 'must not be empty'), note: reasonSchema.nullish() }),
        response: { 200: task },
      },
    },
    async (request) => {
      const { outcome, note = null } = request.body;
      return toJson(await completeTask(deps, request.params.id, personOf(request), { outcome, note }));
    },
  );
}

function toJson({ createdAt, dueAt, completedAt, talkingPoints, ...row }: Task): z.infer<typeof task> {
  return {
    ...row,
    talkingPoints: [...talkingPoints],
    createdAt: createdAt.toISOString(),
    dueAt: dueAt?.toISOString() ?? null,
    completedAt: completedAt?.toISOString() ?? null,
  };
}
