/**
 * The queue alone, in a process of its own: jobs of one stage are put on it and processed, by our adapter or by BullMQ as it comes.
 * A job does nothing but be counted.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createPostgresBackend, runMigrations, withBackend } from 'bullmq';
import pg from 'pg';
import { createLogger } from '../../dist/src/logger.js';
import { openPostgresBackend } from '../../dist/src/queue/backend.js';
import { openQueues } from '../../dist/src/queue/queues.js';

const STAGE = 'track-shipments';
const BULK = 500;
/** As the product opens it. */
const POOL_SIZE = 20;
const LOCK_MS = 15_000;

const { url, jobs, concurrency, adapter } = JSON.parse(process.argv[2]);
const tickets = Array.from({ length: jobs }, (_, index) => ({
  id: `00000000-0000-7000-8000-${String(index).padStart(12, '0')}`,
  stage: STAGE,
  trigger: 'webhook',
}));
const queue = await (adapter === 'ours' ? openOurs() : openBare());
const seen = new Set();
let processed = 0;
let finish;
const finished = new Promise((resolve) => {
  finish = resolve;
});

process.send({ is: 'ready' });
await once(process, 'message');
const startedAt = performance.now();
for (let from = 0; from < jobs; from += BULK) await queue.add(tickets.slice(from, from + BULK));
const addedAt = performance.now();
process.send({ is: 'added' });
// Between the two somebody may look at the statistics.
await once(process, 'message');
const workedFrom = performance.now();
const worker = await queue.work(({ ticket }) => {
  seen.add(ticket);
  processed++;
  if (processed === jobs) finish();
});
await finished;
const endedAt = performance.now();
await worker.close();
assert.deepEqual([processed, seen.size], [jobs, jobs], 'every job was processed, once');
assert.equal(await queue.countWaiting(), 0, 'the queue is empty');
await queue.close();
process.send({ is: 'done', addSeconds: (addedAt - startedAt) / 1_000, workSeconds: (endedAt - workedFrom) / 1_000 });
process.disconnect();

async function openOurs() {
  const log = createLogger('warn');
  const queues = await openQueues(openPostgresBackend(url, { poolSize: POOL_SIZE, log }), log);
  return {
    add: (some) => queues.announce(some),
    async work(take) {
      const opened = queues.openWorker(STAGE, async ({ data }) => take(data), { concurrency });
      await opened.waitUntilReady();
      return opened;
    },
    countWaiting: () => queues.countWaiting(STAGE),
    close: () => queues.close(),
  };
}

/** The same jobs under the same ids, with the same settings of the sessions: only our code is missing. */
async function openBare() {
  const options = '-c search_path=bullmq -c enable_seqscan=off -c jit=off';
  const connection = new pg.Pool({ connectionString: url, max: POOL_SIZE, options, keepAlive: true });
  connection.setMaxListeners(0);
  const client = await connection.connect();
  await runMigrations(client, 'bullmq');
  client.release();
  const { Queue: PostgresQueue, Worker: PostgresWorker } = withBackend(createPostgresBackend);
  const defaultJobOptions = { removeOnComplete: true, removeOnFail: true, attempts: 1 };
  const bare = new PostgresQueue(STAGE, { connection, defaultJobOptions });
  bare.on('error', () => {});
  return {
    add: (some) =>
      bare.addBulk(
        some.map(({ id }) => ({ name: STAGE, data: { ticket: id }, opts: { jobId: `t-${id}`, lifo: false } })),
      ),
    async work(take) {
      const settings = {
        connection,
        concurrency,
        lockDuration: LOCK_MS,
        stalledInterval: LOCK_MS / 2,
        maxStalledCount: 100,
      };
      const opened = new PostgresWorker(STAGE, async ({ data }) => take(data), settings);
      opened.on('error', () => {});
      await opened.waitUntilReady();
      return opened;
    },
    countWaiting: async () => (await bare.getJobCounts('waiting')).waiting,
    async close() {
      await bare.close();
      await connection.end();
    },
  };
}
