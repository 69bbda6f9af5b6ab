import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { eventually } from './eventually.js';

/** A database of a test file's own, with the current schema. */
export interface TestDatabase {
  readonly name: string;
  readonly url: string;
  query<T extends pg.QueryResultRow = Record<string, unknown>>(sql: string, values?: unknown[]): Promise<T[]>;
  /** Closes the test's own connections, so that the database can be the template of others. */
  disconnect(): Promise<void>;
  drop(): Promise<void>;
}

/** @param template what it is a copy of: a database that nobody is connected to */
export async function createTestDatabase(template = 'makegood_template'): Promise<TestDatabase> {
  const serverUrl = process.env.TEST_POSTGRES_URL;
  if (!serverUrl) throw new Error('the global set-up has not started PostgreSQL');
  const name = `test_${randomBytes(6).toString('hex')}`;
  const admin = async (sql: string) => {
    const client = new pg.Client({ connectionString: serverUrl });
    await client.connect();
    try {
      await client.query(sql);
    } finally {
      await client.end();
    }
  };
  await admin(`CREATE DATABASE ${name} TEMPLATE ${template}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const pool = new pg.Pool({ connectionString: url.toString(), max: 3 });
  pool.on('error', () => {});
  let disconnected: Promise<void> | null = null;
  const disconnect = () => {
    disconnected ??= pool.end();
    return disconnected;
  };
  return {
    name,
    url: url.toString(),
    async query(sql, values) {
      return (await pool.query(sql, values)).rows;
    },
    disconnect,
    async drop() {
      await disconnect();
      // An autovacuum worker may be in it, whom only a superuser could send away; it leaves by itself.
      await eventually(async () => {
        await admin(`DROP DATABASE ${name} WITH (FORCE)`);
        return true;
      });
    },
  };
}
