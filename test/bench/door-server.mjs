/**
 * A server that takes webhooks, in a process of its own. `product`: the HTTP interface as `npm run server` starts it. The others are
 * Fastify with this one route: both check the signature; `insert` then stores the webhook with a statement of its own, which
 * knows it again by its bytes; `parse` reads it strictly and stores nothing.
 */
import { fastify } from 'fastify';
import { deliveryKeyOf } from '../../dist/src/carriers/matching.js';
import { findCarrier } from '../../dist/src/carriers/registry.js';
import { readConfig } from '../../dist/src/config.js';
import { startServer } from '../../dist/src/http/start-server.js';
import { newId } from '../../dist/src/ids.js';
import { parseBody } from '../../dist/src/inbox/parse-body.js';
import { createLogger } from '../../dist/src/logger.js';
import { openDeps } from '../../dist/src/open-deps.js';
import { INSERT_ONE } from './door-database.mjs';

const [kind, databaseUrl] = process.argv.slice(2);
const config = readConfig(process.env);
const isProduct = kind === 'product';
const log = createLogger('error');
const { deps, close } = await openDeps(config, { databaseUrl, log, withQueues: isProduct });

const server = isProduct ? await startServer(deps) : await listen(kind === 'insert' ? insert : parse);
process.send({ url: server.url });
process.on('disconnect', async () => {
  await server.close();
  await close();
  process.exit();
});

async function listen(take) {
  const app = fastify();
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.post('/webhooks/:source', async (request, reply) => {
    const { body: rawBody, headers } = request;
    const carrier = findCarrier(request.params.source);
    const secrets = config.webhookSecrets.get(carrier?.source);
    if (!secrets) return reply.code(404).send();
    const verified = carrier.verifier.verify({ rawBody, headers, secrets, now: new Date() });
    if (verified !== 'verified') return reply.code(401).send();
    return take(carrier, rawBody);
  });
  return { url: await app.listen({ host: '127.0.0.1', port: 0 }), close: () => app.close() };
}

async function insert({ source }, body) {
  const values = [newId(), source, deliveryKeyOf(source, body), null, body];
  const { rowCount } = await deps.db.pool.query({ ...INSERT_ONE, values });
  return { accepted: rowCount, duplicates: 1 - rowCount };
}

async function parse(carrier, body) {
  const { parcels } = carrier.parse(parseBody(body));
  return { accepted: parcels.reduce((sum, { scans }) => sum + scans.length, 0), duplicates: 0 };
}
