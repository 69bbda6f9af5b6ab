import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { readDatabaseState } from '../support/database-state.js';
import { addCustomers, balancesOf, decideAwards, grantNow, type LedgerDeps, openLedger } from '../support/ledger.js';

/*
 * What the tables of the ledger refuse even the owner of the database, whatever our code may think.
 */

let database: TestDatabase;
let deps: LedgerDeps;
let grant = '';
let other = '';
let house = '';
let own = '';

const RESTRICT_VIOLATION = '23001';
const UNIQUE_VIOLATION = '23505';
const CHECK_VIOLATION = '23514';
const TOO_LITTLE = 'MG001';

beforeAll(async () => {
  database = await createTestDatabase();
  deps = openLedger(database, 2);
  await addCustomers(database, ['ann']);
  const awards = await decideAwards(database, [
    { customerId: 'ann', unit: 'USD', amount: 300 },
    { customerId: 'ann', unit: 'USD', amount: 50 },
  ]);
  await grantNow(deps, awards);
  const idOf = async (sql: string, value: unknown) =>
    String((await database.query<{ id: string }>(sql, [value]))[0]?.id);
  grant = await idOf('SELECT id FROM ledger_transfers WHERE award_id = $1', awards[0]);
  other = await idOf('SELECT id FROM ledger_transfers WHERE award_id = $1', awards[1]);
  house = await idOf(`SELECT id FROM ledger_accounts WHERE owner_id = $1 AND unit = 'USD'`, 'goodwill');
  own = await idOf(`SELECT id FROM ledger_accounts WHERE owner_id = $1 AND unit = 'USD'`, 'ann');
});
afterAll(async () => {
  await deps.db.close();
  await database.drop();
});

/** Takes from Ann, as somebody with psql could. */
function debit(kind: string, amount: number, ofTransfer: string | null = null): string {
  const transfer = randomUUID();
  return `WITH t AS (INSERT INTO ledger_transfers (id, kind, posted_at, of_transfer)
      VALUES ('${transfer}', '${kind}', now(), ${ofTransfer === null ? 'NULL' : `'${ofTransfer}'`}))
    INSERT INTO ledger_entries (transfer_id, account_id, amount) VALUES ('${transfer}', '${own}', ${-amount}), ('${transfer}', '${house}', ${amount})`;
}

async function refused(sql: string, wanted: { code: string; constraint?: string }): Promise<void> {
  const before = await readDatabaseState(database);
  await expect(database.query(sql)).rejects.toMatchObject(wanted);
  expect(await readDatabaseState(database)).toEqual(before);
}

test('nobody has less than nothing: more than there is, or than is left of the grant, cannot be taken', async () => {
  await refused(debit('spend', 351), { code: TOO_LITTLE });
  await refused(debit('adjust', 351), { code: TOO_LITTLE });
  await refused(debit('reversal', 51, other), { code: TOO_LITTLE });
  // A grant that never ends has not ended.
  await refused(debit('expire', 1, other), { code: TOO_LITTLE });
});

test('what is left of a grant moves with entries alone', async () => {
  for (const sql of [
    'UPDATE ledger_lots SET remaining = 0',
    'DELETE FROM ledger_lots',
    'TRUNCATE ledger_lots CASCADE',
    `INSERT INTO ledger_lots (transfer_id, account_id, granted, remaining, granted_at) VALUES ('${grant}', '${house}', 5, 5, now())`,
    'UPDATE ledger_lot_uses SET amount = 1',
    'DELETE FROM ledger_lot_uses',
    'TRUNCATE ledger_lot_uses',
    `INSERT INTO ledger_lot_uses (transfer_id, lot_transfer_id, account_id, amount) VALUES ('${other}', '${grant}', '${own}', 1)`,
  ]) {
    await refused(sql, { code: RESTRICT_VIOLATION });
  }
});

test('an account never changes its unit', async () => {
  await refused(`UPDATE ledger_accounts SET unit = 'EUR' WHERE id = '${own}'`, { code: RESTRICT_VIOLATION });
});

test('a transfer is of a known kind, and names a grant where its kind takes from one', async () => {
  const insert = (kind: string, of: string) =>
    `INSERT INTO ledger_transfers (id, kind, posted_at, of_transfer) VALUES (gen_random_uuid(), '${kind}', now(), ${of})`;
  await refused(insert('gift', 'NULL'), { code: CHECK_VIOLATION, constraint: 'ledger_transfers_kind' });
  await refused(insert('reversal', 'NULL'), { code: CHECK_VIOLATION, constraint: 'ledger_transfers_of_transfer' });
  await refused(insert('spend', `'${grant}'`), { code: CHECK_VIOLATION, constraint: 'ledger_transfers_of_transfer' });
});

test('a grant is reversed once, even when something is left of it', async () => {
  await database.query(debit('reversal', 20, other));
  await refused(debit('reversal', 20, other), { code: UNIQUE_VIOLATION, constraint: 'ledger_transfers_one_reversal' });
  expect(await balancesOf(database, 'ann')).toEqual({ USD: 330 });
});
