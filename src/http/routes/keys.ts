import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { addKey, endKey, listKeyPage, lockGoodKeys } from '../../auth/key-store.js';
import { ROLES } from '../../auth/roles.js';
import { holdKey } from '../../awards/hold-key.js';
import type { Deps } from '../../deps.js';
import { AppError } from '../../errors.js';
import { fromDatedCursor, toCursor } from '../cursor.js';
import { listOf, pageOf, pageShape } from '../list.js';
import { personOf } from '../plugins/auth.js';
import { doOnce } from '../plugins/idempotency.js';

const instant = z.iso.datetime();
const name = z
  .string('must be text')
  .trim()
  .min(1, 'must not be empty')
  .max(100, 'must have at most 100 characters')
  .regex(/^[^\p{Cc}\p{Surrogate}]*$/u, 'must not contain control characters')
  .meta({ description: 'Whose it is: the audit names its deeds by it', examples: ['Desk 7'] });

const createdKey = z.object({
  id: z.string(),
  key: z.string().nullable().meta({ description: 'null: it was shown before' }),
  role: z.enum(ROLES),
  name: z.string(),
});

/** API keys: made, listed without their values, revoked. */
export async function keyRoutes(plain: FastifyInstance, { deps }: { deps: Deps }): Promise<void> {
  const app = plain.withTypeProvider<ZodTypeProvider>();

  app.get(
    '/v1/keys',
    {
      schema: {
        tags: ['keys'],
        summary: 'All API keys, the newest first, without their values',
        querystring: z.object(pageShape),
        response: {
          200: listOf(
            z.object({
              id: z.string(),
              role: z.string(),
              name: z.string(),
              createdAt: instant,
              revokedAt: instant.nullable().meta({ description: 'null: it is good' }),
            }),
          ),
        },
      },
    },
    async (request) => {
      const { after, limit } = request.query;
      return pageOf(await listKeyPage(deps.db.pool, { after: fromDatedCursor(after), limit: limit + 1 }), limit, {
        toJson: ({ createdAt, revokedAt, ...key }) => ({
          ...key,
          createdAt: createdAt.toISOString(),
          revokedAt: revokedAt?.toISOString() ?? null,
        }),
        toCursor: ({ createdAt, id }) => toCursor([createdAt.toISOString(), id]),
      });
    },
  );

  app.post(
    '/v1/keys',
    {
      schema: {
        tags: ['keys'],
        summary: 'Makes an API key',
        description:
          'Its value is shown this once and stored nowhere: the same request again, by its `Idempotency-Key`, answers `"key": null`.',
        body: z.object({ role: z.enum(ROLES), name }),
        response: {
          201: createdKey,
        },
      },
    },
    (request, reply) =>
      doOnce<z.infer<typeof createdKey>>(deps, request, reply, {
        status: 201,
        work: async (sql) => {
          const person = personOf(request);
          await holdKey(sql, person, { alone: false });
          const created = await addKey(sql, { ...request.body, actor: person.actor });
          return { body: created, kept: { ...created, key: null }, tickets: [] };
        },
      }),
  );

  app.post(
    '/v1/keys/:id/revoke',
    {
      schema: {
        tags: ['keys'],
        summary: 'Revokes an API key',
        description: 'From then on it is refused. Nobody revokes the key they are using: 409.',
        params: z.object({ id: z.uuid() }),
        response: { 200: z.object({ id: z.string(), revoked: z.literal(true) }) },
      },
    },
    async (request) => {
      const { keyId, actor } = personOf(request);
      const id = request.params.id.toLowerCase();
      if (id === keyId)
        throw new AppError('key_in_use', 'This is the key that you are using. Revoke it with another one.');
      await deps.db.transaction(async (sql) => {
        if (!(await lockGoodKeys(sql, [keyId, id])).has(keyId))
          throw new AppError('unauthenticated', 'This API key was revoked just now.');
        await endKey(sql, id, actor);
      });
      return { id, revoked: true as const };
    },
  );
}
