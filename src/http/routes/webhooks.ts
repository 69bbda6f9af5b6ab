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
  // Whatever type the sender names, the bytes stay as they came: a signature is over bytes.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: BODY_LIMIT }, (_request, body, done) =>
    done(null, body),
  );

  app.post<{ Params: { source: string } }>(
    '/webhooks/:source',
    {
      bodyLimit: BODY_LIMIT,
      config: { role: 'public' },
      schema: {
        tags: ['webhooks'],
        summary: 'A carrier or aggregator reports scans',
        description:
          'Signed by the sender as its documentation says. `accepted` scans were new, `duplicates` were known.',
        params: z.object({ source: z.string() }),
        response: { 200: z.object({ accepted: z.int(), duplicates: z.int() }) },
      },
      // Before the body is read: a source that is not there must not be sent a megabyte first.
      onRequest: async (request) => {
        const { source } = request.params as { source: string };
        if (!findCarrier(source) || !deps.config.webhookSecrets.has(source)) {
          throw new AppError('not_found', 'There is no webhook for this source, or its secret is not configured.');
        }
        // Also a type that is none, or empty: Fastify would refuse it before anybody looked at the signature.
        request.raw.headers['content-type'] = 'application/octet-stream';
      },
    },
    async (request) => {
      const rawBody = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      return receive(request.params.source, { rawBody, headers: request.headers });
    },
  );
}
