import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type AwardView, listQueue, loadAwardViews } from '../../awards/queue-view-store.js';
import {
  type BatchPreview,
  decideBatch,
  previewBatch,
  previewBreaker,
  resetBreaker,
} from '../../awards/review-batch.js';
import { loadLastTrip } from '../../awards/review-batch-store.js';
import type { Deps } from '../../deps.js';
import { loadFirstContacts } from '../../promises/before-contact-store.js';
import { instantSchema } from '../../promises/verdict-case.js';
import { awardToJson, awardViewSchema, requiredReasonSchema } from '../award-view.js';
import { fromCursor, toCursor } from '../cursor.js';
import { listOf, pageOf, pageShape } from '../list.js';
import { personOf } from '../plugins/auth.js';

const status = z.enum(['held', 'awaiting_approval', 'failed']);
const word = z
  .string()
  .min(1)
  .max(100)
  .regex(/^\P{Cc}*$/u, 'must not contain control characters');
const totals = z.record(z.string(), z.int()).meta({ description: 'Minor units by currency; months, points, parcels' });
const preview = z.object({
  count: z.int(),
  totals,
  sample: z.array(awardViewSchema).meta({ description: 'Ten of them, the largest amounts first' }),
  own: z.int().meta({ description: 'Proposed by the key that asks, and left out of an approval' }),
  unnamed: z.int().meta({ description: 'Without an amount yet, and left out of an approval' }),
  more: z.boolean().meta({ description: 'There are more than one batch takes' }),
  token: z.string(),
});
const instant = z.iso.datetime();

/** What waits for a person, together: the queues, decisions on many with a preview, and the breaker. */
export async function approvalRoutes(plain: FastifyInstance, { deps }: { deps: Deps }): Promise<void> {
  const app = plain.withTypeProvider<ZodTypeProvider>();
  const contactsOf = (awards: readonly AwardView[]) =>
    loadFirstContacts(
      deps.db.pool,
      awards.map(({ orderId }) => orderId),
    );
  const withSample = async ({ sample, ...rest }: BatchPreview, keyId: string) => {
    const awards = await loadAwardViews(deps.db.pool, sample);
    const contacts = await contactsOf(awards);
    return {
      ...rest,
      totals: { ...rest.totals },
      sample: awards.map((award) => awardToJson(award, keyId, contacts)),
    };
  };

  app.get(
    '/v1/approvals',
    {
      schema: {
        tags: ['approvals'],
        summary: 'What waits for a person, the oldest first',
        querystring: z.object({
          status: status.default('awaiting_approval'),
          stoppedBy: word.optional(),
          ...pageShape,
        }),
        response: { 200: listOf(awardViewSchema) },
      },
    },
    async (request) => {
      const { after, limit, stoppedBy = null, status: wanted } = request.query;
      const { keyId } = personOf(request);
      const filter = { status: wanted, stoppedBy, after: fromCursor(after), limit: limit + 1 };
      const awards = await listQueue(deps.db.pool, filter);
      const contacts = await contactsOf(awards);
      return pageOf(awards, limit, {
        toJson: (award) => awardToJson(award, keyId, contacts),
        toCursor: ({ decidedAt, id }) => toCursor([decidedAt.toISOString(), id]),
      });
    },
  );

  app.post(
    '/v1/approvals/preview',
    {
      schema: {
        tags: ['approvals'],
        summary: 'What deciding on many would come to',
        description: 'Changes nothing. The token binds the decision to exactly these awards as they are.',
        body: z.object({
          filter: z.object({
            status: status.default('awaiting_approval'),
            stoppedBy: word.nullish(),
            rule: word.nullish(),
            before: instantSchema.nullish(),
          }),
          decision: z.enum(['approve', 'decline']),
        }),
        response: { 200: preview },
      },
    },
    async (request) => {
      const { filter, decision } = request.body;
      const person = personOf(request);
      const wanted = {
        status: filter.status,
        stoppedBy: filter.stoppedBy ?? null,
        rule: filter.rule ?? null,
        before: filter.before ? new Date(filter.before) : null,
      };
      return withSample(await previewBatch(deps, person, decision, wanted), person.keyId);
    },
  );

  app.post(
    '/v1/approvals',
    {
      schema: {
        tags: ['approvals'],
        summary: 'Decides on exactly what was previewed',
        description: '409 when anything of it has changed since, and then nothing is decided.',
        body: z.object({ token: z.string().min(1).max(5_000), reason: requiredReasonSchema }),
        response: { 200: z.object({ decided: z.int(), own: z.int(), unnamed: z.int(), totals }) },
      },
    },
    async (request) => {
      const answer = await decideBatch(deps, personOf(request), request.body);
      return { ...answer, totals: { ...answer.totals } };
    },
  );

  app.get(
    '/v1/breaker',
    {
      schema: {
        tags: ['approvals'],
        summary: 'Whether money is stopped, since when, and why',
        response: {
          200: z.object({
            open: z.boolean(),
            since: instant.nullable(),
            why: z.string().nullable(),
            counts: z
              .object({ settled: z.int(), late: z.int(), usualSettled: z.int(), usualLate: z.int() })
              .nullable()
              .meta({
                description: 'Orders found kept or broken, and late of them: in the last hour then, and usually',
              }),
            policyVersion: z.int().nullable(),
            lastResetAt: instant.nullable(),
            lastResetBy: z.string().nullable(),
            lastResetReason: z.string().nullable(),
          }),
        },
      },
    },
    async () => {
      const trip = await loadLastTrip(deps.db.pool);
      const open = trip !== null && trip.resetAt === null ? trip : null;
      return {
        open: open !== null,
        since: open?.trippedAt.toISOString() ?? null,
        why:
          open &&
          `${open.late} of ${open.settled} orders were late in the hour before, where usually ${open.usualLate} of ${open.usualSettled} are.`,
        counts: open && {
          settled: open.settled,
          late: open.late,
          usualSettled: open.usualSettled,
          usualLate: open.usualLate,
        },
        policyVersion: open?.policyVersion ?? null,
        lastResetAt: trip?.resetAt?.toISOString() ?? null,
        lastResetBy: trip?.resetBy ?? null,
        lastResetReason: trip?.resetReason ?? null,
      };
    },
  );

  app.post(
    '/v1/breaker/preview',
    {
      schema: {
        tags: ['approvals'],
        summary: 'What releasing, or declining, all that the breaker holds would come to',
        body: z.object({ release: z.boolean() }),
        response: { 200: preview },
      },
    },
    async (request) => {
      const person = personOf(request);
      return withSample(await previewBreaker(deps, person, request.body.release), person.keyId);
    },
  );

  app.post(
    '/v1/breaker/reset',
    {
      schema: {
        tags: ['approvals'],
        summary: 'Resets the breaker, and releases or declines what it holds',
        description:
          'Exactly what was previewed. What something else stops as well goes on waiting for that; what was stopped after the preview stays held.',
        body: z.object({ release: z.boolean(), reason: requiredReasonSchema, token: z.string().min(1).max(5_000) }),
        response: {
          200: z.object({
            decided: z.int(),
            goingOn: z.int().meta({ description: 'Of the released, how many nothing else stops' }),
            totals,
          }),
        },
      },
    },
    async (request) => {
      const answer = await resetBreaker(deps, personOf(request), request.body);
      return { ...answer, totals: { ...answer.totals } };
    },
  );
}
