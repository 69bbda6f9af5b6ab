#!/usr/bin/env node
/**
 * Prisma's schema engine, without the native program that Prisma's command line would download for it:
 *
 *   export PRISMA_SCHEMA_ENGINE_BINARY=tools/prisma-schema-engine.mjs CHECKPOINT_DISABLE=1
 *   DATABASE_URL=postgresql://user:password@127.0.0.1:5432/name npx prisma migrate dev --name what_changes
 *
 * npm brings the same engine compiled to WebAssembly. What is missing there, this file adds: the connection to PostgreSQL,
 * creating and dropping databases, and the conversation with the command line, which starts it in one of two ways:
 *
 *   --datasource JSON cli COMMAND                   one errand; the exit code and one line on stderr are the answer
 *   --datasource JSON --datamodels FILE …           JSON-RPC over stdin and stdout, one document a line, until stdin ends
 *
 * For development and the tests of the migrations: at run time src/db/migrate.ts applies them. Only PostgreSQL, and no
 * `?schema=` in the URL. TypedSQL (`generate --sql`) does not work.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum } from '@prisma/driver-adapter-utils';
import * as engineModule from '@prisma/schema-engine-wasm/schema_engine_bg';
import pg from 'pg';

/** Options that are not known here belong to features that are not used here. */
const { values: options, positionals } = parseArgs({
  strict: false,
  allowPositionals: true,
  options: {
    version: { type: 'boolean' },
    datasource: { type: 'string', default: '{}' },
    datamodels: { type: 'string', multiple: true, default: [] },
  },
});
const { url, shadowDatabaseUrl } = JSON.parse(options.datasource);
const [mode, errand] = positionals.slice(-2);

/** The command line takes codes and messages of errors from lines of this form. */
function report(level, fields) {
  const line = { timestamp: new Date().toISOString(), level, target: 'schema_engine::logger', fields };
  process.stderr.write(`${JSON.stringify(line)}\n`);
}

// Databases ------------------------------------------------------------------------------------------------------------

/** The URL of another database of the same server. */
function siblingOf(databaseUrl, database) {
  const sibling = new URL(databaseUrl);
  sibling.pathname = `/${encodeURIComponent(database)}`;
  return sibling.toString();
}

const nameOf = (databaseUrl) => decodeURIComponent(new URL(databaseUrl).pathname.slice(1));

