import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { rowOf } from './paired-runs.mjs';
import { familyOf, isOurs, startReady, stop } from './processes.mjs';
import { BENCH_ENV, insertOpenOrders, postScan, withDatabase } from './program.mjs';

/** Of what the program can do with nothing else to do. */
const LOAD = 0.6;
/** Webhooks under way while that is found out. */
const CONNECTIONS = 32;
const MINUTES = 10;

/**
 * Whether what is fast stays fast: ten minutes at 60 % of what the program can do, webhooks by the clock, the second minute against
 * the tenth; then the same load while somebody holds a transaction open and does nothing, so that nothing dead can be cleared away.
 */
export async function* benchSteady({ quick, say }) {
  const [orders, minuteMs] = quick ? [2_000, 6_000] : [20_000, 60_000];
  const windowMs = quick ? 10_000 : 60_000;
  yield* await withDatabase(async ({ url, query }) => {
    await insertOpenOrders(query, orders);
    const program = await startReady('start', { ...BENCH_ENV, DATABASE_URL: url });
    const target = { url: program.url, orders, posted: 0 };
    say('\rB14: finding out what 60 % are'.padEnd(50));
    const capacity = await findCapacity(target, query, quick ? 4_000 : 20_000);
    const rate = Math.floor(capacity * LOAD);
    const load = startLoad(target, rate);
    const minutes = [];
    for (let minute = 1; minute <= MINUTES; minute++) {
      say(`\rB14: minute ${minute}/${MINUTES}, ${rate} webhooks/s`.padEnd(50));
      minutes.push(await watch(query, program.pid, minuteMs));
    }
    const windows = [];
    for (const name of ['before', 'during', 'after']) {
      say(`\rB14x: ${name}`.padEnd(50));
      const letGo = name === 'during' ? await holdTransaction(url) : async () => {};
      windows.push(await watch(query, program.pid, windowMs));
      await letGo();
    }
    await load.stop();
    await isThrough(query);
    const [{ scans }] = await query('SELECT count(*)::int AS scans FROM tracking_events');
    assert.equal(scans, target.posted, 'every scan that was answered is there');
    await stop(program);
    say('\r\u001b[K');
    return rowsOf({ minutes, windows, rate, capacity, quick, minuteMs, windowMs });
  });
}

function rowsOf({ minutes, windows, rate, capacity, quick, minuteMs, windowMs }) {
  const common = { quick, checks: { rows: 'ok', queue: 'empty' } };
  const every = `${rate} webhooks/s, ${Math.round(LOAD * 100)} % of ${Math.round(capacity)}`;
  const note = `${every}; minutes of ${minuteMs / 1_000} s`;
  const [second, tenth] = [minutes[1], minutes[MINUTES - 1]];
  const most = (some) => Math.max(...some.map(({ dead }) => dead));
  const half = MINUTES / 2;
  const [before, during, after] = windows;
  const held = `${every}; a transaction held for ${windowMs / 1_000} s`;
  const row = (name, unit, pair, gateOp, gate, words) =>
    rowOf([pair], { ...common, name, unit, gateOp, gate, note: words });
  return [
    row('B14 steady, scans added up in minute 10 v 2', 'scans/s', [second.rate, tenth.rate], '>=', 0.95, note),
    row('B14 steady, RSS in minute 10 v 2', 'MiB', [second.rss, tenth.rss], '<=', 1.1, note),
    // Not one minute against another: autovacuum comes once a minute, and what it has just cleared away says nothing.
    row(
      'B14 steady, the most dead rows, second half v first',
      'rows',
      [Math.max(1, most(minutes.slice(0, half))), Math.max(1, most(minutes.slice(half)))],
      '<=',
      2,
      note,
    ),
    row('B14x idle in transaction, during v before', 'scans/s', [before.rate, during.rate], '>=', 0.75, held),
    row('B14x idle in transaction, after v before', 'scans/s', [before.rate, after.rate], '>=', 0.95, held),
  ];
}

/** As many as go through to the end, posted without a pause. @returns webhooks a second */
async function findCapacity(target, query, forMs) {
  const startedAt = performance.now();
  const connection = async () => {
    while (performance.now() - startedAt < forMs) await post(target);
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, connection));
  await isThrough(query);
  return target.posted / ((performance.now() - startedAt) / 1_000);
}

/** By the clock, whatever the answers take. */
function startLoad(target, rate) {
  let isOver = false;
  const answers = new Set();
  let failure = null;
  const sent = (async () => {
    const startedAt = performance.now();
    for (let n = 0; !isOver; n++) {
      const dueAt = startedAt + (n * 1_000) / rate;
      if (dueAt > performance.now()) await sleep(dueAt - performance.now());
      const answer = post(target).catch((error) => {
        failure ??= error;
      });
      answers.add(answer);
      void answer.then(() => answers.delete(answer));
    }
  })();
  return {
    async stop() {
      isOver = true;
      await sent;
      await Promise.all(answers);
      if (failure) throw failure;
    },
  };
}

async function post(target) {
  const number = `N${String(1 + Math.floor(Math.random() * target.orders)).padStart(7, '0')}`;
  await postScan(target.url, number);
  target.posted++;
}

/** @returns scans a second that were added up, and what the program and the tables hold at the end */
async function watch(query, pid, ms) {
  const before = await addedUp(query);
  const startedAt = performance.now();
  await sleep(ms);
  const after = await addedUp(query);
  const seconds = (performance.now() - startedAt) / 1_000;
  const [{ dead }] = await query('SELECT sum(n_dead_tup)::int AS dead FROM pg_stat_user_tables');
  const rss = familyOf(pid)
    .filter(isOurs)
    .reduce((mib, one) => mib + one.rss, 0);
  return { rate: (after - before) / seconds, rss, dead };
}

/** Scans that wait for nobody any more. */
async function addedUp(query) {
  const [row] = await query(
    `SELECT (SELECT count(*) FROM tracking_events)::int
       - (SELECT coalesce(sum(cardinality(ids)), 0) FROM outbox WHERE stage = 'track-shipments')::int AS scans`,
  );
  return row.scans;
}

async function isThrough(query) {
  while ((await query('SELECT 1 FROM outbox LIMIT 1')).length > 0) await sleep(20);
}

/** Somebody who looked at everything, changed something, and went to lunch. @returns a function that ends it */
async function holdTransaction(url) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  await client.query('SELECT count(*) FROM outbox');
  await client.query('SELECT pg_current_xact_id()');
  return async () => {
    // Of a transaction that was ended meanwhile it would say so.
    await client.query('SELECT 1');
    await client.query('ROLLBACK');
    await client.end();
  };
}
