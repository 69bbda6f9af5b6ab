import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { readNow } from '../../db/now.js';
import type { Deps } from '../../deps.js';
import { reasonSchema } from '../../promises/order-document.js';
import { listTasks, type Task } from '../../promises/task-store.js';
import { assignTask, completeTask, isOverdue, postponeTask } from '../../promises/tasks.js';
import { instantSchema } from '../../promises/verdict-case.js';
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
  assignee: z
    .string()
    .nullable()
    .meta({ description: 'The name of the key of whoever has taken it; null: it is free' }),
  assigneeKeyId: z.string().nullable(),
  tries: z.int().meta({ description: 'How often nobody was reached' }),
  overdue: z.boolean().meta({ description: 'It should have been done by now' }),
  escalatedAt: instant.nullable().meta({ description: 'Since when it is overdue for so long that an alarm stands' }),
});
const params = z.object({ id: z.uuid() });

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
          assignee: z
            .union([z.enum(['me', 'none']), z.uuid().toLowerCase()])
            .optional()
            .meta({ description: '`me`, `none`: what nobody has taken, or the id of a key' }),
          escalated: z.enum(['true', 'false']).optional().meta({ description: '`true`: overdue for too long' }),
          ...pageShape,
        }),
        response: { 200: listOf(task) },
      },
    },
    async (request) => {
      const { status, kind = null, assignee = null, escalated, after, limit } = request.query;
      const place = fromCursor(after);
      const filter = {
        status,
        kind,
        assignee: assignee === 'me' ? personOf(request).keyId : assignee,
        escalated: escalated === undefined ? null : escalated === 'true',
        after: place && { dueAt: place.at, id: place.id },
        limit: limit + 1,
      };
      const now = await readNow(deps.db.pool, deps.clock);
      return pageOf(await listTasks(deps.db.pool, filter), limit, {
        toJson: (found) => toJson(found, now),
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
        params,
        body: z.object({ outcome: reasonSchema.trim().min(1, 'must not be empty'), note: reasonSchema.nullish() }),
        response: { 200: task },
      },
    },
    async (request) => {
      const { outcome, note = null } = request.body;
      const done = await completeTask(deps, request.params.id, personOf(request), { outcome, note });
      return toJson(done, await readNow(deps.db.pool, deps.clock));
    },
  );

  app.post(
    '/v1/tasks/:id/assign',
    {
      schema: {
        tags: ['tasks'],
        summary: 'Takes a task, gives it to somebody, or gives it back',
        description:
          'Without an assignee, whoever asks takes what is free. Only a supervisor gives a task to somebody else, or takes it from somebody.',
        params,
        body: z
          .object({
            assignee: z
              .uuid()
              .toLowerCase()
              .nullish()
              .meta({ description: 'The id of a key; null: nobody; left out: whoever asks' }),
          })
          .nullish(),
        response: { 200: task },
      },
    },
    async (request) => {
      const assigned = await assignTask(deps, request.params.id, personOf(request), request.body?.assignee);
      return toJson(assigned, await readNow(deps.db.pool, deps.clock));
    },
  );

  app.post(
    '/v1/tasks/:id/postpone',
    {
      schema: {
        tags: ['tasks'],
        summary: 'Notes that nobody was reached, and puts the task off',
        description: 'The next try is due an hour later or more; that of a call, within the hours of the customer.',
        params,
        body: z
          .object({
            note: reasonSchema.nullish().meta({ description: 'For whoever tries next' }),
            notBefore: instantSchema.nullish().meta({ description: 'At most 14 days ahead' }),
          })
          .nullish(),
        response: { 200: task },
      },
    },
    async (request) => {
      const { note = null, notBefore = null } = request.body ?? {};
      const postponed = await postponeTask(deps, request.params.id, personOf(request), { note, notBefore });
      return toJson(postponed, await readNow(deps.db.pool, deps.clock));
    },
  );
}

function toJson(found: Task, now: Date): z.infer<typeof task> {
  const { createdAt, dueAt, completedAt, escalatedAt, talkingPoints, ...row } = found;
  return {
    ...row,
    overdue: isOverdue(found, now),
    escalatedAt: escalatedAt?.toISOString() ?? null,
    talkingPoints: [...talkingPoints],
    createdAt: createdAt.toISOString(),
    dueAt: dueAt?.toISOString() ?? null,
    completedAt: completedAt?.toISOString() ?? null,
  };
}
