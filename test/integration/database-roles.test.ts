import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { checkAppRole } from '../../src/cli/doctor/check-database.js';
import { ensureAppRole, inspectAppRole } from '../../src/db/app-role.js';
import { type Database, openDatabase } from '../../src/db/database.js';
import { migrate } from '../../src/db/migrate.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

/*
 * What the role that the application works as may do: everything it needs, and nothing that rewrites history. Asked of the
 * database's catalog, and tried.
 */

let database: TestDatabase;
let db: Database;

beforeAll(async () => {
  database = await createTestDatabase();
  db = openDatabase(database.url, { poolSize: 4, onError: () => {} });
});
afterAll(async () => {
  await db.close();
  await database.drop();
});

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

const PERMISSION_DENIED = '42501';

/** Whatever is not named here may be read, added to, changed and deleted from. */
const PROTECTED: Readonly<Record<string, readonly string[]>> = {
  _prisma_migrations: ['SELECT'],
  audit: ['INSERT', 'SELECT'],
  awards: ['INSERT', 'SELECT', 'UPDATE'],
  event_deliveries: ['INSERT', 'SELECT', 'UPDATE'],
  event_endpoints: ['INSERT', 'SELECT', 'UPDATE'],
  events: ['INSERT', 'SELECT'],
  ledger_accounts: ['INSERT', 'SELECT'],
  ledger_entries: ['INSERT', 'SELECT'],
  ledger_lot_uses: ['SELECT'],
  ledger_lots: ['SELECT'],
  ledger_transfers: ['INSERT', 'SELECT'],
  policy_versions: ['INSERT', 'SELECT'],
  signing_keys: ['INSERT', 'SELECT'],
  reported_incidents: ['INSERT', 'SELECT'],
  verdicts: ['INSERT', 'SELECT'],
};

async function tablesOf(one: TestDatabase): Promise<string[]> {
  const rows = await one.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' ORDER BY 1`,
  );
  return rows.map(({ name }) => name);
}

describe('the role of the application', () => {
  test('every session of the pool works as it, and so does Prisma', async () => {
    const roles = await Promise.all(
      [1, 2, 3, 4].map(() =>
        db.transaction(async (sql) => (await sql.query('SELECT current_user AS role, pg_sleep(0.05)')).rows[0].role),
      ),
    );
    expect(roles).toEqual(Array(4).fill('makegood_app'));
    expect(await db.prisma.$queryRaw`SELECT current_user::text AS role`).toEqual([{ role: 'makegood_app' }]);
  });

  test('has the rights it needs on every table, and on history no more than to add to it', async () => {
    const rows = await database.query<{ name: string; rights: string[] }>(
      `SELECT table_name AS name, array_agg(privilege_type::text ORDER BY privilege_type) AS rights
       FROM information_schema.role_table_grants WHERE grantee = 'makegood_app' AND table_schema = 'public' GROUP BY 1`,
    );
    const granted = Object.fromEntries(rows.map(({ name, rights }) => [name, rights]));
    const tables = await tablesOf(database);
    const wanted = tables.map((name) => [name, PROTECTED[name] ?? ['DELETE', 'INSERT', 'SELECT', 'UPDATE']]);
    expect(granted).toEqual(Object.fromEntries(wanted));
    expect(tables).toEqual(expect.arrayContaining(Object.keys(PROTECTED)));
  });

  const CHANGES: Readonly<Record<string, string>> = {
    UPDATE: 'UPDATE $ SET ctid = ctid WHERE false',
    DELETE: 'DELETE FROM $ WHERE false',
    TRUNCATE: 'TRUNCATE $ CASCADE',
    INSERT: 'INSERT INTO $ DEFAULT VALUES',
  };
  const denied = Object.entries(PROTECTED).flatMap(([table, rights]) =>
    Object.keys(CHANGES)
      .filter((change) => !rights.includes(change))
      .map((change) => [table, change] as const),
  );
  test.each(denied)('is refused on %s: %s', async (table, change) => {
    const columns = await database.query<{ name: string }>(
      'SELECT column_name AS name FROM information_schema.columns WHERE table_name = $1 ORDER BY ordinal_position LIMIT 1',
      [table],
    );
    const column = `"${columns[0]?.name}"`;
    const sql = (CHANGES[change] ?? '').replace('$', table).replace('ctid = ctid', `${column} = ${column}`);
    await expect(db.pool.query(sql)).rejects.toMatchObject({ code: PERMISSION_DENIED });
  });

  test('can neither make tables, nor switch off what guards them, nor take from lots by itself', async () => {
    for (const sql of [
      'CREATE TABLE mine (id int)',
      'ALTER TABLE ledger_entries DISABLE TRIGGER ALL',
      'DROP TRIGGER audit_append_only ON audit',
      `SET session_replication_role = 'replica'`,
      'SELECT take_from_lots(t, gen_random_uuid(), 1) FROM ledger_transfers t',
    ]) {
      await expect(db.pool.query(sql)).rejects.toMatchObject({ code: PERMISSION_DENIED });
    }
  });

  test('what is missing or too much is put right at the next start', async () => {
    const one = await createTestDatabase();
    undo.push(() => one.drop());
    await one.query('GRANT UPDATE, DELETE ON audit TO makegood_app');
    await one.query('REVOKE INSERT ON orders FROM makegood_app');
    const client = await connect(one.url);
    expect(await inspectAppRole(client)).toBe('incomplete');
    expect(await migrate(one.url)).toEqual([]);
    expect(await inspectAppRole(client)).toBe('ready');
  });

  test('several processes that start at once on several databases all find it ready', async () => {
    const databases = await Promise.all([1, 2, 3].map(() => createTestDatabase()));
    for (const one of databases) undo.push(() => one.drop());
    for (const one of databases) await one.query('REVOKE ALL ON ALL TABLES IN SCHEMA public FROM makegood_app');
    await Promise.all(databases.flatMap(({ url }) => [migrate(url), migrate(url), migrate(url)]));
    for (const { url } of databases) expect(await inspectAppRole(await connect(url))).toBe('ready');
  });
});

