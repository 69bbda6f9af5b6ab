import assert from 'node:assert/strict';
import { start } from './line-arms.mjs';
import { databaseFacts, makeTemplate, withCopy, withServer } from './line-database.mjs';
import { pairRuns } from './paired-runs.mjs';

const JOBS = 20_000;
/** What BullMQ's own figures are taken at, and what its rate does not rise beyond. */
const CONCURRENCY = 16;
const TEMPLATE = 'queue_empty';

/**
 * The queue alone, with jobs that do nothing. First with statistics that PostgreSQL took while the table of jobs was empty, against fresh
 * ones: untreated, every claim then reads and sorts the whole table. Then our adapter against BullMQ as it comes, with the same jobs.
 */
export async function* benchQueue({ quick, say }) {
  yield* withServer((server) => compare({ server, quick, say }));
}

async function* compare({ server, quick, say }) {
  const jobs = quick ? JOBS / 10 : JOBS;
  await makeTemplate(server, TEMPLATE, { prepare: async () => {} });
  const settings = {
    pairs: quick ? 3 : 7,
    gateOp: '>=',
    unit: 'jobs/s',
    checks: { jobs: 'ok', queue: 'empty' },
    quick,
    say,
  };
  const note = `${jobs} jobs, concurrency ${CONCURRENCY}, ${await databaseFacts(server.url)}`;
  const arm = (adapter, statistics) => () =>
    withCopy(server, TEMPLATE, (copy) => measure(copy, { adapter, statistics, jobs }));
  yield await pairRuns({
    name: 'B4s queue, statistics of when it was empty',
    baseline: arm('ours', 'fresh'),
    ours: arm('ours', 'empty'),
    gate: 0.5,
    note,
    ...settings,
  });
  yield await pairRuns({
    name: 'B16 our adapter v bare BullMQ',
    baseline: arm('bare', 'by itself'),
    ours: arm('ours', 'by itself'),
    gate: 0.95,
    note: `added and processed, ${note}`,
    ...settings,
  });
}

/**
 * @param options.statistics `fresh` or `empty`: taken of the full or of the empty table, and of nothing else; `by itself`: as it happens
 * @returns jobs a second, of processing alone where it is about statistics
 */
async function measure({ url, query }, { adapter, statistics, jobs }) {
  const isByHand = statistics !== 'by itself';
  if (isByHand) {
    await query('ALTER TABLE bullmq.job SET (autovacuum_enabled = false)');
    await query('ANALYZE bullmq.job');
    assert.equal(await knownRows(query), 0, 'PostgreSQL takes the table for empty');
  }
  const child = start(new URL('line-queue.mjs', import.meta.url), { url, jobs, concurrency: CONCURRENCY, adapter });
  await child.next('ready');
  const added = child.next('added');
  child.send('add');
  await added;
  if (statistics === 'fresh') await query('ANALYZE bullmq.job');
  if (isByHand)
    assert.equal(await knownRows(query), statistics === 'fresh' ? jobs : 0, 'the statistics are what they are to be');
  const done = child.next('done');
  child.send('work');
  const { addSeconds, workSeconds } = await done;
  await child.ended;
  return jobs / (isByHand ? workSeconds : addSeconds + workSeconds);
}

async function knownRows(query) {
  const [{ rows }] = await query(
    `SELECT greatest(reltuples, 0)::int AS rows FROM pg_class WHERE oid = 'bullmq.job'::regclass`,
  );
  return rows;
}
