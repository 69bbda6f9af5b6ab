#!/usr/bin/env node
// A stand-in for Prisma's native schema engine, for machines that cannot reach binaries.prisma.sh.
//
//   PRISMA_SCHEMA_ENGINE_BINARY=./tools/prisma-schema-engine.mjs CHECKPOINT_DISABLE=1 npx prisma migrate dev --name x
//
// The Prisma CLI starts the schema engine as a child process, passes it arguments, and speaks JSON-RPC with it, one
// document a line, over stdin and stdout. This script keeps that contract, but answers from the WebAssembly build of
// the same engine that npm ships (@prisma/schema-engine-wasm), which reaches PostgreSQL through @prisma/adapter-pg.
//
// Needs: pg, @prisma/adapter-pg, @prisma/driver-adapter-utils, @prisma/schema-engine-wasm (all pinned exactly).
// Must be executable (chmod +x). For development only; at run time see apply-migrations.mjs.
// Does not do: TypedSQL (`prisma generate --sql` overflows the stack), any database other than PostgreSQL.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import readline from 'node:readline';

const require = createRequire(import.meta.url);

// ---------------------------------------------------------------------------------------------- arguments

const argv = process.argv.slice(2);

/** All values given for a flag that may be repeated. */
const flag = (name) => argv.flatMap((arg, i) => (arg === name ? [argv[i + 1]] : []));

if (argv.includes('--version')) {
  console.log('schema-engine-cli wasm-shim');
  process.exit(0);
}

/** The CLI reads these lines from stderr; it takes error codes and messages from them. */
const log = (level, fields) => {
  const line = { timestamp: new Date().toISOString(), level, fields, target: 'schema_engine::logger' };
  process.stderr.write(`${JSON.stringify(line)}\n`);
};

// ---------------------------------------------------------------------------------------------- connections

const { default: pg } = await import('pg');
const datasource = JSON.parse(flag('--datasource')[0] ?? '{}');
const url = datasource.url;

/** The PostgreSQL schema named by Prisma's own `?schema=` parameter, if any. */
const schemaOf = (u) => {
  try {
    return new URL(u).searchParams.get('schema') ?? undefined;
  } catch {
    return undefined;
  }
};

/** Without the parameters that only Prisma knows. */
const clean = (u) => {
  const x = new URL(u);
  for (const key of ['schema', 'connection_limit', 'pool_timeout', 'pgbouncer']) x.searchParams.delete(key);
  return x.toString();
};

/** The same server's maintenance database, from which others are created and dropped. */
const adminUrl = (u) => {
  const x = new URL(clean(u));
  const database = decodeURIComponent(x.pathname.slice(1));
  x.pathname = '/postgres';
  return { admin: x.toString(), database };
};

/**
 * Discrete fields, never a `connectionString`: pg lets the string win over `database`, which would point the shadow
 * database at the REAL one.
 */
const fieldsOf = (u) => {
  const x = new URL(u);
  const host = x.searchParams.get('host') ?? x.hostname;
  return {
    host: decodeURIComponent(host) || 'localhost',
    port: Number(x.port || 5432),
    user: decodeURIComponent(x.username),
    password: decodeURIComponent(x.password),
    database: decodeURIComponent(x.pathname.slice(1)),
  };
};

// ---------------------------------------------------------------------------------------------- `cli` sub-commands

const sub = argv.indexOf('cli') >= 0 ? argv[argv.indexOf('cli') + 1] : null;
if (sub) {
  log('INFO', { message: 'Starting schema engine CLI' });
  try {
    if (sub === 'can-connect-to-database') {
      const client = new pg.Client(clean(url));
      await client.connect();
      await client.end();
    } else {
      const { admin, database } = adminUrl(url);
      const client = new pg.Client(admin);
      await client.connect();
      const name = client.escapeIdentifier(database);
      await client.query(
        sub === 'create-database' ? `CREATE DATABASE ${name}` : `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`,
      );
      await client.end();
      if (sub === 'drop-database') log('INFO', { message: 'The database was successfully dropped' });
    }
    process.exit(0);
  } catch (e) {
    const code = { '3D000': 'P1003', '28P01': 'P1000', ECONNREFUSED: 'P1001' }[e.code] ?? 'P1001';
    log('ERROR', { is_panic: false, error_code: code, message: String(e.message || e.code) });
    process.exit(1);
  }
}

// ---------------------------------------------------------------------------------------------- the adapter

const { PrismaPg } = await import('@prisma/adapter-pg');
const { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum } = await import('@prisma/driver-adapter-utils');

/**
 * adapter-pg 7.10 has no mapping for pg_catalog's internal "char" type (OID 18) and answers with an error. The engine
 * needs those columns as Character, and panics on anything else: read them as text (OID 25), then correct the type.
 */
