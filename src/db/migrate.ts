import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PrismaPg } from '@prisma/adapter-pg';
import {
  bindMigrationAwareSqlAdapterFactory,
  type SqlMigrationAwareDriverAdapterFactory,
} from '@prisma/driver-adapter-utils';
import * as engineModule from '@prisma/schema-engine-wasm/schema_engine_bg';
import pg from 'pg';
import { packageRoot } from '../package-root.js';
import { ensureAppRole, inspectAppRole } from './app-role.js';

/** Any number will do, as long as nothing else in the database locks it. */
const MIGRATION_LOCK = 7_205_759_403;

/**
 * Brings the tables to the current schema: applies what of prisma/migrations the database does not have yet, with Prisma's
 * own engine compiled to WebAssembly, so that no binary has to be downloaded. It writes the same `_prisma_migrations` table
 * as `prisma migrate deploy`; either can follow the other. Any number of processes may call it at once: one applies, the
 * others wait. Then the role that the application works as gets its rights.
 * @returns names of the migrations applied by this call
 * @throws the engine's error when a migration fails; the database must then be repaired with `prisma migrate resolve`
 */
export async function migrate(databaseUrl: string): Promise<string[]> {
  const migrations = readMigrations(join(packageRoot(), 'prisma', 'migrations'));
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'makegood migrate' });
  client.on('error', () => {}); // The next query says it.
  await client.connect();
  try {
    const current = await isCurrent(client, migrations);
    if (current && (await inspectAppRole(client)) === 'ready') return [];
    // Polled, not blocked on: a blocked lock keeps a snapshot open, and an index that a migration builds concurrently
    // would wait for that snapshot for ever. The engine's own lock gives up after 10 s, hence this one.
    while (!(await tryLock(client))) await sleep(100);
    const applied = current ? [] : await applyAll(databaseUrl, migrations);
    await ensureAppRole(client);
    return applied;
  } finally {
    await client.end(); // The lock goes with the connection.
  }
}

/** The names of the migrations that the database does not have yet. */
export async function findPendingMigrations(databaseUrl: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'makegood migrate' });
  client.on('error', () => {}); // The next query says it.
  await client.connect();
  try {
    return await findPending(client, readMigrations(join(packageRoot(), 'prisma', 'migrations')));
  } finally {
    await client.end();
  }
}

async function tryLock(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query('SELECT pg_try_advisory_lock($1::bigint) AS locked', [MIGRATION_LOCK]);
  return rows[0].locked;
}

/** Loading the engine costs more than a look: most starts have nothing to do. */
async function isCurrent(client: pg.Client, migrations: Migrations): Promise<boolean> {
  return (await findPending(client, migrations)).length === 0;
}

async function findPending(client: pg.Client, { migrationDirectories }: Migrations): Promise<string[]> {
  const names = migrationDirectories.map((directory) => directory.path);
  const { rows: tables } = await client.query(`SELECT to_regclass('public._prisma_migrations') IS NOT NULL AS exists`);
  if (!tables[0].exists) return names;
  const { rows } = await client.query(
    'SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL',
  );
  const applied = new Set(rows.map((row) => row.migration_name));
  return names.filter((name) => !applied.has(name));
}

async function applyAll(databaseUrl: string, migrations: Migrations): Promise<string[]> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 2 });
  pool.on('error', () => {});
  try {
    const engine = await loadEngine().new(
      { datamodels: undefined },
      () => {},
      bindMigrationAwareSqlAdapterFactory(new WholeScripts(pool)),
    );
    try {
      const filters = { externalTables: [], externalEnums: [] };
      const { appliedMigrationNames } = await engine.applyMigrations({ migrationsList: migrations, filters });
      return appliedMigrationNames;
    } finally {
      engine.free();
    }
  } finally {
    await pool.end();
  }
}

/** adapter-pg cuts a script at every semicolon, also inside the body of a function. PostgreSQL takes it whole. */
class WholeScripts extends PrismaPg implements SqlMigrationAwareDriverAdapterFactory {
  readonly #pool: pg.Pool;

  constructor(pool: pg.Pool) {
    super(pool);
    this.#pool = pool;
  }

  override async connect() {
    const adapter = await super.connect();
    adapter.executeScript = async (script) => {
      await this.#pool.query(script);
    };
    return adapter;
  }
}

type Migrations = ReturnType<typeof readMigrations>;

/** What Prisma's command line reads from disk and hands to its engine. */
function readMigrations(baseDir: string) {
  const lockfile = join(baseDir, 'migration_lock.toml');
  return {
    baseDir,
    lockfile: { path: 'migration_lock.toml', content: existsSync(lockfile) ? readFileSync(lockfile, 'utf8') : null },
    shadowDbInitScript: '',
    migrationDirectories: readdirSync(baseDir, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .sort()
      .map((name) => ({
        path: name,
        migrationFile: {
          path: 'migration.sql',
          content: { tag: 'ok' as const, value: readFileSync(join(baseDir, name, 'migration.sql'), 'utf8') },
        },
      })),
  };
}

/** The parts of the engine's module that are used here; the package declares no types for them. */
interface EngineModule {
  readonly SchemaEngine: {
    new: (
      options: { datamodels: undefined },
      log: () => void,
      factory: unknown,
    ) => Promise<{
      applyMigrations(input: object): Promise<{ appliedMigrationNames: string[] }>;
      free(): void;
    }>;
  };
  __wbg_set_wasm(exports: object): void;
}

/** Node has it; TypeScript only knows it from browsers. */
const { WebAssembly } = globalThis as unknown as {
  WebAssembly: {
    Module: new (bytes: Uint8Array) => object;
    Instance: new (module: object, imports: object) => { exports: Record<string, unknown> };
  };
};

let engine: EngineModule['SchemaEngine'] | undefined;

function loadEngine(): EngineModule['SchemaEngine'] {
  if (engine) return engine;
  const runtime = engineModule as unknown as EngineModule & Record<string, unknown>;
  // Without this hook a panic inside the engine shows as endless recursion.
  const hooks = globalThis as { PRISMA_WASM_PANIC_REGISTRY?: { set_message(message: string): void } };
  hooks.PRISMA_WASM_PANIC_REGISTRY ??= {
    set_message: (message) => process.stderr.write(`schema engine: ${message}\n`),
  };
  const path = createRequire(import.meta.url)
    .resolve('@prisma/schema-engine-wasm/schema_engine_bg')
    .replace(/\.js$/, '.wasm');
  // The engine leaves a 10 s timer running behind its own lock; a process that has nothing else to do must not wait for it.
  const imports: Record<string, unknown> = { ...runtime };
  for (const name of Object.keys(imports)) {
    if (!name.startsWith('__wbg_setTimeout')) continue;
    imports[name] = (callback: () => void, ms: number) => setTimeout(callback, ms >>> 0).unref();
  }
  const wasm = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(path)), {
    './schema_engine_bg.js': imports,
  });
  runtime.__wbg_set_wasm(wasm.exports);
  (wasm.exports.__wbindgen_start as () => void)();
  engine = runtime.SchemaEngine;
  return engine;
}
