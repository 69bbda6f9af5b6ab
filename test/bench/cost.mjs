import { setTimeout as sleep } from 'node:timers/promises';
import { CHECKS, MANY_CONNECTIONS, runCluster } from './cluster.mjs';
import { median } from './limits.mjs';
import { databaseFacts, makeLineTemplate, makeTemplate, withCopy, withServer } from './line-database.mjs';
import { expectedOf, MIXES } from './line-mix.mjs';
import { writeBenchPolicy } from './line-policy.mjs';
import { whyNoRedis, withRedis } from './redis-server.mjs';

const EVENTS = 50_000;
/** Fewer, and what it costs to warm up would be counted as the cost of parcels. */
const QUICK_EVENTS = 20_000;
/** What a parcel adds less to, in bytes, is of a fixed size: it counts in the sum and has no row. */
const FIXED = 10;
const MIX = 'real';

/**
 * What one delivered parcel costs: time of processors, write-ahead log, rows, disk. One server and one worker; without the registration of the
 * order, whose rows are there before and count in what is at rest alone. Shown only: what it means is for whoever buys the machines.
 */
export async function* benchCost({ quick, say }) {
  yield* withServer(async function* onServer(server) {
    const events = quick ? QUICK_EVENTS : EVENTS;
    const policyFile = writeBenchPolicy(server.dir);
    const at = new Date();
    say('\rorders of which the cost is measured'.padEnd(50));
    const template = await makeLineTemplate(server, { mix: MIX, events, policyFile, at });
    await makeTemplate(server, 'cost_empty', { prepare: async () => {}, policyFile });
    const empty = await withCopy(server, 'cost_empty', ({ query }) => sizesOf(query));
    const facts = await databaseFacts(server.url);
    const measure = async (redis, queue) => {
      const runs = [];
      for (let run = 0; run < (quick ? 1 : 3); run++) {
        say(`\rcost, ${queue}: run ${run + 1}`.padEnd(50));
        const settings = { server, template, mix: MIX, events, at, policyFile, redis, servers: 1, workers: 1 };
        runs.push(await runCluster({ ...settings, inspect: leftBehind }));
      }
      say('\r\u001b[K');
      const note = `${events} events over HTTP, ${MIXES[MIX].text}; 1 server, 1 worker; ${facts}; ${queue}`;
      return rowsOf({ runs, empty, parcels: expectedOf(MIX, events).orders, queue, note });
    };
    yield* await measure(null, 'queue on PostgreSQL');
    if (whyNoRedis() !== null) return;
    yield* await withRedis('everysec', (redis) => measure(redis, `queue on Redis ${redis.version}, AOF everysec`));
  }, MANY_CONNECTIONS);
}

/** What was written, and what of it stays once dead rows are cleared away. */
async function leftBehind(query) {
  // Each connection tells what it has written at the latest when it ends.
  while ((await othersIn(query)) > 0) await sleep(50);
  const written = await query(
    `SELECT schemaname || '.' || relname AS name, n_tup_ins::int AS inserted, n_tup_upd::int AS updated, n_tup_hot_upd::int AS hot,
       n_tup_del::int AS deleted FROM pg_stat_user_tables`,
  );
  await query('VACUUM');
  return { written, sizes: await sizesOf(query) };
}

async function othersIn(query) {
  const [{ others }] = await query(
    `SELECT count(*)::int AS others FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`,
  );
  return others;
}

async function sizesOf(query) {
  const tables = await query(
    `SELECT schemaname || '.' || relname AS name, pg_total_relation_size(relid)::float8 AS bytes, pg_indexes_size(relid)::float8 AS indexes
     FROM pg_stat_user_tables`,
  );
  return new Map(tables.map(({ name, bytes, indexes }) => [name, { bytes, indexes }]));
}

function rowsOf({ runs, empty, parcels, queue, note }) {
  const row = (name, unit, values, more = {}) => ({
    name: `cost: ${name}`,
    unit: `${unit}/parcel`,
    baseline: null,
    ours: round(median(values.map((value) => value / parcels))),
    ratio: null,
    gate: null,
    gateOp: '<=',
    pass: null,
    skipped: null,
    checks: CHECKS,
    note,
    values: values.map((value) => round(value / parcels)),
    pairs: [],
    ...more,
  });
  const each = (of) => runs.map(of);
  const bytesOf = ({ sizes }, name, what) => sizes.get(name)[what] - empty.get(name)[what];
  const names = [...empty.keys()];
  const total = (run) => names.reduce((sum, name) => sum + bytesOf(run.found, name, 'bytes'), 0);
  const hasRedis = runs.some(({ redisMs }) => redisMs > 0);
  const tables = names.map((name) => tableRow(name)).filter((one) => one !== null);

  function tableRow(name) {
    const counts = runs.map(({ found }) => found.written.find((one) => one.name === name));
    const written = Object.fromEntries(
      ['inserted', 'updated', 'hot', 'deleted'].map((kind) => [
        kind,
        round(median(counts.map((count) => count[kind] / parcels))),
      ]),
    );
    const bytes = each(({ found }) => bytesOf(found, name, 'bytes'));
    if (median(bytes) / parcels < FIXED) return null;
    const indexes = round(median(each(({ found }) => bytesOf(found, name, 'indexes') / parcels)));
    const text = `rows a parcel: ${written.inserted} inserted, ${written.updated} updated (${written.hot} HOT), ${written.deleted} deleted`;
    return row(`at rest, ${name.replace('public.', '')}`, 'B', bytes, {
      written,
      indexes,
      note: `${text}; ${indexes} B are indexes; ${queue}`,
    });
  }

  return [
    row(
      'processor, server',
      'ms',
      each(({ serverMs }) => serverMs),
    ),
    row(
      'processor, worker',
      'ms',
      each(({ workerMs }) => workerMs),
    ),
    row(
      'processor, PostgreSQL',
      'ms',
      each(({ postgresMs }) => postgresMs),
    ),
    ...(hasRedis
      ? [
          row(
            'processor, Redis',
            'ms',
            each(({ redisMs }) => redisMs),
          ),
        ]
      : []),
    row(
      'wall clock',
      'ms',
      each(({ seconds }) => seconds * 1_000),
    ),
    row(
      'write-ahead log',
      'B',
      each(({ walBytes }) => walBytes),
    ),
    row(
      'full pages in the log',
      'pages',
      each(({ fullPages }) => fullPages),
    ),
    row('at rest, all tables', 'B', each(total)),
    ...tables.sort((one, other) => other.ours - one.ours),
  ];
}

/** Three digits say enough of what is measured. */
const round = (number) => Number(number.toPrecision(3));