async function runSql(databaseUrl, ...statements) {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

/** No connection of ours is in the database that these two are about: neither works from within. */
const createDatabase = (databaseUrl) =>
  runSql(siblingOf(databaseUrl, 'postgres'), `CREATE DATABASE ${pg.escapeIdentifier(nameOf(databaseUrl))}`);
const dropDatabase = (databaseUrl) =>
  runSql(
    siblingOf(databaseUrl, 'postgres'),
    `DROP DATABASE IF EXISTS ${pg.escapeIdentifier(nameOf(databaseUrl))} WITH (FORCE)`,
  );

const ERRANDS = {
  'can-connect-to-database': () => runSql(url),
  'create-database': () => createDatabase(url),
  'drop-database': () => dropDatabase(url),
};

/** Prisma's codes for what it asks about: is the database missing, the password wrong? Else the server is not there. */
const PRISMA_CODES = { '3D000': 'P1003', '28P01': 'P1000' };

/** @returns the exit code */
async function runErrand(name) {
  // The first line is skipped by its reader.
  report('INFO', { message: 'Starting schema engine CLI' });
  try {
    await ERRANDS[name]();
    return 0;
  } catch (error) {
    const error_code = PRISMA_CODES[error.code] ?? 'P1001';
    report('ERROR', { is_panic: false, error_code, message: error.message || String(error.code) });
    return 1;
  }
}

// The engine's way to PostgreSQL ---------------------------------------------------------------------------------------

/** pg_catalog's internal type "char". */
const CHAR_OID = 18;
const TEXT_OID = 25;

/** Mends two things about a connection of @prisma/adapter-pg. */
function mended(adapter) {
  const { queryRaw } = adapter;
  // It refuses columns of type "char", which the engine reads from pg_catalog and wants to get as characters: it is told
  // that they are text, and what it says of them is put right afterwards.
  adapter.queryRaw = async (query) => {
    let isChar = [];
    const performIO = async (sameQuery) => {
      const result = await adapter.performIO(sameQuery);
      isChar = result.fields.map((field) => field.dataTypeID === CHAR_OID);
      for (const field of result.fields) if (field.dataTypeID === CHAR_OID) field.dataTypeID = TEXT_OID;
      return result;
    };
    const answer = await queryRaw.call(Object.create(adapter, { performIO: { value: performIO } }), query);
    const columnTypes = answer.columnTypes.map((type, column) => (isChar[column] ? ColumnTypeEnum.Character : type));
    return { ...answer, columnTypes };
  };
  // It cuts a script at every semicolon, also inside the body of a function. PostgreSQL takes it whole.
  adapter.executeScript = (script) => adapter.client.query(script).then(() => {}, adapter.onError.bind(adapter));
  return adapter;
}

class Connections extends PrismaPg {
  #opened = [];

  constructor() {
    super({ connectionString: url });
  }

  async connect() {
    return this.#keep(mended(await super.connect()));
  }

  /** An empty database for trying out migrations, gone when the engine is done with it; or the one that is configured. */
  async connectToShadowDb() {
    if (shadowDatabaseUrl) return this.#keep(mended(await new PrismaPg(shadowDatabaseUrl).connect()));
    const shadowUrl = siblingOf(url, `prisma_migrate_shadow_db_${randomUUID()}`);
    await createDatabase(shadowUrl);
    // adapter-pg has this too, but drops the database while it is still connected to it.
    return this.#keep(mended(await new PrismaPg(shadowUrl).connect()), () => dropDatabase(shadowUrl));
  }

  /** Sees that a connection is closed once, whether by the engine or at the end. */
  #keep(adapter, afterwards = async () => {}) {
    const dispose = adapter.dispose.bind(adapter);
    let disposed;
    adapter.dispose = () => {
      disposed ??= dispose().then(afterwards);
      return disposed;
    };
    this.#opened.push(adapter);
    return adapter;
  }

  async close() {
    for (const adapter of this.#opened) await adapter.dispose();
  }
}

// The conversation -----------------------------------------------------------------------------------------------------

async function serve() {
  const SchemaEngine = loadEngine();
  const datamodels = options.datamodels.map((file) => [file, readFileSync(file, 'utf8')]);

  /** Each question gets an engine of its own, so that none depends on what was asked before. */
  const ask = async (method, params) => {
    const connections = new Connections();
    const engine = await SchemaEngine.new(
      { datamodels: datamodels.length > 0 ? datamodels : undefined },
      () => {},
      bindMigrationAwareSqlAdapterFactory(connections),
    );
    try {
      // These two compare with what the migrations add up to, and cannot open a shadow database to find out, but only look
      // at what the engine remembers. A diagnosis can, and remembers.
      if (method === 'evaluateDataLoss' || method === 'createMigration') {
        const { migrationsList, filters } = params;
        await engine.diagnoseMigrationHistory({ migrationsList, filters, optInToShadowDatabase: true });
      }
      return await engine[method](params);
    } finally {
      engine.free();
      await connections.close();
    }
  };

  for await (const line of createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
    const { id, method, params } = JSON.parse(line);
    // Without a method it is an answer to `print`, which needs none.
    if (method === undefined) continue;
    const say = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
    try {
      say({ id, result: await answer({ id, method, params }, ask, say) });
    } catch (error) {
      const { message } = error;
      say({ id, error: { code: 4466, message, data: { is_panic: false, message, error_code: error.code ?? null } } });
    }
  }
}

/** The native engine's methods, where WebAssembly's differ from them. */
async function answer({ id, method, params }, ask, say) {
  switch (method) {
    case 'createDatabase':
      await createDatabase(url);
      return { databaseName: nameOf(url) };
    case 'getDatabaseVersion':
      return ask('version', params);
    case 'diff': {
      // The native one has the difference printed by the command line before it answers.
      const { stdout, ...rest } = await ask('diff', params);
      if (stdout) say({ id: id + 1_000_000, method: 'print', params: { content: stdout } });
      return { ...rest, stdout: null };
    }
    default:
      return (await ask(method, params)) ?? {};
  }
}

function loadEngine() {
  // Where a panic goes. Without it, it shows as endless recursion.
  globalThis.PRISMA_WASM_PANIC_REGISTRY = { set_message: (message) => report('ERROR', { is_panic: true, message }) };
  const script = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg');
  const program = new WebAssembly.Module(readFileSync(script.replace(/\.js$/, '.wasm')));
  const { exports } = new WebAssembly.Instance(program, { './schema_engine_bg.js': engineModule });
  engineModule.__wbg_set_wasm(exports);
  exports.__wbindgen_start();
  return engineModule.SchemaEngine;
}

process.on('SIGTERM', () => process.exit(0));
if (options.version) process.stdout.write('schema-engine-cli (WebAssembly)\n');
else if (mode === 'cli') process.exitCode = await runErrand(errand);
else await serve();
process.exit();