const CHAR_OID = 18;
const TEXT_OID = 25;
const withChar = (adapter) => {
  const charColumns = new WeakMap();
  const performIO = adapter.performIO.bind(adapter);
  const queryRaw = adapter.queryRaw.bind(adapter);
  adapter.performIO = async (query) => {
    const result = await performIO(query);
    charColumns.set(
      query,
      result.fields.map((f) => f.dataTypeID === CHAR_OID),
    );
    for (const field of result.fields) if (field.dataTypeID === CHAR_OID) field.dataTypeID = TEXT_OID;
    return result;
  };
  // adapter-pg cuts a script at every semicolon, also inside the body of a function. PostgreSQL takes it whole.
  adapter.executeScript = async (script) => {
    try {
      await adapter.client.query(script);
    } catch (error) {
      adapter.onError(error);
    }
  };
  adapter.queryRaw = async (query) => {
    const result = await queryRaw(query);
    (charColumns.get(query) ?? []).forEach((isChar, i) => {
      if (isChar) result.columnTypes[i] = ColumnTypeEnum.Character;
    });
    return result;
  };
  return adapter;
};

class Factory extends PrismaPg {
  async connect() {
    return withChar(await super.connect());
  }

  /** adapter-pg 7.10 drops the shadow database before it closes its own pool, which fails: so it is managed here. */
  async connectToShadowDb() {
    if (datasource.shadowDatabaseUrl) {
      return withChar(await new PrismaPg(fieldsOf(datasource.shadowDatabaseUrl)).connect());
    }
    const database = `prisma_migrate_shadow_db_${crypto.randomUUID()}`;
    const admin = new pg.Client(fieldsOf(url));
    await admin.connect();
    await admin.query(`CREATE DATABASE "${database}"`);
    const shadow = withChar(await new PrismaPg({ ...fieldsOf(url), database }).connect());
    const dispose = shadow.dispose.bind(shadow);
    shadow.dispose = async () => {
      await dispose();
      await admin.query(`DROP DATABASE IF EXISTS "${database}" WITH (FORCE)`);
      await admin.end();
    };
    return shadow;
  }
}

// ---------------------------------------------------------------------------------------------- the engine

// Without this hook a panic inside the wasm shows up as endless recursion.
globalThis.PRISMA_WASM_PANIC_REGISTRY = { set_message: (message) => log('ERROR', { is_panic: true, message }) };

const runtime = await import('@prisma/schema-engine-wasm/schema_engine_bg');
const wasmPath = require.resolve('@prisma/schema-engine-wasm/schema_engine_bg').replace(/\.js$/, '.wasm');
const wasm = new WebAssembly.Instance(new WebAssembly.Module(fs.readFileSync(wasmPath)), {
  './schema_engine_bg.js': runtime,
});
runtime.__wbg_set_wasm(wasm.exports);
wasm.exports.__wbindgen_start();

let enginePromise;
const engine = () => {
  enginePromise ??= (async () => {
    const models = flag('--datamodels').map((file) => [file, fs.readFileSync(file, 'utf8')]);
    const factory = bindMigrationAwareSqlAdapterFactory(new Factory(fieldsOf(url), { schema: schemaOf(url) }));
    return runtime.SchemaEngine.new({ datamodels: models.length ? models : undefined }, () => {}, factory);
  })();
  return enginePromise;
};

// ---------------------------------------------------------------------------------------------- JSON-RPC over stdio

const alias = { getDatabaseVersion: 'version' };
const send = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);
let pending = 0;
let closed = false;
const maybeExit = () => {
  if (closed && !pending) process.exit(0);
};

const lines = readline.createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY });
lines.on('line', async (line) => {
  const message = JSON.parse(line);
  if (!message.method) return; // an answer to our `print`
  pending++;
  try {
    const method = alias[message.method] ?? message.method;
    if (method === 'createDatabase') {
      const { admin, database } = adminUrl(url);
      const client = new pg.Client(admin);
      await client.connect();
      await client.query(`CREATE DATABASE ${client.escapeIdentifier(database)}`);
      await client.end();
      return send({ jsonrpc: '2.0', id: message.id, result: { databaseName: database } });
    }
    let result = await (await engine())[method](message.params);
    // The native engine prints a diff by calling back; the wasm returns it.
    if (method === 'diff' && result?.stdout) {
      send({ jsonrpc: '2.0', id: 1e6 + message.id, method: 'print', params: { content: result.stdout } });
      result = { ...result, stdout: null };
    }
    send({ jsonrpc: '2.0', id: message.id, result: result ?? {} });
  } catch (e) {
    const data = { is_panic: false, message: e.message, error_code: e.code ?? null };
    send({ jsonrpc: '2.0', id: message.id, error: { code: 4466, message: e.message, data } });
  } finally {
    pending--;
    maybeExit();
  }
});
lines.on('close', () => {
  closed = true;
  maybeExit();
});
process.on('SIGTERM', () => process.exit(0));
