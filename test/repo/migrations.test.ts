import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import pg from 'pg';
import { migrate } from '../../src/db/migrate.js';
import { eventually } from '../support/eventually.js';
import { ROOT } from '../support/source-files.js';

const MIGRATIONS = readdirSync(join(ROOT, 'prisma/migrations')).filter((name) => /^\d{14}_/.test(name));

test('the migrations add up to schema.prisma', async () => {
  const [from, to] = ['prisma/migrations', 'prisma/schema.prisma'];
  const diff = await runNode(
    [
      'node_modules/prisma/build/index.js',
      'migrate',
      'diff',
      '--from-migrations',
      from,
      '--to-schema',
      to,
      '--exit-code',
    ],
    {
      // The engine makes an empty database for a moment, with the rights that an ordinary role has.
      DATABASE_URL: serverUrl(),
      PRISMA_SCHEMA_ENGINE_BINARY: join(ROOT, 'tools/prisma-schema-engine.mjs'),
      CHECKPOINT_DISABLE: '1',
    },
  );
  expect(diff).toMatchObject({ exitCode: 0, output: expect.stringContaining('No difference detected') });
});

test('migrate() applies everything once: the second time there is nothing to do', async () => {
  const url = await createEmptyDatabase();
  expect(await migrate(url)).toEqual(MIGRATIONS);
  expect(await migrate(url)).toEqual([]);
});

test('of several processes that start at once one migrates, and the others find it done', async () => {
  const url = await createEmptyDatabase();
  const script = `import { migrate } from './dist/src/db/migrate.js';
    console.log(JSON.stringify(await migrate(process.env.DATABASE_URL)));`;
  const runs = await Promise.all(
    Array.from({ length: 6 }, () => runNode(['--input-type=module', '--eval', script], { DATABASE_URL: url })),
  );
  const applied = runs.map(({ output }) => JSON.parse(output)).sort((a, b) => b.length - a.length);
  expect(applied).toEqual([MIGRATIONS, [], [], [], [], []]);
});

test('a migration that fails is named by the error, now and at the next start, and those before it stay', async () => {
  const url = await createEmptyDatabase();
  const copy = copyOfProgram();
  const bad = join(copy, 'prisma/migrations/20990101000000_never_works');
  mkdirSync(bad);
  writeFileSync(join(bad, 'migration.sql'), 'CREATE TABLE half_done (id int); SELECT nonsense;');
  const script = `import { migrate } from '${join(copy, 'dist/src/db/migrate.js')}';
    await migrate(process.env.DATABASE_URL).catch((error) => { console.log(error.message); process.exitCode = 3; });`;

  for (const _attempt of ['first', 'second']) {
    const run = await runNode(['--input-type=module', '--eval', script], { DATABASE_URL: url });
    expect(run).toMatchObject({ exitCode: 3, output: expect.stringContaining('20990101000000_never_works') });
  }
  const finished = 'SELECT migration_name AS name FROM _prisma_migrations WHERE finished_at IS NOT NULL ORDER BY 1';
  expect(await query(url, finished)).toEqual(MIGRATIONS.map((name) => ({ name })));
  expect(await query(url, `SELECT to_regclass('half_done') AS it`)).toEqual([{ it: null }]);
});

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

function serverUrl(): string {
  const { TEST_POSTGRES_URL } = process.env;
  if (!TEST_POSTGRES_URL) throw new Error('the global set-up has not started PostgreSQL');
  return TEST_POSTGRES_URL;
}

async function createEmptyDatabase(): Promise<string> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await query(serverUrl(), `CREATE DATABASE ${name}`);
  undo.push(() =>
    // An autovacuum worker may be in it, whom only a superuser could send away; it leaves by itself.
    eventually(async () => {
      await query(serverUrl(), `DROP DATABASE ${name} WITH (FORCE)`);
      return true;
    }),
  );
  return Object.assign(new URL(serverUrl()), { pathname: `/${name}` }).toString();
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

/** The compiled program in a folder of its own, so that it has other migrations. */
function copyOfProgram(): string {
  const copy = mkdtempSync(join(tmpdir(), 'makegood-migrations-'));
  undo.push(() => rmSync(copy, { recursive: true }));
  for (const part of ['dist', 'prisma', 'package.json'])
    cpSync(join(ROOT, part), join(copy, part), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

function runNode(
  args: readonly string[],
  env: Record<string, string>,
): Promise<{ exitCode: number | null; output: string }> {
  const child = spawn(process.execPath, args, { cwd: ROOT, env: { ...process.env, ...env } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  return new Promise((resolve) => child.on('close', (exitCode) => resolve({ exitCode, output })));
}
