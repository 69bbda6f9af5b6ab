/**
 * The same door and the same stages as the product, and in place of the queue a loop that looks every half second for tickets and does
 * all there are, until none is left.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { readConfig } from '../../dist/src/config.js';
import { createReceiveWebhook } from '../../dist/src/inbox/receive-webhook.js';
import { createLogger } from '../../dist/src/logger.js';
import { openDeps } from '../../dist/src/open-deps.js';
import { PIPELINE } from '../../dist/src/pipeline.js';
import { runTicket } from '../../dist/src/queue/run-ticket.js';
import { SECRET } from './line-mix.mjs';

const EVERY_MS = 500;

const { url } = JSON.parse(process.argv[2]);
const config = readConfig({ DATABASE_URL: url, EASYPOST_WEBHOOK_SECRET: SECRET });
const { deps, close } = await openDeps(config, { databaseUrl: url, log: createLogger('warn'), withQueues: false });
const receive = createReceiveWebhook(deps);
let isOver = false;

process.on('message', (message) => {
  if (message === 'stop') isOver = true;
  else void receive('easypost', { rawBody: Buffer.from(message.body), headers: message.headers });
});
process.send({ is: 'ready' });
while (!isOver) {
  const lookedAt = performance.now();
  while (await doAll());
  await sleep(Math.max(0, EVERY_MS - (performance.now() - lookedAt)));
}
await close();
process.disconnect();

/** @returns whether there was anything */
async function doAll() {
  const { rows } = await deps.db.pool.query(
    'SELECT id, stage FROM outbox WHERE parked_at IS NULL AND relay_after <= now() + make_interval(secs => 30) ORDER BY id',
  );
  for (const { id, stage } of rows) await runTicket(deps, PIPELINE[stage], id);
  return rows.length > 0;
}
