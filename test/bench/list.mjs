import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { openDatabase } from '../../dist/src/db/database.js';
import { migrate } from '../../dist/src/db/migrate.js';
import { startEmbeddedPostgres } from '../../dist/src/embedded/postgres.js';
import { listOrders } from '../../dist/src/http/order-list-store.js';
import { pairRuns } from './paired-runs.mjs';

/** As GET /v1/orders asks: a page, and one more to know whether there is more. */
const PAGE = 50;
/** Pages that follow each other, as somebody reads on. */
const PAGES = 5;
const EVERYTHING = { verdict: null, status: null, carrierKey: null, trackingKey: null, customerId: null };

/**
 * The list of orders, far down: five pages from row 990,000 of a million. The product's statement, which begins at its place in
 * an index, against the same with OFFSET. Both read the same columns of the same rows; which they are is compared.
 */
export async function* benchList({ quick, say }) {
  const dataDir = mkdtempSync(join(tmpdir(), 'makegood-bench-'));
  chmodSync(dataDir, 0o755);
  const server = await startEmbeddedPostgres({ dataDir });
  try {
    await migrate(server.url);
    const rows = 1_000_000;
    say(`\rB9 list: ${rows} orders `.padEnd(50));
    await fill(server.url, rows);
    const db = openDatabase(server.url, { poolSize: 2, onError: () => {} });
    try {
      yield* compare({ db, rows, quick, say });
    } finally {
      await db.close();
    }
  } finally {
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** As the owner of the tables, who alone may VACUUM. */
async function fill(url, rows) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await insertOrders(client, rows);
    await client.query('VACUUM ANALYZE');
  } finally {
    await client.end();
  }
}

/** Orders of one year, one or two parcels each, nearly all judged: what the list shows of them, and nothing else. */
async function insertOrders(client, rows) {
  const customers = Math.ceil(rows / 3);
  await client.query(`INSERT INTO customers (id) SELECT 'c-' || n FROM generate_series(0, $1::int - 1) AS n`, [
    customers,
  ]);
  // Numbered by something else than time, so that neighbours in the list are no neighbours in the table.
  await client.query(
    `INSERT INTO orders (id, customer_id, promise_on, promise_time_zone, promised_until, registered_at, verdict, verdict_id, judged_at)
     SELECT 'o-' || lpad(n::text, 8, '0'), 'c-' || n * 7919::bigint % $2, at::date, 'UTC', at::date + interval '1 day', at, verdict,
       CASE WHEN verdict IS NOT NULL THEN gen_random_uuid() END, CASE WHEN verdict IS NOT NULL THEN at END
     FROM (SELECT n, timestamptz '2025-03-03T12:00:00Z' + n * 104729::bigint % $1 * (interval '365 days' / $1::int) AS at,
         CASE WHEN n % 1000 = 7 THEN NULL WHEN n % 100 < 7 THEN 'late' WHEN n % 1000 = 501 THEN 'lost' ELSE 'on_time' END AS verdict
       FROM generate_series(0, $1::int - 1) AS n) x`,
    [rows, customers],
  );
  await client.query(
    `INSERT INTO verdicts (id, order_id, verdict, late_days, promised_until, judged_at, policy_version, trigger, trace, inputs, explanation)
     SELECT verdict_id, id, verdict, CASE verdict WHEN 'late' THEN 2 END, promised_until, judged_at, 1, 'sweep', 'bench', '{}', '{}'
     FROM orders WHERE verdict_id IS NOT NULL`,
  );
  await client.query(
    `INSERT INTO shipments (id, order_id, position, carrier, carrier_key, tracking_number, tracking_key, status)
     SELECT gen_random_uuid(), o.id, k, carrier, carrier, number, number,
       CASE WHEN n % 500 = 3 THEN 'exception' WHEN n % 20 = 0 THEN 'in_transit' ELSE 'delivered' END
     FROM (SELECT id, substr(id, 3)::int AS n FROM orders) o CROSS JOIN LATERAL generate_series(0, CASE WHEN n % 10 = 0 THEN 1 ELSE 0 END) AS k
       CROSS JOIN LATERAL (SELECT CASE WHEN n % 10000 = 9 THEN 'gls' WHEN n % 3 = 0 THEN 'ups' ELSE 'usps' END AS carrier,
         'N' || n || 'P' || k AS number) c`,
  );
}

