import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { readConfig } from '../../dist/src/config.js';
import { migrate } from '../../dist/src/db/migrate.js';
import { createLogger } from '../../dist/src/logger.js';
import { openDeps } from '../../dist/src/open-deps.js';
import { createDatabase } from './line-database.mjs';
import { writeBenchPolicy } from './line-policy.mjs';

/** Of so many orders the promise of one has ended, and nothing came: 2 of 100. */
const LATE_EVERY = 50;
/** What the default policy gives for each of them, in minor units. */
const CREDIT = 300;
/** Rows of one statement: a million at once would outlast every timeout. */
const BATCH = 200_000;

/**
 * A database with open orders, which every arm gets a copy of.
 * @param options.orders with a parcel each, on its way, with a scan of yesterday
 * @param options.judged by last night's sweep; else by nobody yet
 * @param options.closed orders whose parcels arrived long ago
 */
export async function makeNight(server, name, { orders, judged = true, closed = 0 }) {
  const url = await createDatabase(server, name, null);
  await migrate(url);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await activatePolicy(client);
    for (let from = 1; from <= orders; from += BATCH) {
      await insertOpen(client, { from, until: Math.min(from + BATCH - 1, orders), judged });
    }
    for (let from = 1; from <= closed; from += BATCH) {
      await insertClosed(client, from, Math.min(from + BATCH - 1, closed));
    }
    await client.query('VACUUM (FREEZE, ANALYZE)');
  } finally {
    await client.end();
  }
  return name;
}

/** In force for a month: what was looked at since was looked at by it. */
async function activatePolicy(client) {
  const dir = mkdtempSync(join(tmpdir(), 'makegood-bench-'));
  chmodSync(dir, 0o755);
  const document = JSON.parse(readFileSync(writeBenchPolicy(dir), 'utf8'));
  rmSync(dir, { recursive: true, force: true });
  await client.query(
    `INSERT INTO policy_versions (version, name, document, activated_at, activated_by, reason)
     VALUES (1, $1, $2, now() - interval '30 days', 'bench', 'bench')`,
    [document.name, JSON.stringify(document)],
  );
}

export async function insertOpen(client, { from, until, judged }) {
  await client.query(`INSERT INTO customers (id) SELECT 'c-' || n FROM generate_series($1::int, $2::int) n`, [
    from,
    until,
  ]);
  await client.query(
    `INSERT INTO orders (id, customer_id, total_minor, shipping_paid_minor, currency, promise_on, promise_time_zone, promised_until, registered_at,
       due_at, verdict, verdict_id, judged_at, looked_at)
     SELECT 'o-' || lpad(n::text, 8, '0'), 'c-' || n, 5990, 0, 'USD', on_day, 'UTC', on_day + 1, now() - interval '5 days', on_day + 1,
       CASE WHEN $3 THEN 'pending' END, CASE WHEN $3 THEN gen_random_uuid() END,
       CASE WHEN $3 THEN now() - interval '20 hours' END, CASE WHEN $3 THEN now() - interval '20 hours' END
     FROM (SELECT n, (now() AT TIME ZONE 'UTC')::date + CASE WHEN n % $4 = 0 THEN -1 ELSE 3 + n % 20 END AS on_day
       FROM generate_series($1::int, $2::int) n) x`,
    [from, until, judged, LATE_EVERY],
  );
  const ids = [from, until].map((n) => `o-${String(n).padStart(8, '0')}`);
  if (judged) {
    await client.query(
      `INSERT INTO verdicts (id, order_id, verdict, promised_until, judged_at, policy_version, trigger, trace, declined_because, inputs, explanation)
       SELECT verdict_id, id, verdict, promised_until, judged_at, 1, 'sweep', 'bench', 'not_due', '{}', '{}' FROM orders WHERE id BETWEEN $1 AND $2`,
      ids,
    );
  }
  await client.query(
    `INSERT INTO shipments (id, order_id, position, carrier, carrier_key, tracking_number, tracking_key, status, tracked_at)
     SELECT gen_random_uuid(), id, 0, 'usps', 'usps', 'N' || substr(id, 3), 'N' || substr(id, 3), 'in_transit', now() - interval '1 day'
     FROM orders WHERE id BETWEEN $1 AND $2`,
    ids,
  );
  await client.query(
    `INSERT INTO tracking_events (scan_key, source, carrier, carrier_key, tracking_key, status, occurred_at, code, received_at)
     SELECT gen_random_uuid(), 'easypost', 'usps', 'usps', 'N' || substr(id, 3), 'in_transit', now() - interval '1 day', 'bench',
       now() - interval '1 day' FROM orders WHERE id BETWEEN $1 AND $2`,
    ids,
  );
}