describe('a user who may not make roles', () => {
  test('works as the owner, is warned by doctor, and triggers still guard history', async () => {
    const { url, drop } = await databaseOfPoorUser();
    undo.push(drop);
    expect((await migrate(url)).length).toBeGreaterThan(0);
    // The same again: nothing to apply, and nothing that fails.
    expect(await migrate(url)).toEqual([]);
    const client = await connect(url);
    expect(await ensureAppRole(client)).toBe('absent');
    const poor = openDatabase(url, { poolSize: 1, onError: () => {} });
    try {
      const { rows } = await poor.pool.query('SELECT current_user = session_user AS "asItself"');
      expect(rows).toEqual([{ asItself: true }]);
      await expect(poor.pool.query('DELETE FROM audit')).rejects.toMatchObject({ code: '23001' });
      expect(await checkAppRole(poor.pool)).toMatchObject({ name: 'role', status: 'warning' });
      expect(await checkAppRole(db.pool)).toMatchObject({ name: 'role', status: 'ok' });
    } finally {
      await poor.close();
    }
  });
});

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  undo.push(() => client.end());
  return client;
}

/** A database that belongs to somebody who may do nothing else. */
async function databaseOfPoorUser(): Promise<{ url: string; drop: () => Promise<void> }> {
  const serverUrl = process.env.TEST_POSTGRES_URL ?? '';
  const name = `poor_${randomBytes(6).toString('hex')}`;
  const asAdmin = async (statements: readonly string[]) => {
    const client = new pg.Client({ connectionString: serverUrl });
    await client.connect();
    try {
      for (const statement of statements) await client.query(statement);
    } finally {
      await client.end();
    }
  };
  await asAdmin([
    `CREATE ROLE ${name} LOGIN PASSWORD '${name}'`,
    `GRANT ${name} TO CURRENT_USER`,
    `CREATE DATABASE ${name} OWNER ${name}`,
  ]);
  const url = Object.assign(new URL(serverUrl), { username: name, password: name, pathname: `/${name}` });
  const drop = () => asAdmin([`DROP DATABASE ${name} WITH (FORCE)`, `DROP ROLE ${name}`]);
  return { url: url.toString(), drop };
}
