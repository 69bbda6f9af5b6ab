import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
// jest maps no modules in this file, so it takes the compiled ones; `npm test` compiles first.
import { migrate } from '../../dist/src/db/migrate.js';
import { startEmbeddedPostgres } from '../../dist/src/embedded/postgres.js';

/** One PostgreSQL for the whole run, with a template that holds the current schema: each test file copies it. */
export default async function globalSetup() {
  const dataDir = mkdtempSync(join(tmpdir(), 'makegood-test-'));
  chmodSync(dataDir, 0o755);
  // Nothing of a test run has to survive a power cut. What must survive a kill -9 does so without fsync.
  const server = await startEmbeddedPostgres({ dataDir, settings: { fsync: 'off' } });
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  await client.query('CREATE DATABASE makegood_template');
  await client.end();
  const template = new URL(server.url);
  template.pathname = '/makegood_template';
  await migrate(template.toString());

  process.env.TEST_POSTGRES_URL = server.url;
  Object.assign(globalThis, { testServer: server, testDataDir: dataDir });
}
