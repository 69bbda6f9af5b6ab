/**
 * The product in one process, as `npm start` runs it but without HTTP: door, queue and all workers. It is told what to take, posts
 * it at the door, and says when the last was acknowledged; who started it looks into the database for the rest.
 */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ShiftedClock } from '../../dist/src/clock.js';
import { readConfig } from '../../dist/src/config.js';
import { createReceiveWebhook } from '../../dist/src/inbox/receive-webhook.js';
import { createLogger } from '../../dist/src/logger.js';
import { openDeps } from '../../dist/src/open-deps.js';
import { STAGES } from '../../dist/src/queue/ticket.js';
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

process.once('message', () => void run());
process.send({ is: 'ready' });

async function run() {
  const stopCpu = profileTo ? await profileCpu() : null;
  const before = process.cpuUsage();
  process.send({ is: 'posted', accepted: await postAll() });
  // Who started it has seen the rest happen.
  await once(process, 'message');
  const { user, system } = process.cpuUsage(before);
  if (profileTo) {
    writeFileSync(`${profileTo}.cpuprofile`, JSON.stringify(await stopCpu()));
    writeFileSync(`${profileTo}.statements.json`, JSON.stringify(statements(), null, 1));
  }
  while ((await countWaiting()) > 0) await sleep(10);
  await stopWorkers();
  const waiting = await countWaiting();
  await close();
  process.send({ is: 'stopped', waiting, cpuSeconds: (user + system) / 1_000_000 });
  process.disconnect();
}

/** @returns how many jobs of all stages the queue holds */
async function countWaiting() {
  const counts = await Promise.all(STAGES.map((stage) => deps.queues.countWaiting(stage)));
  return counts.reduce((sum, count) => sum + count, 0);
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
