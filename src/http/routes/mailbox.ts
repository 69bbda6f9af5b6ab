import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Deps } from '../../deps.js';
import { TEMPLATE_NAMES } from '../../messages/letter.js';
import { renderLetter } from '../../messages/render.js';
import { sampleLetter } from '../../messages/samples.js';
import { LANGUAGES } from '../../messages/text-rules.js';
import { packageRoot } from '../../package-root.js';

/**
 * What a browser may do on this page: load what this server has, and ask this server. A letter is shown in a frame that takes
 * over these rules and can run nothing; its styles stand in its elements.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "connect-src 'self'",
  "frame-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const FILES = {
  '/mailbox': { file: 'mailbox.html', type: 'text/html; charset=utf-8' },
  '/mailbox/mailbox.css': { file: 'mailbox.css', type: 'text/css; charset=utf-8' },
  '/mailbox/mailbox.js': { file: 'mailbox.js', type: 'text/javascript; charset=utf-8' },
} as const;

/**
 * GET /mailbox: letters to look at. The page itself and the samples, whose facts are invented, are open to everybody; what was
 * written to customers is asked for with the key of whoever looks.
 */
export async function mailboxRoutes(plain: FastifyInstance, { deps }: { deps: Deps }): Promise<void> {
  const app = plain.withTypeProvider<ZodTypeProvider>();
  app.addHook('onSend', async (_request, reply) => {
    reply.header('x-content-type-options', 'nosniff');
    reply.header('referrer-policy', 'no-referrer');
    reply.header('content-security-policy', CONTENT_SECURITY_POLICY);
  });

  for (const [path, { file, type }] of Object.entries(FILES)) {
    const content = readFileSync(join(packageRoot(), 'src', 'http', 'pages', file));
    app.get(path, { schema: { hide: true } }, async (_request, reply) => reply.type(type).send(content));
  }

  app.get('/mailbox/samples', { schema: { hide: true } }, async () => ({
    languages: LANGUAGES.map((code) => ({ code, name: new Intl.DisplayNames(code, { type: 'language' }).of(code) })),
    samples: TEMPLATE_NAMES,
  }));

  const params = z.object({ language: z.enum(LANGUAGES), template: z.enum(TEMPLATE_NAMES) });
  app.get('/mailbox/samples/:language/:template', { schema: { hide: true, params } }, async (request) => {
    const { language, template } = request.params;
    return renderLetter(sampleLetter(template, language), deps.texts);
  });
}
