import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';

import { AppError } from '../errors.js';
import type { PostgresServer } from './pg-server.js';
import type { PostgresSecrets } from './pg-state-files.js';

/** Too short: a busy machine makes a good server look dead. Too long: a server that hangs holds up the start for as long. */
const ANSWER_BOUND_MS = 60_000;

/** From the moment that the server says it is starting, perhaps replaying its log. Too short: a big log after a power cut never gets replayed. */
const RECOVERY_BOUND_MS = 30 * 60_000;

/** Until we say what we wait for. Too short: each start says it. Too long: whoever looks on thinks that we hang. */
const PATIENCE_MS = 2_000;

/**
 * For a server that refuses both passwords. Too short: a foreign server on the port, which ours will stumble over and
 * end, is taken for ours. Too long: a cluster with other passwords is reported late.
 */
const REFUSAL_BOUND_MS = 3_000;

/** Too short: connecting takes the processor that the server needs to start. Too long: each start waits for nothing. */
const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 100;

/** For one connection. Too short: a server busy with recovery is called silent. Too long: a hung one holds us up. */
const CONNECT_TIMEOUT_MS = 5_000;

/** The application's way in. The password is hexadecimal and needs no escaping. */
export function makegoodUrl(port: number, secrets: PostgresSecrets): string {
  return `postgresql://makegood:${secrets.makegood}@127.0.0.1:${port}/makegood`;
}

/** Whether a server answers at this URL and accepts its password. */
export async function answers(url: string): Promise<boolean> {
  return (await connectAndEnd(url)) === 'connected';
}

/**
 * Waits until the application can log in, and makes the role and the database that it needs where they are missing.
 * 'ready', or 'ended' when the server did not live to see it. Throws AppError when it lives and does not let us in.
 * That both sides prove to know the password (SCRAM) also proves that it is our server and not a stranger on its port.
 */
export async function waitUntilReady(
  server: PostgresServer,
  port: number,
  secrets: PostgresSecrets,
  log: (line: string) => void,
): Promise<'ready' | 'ended'> {
  const startedAt = performance.now();
  let bound = ANSWER_BOUND_MS;
  let isPrepared = false;
  let isSaid = false;
  let refusedAt: number | null = null;
  let pause = FIRST_PAUSE_MS;
  while (!server.hasEnded()) {
    const answer = await connectAndEnd(makegoodUrl(port, secrets));
    if (answer === 'connected') return 'ready';
    if (answer === 'refused') {
      if (!isPrepared && (await prepareLogin(port, secrets))) {
        isPrepared = true;
        continue;
      }
      refusedAt ??= performance.now();
      if (performance.now() - refusedAt > REFUSAL_BOUND_MS) {
        throw new AppError(
          'database_unavailable',
          'it does not accept the passwords in postgres-secrets.json; bring back the file that belongs to this database, or delete it to have new passwords made; also see whether its pg_hba.conf was changed',
        );
      }
    }
    const waitedMs = performance.now() - startedAt;
    if (answer === 'starting') bound = RECOVERY_BOUND_MS;
    if (answer === 'starting' && waitedMs > PATIENCE_MS && !isSaid) {
      log('PostgreSQL is not ready yet; after a crash it first replays its log, which may take minutes');
      isSaid = true;
    }
    if (waitedMs > bound) {
      throw new AppError('database_unavailable', `it has not come up within ${bound / 1000} s`);
    }
    await Promise.race([server.ended, delay(pause, undefined, { ref: true })]);
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
  return 'ended';
}

/**
 * The role and the database of the application. Each part is made only where it is missing, so a crash between them is
 * made good by the next start. False when the superuser is not let in either.
 */
async function prepareLogin(port: number, secrets: PostgresSecrets): Promise<boolean> {
  const client = newClient(`postgresql://postgres:${secrets.postgres}@127.0.0.1:${port}/postgres`);
  try {
    await client.connect();
  } catch {
    return false;
  }
  try {
    const role = await client.query("SELECT 1 FROM pg_roles WHERE rolname = 'makegood'");
    await client.query(
      `${role.rowCount === 0 ? 'CREATE' : 'ALTER'} ROLE makegood LOGIN NOSUPERUSER CREATEROLE CREATEDB PASSWORD '${secrets.makegood}'`,
    );
    const database = await client.query("SELECT 1 FROM pg_database WHERE datname = 'makegood'");
    if (database.rowCount === 0) await client.query('CREATE DATABASE makegood OWNER makegood');
    return true;
  } finally {
    await client.end();
  }
}

/**
 * 'refused' is the server's word on us: no such role or database, or a wrong password. 'starting' is its word on itself.
 * 'silent' is everything else, such as a port on which nobody or somebody else listens.
 */
async function connectAndEnd(url: string): Promise<'connected' | 'refused' | 'starting' | 'silent'> {
  const client = newClient(url);
  try {
    await client.connect();
    await client.end();
    return 'connected';
  } catch (error) {
    await client.end().catch(() => {});
    const { code } = error as { code?: string };
    if (code === '28P01' || code === '28000' || code === '3D000') return 'refused';
    return code === '57P03' ? 'starting' : 'silent';
  }
}

function newClient(connectionString: string): pg.Client {
  const client = new pg.Client({ connectionString, ssl: false, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  // A server that ends while we are connected: the call in hand rejects, and that is enough.
  client.on('error', () => {});
  return client;
}
