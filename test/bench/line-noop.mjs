/**
 * A peer in a process of its own: jobs are added to it and processed, and a job does nothing. It says how long that took from the
 * first job added to the last processed, and fails when one was lost, came twice, or is left in the queue.
 */
import assert from 'node:assert/strict';
import { openBullPostgres, openBullRedis, openPlainSql } from './line-peers.mjs';

const PEERS = {
  'bullmq-pg': openBullPostgres,
  'bullmq-redis': openBullRedis,
  'graphile-worker': async (...args) => (await import('./peers/graphile-worker.mjs')).openGraphileWorker(...args),
  'pg-boss': async (...args) => (await import('./peers/pg-boss.mjs')).openPgBoss(...args),
  sql: openPlainSql,
};
/** Jobs of one call, where many can be added at once. */
const BULK = { 'pg-boss': 1_000 };
const ADDERS = 64;

const { peer, url, jobs, adding = 'bulk', together = true, ...settings } = JSON.parse(process.argv[2]);
const opened = await PEERS[peer](url, settings);
const seen = new Uint8Array(jobs);
let processed = 0;
const all = Promise.withResolvers?.() ?? deferred();

process.once('message', () => void run());
process.send({ is: 'ready' });

async function run() {
  const startedAt = performance.now();
  if (together) await opened.work(take);
  await add();
  const addedAt = performance.now();
  if (!together) await opened.work(take);
  await all.promise;
  const endedAt = performance.now();
  await opened.stop();
  assert.equal(processed, jobs, 'every job was processed, once');
  assert.equal(await opened.left(), 0, 'nothing is left in the queue');
  await opened.close();
  const workedMs = endedAt - (together ? startedAt : addedAt);
  process.send({ is: 'done', addSeconds: (addedAt - startedAt) / 1_000, workSeconds: workedMs / 1_000 });
  process.disconnect();
}

/** What a job does: it is noted that it was there. */
function take(nth) {
  if (seen[nth] === 1) all.reject(new Error(`job ${nth} came twice`));
  seen[nth] = 1;
  processed++;
  if (processed === jobs) all.resolve();
}

async function add() {
  if (adding === 'bulk') {
    const size = BULK[peer] ?? 500;
    for (let from = 0; from < jobs; from += size) await opened.addBulk(numbers(from, Math.min(jobs, from + size)));
    return;
  }
  let next = 0;
  const lane = async () => {
    while (next < jobs) await opened.add(next++);
  };
  await Promise.all(Array.from({ length: adding === 'concurrent' ? ADDERS : 1 }, lane));
}

function numbers(from, to) {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

/** Node.js 20 has no Promise.withResolvers. */
function deferred() {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}
