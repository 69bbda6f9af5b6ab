import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { findCarrier } from '../../carriers/registry.js';
import type { Deps } from '../../deps.js';
import { AppError } from '../../errors.js';
import { createReceiveWebhook } from '../../inbox/receive-webhook.js';

/** A real webhook has some kilobytes. */
const BODY_LIMIT = 1024 * 1024;

/** POST /webhooks/{source}: carriers report scans. Verified over the raw bytes, answered when durable. */
export async function webhookRoutes(app: FastifyInstance, { deps }: { deps: Deps }): Promise<void> {
  const receive = createReceiveWebhook(deps);
  const isConfigured = (source: string): boolean =>
    findCarrier(source) !== null && deps.config.webhookSecrets.has(source);
  // Whatever type the sender names, the bytes stay as they came: a signature is over bytes.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: BODY_LIMIT }, (_request, body, done) =>
    done(null, body),
  );

  app.post<{ Params: { source: string } }>(
    '/webhooks/:source',
    {
      bodyLimit: BODY_LIMIT,
      schema: {
        tags: ['webhooks'],
        summary: 'A carrier or aggregator reports scans',
        description:
          'Signed by the sender as its documentation says. `accepted` scans were new, `duplicates` were known.',
        params: z.object({ source: z.string() }),
        response: { 200: z.object({ accepted: z.int(), duplicates: z.int() }) },
      },
      // Before the body is read: a source that is not there must not be sent a megabyte first.
      onRequest: async (request, reply) => {
        const { source } = request.params as { source: string };
        if (!isConfigured(source)) throw notConfigured();
        await app.rateLimits.ofSender(request, reply);
        // Also a type that is none, or empty: Fastify would refuse it before anybody looked at the signature.
        request.raw.headers['content-type'] = 'application/octet-stream';
      },
    },
    async (request) => {
      const rawBody = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      return receive(request.params.source, { rawBody, headers: request.headers });
    },
  );

  // Some sources ask whether the address is there before they send anything to it.
  app.head<{ Params: { source: string } }>('/webhooks/:source', { schema: { hide: true } }, async (request, reply) => {
    const { source } = request.params;
    if (!isConfigured(source) || !findCarrier(source)?.answersHead) throw notConfigured();
    return reply.code(200).send();
  });
}

function notConfigured(): AppError {
  return new AppError('not_found', 'There is no webhook for this source, or its secret is not configured.');
}
