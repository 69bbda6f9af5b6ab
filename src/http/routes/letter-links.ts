import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { recordAudit } from '../../db/audit-store.js';
import { readNow } from '../../db/now.js';
import type { Deps } from '../../deps.js';
import { AppError } from '../../errors.js';
import { recordAnswer, showLinkedLetter } from '../../messages/answers.js';
import { addSuppression } from '../../messages/suppression-store.js';
import {
  answerQuestionPage,
  answerThanksPage,
  unknownLinkPage,
  unsubscribedPage,
  unsubscribePage,
  WORDS_LENGTH,
} from '../pages/letter-pages.js';
import { PAGE_HEADERS } from '../pages/page.js';

const token = z.string().max(200);
const choice = z.enum(['yes', 'no']);
const answerForm = z.object({
  answer: choice,
  // A browser counts a line end as one character and sends two.
  words: z
    .string()
    .transform((text) => text.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim())
    .pipe(z.string().max(WORDS_LENGTH))
    .optional(),
});

/**
 * The pages behind the links of letters, for customers: no login, the link is what proves it. Opening one changes nothing, because
 * programs that check mails open every link; what changes something is the button.
 */
export async function letterLinkRoutes(plain: FastifyInstance, { deps }: { deps: Deps }): Promise<void> {
  const app = plain.withTypeProvider<ZodTypeProvider>();
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => {
    done(null, Object.fromEntries(new URLSearchParams(String(body))));
  });
  // Mail programs send the button of List-Unsubscribe-Post (RFC 8058) in one of two ways.
  app.addContentTypeParser('multipart/form-data', { parseAs: 'string' }, (_request, _body, done) =>
    done(null, undefined),
  );

  /** A link that is none is answered to a person, and counted: nobody finds one by trying. */
  const page = async (request: FastifyRequest, reply: FastifyReply, make: () => Promise<string>) => {
    reply.headers(PAGE_HEADERS);
    await request.server.rateLimits.afterWrongKeys(request, reply);
    try {
      return await make();
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'not_found') throw error;
      await request.server.rateLimits.ofWrongKeys(request, reply);
      reply.code(404);
      return unknownLinkPage(request.headers['accept-language']);
    }
  };

  app.get(
    '/answers/:token/:answer',
    { schema: { hide: true, params: z.object({ token, answer: choice }) } },
    (request, reply) =>
      page(request, reply, async () => {
        const letter = await showLinkedLetter(deps, 'answer', request.params.token);
        return answerQuestionPage(letter, request.params.answer);
      }),
  );

  app.post(
    '/answers/:token/:answer',
    { schema: { hide: true, params: z.object({ token, answer: choice }), body: answerForm } },
    (request, reply) =>
      page(request, reply, async () => {
        const { answer, words } = request.body;
        await request.server.rateLimits.ofLink(request, reply);
        const letter = await recordAnswer(deps, request.params.token, { answer, words: words || null });
        return answerThanksPage(letter, answer);
      }),
  );

  app.get('/unsubscribe/:token', { schema: { hide: true, params: z.object({ token }) } }, (request, reply) =>
    page(request, reply, async () =>
      unsubscribePage(await showLinkedLetter(deps, 'unsubscribe', request.params.token)),
    ),
  );

  app.post('/unsubscribe/:token', { schema: { hide: true, params: z.object({ token }) } }, (request, reply) =>
    page(request, reply, async () => {
      const letter = await showLinkedLetter(deps, 'unsubscribe', request.params.token);
      await deps.db.transaction(async (sql) => {
        const now = await readNow(sql, deps.clock);
        const { entry, isNew } = await addSuppression(sql, {
          address: letter.toAddress,
          scope: 'service',
          reason: 'unsubscribed',
          detail: null,
          createdAt: now,
          createdBy: 'customer',
        });
        if (!isNew) return;
        const details = { scope: entry.scope, reason: entry.reason };
        await recordAudit(sql, {
          at: now,
          actor: 'customer',
          action: 'suppression.add',
          subject: entry.id,
          reason: null,
          details,
        });
      });
      return unsubscribedPage(letter);
    }),
  );
}
