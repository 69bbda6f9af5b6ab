import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { recordAudit } from '../../db/audit-store.js';
import { readNow } from '../../db/now.js';
import type { Deps } from '../../deps.js';
import { AppError } from '../../errors.js';
import { deliverable } from '../../messages/address.js';
import { recordBounce } from '../../messages/bounces.js';
import {
  addSuppression,
  listSuppressions,
  removeSuppression,
  SUPPRESSION_SCOPES,
  type Suppression,
} from '../../messages/suppression-store.js';
import { fromDatedCursor, toCursor } from '../cursor.js';
import { listOf, pageOf, pageShape } from '../list.js';
import { personOf } from '../plugins/auth.js';
import { doOnce } from '../plugins/idempotency.js';

const email = z
  .string('must be text')
  .refine((value) => deliverable(value) !== null, 'must be exactly one mail address, as ann@example.com');
const scope = z.enum(SUPPRESSION_SCOPES).meta({
  description:
    '`all`: nothing is sent there. `service`: no letter that one may do without (confirmed, shipped, at risk).',
});
const suppression = z.object({
  id: z.string(),
  email: z.string(),
  scope,
  reason: z.enum(['refused', 'bounced', 'unsubscribed', 'by_hand']),
  detail: z.string().nullable().meta({ description: 'What a server said, or what a person wrote' }),
  createdAt: z.iso.datetime(),
  createdBy: z.string(),
});

const toJson = ({ address, createdAt, ...rest }: Suppression): z.infer<typeof suppression> => ({
  ...rest,
  email: address,
  createdAt: createdAt.toISOString(),
});

/** Addresses that nothing is sent to, and what mail servers send back about letters. */
export async function suppressionRoutes(plain: FastifyInstance, { deps }: { deps: Deps }): Promise<void> {
  const app = plain.withTypeProvider<ZodTypeProvider>();
  app.addContentTypeParser('message/rfc822', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

  app.get(
    '/v1/suppressions',
    {
      schema: {
        tags: ['letters'],
        summary: 'Addresses that nothing is sent to, the newest first',
        querystring: z.object({ ...pageShape, email: email.optional() }),
        response: { 200: listOf(suppression) },
      },
    },
    async (request) => {
      const { after, limit, email: address = null } = request.query;
      const query = { after: fromDatedCursor(after), limit: limit + 1, address };
      return pageOf(await listSuppressions(deps.db.pool, query), limit, {
        toJson,
        toCursor: ({ createdAt, id }) => toCursor([createdAt.toISOString(), id]),
      });
    },
  );

  app.post(
    '/v1/suppressions',
    {
      schema: {
        tags: ['letters'],
        summary: 'Puts an address on the list',
        description: 'One that is on it already stays as it is. Letters that wait for it are kept back.',
        body: z.object({ email, scope: scope.default('all'), reason: z.string().trim().min(1).max(500) }),
        response: { 201: suppression },
      },
    },
    (request, reply) =>
      doOnce<z.infer<typeof suppression>>(deps, request, reply, {
        status: 201,
        work: async (sql) => {
          const { actor } = personOf(request);
          const { email: address, scope, reason: detail } = request.body;
          const now = await readNow(sql, deps.clock);
          const { entry, isNew } = await addSuppression(sql, {
            address,
            scope,
            reason: 'by_hand',
            detail,
            createdAt: now,
            createdBy: actor,
          });
          const details = { scope, reason: entry.reason };
          if (isNew)
            await recordAudit(sql, {
              at: now,
              actor,
              action: 'suppression.add',
              subject: entry.id,
              reason: detail,
              details,
            });
          return { body: toJson(entry), tickets: [] };
        },
      }),
  );

  app.delete(
    '/v1/suppressions/:id',
    {
      schema: {
        tags: ['letters'],
        summary: 'Takes an address off the list',
        description: 'Letters that were kept back stay so; each can be sent again.',
        params: z.object({ id: z.uuid() }),
        body: z.object({ reason: z.string().trim().min(1).max(500) }),
        response: { 200: z.object({ id: z.string(), removed: z.literal(true) }) },
      },
    },
    async (request) => {
      const { actor } = personOf(request);
      const id = request.params.id.toLowerCase();
      await deps.db.transaction(async (sql) => {
        const removed = await removeSuppression(sql, id);
        if (removed === null) throw new AppError('not_found', 'There is no such entry on the list.');
        const { scope, reason: because } = removed;
        const entry = { at: await readNow(sql, deps.clock), actor, action: 'suppression.remove', subject: id };
        await recordAudit(sql, { ...entry, reason: request.body.reason, details: { scope, reason: because } });
      });
      return { id, removed: true as const };
    },
  );

  app.post(
    '/v1/bounces',
    {
      schema: {
        tags: ['letters'],
        summary: 'A mail that came back',
        description:
          'The report of a mail server as it came (`Content-Type: message/rfc822`, RFC 3464). The letter that it names is marked `bounced`; where there is nobody at the address, nothing is sent there any more.',
        consumes: ['message/rfc822'],
        response: {
          200: z.object({
            outcome: z.enum(['bounced', 'delivered', 'ignored']).meta({
              description: '`ignored`: it says nothing final, or of no letter of ours',
            }),
            messageId: z.string().nullable(),
            suppressed: z.boolean(),
          }),
        },
      },
    },
    async (request) => {
      if (!Buffer.isBuffer(request.body)) {
        throw new AppError('invalid_request', 'Send the report itself, with Content-Type: message/rfc822.');
      }
      return recordBounce(deps, request.body, personOf(request).actor);
    },
  );
}