async function* compare({ db, rows, quick, say }) {
  const { rows: facts } = await db.pool.query(
    `SELECT current_setting('server_version') AS v, (SELECT count(*) FROM orders) AS orders`,
  );
  assert.equal(facts[0].orders, rows, 'every order is there');
  const from = rows - rows / 100;
  const { rows: place } = await db.pool.query(
    'SELECT registered_at AS at, id FROM orders o ORDER BY o.registered_at DESC, o.id DESC OFFSET $1 LIMIT 1',
    [from - 1],
  );
  const expected = await byOffset(db, from);
  assert.equal(expected.length, PAGES * PAGE);
  const arm = (read) => () => measure(read, expected, quick ? 1_000 : 3_000);
  yield await pairRuns({
    name: 'B9 list',
    unit: 'pages/min',
    baseline: arm(() => byOffset(db, from)),
    ours: arm(() => byKeyset(db, place[0])),
    pairs: quick ? 3 : 7,
    gate: 10,
    gateOp: '>=',
    quick,
    checks: { rows: 'ok' },
    note: `PostgreSQL ${facts[0].v}, from row ${from} of ${rows}`,
    say,
  });
}

/** Reads the pages again and again, for so long. @returns pages a minute */
async function measure(read, expected, forMs) {
  const startedAt = performance.now();
  let pages = 0;
  while (performance.now() - startedAt < forMs) {
    assert.deepEqual(await read(), expected, 'the same orders in the same order');
    pages += PAGES;
  }
  return pages / ((performance.now() - startedAt) / 60_000);
}

/** The product's list. @returns the orders of all pages */
async function byKeyset(db, place) {
  const orders = [];
  let after = place;
  for (let page = 0; page < PAGES; page++) {
    const found = (await listOrders(db.pool, EVERYTHING, { after, limit: PAGE + 1 })).slice(0, PAGE);
    orders.push(...found);
    const last = found.at(-1);
    after = { at: last.registeredAt, id: last.id };
  }
  return orders;
}

/** With page numbers, as well as that can be done: what is skipped is skipped in the index, and no row of it is read. */
async function byOffset(db, from) {
  const orders = [];
  for (let page = 0; page < PAGES; page++) {
    const { rows } = await db.pool.query(
      `WITH page AS MATERIALIZED (
         SELECT o.id, o.customer_id, o.registered_at, o.promised_until, o.verdict, o.verdict_id, o.judged_at, o.due_at
         FROM (SELECT registered_at, id FROM orders ORDER BY registered_at DESC, id DESC LIMIT $1 OFFSET $2) k JOIN orders o ON o.id = k.id)
       SELECT p.id, p.customer_id AS "customerId", p.registered_at AS "registeredAt", p.promised_until AS "promisedUntil", p.verdict,
         (SELECT v.late_days FROM verdicts v WHERE v.id = p.verdict_id) AS "lateDays", p.judged_at AS "judgedAt", p.due_at AS "dueAt",
         (SELECT coalesce(json_agg(json_build_object('carrier', s.carrier, 'trackingNumber', s.tracking_number, 'status', s.status)
            ORDER BY s.position), '[]') FROM shipments s WHERE s.order_id = p.id) AS shipments
       FROM page p ORDER BY p.registered_at DESC, p.id DESC`,
      [PAGE + 1, from + page * PAGE],
    );
    orders.push(...rows.slice(0, PAGE));
  }
  return orders;
}
