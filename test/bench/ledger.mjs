import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { grantAwards } from '../../dist/src/awards/grant-awards.js';
import { reconcileLedger } from '../../dist/src/awards/reconcile-ledger.js';
import { ensureFirstPolicy, PolicyBook } from '../../dist/src/compensation/policy-store.js';
import { readConfig } from '../../dist/src/config.js';
import { openDatabase } from '../../dist/src/db/database.js';
import { migrate } from '../../dist/src/db/migrate.js';
import { startEmbeddedPostgres } from '../../dist/src/embedded/postgres.js';
import { newId } from '../../dist/src/ids.js';
import { inPairs } from './rate-pairs.mjs';

const BATCH = 100;
const CUSTOMERS = 5_000;
const HOT = 10;
/** Batches at once: what the worker of this stage does. */
const LANES = 2;
/** Transactions at once of whoever grants one by one. */
const CALLERS = 10;

/**
 * Granting store credit: the stage's own path in batches of 100, with everything it does (locks, breaker, transfers, entries,
 * lots, state, tickets), against one interactive transaction an award that leaves the same rows. Then ten hot customers
 * against five thousand. PostgreSQL with fsync on.
 */
export async function* benchLedger({ quick, say }) {
  const dataDir = mkdtempSync(join(tmpdir(), 'makegood-bench-'));
  chmodSync(dataDir, 0o755);
  const server = await startEmbeddedPostgres({ dataDir });
  try {
    await migrate(server.url);
    const db = openDatabase(server.url, { poolSize: CALLERS + LANES, onError: () => {} });
    try {
      await ensureFirstPolicy(db, null);
      yield* compare({ db, tidy: () => tidy(server.url), quick, say });
    } finally {
      await db.close();
    }
  } finally {
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** Statistics are fresh and nothing is left to write out, before each arm. Only the owner of the tables can do that. */
async function tidy(url) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('VACUUM ANALYZE');
  await client.end();
}

async function* compare({ db, tidy, quick, say }) {
  const deps = { db, config: readConfig({}), policies: new PolicyBook() };
  const pairs = quick ? 3 : 7;
  const size = quick ? { one: 400, batch: 4_000 } : { one: 4_000, batch: 20_000 };
  const { rows } = await db.pool.query(
    `SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit, current_setting('server_version') AS v`,
  );
  const note = `PostgreSQL ${rows[0].v}, fsync ${rows[0].fsync}, synchronous_commit ${rows[0].commit}`;
  await prepare(db);
  await openAccounts(db);
  const oneByOne = () => measure({ db, tidy }, size.one, CUSTOMERS, (awards) => grantOneByOne(db, awards));
  const batched = (customers) => () =>
    measure({ db, tidy }, size.batch, customers, (awards) => grantInBatches(deps, awards));

  const unit = 'awards/s';
  const checks = { rows: 'ok', ledger: 'ok' };
  yield await inPairs({
    unit,
    checks,
    name: 'B7 ledger',
    baseline: oneByOne,
    ours: batched(CUSTOMERS),
    pairs,
    gate: 10,
    quick,
    note,
    say,
  });
  yield await inPairs({
    unit,
    checks,
    name: 'B7h ledger, 10 hot customers',
    baseline: batched(CUSTOMERS),
    ours: batched(HOT),
    pairs,
    gate: 0.7,
    quick,
    note,
    say,
  });
  say('\r\u001b[K');
  const wrong = await db.transaction((sql) => reconcileLedger(sql));
  assert.deepEqual(wrong, [], 'the ledger adds up');
}

/** Customers, and for each an order and a decision that awards can hang on. */
async function prepare(db) {
  await db.pool.query(`INSERT INTO customers (id) SELECT 'c-' || n FROM generate_series(0, $1 - 1) AS n`, [CUSTOMERS]);
  await db.pool.query(
    `INSERT INTO orders (id, customer_id, promise_on, promise_time_zone, promised_until, registered_at, total_minor, currency)
     SELECT 'o-' || n, 'c-' || n, '2026-11-05', 'UTC', '2026-11-06', now(), 5990, 'USD' FROM generate_series(0, $1 - 1) AS n`,
    [CUSTOMERS],
  );
  await db.pool.query(
    `INSERT INTO verdicts (id, order_id, verdict, promised_until, judged_at, policy_version, trigger, trace, inputs, explanation)
     SELECT gen_random_uuid(), 'o-' || n, 'late', '2026-11-06', now(), 1, 'webhook', 'bench', '{}', '{}' FROM generate_series(0, $1 - 1) AS n`,
    [CUSTOMERS],
  );
}

/** Accounts stand open from the first grant on: opening them is not what is compared. */
async function openAccounts(db) {
  await db.pool.query(
    `INSERT INTO ledger_accounts (id, owner_kind, owner_id, unit)
     SELECT gen_random_uuid(), 'customer', id, 'USD' FROM customers UNION ALL SELECT gen_random_uuid(), 'house', 'goodwill', 'USD'`,
  );
}

let step = 0;

/** New awards for so many customers, granted by `grant`; then everything is counted. @returns awards a second */
async function measure({ db, tidy }, count, customers, grant) {
  const from = step;
  step += Math.ceil(count / customers);
  const { rows } = await db.pool.query(
    `INSERT INTO awards (id, order_id, customer_id, incident, decision_id, class, step, kind, amount_minor, currency, status, rule,
       reason, policy_version, decided_at)
     SELECT gen_random_uuid(), v.order_id, 'c-' || (n % $2), 'late', v.id, 'money', $3 + 1 + n / $2, 'store_credit', 300, 'USD',
       'pending', 'late-small', 'bench', 1, now()
     FROM generate_series(0, $1 - 1) AS n JOIN verdicts v ON v.order_id = 'o-' || (n % $2)
     RETURNING id, decision_id`,
    [count, customers, from],
  );
  await tidy();
  const before = await totals(db);
  const startedAt = performance.now();
  await grant(rows);
  const seconds = (performance.now() - startedAt) / 1_000;
  const after = await totals(db);
  assert.equal(after.transfers - before.transfers, count, 'a transfer an award');
  assert.equal(after.entries - before.entries, 2 * count, 'both sides of each');
  assert.equal(after.balance - before.balance, 300 * count, 'every cent is there');
  assert.equal(after.lots - before.lots, count, 'a lot a grant');
  assert.equal(after.pending, 0, 'nothing is left');
  await db.pool.query('DELETE FROM outbox');
  return count / seconds;
}

async function totals(db) {
  const { rows } = await db.pool.query(
    `SELECT (SELECT count(*) FROM ledger_transfers) AS transfers, (SELECT count(*) FROM ledger_entries) AS entries,
       (SELECT coalesce(sum(balance), 0)::bigint FROM ledger_accounts WHERE owner_kind = 'customer') AS balance,
       (SELECT count(*) FROM ledger_lots) AS lots, (SELECT count(*) FROM awards WHERE status = 'pending') AS pending`,
  );
  return rows[0];
}

async function grantInBatches(deps, awards) {
  const ids = awards.map(({ id }) => id);
  const batches = Array.from({ length: Math.ceil(ids.length / BATCH) }, (_, index) =>
    ids.slice(index * BATCH, (index + 1) * BATCH),
  );
  await inLanes(batches, LANES, (batch) =>
    deps.db.transaction(async (sql) => {
      const ticket = { ids: batch, trigger: 'webhook', trace: 'bench' };
      await grantAwards(deps, { sql, ticket, now: new Date() });
    }),
  );
}

/** As it is written without thinking of floods: a transaction an award. It leaves the rows that the stage leaves. */
async function grantOneByOne(db, awards) {
  await inLanes(awards, CALLERS, ({ id }) =>
    db.transaction(async (sql) => {
      const { rows } = await sql.query(
        `SELECT customer_id, decision_id, amount_minor, currency FROM awards WHERE id = $1 AND status = 'pending' FOR UPDATE`,
        [id],
      );
      const [award] = rows;
      const transfer = newId();
      await sql.query(`INSERT INTO ledger_transfers (id, award_id, kind, posted_at) VALUES ($1, $2, 'award', now())`, [
        transfer,
        id,
      ]);
      await sql.query(
        `INSERT INTO ledger_entries (transfer_id, account_id, amount)
         SELECT $1::uuid, id, $2::bigint FROM ledger_accounts WHERE (owner_kind, owner_id, unit) = ('customer', $4, $3)
         UNION ALL SELECT $1::uuid, id, -$2::bigint FROM ledger_accounts WHERE (owner_kind, owner_id, unit) = ('house', 'goodwill', $3)`,
        [transfer, award.amount_minor, award.currency, award.customer_id],
      );
      await sql.query(`UPDATE awards SET status = 'applied', applied_at = now(), provider = 'ledger' WHERE id = $1`, [
        id,
      ]);
      await sql.query(
        `INSERT INTO outbox (id, stage, ids, trigger, trace, relay_after) VALUES ($1, 'send-messages', $2, 'webhook', 'bench', now())`,
        [newId(), [award.decision_id]],
      );
    }),
  );
}

async function inLanes(items, lanes, work) {
  let next = 0;
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      while (next < items.length) await work(items[next++]);
    }),
  );
}