/** Arrived in time, months ago: nothing is left to do, and nothing of it is thrown away. Their ids lie among the open ones. */
async function insertClosed(client, from, until) {
  await client.query(
    `INSERT INTO orders (id, customer_id, total_minor, currency, promise_on, promise_time_zone, promised_until, registered_at,
       verdict, verdict_id, judged_at, looked_at)
     SELECT 'o-' || lpad((n / 10)::text, 8, '0') || '-' || n % 10, 'c-1', 5990, 'USD', '2026-01-10', 'UTC', '2026-01-11', '2026-01-05',
       'on_time', gen_random_uuid(), '2026-01-09', '2026-01-09' FROM generate_series($1::int, $2::int) n`,
    [from, until],
  );
  const ofBatch = `FROM generate_series($1::int, $2::int) n JOIN orders o ON o.id = 'o-' || lpad((n / 10)::text, 8, '0') || '-' || n % 10`;
  await client.query(
    `INSERT INTO verdicts (id, order_id, verdict, promised_until, met_at, judged_at, policy_version, trigger, trace, declined_because, inputs, explanation)
     SELECT o.verdict_id, o.id, 'on_time', o.promised_until, '2026-01-09', '2026-01-09', 1, 'webhook', 'bench', 'kept', '{}', '{}' ${ofBatch}`,
    [from, until],
  );
  await client.query(
    `INSERT INTO shipments (id, order_id, position, carrier, carrier_key, tracking_number, tracking_key, status, delivered_at, tracked_at)
     SELECT gen_random_uuid(), o.id, 0, 'usps', 'usps', 'C' || n, 'C' || n, 'delivered', '2026-01-09', '2026-01-09' ${ofBatch}`,
    [from, until],
  );
  await client.query(
    `INSERT INTO tracking_events (scan_key, source, carrier, carrier_key, tracking_key, status, occurred_at, code, received_at)
     SELECT gen_random_uuid(), 'easypost', 'usps', 'usps', 'C' || n, 'delivered', timestamptz '2026-01-09', 'bench', timestamptz '2026-01-09'
     FROM generate_series($1::int, $2::int) n`,
    [from, until],
  );
}

/** What a command of the product works with. */
export async function withDeps(url, work) {
  const config = readConfig({ DATABASE_URL: url, LOG_LEVEL: 'warn' });
  const { deps, close } = await openDeps(config, { databaseUrl: url, log: createLogger('warn'), withQueues: false });
  try {
    return await work(deps);
  } finally {
    await close();
  }
}

/** After a sweep: it came to its end, each open order was judged once, and what is late got what it is to get. */
export async function checkNight(query, report, { orders, first, before = 0 }) {
  const late = Math.floor(orders / LATE_EVERY);
  assert.equal(report.judged, orders, 'every open order was looked at');
  assert.equal(report.failed, 0, 'none failed');
  assert.equal(report.late, late - before, 'what is late was found');
  const [row] = await query(
    `SELECT (SELECT count(*) FROM sweep_runs WHERE finished_at IS NOT NULL AND cursor = (SELECT max(id) FROM orders WHERE due_at IS NOT NULL)
         AND (counts ->> 'judged')::int = $1)::int AS runs,
       (SELECT count(*) FROM orders WHERE verdict = 'overdue')::int AS overdue,
       (SELECT count(*) FROM orders WHERE due_at IS NOT NULL AND verdict = 'pending')::int AS pending,
       (SELECT count(*) FROM orders o WHERE due_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM verdicts v WHERE v.id = o.verdict_id
         AND v.verdict = o.verdict))::int AS "unrecorded",
       (SELECT count(*) FROM verdicts WHERE trace = $2)::int AS recorded,
       (SELECT count(*) FROM awards)::int AS awards, (SELECT count(DISTINCT order_id) FROM awards)::int AS awarded,
       (SELECT coalesce(sum(amount_minor), 0) FROM awards)::int AS amount,
       (SELECT coalesce(sum(spent_minor), 0) FROM budget_days)::int AS spent,
       (SELECT count(DISTINCT one) FROM outbox o, unnest(o.ids) AS one WHERE stage = 'grant-awards')::int AS tickets,
       (SELECT coalesce(sum(amount), 0) FROM ledger_entries)::int AS ledger`,
    [orders, report.trace],
  );
  assert.deepEqual(row, {
    runs: 1,
    overdue: late,
    pending: orders - late,
    unrecorded: 0,
    recorded: first ? orders : late - before,
    awards: late,
    awarded: late,
    amount: late * CREDIT,
    spent: late * CREDIT,
    tickets: late,
    ledger: 0,
  });
}

export const lateOf = (orders) => Math.floor(orders / LATE_EVERY);
