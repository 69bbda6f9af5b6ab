import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readConfig } from '../../dist/src/config.js';
import { createLogger } from '../../dist/src/logger.js';
import { openDeps } from '../../dist/src/open-deps.js';
import { STAGES } from '../../dist/src/queue/ticket.js';
import { checkLine, isThrough } from './line-checks.mjs';
import { withCopy } from './line-database.mjs';
import { expectedOf } from './line-mix.mjs';
import { familyOf, isPostgres, start, stop } from './processes.mjs';
import { BENCH_ENV } from './program.mjs';

/** What `runCluster` has counted and found right after each run. */
export const CHECKS = {
  answers: 'ok',
  scans: 'ok',
  verdicts: 'ok',
  awards: 'ok',
  ledger: 'ok',
  letters: 'ok',
  queue: 'empty',
};

/** Connections of all carriers together. */
const CONNECTIONS = 128;
const READY_TIMEOUT_MS = 60_000;
/** How long a run may take. Longer, and something hangs. */
const TIMEOUT_MS = 300_000;
const LOAD = fileURLToPath(new URL('http-load.mjs', import.meta.url));
/** PostgreSQL for as many programs as there may be here: each holds up to 38 connections. */
export const MANY_CONNECTIONS = { max_connections: '500' };

/**
 * The line as a cluster runs it: so many `server` and `worker` programs on one PostgreSQL, and one Redis where there is one. Webhooks come
 * over HTTP from a process of its own, spread over the servers; letters wait for the end of quiet hours. All of it is checked at its end.
 *
 * @param options.at when the orders of the template were made for: the programs know no other clock than the real one
 * @param options.inspect what to look at in the database once the programs have ended; its answer is `found`
 * @returns events a second from the first webhook sent to the last award booked and letter written; the milliseconds of
 *   processors, and the bytes of write-ahead log, that this took
 */
export function runCluster({
  server,
  template,
  mix,
  events,
  at,
  policyFile,
  redis = null,
  servers,
  workers,
  inspect = () => {},
}) {
  return withCopy(server, template, async ({ url, query }) => {
    await redis?.flush();
    const env = {
      ...BENCH_ENV,
      LOG_LEVEL: 'info',
      PORT: '0',
      DATABASE_URL: url,
      REDIS_URL: redis?.url ?? '',
      POLICY_FILE: policyFile,
      QUIET_HOURS: quietUntilLater(),
    };
    const measured = await withPrograms({ servers, workers, env }, async (programs) => {
      const countQueued = await openQueueCounter(env);
      const load = openLoad();
      try {
        const urls = programs.servers.map((program) => program.url);
        await load.tell({ prepare: { urls, mix, events, at: at.toISOString() } });
        const before = await spent(programs, query, redis);
        const startedAt = performance.now();
        const { accepted, statuses } = await load.tell({ send: CONNECTIONS });
        assert.deepEqual(
          { accepted, statuses },
          { accepted: expectedOf(mix, events).scans, statuses: { 200: events } },
          'every webhook was answered, and every scan was new',
        );
        await until(() => isThrough(query, { mix, events }), 'everything is through');
        const seconds = (performance.now() - startedAt) / 1_000;
        const after = await spent(programs, query, redis);
        await until(async () => (await countQueued.now()) === 0, 'the queue is empty');
        const used = Object.fromEntries(Object.entries(after).map(([key, value]) => [key, value - before[key]]));
        return { rate: events / seconds, seconds, ...used };
      } finally {
        load.close();
        await countQueued.close();
      }
    });
    await checkLine(query, { mix, events });
    return { ...measured, found: await inspect(query) };
  });
}

/** Quiet hours of nearly a whole day, which end in half an hour: nobody gets a letter while this runs. */
function quietUntilLater() {
  const minute = (offset) => new Date(Date.now() + offset * 60_000).toISOString().slice(11, 16);
  return `${minute(31)}-${minute(30)}`;
}

/** Starts the programs at once, and ends them with SIGTERM. */
async function withPrograms({ servers, workers, env }, work) {
  const names = [...Array(servers).fill('server'), ...Array(workers).fill('worker')];
  const programs = names.map((name) => ({ name, ...start(process.execPath, ['bin/run.mjs', name], env) }));
  try {
    await Promise.all(programs.map(ready));
    const ofKind = (kind) => programs.filter(({ name }) => name === kind);
    const result = await work({ servers: ofKind('server').map(withUrl), workers: ofKind('worker') });
    await Promise.all(programs.map((program) => stop(program)));
    return result;
  } finally {
    for (const { child, isOver } of programs) if (!isOver()) child.kill('SIGTERM');
    await Promise.all(programs.map(({ ended }) => ended));
  }
}

async function ready({ name, output, isOver }) {
  const startedAt = performance.now();
  while (!output().includes(`${name}: ready`)) {
    assert.ok(!isOver(), `the ${name} ended before it was ready:\n${output()}`);
    assert.ok(performance.now() - startedAt < READY_TIMEOUT_MS, `the ${name} is not ready:\n${output()}`);
    await sleep(10);
  }
}

function withUrl(program) {
  const [, url] = /"url":"([^"]+)"/.exec(program.output()) ?? [];
  assert.ok(url, `a server says where it is:\n${program.output()}`);
  return { ...program, url };
}

/** What has been spent so far: milliseconds of processors by whom, and bytes of write-ahead log. */
async function spent({ servers, workers }, query, redis) {
  const [{ wal, pages }] = await query(
    `SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 AS wal, (SELECT wal_fpi FROM pg_stat_wal)::float8 AS pages`,
  );
  const sum = (processes) => processes.reduce((ms, { cpuMs }) => ms + cpuMs, 0);
  const of = (programs) => sum(programs.flatMap(({ pid }) => familyOf(pid)));
  const children = familyOf(process.pid);
  return {
    serverMs: of(servers),
    workerMs: of(workers),
    // Servers of connections that have ended count in the one that they came of.
    postgresMs: sum(children.filter(isPostgres)),
    redisMs: redis ? sum(children.filter(({ name }) => name.startsWith('redis'))) : 0,
    walBytes: wal,
    fullPages: pages,
  };
}

/** Counts what all queues hold, as the product counts it. */
async function openQueueCounter(env) {
  const log = createLogger('error');
  const { deps, close } = await openDeps(readConfig(env), { databaseUrl: env.DATABASE_URL, log, withQueues: true });
  return {
    now: async () => {
      const counts = await Promise.all(STAGES.map((stage) => deps.queues.countWaiting(stage)));
      return counts.reduce((sum, count) => sum + count, 0);
    },
    close,
  };
}

/** The process that the load comes from. */
function openLoad() {
  const child = fork(LOAD);
  const gone = once(child, 'exit').then(([code]) => Promise.reject(new Error(`the load ended with ${code}`)));
  gone.catch(() => {});
  return {
    async tell(message) {
      child.send(message);
      const [answer] = await Promise.race([once(child, 'message'), gone]);
      return answer;
    },
    close: () => child.connected && child.disconnect(),
  };
}

async function until(isSo, what) {
  const startedAt = performance.now();
  while (!(await isSo())) {
    assert.ok(performance.now() - startedAt < TIMEOUT_MS, what);
    await sleep(20);
  }
}
