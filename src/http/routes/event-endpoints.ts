import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { holdKey } from '../../awards/hold-key.js';
import type { Sql } from '../../db/database.js';
import { readNow } from '../../db/now.js';
import type { Deps } from '../../deps.js';
import { type Endpoint, listDeliveries, listEndpoints, loadEndpoint } from '../../events/endpoint-store.js';
import { EVENT_TYPES } from '../../events/event.js';
import {
  changeSettings,
  createEndpoint,
  endEndpoint,
  MOST_REPLAYED,
  noEndpoint,
  replay,
  rotate,
  sendTest,
} from '../../events/manage-endpoints.js';
import { fromDatedCursor, toCursor } from '../cursor.js';
import { listOf, pageOf, pageShape } from '../list.js';
import { personOf } from '../plugins/auth.js';
import { doOnce } from '../plugins/idempotency.js';

const instant = z.iso.datetime();
const params = z.object({ id: z.uuid() });

const url = z
  .string('must be text')
  .trim()
  .min(1, 'must not be empty')
  .max(2_000, 'must have at most 2000 characters')
  .meta({ description: 'http or https, better https; no private address', examples: ['https://shop.example/events'] });
const types = z
  .array(z.enum(EVENT_TYPES))
  .min(1, 'must name one type at least')
  .nullable()
  .meta({ description: 'Those it wants; null or left out: all' });
const description = z
  .string('must be text')
  .trim()
  .max(200, 'must have at most 200 characters')
  .regex(/^[^\p{Cc}\p{Surrogate}]*$/u, 'must not contain control characters')
  .nullable();

const endpointSchema = z.object({
  id: z.string(),
  url: z.string(),
  types: z.array(z.string()).nullable().meta({ description: 'null: all' }),
  description: z.string().nullable(),
  enabled: z.boolean(),
  createdAt: instant,
  pausedUntil: instant.nullable().meta({ description: 'Nothing is sent before: it fails, or is slow' }),
  secrets: z.int().meta({ description: 'How many secrets sign now: two after a rotation, until the old one ends' }),
  pending: z.int(),
  failed: z.int().meta({ description: 'Given up after three days, or ended' }),
  lastDeliveredAt: instant.nullable(),
});
const secret = z.string().nullable().meta({ description: '`whsec_…`, shown this once. null: it was shown before' });
const created = z.object({ id: z.string(), url: z.string(), types: z.array(z.string()).nullable(), secret });
const rotated = z.object({
  id: z.string(),
  secret,
  oldEndsAt: instant.meta({ description: 'Until then the secrets it had sign too' }),
});

/** A day for whoever changes a secret by hand. Shorter, and deliveries fail meanwhile; longer, and one that leaked signs on. */
const USUAL_OVERLAP_HOURS = 24;

