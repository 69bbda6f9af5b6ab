import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { deliveryKeyOf } from '../../dist/src/carriers/matching.js';
import { openDatabase } from '../../dist/src/db/database.js';
import { newId } from '../../dist/src/ids.js';
import { GroupCommit } from '../../dist/src/inbox/group-commit.js';
import { insertInbox } from '../../dist/src/inbox/inbox-store.js';
import { DOOR_LIMITS } from '../../dist/src/inbox/receive-webhook.js';
import { countStored, durableSettings, empty, INSERT_ONE, inboxOf, lasting } from './door-database.mjs';
import { bodyOf, SOURCE } from './door-events.mjs';
import { measurePairs, percentile, rowOf } from './paired-runs.mjs';
import { withDatabase } from './program.mjs';

const POOL = 10;
/** Callers at once, and what must be reached with so many. */
const CROWDS = [
  { callers: 64, gate: 2, stretch: 3 },
  { callers: 256, gate: 2.5, stretch: 4 },
  { callers: 1_000, gate: 4.5, stretch: 7 },
];

/**
 * One row of the inbox for each webhook, durable before its caller hears of it: the statement of the door, by the batches that
 * form by themselves, against a prepared statement a row. Same pool, same rows, same keys.
 */
export async function* benchInbox({ quick, say }) {
  yield* await withDatabase(async (database) => {
    const settings = await durableSettings(database.query);
    const seconds = quick ? 1 : 4;
    const common = { pairs: quick ? 3 : 7, quick, say, checks: { rows: 'ok', eachOnce: 'ok' } };
    const armsOf = (callers) =>
      [oneByOne, openInBatches].map((open) => lasting(seconds, (count) => measure({ database, open, callers, count })));
    const rows = [];
    for (const { callers, gate, stretch } of CROWDS) {
      const name = `B1 inbox, ${callers} callers`;
      const [baseline, ours] = armsOf(callers);
      const results = await measurePairs({ name, baseline, ours, ...common });
      const note = `pool of ${POOL}; ${settings}`;
      const shared = { ...common, note };
      rows.push(rowOf(results, { name, unit: 'rows/s', gate, gateOp: '>=', stretch, ...shared }));
      if (callers === 64)
        rows.push(rowOf(results, { name: `${name}, p99`, unit: 'ms', of: 'p99', gate: 0.6, gateOp: '<=', ...shared }));
      if (callers !== 256) continue;
      const wal = { name: 'B13 log a row', unit: 'bytes', of: 'walBytes', gate: 0.7, gateOp: '<=' };
      rows.push(rowOf(results, { ...shared, ...wal, note: `${callers} callers; ${settings}` }));
      rows.push(
        rowOf(results, { ...shared, name: 'B13 commits a row', unit: '', of: 'commits', gate: 0.05, gateOp: '<=' }),
      );
    }
    const [baseline, ours] = armsOf(1);
    const idle = await measurePairs({ name: 'B1b inbox, 1 caller', baseline, ours, ...common });
    const p50 = { name: 'B1b inbox, 1 caller, p50', unit: 'ms', of: 'p50', gate: 1.15, gateOp: '<=', stretch: 1 };
    rows.push(rowOf(idle, { ...common, ...p50, note: settings }));
    return rows;
  });
}

/** @returns a function that stores one webhook, and resolves when it is durable */
function oneByOne(db) {
  return ({ inboxId, source, dedupeKey, body }) =>
    db.pool.query({ ...INSERT_ONE, values: [inboxId, source, dedupeKey, null, body] });
}

export function openInBatches(db) {
  const door = new GroupCommit(async (webhooks) => {
    // A statement outside a transaction is one by itself.
    await insertInbox(db.pool, webhooks);
    return webhooks;
  }, DOOR_LIMITS);
  return (webhook) => door.submit(webhook);
}

/** Numbers are never used twice. */
let used = 0;

/** So many rows by so many callers, each of which goes on when the last is durable. */
async function measure({ database, open, callers, count }) {
  await empty(database);
  const bodies = Array.from({ length: count }, () => bodyOf(used++));
  // A pool for each arm: what its sessions have counted is told when they end.
  const db = openDatabase(database.url, { poolSize: POOL, onError: () => {} });
  const store = open(db);
  await Promise.all(Array.from({ length: POOL }, () => db.pool.query('SELECT 1')));
  const before = await written(database.query);
  const latencies = [];
  const startedAt = performance.now();
  const caller = async () => {
    for (let body = bodies.pop(); body !== undefined; body = bodies.pop()) {
      const askedAt = performance.now();
      await store({
        inboxId: newId(),
        source: SOURCE,
        dedupeKey: deliveryKeyOf(SOURCE, body),
        deliveryId: null,
        body,
      });
      latencies.push(performance.now() - askedAt);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  const seconds = (performance.now() - startedAt) / 1_000;
  await db.close();
  await sessionsEnded(database.query);
  const after = await written(database.query);
  assert.equal(latencies.length, count);
  assert.deepEqual(await countStored(database.query), inboxOf(count), 'what was answered is stored, once');
  return {
    rate: count / seconds,
    p50: percentile(latencies, 0.5),
    p95: percentile(latencies, 0.95),
    p99: percentile(latencies, 0.99),
    walBytes: (after.wal - before.wal) / count,
    commits: (after.commits - before.commits) / count,
  };
}

/** What a session has counted is told when it ends, which is a moment after its connection was closed. */
async function sessionsEnded(query) {
  const isLeft = () =>
    query(`SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'makegood'`);
  while ((await isLeft()).length > 0) await sleep(10);
}

async function written(query) {
  const [row] = await query(
    `SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 AS wal,
       (SELECT xact_commit FROM pg_stat_database WHERE datname = current_database())::float8 AS commits`,
  );
  return row;
}
