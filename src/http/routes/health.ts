import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { sampleAwards } from '../../awards/sample-awards.js';
import { readNow } from '../../db/now.js';
import type { Deps } from '../../deps.js';

/** GET /healthz, /readyz and /metrics: for whoever watches the process. */
export async function healthRoutes(app: FastifyInstance, { deps }: { deps: Deps }): Promise<void> {
  app.get(
    '/healthz',
    {
      schema: {
        tags: ['health'],
        summary: 'The process is alive',
        response: { 200: z.object({ status: z.literal('ok') }) },
      },
    },
    async () => ({ status: 'ok' as const }),
  );

  const readiness = z.object({
    status: z.enum(['ready', 'not ready']),
    parts: z.record(z.string(), z.object({ ok: z.boolean(), detail: z.string().nullable() })),
  });
  app.get(
    '/readyz',
    {
      schema: {
        tags: ['health'],
        summary: 'It can do its work, or which part cannot',
        response: { 200: readiness, 503: readiness },
      },
    },
    async (_request, reply) => {
      const [database, queue] = await Promise.all([
        check(() => readNow(deps.db.pool, deps.clock)),
        check(() => deps.queues.check()),
      ]);
      const parts = { database, queue };
      const ready = Object.values(parts).every((part) => part.ok);
      return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'not ready', parts });
    },
  );

  app.get(
    '/metrics',
    {
      schema: { tags: ['health'], summary: 'What this process counts, for Prometheus', response: { 200: z.string() } },
    },
    async (_request, reply) => {
      await sampleAwards(deps);
      const { registry } = deps.metrics;
      return reply.type(registry.contentType).send(await registry.metrics());
    },
  );
}

/** A part that does not answer within this is not ready. */
const CHECK_TIMEOUT_MS = 3_000;

async function check(work: () => Promise<unknown>): Promise<{ ok: boolean; detail: string | null }> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('does not answer')), CHECK_TIMEOUT_MS);
  });
  try {
    await Promise.race([work(), timeout]);
    return { ok: true, detail: null };
  } catch {
    // The reason may name hosts and users: it is in the log, not here.
    return { ok: false, detail: 'cannot be reached' };
  } finally {
    clearTimeout(timer);
  }
}
