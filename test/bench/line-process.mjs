/**
 * The product in one process, as `npm start` runs it but without HTTP: door, queue and all workers. It is told what to take, posts
 * it at the door, and says when the last was acknowledged; who started it looks into the database for the rest.
 */
import { writeFileSync } from 'node:fs';
import { ShiftedClock } from '../../dist/src/clock.js';
import { readConfig } from '../../dist/src/config.js';
import { createReceiveWebhook } from '../../dist/src/inbox/receive-webhook.js';
import { createLogger } from '../../dist/src/logger.js';
import { openDeps } from '../../dist/src/open-deps.js';
import { startWorkers, WORKERS } from '../../dist/workers/start-workers.js';
import { QUIET_HOURS, SECRET, signedWebhooks, startOfRun } from './line-mix.mjs';
import { profileCpu, timeStatements } from './line-profile.mjs';

/** Webhooks under way: half of what the door lets wait, so that batches are full and nobody is turned away. */
const AT_ONCE = 2_000;

const { databaseUrl, redisUrl, mix, events, policyFile, profileTo } = JSON.parse(process.argv[2]);
const clock = new ShiftedClock();
clock.set(startOfRun());
const config = readConfig({
  DATABASE_URL: databaseUrl,
  ...(redisUrl ? { REDIS_URL: redisUrl } : {}),
  EASYPOST_WEBHOOK_SECRET: SECRET,
  POLICY_FILE: policyFile,
  QUIET_HOURS,
  SWEEP_CRON: '0 0 1 1 *',
});
const log = createLogger('warn');
const { deps, close } = await openDeps(config, { databaseUrl, log, withQueues: true, clock });
const stopWorkers = await startWorkers(deps, Object.keys(WORKERS));
const receive = createReceiveWebhook(deps);
const requests = signedWebhooks(mix, events);
const statements = profileTo ? timeStatements() : null;

process.on('message', (message) => void act(message));
process.send({ is: 'ready' });

async function act(message) {
  if (message === 'go') {
    const stopCpu = profileTo ? await profileCpu() : null;
    const before = process.cpuUsage();
    const accepted = await postAll();
    process.send({ is: 'posted', accepted });
    process.once('message', async () => {
      const { user, system } = process.cpuUsage(before);
      const cpuMs = (user + system) / 1_000;
      if (profileTo) {
        writeFileSync(`${profileTo}.cpuprofile`, JSON.stringify(await stopCpu()));
        writeFileSync(`${profileTo}.statements.json`, JSON.stringify(statements(), null, 1));
      }
      await stopWorkers();
      await close();
      process.send({ is: 'stopped', cpuMs });
      process.disconnect();
    });
  }
}

/** @returns how many scans were new */
async function postAll() {
  let next = 0;
  let accepted = 0;
  const lane = async () => {
    while (next < requests.length) {
      const answer = await receive('easypost', requests[next++]);
      accepted += answer.accepted;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return accepted;
}