/** Where events go: the shop's own systems. */
export async function eventEndpointRoutes(plain: FastifyInstance, { deps }: { deps: Deps }): Promise<void> {
  const app = plain.withTypeProvider<ZodTypeProvider>();
  const load = async (id: string): Promise<Endpoint> => {
    const endpoint = await loadEndpoint(deps.db.pool, id, await readNow(deps.db.pool, deps.clock));
    if (endpoint === null) throw noEndpoint();
    return endpoint;
  };

  app.post(
    '/v1/event-endpoints',
    {
      schema: {
        tags: ['events'],
        summary: 'Has events sent to a system of yours, as Standard Webhooks',
        description:
          'The secret is shown this once: the same request again, by its `Idempotency-Key`, answers `"secret": null`. What happened before is sent by `replay`.',
        body: z.object({ url, types: types.optional(), description: description.optional() }),
        response: { 201: created },
      },
    },
    (request, reply) =>
      doOnce<z.infer<typeof created>>(deps, request, reply, {
        status: 201,
        work: async (sql) => {
          const { body } = request;
          const settings = { url: body.url, types: body.types ?? [], description: body.description ?? null };
          const made = await createEndpoint(deps, sql, settings, await actorHeld(sql, request));
          const answer = { ...made, types: body.types ?? null };
          return { body: answer, kept: { ...answer, secret: null }, tickets: [] };
        },
      }),
  );

  app.get(
    '/v1/event-endpoints',
    {
      schema: {
        tags: ['events'],
        summary: 'Where events go, the newest first, without secrets',
        querystring: z.object(pageShape),
        response: { 200: listOf(endpointSchema) },
      },
    },
    async (request) => {
      const { after, limit } = request.query;
      const now = await readNow(deps.db.pool, deps.clock);
      const place = { after: fromDatedCursor(after), limit: limit + 1, now };
      return pageOf(await listEndpoints(deps.db.pool, place), limit, {
        toJson,
        toCursor: ({ createdAt, id }) => toCursor([createdAt.toISOString(), id]),
      });
    },
  );

  app.get(
    '/v1/event-endpoints/:id',
    {
      schema: { tags: ['events'], summary: 'One endpoint, and how it does', params, response: { 200: endpointSchema } },
    },
    async (request) => toJson(await load(request.params.id)),
  );

  app.patch(
    '/v1/event-endpoints/:id',
    {
      schema: {
        tags: ['events'],
        summary: 'Changes an endpoint',
        description:
          'Disabled, it gets nothing: what happens meanwhile is sent by `replay`, and what waited goes out when it is enabled again.',
        params,
        body: z.object({
          url: url.optional(),
          types: types.optional(),
          description: description.optional(),
          enabled: z.boolean('must be true or false').optional(),
        }),
        response: { 200: endpointSchema },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { types: wanted, ...rest } = request.body;
      const changes = { ...rest, types: wanted === undefined ? undefined : (wanted ?? []) };
      await deps.db.transaction(async (sql) => changeSettings(deps, sql, id, changes, await actorHeld(sql, request)));
      return toJson(await load(id));
    },
  );

  app.delete(
    '/v1/event-endpoints/:id',
    {
      schema: {
        tags: ['events'],
        summary: 'Removes an endpoint',
        description: 'What waits for it ends. Its secrets are deleted.',
        params,
        response: { 200: z.object({ id: z.string(), removed: z.literal(true) }) },
      },
    },
    async (request) => {
      const { id } = request.params;
      await deps.db.transaction(async (sql) => endEndpoint(deps, sql, id, await actorHeld(sql, request)));
      return { id, removed: true as const };
    },
  );

  app.post(
    '/v1/event-endpoints/:id/rotate-secret',
    {
      schema: {
        tags: ['events'],
        summary: 'Gives an endpoint a new secret',
        description: 'It is shown this once. The old one signs too until it ends, so that no delivery fails meanwhile.',
        params,
        body: z
          .object({
            overlapHours: z
              .number('must be a number')
              .min(0, 'must not be negative')
              .max(720, 'must be at most 720')
              .optional()
              .meta({ description: 'For so long the old secret signs too, 24 where nothing is said; 0: not at all' }),
          })
          .nullish(),
        response: { 201: rotated },
      },
    },
    (request, reply) =>
      doOnce<z.infer<typeof rotated>>(deps, request, reply, {
        status: 201,
        work: async (sql) => {
          const { id } = request.params;
          const overlapHours = request.body?.overlapHours ?? USUAL_OVERLAP_HOURS;
          const { secret: fresh, oldEndsAt } = await rotate(
            deps,
            sql,
            { id, overlapHours },
            await actorHeld(sql, request),
          );
          const answer = { id, secret: fresh, oldEndsAt: oldEndsAt.toISOString() };
          return { body: answer, kept: { ...answer, secret: null }, tickets: [] };
        },
      }),
  );

  app.post(
    '/v1/event-endpoints/:id/replay',
    {
      schema: {
        tags: ['events'],
        summary: 'Sends events of the log again',
        description: `Those it wants, under the same \`webhook-id\`, at most ${MOST_REPLAYED} at once: \`continueAfter\` is the \`after\` of the next request.`,
        params,
        body: z
          .object({
            after: z
              .int('must be a whole number')
              .min(0, 'must not be negative')
              .optional()
              .meta({ description: 'Those behind this `seq`' }),
            since: z.iso
              .datetime({ offset: true, error: 'must be an instant as 2026-11-29T00:00:00Z' })
              .optional()
              .meta({ description: 'Those from this instant on' }),
          })
          .refine((body) => (body.after === undefined) !== (body.since === undefined), {
            message: 'name one of after and since',
            path: ['after'],
          }),
        response: {
          202: z.object({
            replayed: z.int().meta({ description: 'What waits to be sent already is not among them' }),
            continueAfter: z.int().nullable().meta({ description: 'null: that was all' }),
          }),
        },
      },
    },
    (request, reply) =>
      doOnce(deps, request, reply, {
        status: 202,
        work: async (sql) => {
          const { after = null, since } = request.body;
          const from = { id: request.params.id, after, since: since === undefined ? null : new Date(since) };
          return { body: await replay(deps, sql, from, await actorHeld(sql, request)), tickets: [] };
        },
      }),
  );

  app.post(
    '/v1/event-endpoints/:id/test',
    {
      schema: {
        tags: ['events'],
        summary: 'Sends an event `makegood.test` to one endpoint',
        params,
        response: { 202: z.object({ eventId: z.string() }) },
      },
    },
    (request, reply) =>
      doOnce(deps, request, reply, {
        status: 202,
        work: async (sql) => {
          const eventId = await sendTest(deps, sql, request.params.id, await actorHeld(sql, request));
          return { body: { eventId }, tickets: [] };
        },
      }),
  );

  app.get(
    '/v1/event-endpoints/:id/deliveries',
    {
      schema: {
        tags: ['events'],
        summary: 'What was sent to an endpoint, or waits, the newest first',
        params,
        querystring: z.object({ ...pageShape, status: z.enum(['pending', 'delivered', 'failed']).optional() }),
        response: {
          200: listOf(
            z.object({
              id: z.string(),
              eventId: z.string().meta({ description: 'The `webhook-id`' }),
              seq: z.int(),
              type: z.string(),
              status: z.string(),
              attempts: z.int(),
              createdAt: instant,
              nextAt: instant.nullable().meta({ description: 'The next try; null: there is none' }),
              deliveredAt: instant.nullable(),
              lastStatus: z.int().nullable().meta({ description: 'null: no answer came' }),
              lastError: z.string().nullable(),
            }),
          ),
        },
      },
    },
    async (request) => {
      const { after, limit, status = null } = request.query;
      await load(request.params.id);
      const place = { status, after: fromDatedCursor(after), limit: limit + 1 };
      return pageOf(await listDeliveries(deps.db.pool, request.params.id, place), limit, {
        toJson: ({ createdAt, nextAt, deliveredAt, ...one }) => ({
          ...one,
          createdAt: createdAt.toISOString(),
          nextAt: one.status === 'pending' ? nextAt.toISOString() : null,
          deliveredAt: deliveredAt?.toISOString() ?? null,
        }),
        toCursor: ({ createdAt, id }) => toCursor([createdAt.toISOString(), id]),
      });
    },
  );
}

/** Who does it, whose key is held until it is done: one that is revoked meanwhile does nothing. */
async function actorHeld(sql: Sql, request: FastifyRequest): Promise<string> {
  const person = personOf(request);
  await holdKey(sql, person, { alone: false });
  return person.actor;
}

function toJson({ types: wanted, createdAt, pausedUntil, lastDeliveredAt, ...one }: Endpoint) {
  return {
    ...one,
    types: wanted.length === 0 ? null : [...wanted],
    createdAt: createdAt.toISOString(),
    pausedUntil: pausedUntil?.toISOString() ?? null,
    lastDeliveredAt: lastDeliveredAt?.toISOString() ?? null,
  };
}
