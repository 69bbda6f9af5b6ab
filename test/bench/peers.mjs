import { lineArm, runNoop } from './line-arms.mjs';
import { createDatabase, databaseFacts, makeLineTemplate, withCopy, withServer } from './line-database.mjs';
import { MIXES } from './line-mix.mjs';
import { writeBenchPolicy } from './line-policy.mjs';
import { percentile } from './paired-runs.mjs';
import { installPeers } from './peer-packages.mjs';
import { whyNoRedis, withRedis } from './redis-server.mjs';

const EVENTS = 50_000;
const EMPTY = 'peers_empty';
const MIX = 'real';

/** Each as its makers say that it is fastest; jobs so many that a run takes some seconds. */
const ON_POSTGRES = [
  { name: 'BullMQ-PG, add one by one, process 1', peer: 'bullmq-pg', adding: 'single', concurrency: 1, jobs: 3_000 },
  {
    name: 'BullMQ-PG, add concurrently, process 10',
    peer: 'bullmq-pg',
    adding: 'concurrent',
    concurrency: 10,
    jobs: 5_000,
  },
  { name: 'BullMQ-PG, addBulk(500), process 32', peer: 'bullmq-pg', concurrency: 32, jobs: 5_000 },
  { name: 'graphile-worker, as it comes', peer: 'graphile-worker', tuned: false, concurrency: 10, jobs: 10_000 },
  {
    name: 'graphile-worker, localQueue 500, completeJobBatchDelay 0',
    peer: 'graphile-worker',
    concurrency: 24,
    jobs: 50_000,
  },
  { name: 'pg-boss, insert(1000), fetch 500 and complete', peer: 'pg-boss', jobs: 50_000 },
  ...[1, 10, 100, 500].map((batch) => ({
    name: `SQL, SKIP LOCKED, batches of ${batch}`,
    peer: 'sql',
    batch,
    jobs: batch === 1 ? 10_000 : 50_000,
  })),
];
const ON_REDIS = [
  {
    name: 'BullMQ-Redis, add one by one, process 1',
    peer: 'bullmq-redis',
    adding: 'single',
    concurrency: 1,
    jobs: 10_000,
  },
  {
    name: 'BullMQ-Redis, add concurrently, process 10',
    peer: 'bullmq-redis',
    adding: 'concurrent',
    concurrency: 10,
    jobs: 20_000,
  },
  { name: 'BullMQ-Redis, addBulk(500), process 32', peer: 'bullmq-redis', concurrency: 32, jobs: 30_000 },
];

/**
 * What one could build on instead, side by side with the whole line. Theirs are jobs that do nothing; ours is all the work of an event:
 * signature, scans, verdict, ledger, letter. Nothing is gated here: `line` does that.
 */
export async function* benchPeers({ quick, say }) {
  installPeers(say);
  yield* withServer((server) => compare({ server, quick, say }));
}

async function* compare({ server, quick, say }) {
  const rounds = quick ? 1 : 3;
  const events = quick ? EVENTS / 10 : EVENTS;
  await createDatabase(server, EMPTY, null);
  const policyFile = writeBenchPolicy(server.dir);
  const template = await makeLineTemplate(server, { mix: MIX, events, policyFile });
  const facts = await databaseFacts(server.url);
  const line = lineArm({ server, template, mix: MIX, events, policyFile });
  say('\rpeers: warming up '.padEnd(60));
  await line();
  const onCopy = (work) => withCopy(server, EMPTY, ({ url }) => work(url));
  const common = { line, rounds, quick, say };
  for (const peer of ON_POSTGRES) yield await measure({ peer, on: onCopy, note: facts, ...common });
  const reason = whyNoRedis();
  for (const appendfsync of ['everysec', 'always']) {
    if (reason !== null) {
      yield row({ name: `BullMQ-Redis, AOF ${appendfsync}`, skipped: reason, results: [], note: '' });
      continue;
    }
    yield* await withRedis(appendfsync, async (redis) => {
      const rows = [];
      const note = `Redis ${redis.version}, AOF ${appendfsync}`;
      const on = async (work) => {
        await redis.flush();
        return work(redis.url);
      };
      for (const peer of ON_REDIS) rows.push(await measure({ peer, on, note, ...common }));
      return rows;
    });
  }
}

/** Theirs and ours in turn, so that each peer stands beside a run of ours of the same minute. */
async function measure({ peer: { name, jobs, ...settings }, on, note, line, rounds, quick, say }) {
  const count = quick ? jobs / 10 : jobs;
  const results = [];
  for (let round = 0; round < rounds; round++) {
    say(`\rpeers: ${name} ${round + 1}/${rounds}`.padEnd(60));
    const theirs = await on((url) => runNoop({ ...settings, url, jobs: count, together: false }));
    results.push({ added: count / theirs.addSeconds, processed: count / theirs.workSeconds, ours: await line() });
  }
  say('\r\u001b[K');
  return row({ name, results, note });
}

function row({ name, results, note, skipped = null }) {
  const median = (of) => Math.round(results.length === 0 ? 0 : percentile(results.map(of), 0.5));
  const [added, processed, ours] = [(r) => r.added, (r) => r.processed, (r) => r.ours].map(median);
  return {
    name: `${name}: no-op jobs`,
    unit: '/s',
    baseline: processed,
    ours,
    ratio: processed === 0 ? 0 : ours / processed,
    gate: null,
    gateOp: '>=',
    pass: null,
    skipped,
    checks: { jobs: 'ok', line: 'ok' },
    note: `theirs a no-op (added ${added}/s), ours the whole work (${MIXES[MIX].text}); ${note}`,
    pairs: results.map((r) => [Math.round(r.processed), Math.round(r.ours)]),
  };
}
