import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Deps } from '../../deps.js';
import { AppError } from '../../errors.js';
import { TEMPLATE_NAMES } from '../../messages/letter.js';
import { type LetterView, listLetters, loadLetter, MESSAGE_STATUSES } from '../../messages/letter-view-store.js';
import {
  type LetterRequest,
  releaseLetter,
  resendLetter,
  settleUnknownLetter,
  withdrawLetter,
} from '../../messages/review-letters.js';
import { renderedOf } from '../../messages/write-letters.js';
import { shopIdSchema } from '../../promises/order-document.js';
import { requiredReasonSchema } from '../award-view.js';
import { fromDatedCursor, toCursor } from '../cursor.js';
import { listOf, pageOf, pageShape } from '../list.js';
import { personOf } from '../plugins/auth.js';

const instant = z.iso.datetime();
const message = z.object({
  id: z.string(),
  orderId: z.string(),
  customerId: z.string(),
  template: z.string(),
  subject: z.string().nullable(),
  status: z.enum(MESSAGE_STATUSES).meta({
    description:
      '`held`: waits for a person; `unknown`: handed over, and the answer was lost; `suppressed`: what it tells of is no longer so, or the customer has no address; `withdrawn`: by a person, or because it was no longer true or no news any more',
  }),
  to: z.string(),
  messageId: z.string(),
  attempts: z.int(),
  createdAt: instant,
  sendAfter: instant.nullable().meta({ description: 'Not before: it waits for the morning, or for its turn' }),
  handoverAt: instant.nullable().meta({ description: 'When the mail server began to take it last' }),
  sentAt: instant.nullable(),
  resentAt: instant.nullable().meta({ description: 'Since when a copy is wanted' }),
  response: z.string().nullable().meta({ description: 'What the mail server said last, or why it is held or ended' }),
  answer: z.enum(['yes', 'no']).nullable(),
});
const messageInFull = message.extend({ subject: z.string(), text: z.string(), html: z.string() });
const params = z.object({ id: z.uuid() });
const body = z.object({ reason: requiredReasonSchema });

/** Letters: what was written, how far each got, and what people decide about those that wait for one. */
export async function messageRoutes(plain: FastifyInstance, { deps }: { deps: Deps }): Promise<void> {
  const app = plain.withTypeProvider<ZodTypeProvider>();
  const inFull = async (id: string): Promise<z.infer<typeof messageInFull>> => {
    const found = await loadLetter(deps.db.pool, id);
    if (!found) throw new AppError('not_found', 'There is no letter with this id.');
    return { ...toJson(found.view), ...renderedOf(found, deps.texts) };
  };
  const decide =
    (act: (deps: Deps, id: string, request: LetterRequest) => Promise<void>) =>
    async (request: FastifyRequest<{ Params: { id: string }; Body: { reason: string } }>) => {
      await act(deps, request.params.id, { person: personOf(request), reason: request.body.reason });
      return inFull(request.params.id);
    };

  app.get(
    '/v1/messages',
    {
      schema: {
        tags: ['messages'],
        summary: 'Letters, the newest first',
        querystring: z.object({
          status: z.enum(MESSAGE_STATUSES).optional(),
          orderId: shopIdSchema.optional(),
          template: z.enum(TEMPLATE_NAMES).optional(),
          ...pageShape,
        }),
        response: { 200: listOf(message) },
      },
    },
    async (request) => {
      const { status = null, orderId = null, template = null, after, limit } = request.query;
      const filter = { status, orderId, template, after: fromDatedCursor(after), limit: limit + 1 };
      return pageOf(await listLetters(deps.db.pool, filter), limit, {
        toJson,
        toCursor: ({ createdAt, id }) => toCursor([createdAt.toISOString(), id]),
      });
    },
  );

  app.get(
    '/v1/messages/:id',
    {
      schema: {
        tags: ['messages'],
        summary: 'One letter, as it was written',
        params,
        response: { 200: messageInFull },
      },
    },
    (request) => inFull(request.params.id),
  );

  app.post(
    '/v1/messages/:id/release',
    {
      schema: {
        tags: ['messages'],
        summary: 'Lets a letter go that is held',
        params,
        body,
        response: { 200: messageInFull },
      },
    },
    decide(releaseLetter),
  );

  app.post(
    '/v1/messages/:id/withdraw',
    {
      schema: {
        tags: ['messages'],
        summary: 'Ends a letter that has not arrived, for good',
        description: 'What it tells of counts as told: no other letter tells of it.',
        params,
        body,
        response: { 200: messageInFull },
      },
    },
    decide(withdrawLetter),
  );

  app.post(
    '/v1/messages/:id/resend',
    {
      schema: {
        tags: ['messages'],
        summary: 'Sends a letter again that may not have arrived',
        description: 'The same letter under the same Message-ID. Only one that is `unknown`, `failed` or `bounced`.',
        params,
        body,
        response: { 200: messageInFull },
      },
    },
    decide(resendLetter),
  );

  app.post(
    '/v1/messages/:id/settle',
    {
      schema: {
        tags: ['messages'],
        summary: 'Says what became of a letter of which nobody knew',
        params,
        body: body.extend({ outcome: z.enum(['arrived', 'lost']) }),
        response: { 200: messageInFull },
      },
    },
    async (request) => {
      await settleUnknownLetter(deps, request.params.id, { person: personOf(request), ...request.body });
      return inFull(request.params.id);
    },
  );
}

function toJson({ tellsOf: _, ...letter }: LetterView): z.infer<typeof message> {
  return {
    ...letter,
    createdAt: letter.createdAt.toISOString(),
    sendAfter: letter.sendAfter?.toISOString() ?? null,
    handoverAt: letter.handoverAt?.toISOString() ?? null,
    sentAt: letter.sentAt?.toISOString() ?? null,
    resentAt: letter.resentAt?.toISOString() ?? null,
  };
}
