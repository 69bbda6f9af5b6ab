import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { readConfig } from '../../dist/src/config.js';
import { startEmbeddedPostgres } from '../../dist/src/embedded/postgres.js';
import { createLogger } from '../../dist/src/logger.js';
import { openDeps } from '../../dist/src/open-deps.js';
import { insertOrders } from './line-mix.mjs';

let copies = 0;

/** A PostgreSQL of the benchmark's own, for the rows that `work` yields; fsync on, as it always is. */
export async function* withServer(work, postgresSettings = {}) {
  const dataDir = mkdtempSync(join(tmpdir(), 'makegood-bench-'));
  chmodSync(dataDir, 0o755);
  const server = await startEmbeddedPostgres({ dataDir, settings: postgresSettings });
  try {
    yield* work({ url: server.url, dir: dataDir });
  } finally {
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/**
 * A database that every arm gets a copy of: so each begins with the same rows, fresh statistics and nothing dead.
 * @param options.prepare puts in what the arms begin with
 */
export async function makeTemplate(server, name, { prepare, policyFile = '' }) {
  const url = await createDatabase(server, name, null);
  const config = readConfig({ DATABASE_URL: url, POLICY_FILE: policyFile });
  const { close } = await openDeps(config, { databaseUrl: url, log: createLogger('warn'), withQueues: true });
  await close();
  await withClient(url, async (client) => {
    await prepare(async (sql, values) => (await client.query(sql, values)).rows);
    await client.query('VACUUM ANALYZE');
    await client.query('CHECKPOINT').catch(() => {});
  });
  return name;
}

/** A template with the orders of a mix. @param options.at what time it is in a run, where that is not what it is in most */
export function makeLineTemplate(server, { mix, events, policyFile, at }) {
  const prepare = (query) => insertOrders(query, mix, events, at);
  return makeTemplate(server, `line_${mix}`, { prepare, policyFile });
}

/** Runs `work` on a copy of a template, which is dropped afterwards. */
export async function withCopy(server, template, work) {
  const name = `${template}_${++copies}`;
  const url = await createDatabase(server, name, template);
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return await work({ url, query: async (sql, values) => (await client.query(sql, values)).rows });
  } finally {
    await client.end();
    await withClient(server.url, (admin) => admin.query(`DROP DATABASE ${name}`));
  }
}

/** @param template the database that it is a copy of; null: it is empty */
export async function createDatabase(server, name, template) {
  await withClient(server.url, (admin) =>
    admin.query(`CREATE DATABASE ${name}${template ? ` TEMPLATE ${template} STRATEGY FILE_COPY` : ''}`),
  );
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  return url.toString();
}

async function withClient(url, work) {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** What the server promises, and which one it is. */
export function databaseFacts(url) {
  return withClient(url, async (client) => {
    const { rows } = await client.query(
      `SELECT current_setting('server_version') AS version, current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit`,
    );
    const [{ version, fsync, commit }] = rows;
    return `PostgreSQL ${version}, fsync ${fsync}, synchronous_commit ${commit}`;
  });
}
