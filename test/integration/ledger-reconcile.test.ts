import { randomBytes, randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from '@jest/globals';
import pg from 'pg';
import { reconcileLedger } from '../../src/awards/reconcile-ledger.js';
import { reverseAward } from '../../src/awards/reverse-award.js';
import { debitLedger } from '../../src/awards/spend-ledger.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { addCustomers, decideAwards, grantNow, type LedgerDeps, openLedger } from '../support/ledger.js';
import { ROOT } from '../support/source-files.js';

/*
 * Whether the reconciliation would notice: somebody with the owner's rights switches the guards off and writes what cannot be written
 * otherwise.
 */

let database: TestDatabase;
let deps: LedgerDeps;
const open: (() => Promise<void>)[] = [];

beforeEach(async () => {
  database = await createTestDatabase();
  deps = openLedger(database, 4);
  const [db, mine] = [deps.db, database];
  open.push(async () => {
    await db.close();
    await mine.drop();
  });
  await addCustomers(database, ['ann']);
  const awards = await decideAwards(database, [
    { customerId: 'ann', unit: 'USD', amount: 500 },
    { customerId: 'ann', unit: 'points', amount: 70 },
  ]);
  await grantNow(deps, awards);
  await debitLedger(deps, 'ann', { kind: 'spend', unit: 'USD', amount: 200, reason: 'test', actor: 'key:shop' });
  await reverseAward(deps, awards[1] ?? '', { actor: 'key:sue', reviewer: 'key:1', reason: 'test' });
  expect(await reconcileLedger(deps.db.pool)).toEqual([]);
});
afterAll(async () => {
  for (const close of open) await close();
});

async function tamper(...statements: string[]): Promise<void> {
  const tables = ['awards', 'ledger_accounts', 'ledger_transfers', 'ledger_entries', 'ledger_lots', 'ledger_lot_uses'];
  const all = (verb: string) => tables.map((table) => `ALTER TABLE ${table} ${verb} TRIGGER USER;`).join('\n');
  await database.query([all('DISABLE'), ...statements.map((sql) => `${sql};`), all('ENABLE')].join('\n'));
}

const OF_ANN = `(SELECT id FROM ledger_accounts WHERE owner_id = 'ann' AND unit = 'USD')`;
const GRANT = `(SELECT id FROM ledger_transfers t JOIN ledger_lots l ON l.transfer_id = t.id AND l.account_id = ${OF_ANN})`;

test.each<[string, string[], string[]]>([
  ['a balance that was raised', [`UPDATE ledger_accounts SET balance = balance + 1 WHERE id = ${OF_ANN}`], ['balance']],
  [
    'an entry that was raised on one side',
    [`UPDATE ledger_entries SET amount = amount + 1 WHERE account_id = ${OF_ANN} AND amount > 0`],
    ['award_amount', 'balance', 'lot', 'transfer'],
  ],
  [
    'a transfer without entries',
    [`INSERT INTO ledger_transfers (id, kind, posted_at) VALUES (gen_random_uuid(), 'spend', now())`],
    ['transfer'],
  ],
  [
    'a rest that was raised',
    [`UPDATE ledger_lots SET remaining = granted WHERE account_id = ${OF_ANN}`],
    ['balance', 'lot'],
  ],
  ['a use that was lowered', [`UPDATE ledger_lot_uses SET amount = 1 WHERE account_id = ${OF_ANN}`], ['debit', 'lot']],
  [
    'an award that says something else than was booked',
    [`UPDATE awards SET amount_minor = 400 WHERE kind = 'store_credit'`],
    ['award_amount'],
  ],
  [
    'an award that went back to pending',
    [`UPDATE awards SET status = 'pending' WHERE kind = 'store_credit'`],
    ['transfer_without_award'],
  ],
  [
    'a reversal that the award does not know of',
    [`UPDATE awards SET status = 'applied' WHERE kind = 'points'`],
    ['reversal'],
  ],
  [
    'an award that was reversed without a transfer',
    [`UPDATE awards SET status = 'reversed' WHERE kind = 'store_credit'`],
    ['reversal'],
  ],
  [
    'an award that the ledger is said to have given and has not',
    [`UPDATE ledger_transfers SET award_id = NULL WHERE id = ${GRANT}`],
    ['award_without_transfer', 'transfer_without_award'],
  ],
])('%s is found', async (_what, statements, kinds) => {
  await tamper(...statements);
  const differences = await reconcileLedger(deps.db.pool);
  expect(differences.map(({ kind }) => kind).sort()).toEqual(kinds);
});

test('what was booked before lots were kept has its lots after the migration, less what was taken meanwhile', async () => {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await query(serverUrl(), `CREATE DATABASE ${name}`);
  open.push(() => query(serverUrl(), `DROP DATABASE ${name} WITH (FORCE)`));
  const url = Object.assign(new URL(serverUrl()), { pathname: `/${name}` }).toString();
  const folder = join(ROOT, 'prisma/migrations');
  const scripts = readdirSync(folder)
    .filter((entry) => /^\d{14}_/.test(entry))
    .sort();
  const apply = async (wanted: (script: string) => boolean) => {
    for (const script of scripts.filter(wanted))
      await query(url, readFileSync(join(folder, script, 'migration.sql'), 'utf8'));
  };
  const LAST_BEFORE = '20261128000000_decisions_in_full';
  await apply((script) => script <= LAST_BEFORE);
  const [award, first, second, taken, house, own] = Array.from({ length: 6 }, () => randomUUID());
  await query(
    url,
    `INSERT INTO customers (id) VALUES ('ann');
     INSERT INTO orders (id, customer_id, promise_on, promise_time_zone, promised_until, registered_at)
       VALUES ('o', 'ann', '2025-03-05', 'UTC', '2025-03-06', now());
     INSERT INTO verdicts (id, order_id, verdict, promised_until, judged_at, policy_version, trigger, trace, inputs, explanation)
       VALUES ('${award}', 'o', 'late', '2025-03-06', now(), 1, 'webhook', 't', '{}', '{}');
     INSERT INTO awards (id, order_id, customer_id, incident, decision_id, class, step, kind, amount_minor, currency, status, rule, reason,
         policy_version, decided_at, applied_at)
       VALUES ('${award}', 'o', 'ann', 'late', '${award}', 'money', 1, 'store_credit', 300, 'USD', 'applied', 'r', 'r', 1, now(), now());
     INSERT INTO ledger_accounts (id, owner_kind, owner_id, unit) VALUES ('${house}', 'house', 'goodwill', 'USD'), ('${own}', 'customer', 'ann', 'USD');
     INSERT INTO ledger_transfers (id, award_id, kind, posted_at) VALUES ('${first}', '${award}', 'award', '2026-01-01'),
       ('${second}', NULL, 'award', '2026-01-02'), ('${taken}', NULL, 'adjust', '2026-01-03');
     INSERT INTO ledger_entries (transfer_id, account_id, amount) VALUES ('${first}', '${own}', 300), ('${first}', '${house}', -300),
       ('${second}', '${own}', 50), ('${second}', '${house}', -50), ('${taken}', '${own}', -310), ('${taken}', '${house}', 310)`,
  );
  await apply((script) => script > LAST_BEFORE);
  const lots = `SELECT transfer_id AS grant, granted::int, remaining::int FROM ledger_lots ORDER BY granted_at`;
  expect(await query(url, lots)).toEqual([
    { grant: first, granted: 300, remaining: 0 },
    { grant: second, granted: 50, remaining: 40 },
  ]);
  expect(await query(url, `SELECT provider FROM awards`)).toEqual([{ provider: 'ledger' }]);
});

function serverUrl(): string {
  return process.env.TEST_POSTGRES_URL ?? '';
}

// biome-ignore lint/suspicious/noExplicitAny: rows of whatever was asked.
async function query(url: string, sql: string): Promise<any> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}
