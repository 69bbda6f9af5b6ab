import { setTimeout as sleep } from 'node:timers/promises';
import { types } from 'node:util';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { AppError } from '../errors.js';
import { PrismaClient } from '../generated/prisma/client.js';
import { becomeAppRole } from './app-role.js';
import { pgTypes } from './pg-types.js';

/** Where a statement runs: the pool, or the transaction that is open. */
export type Sql = Pick<pg.ClientBase, 'query'>;

export interface Database {
  /** Ordinary reads and writes. */
  readonly prisma: PrismaClient;
  /** Set-based statements of the hot paths. */
  readonly pool: pg.Pool;
  /**
   * Runs `work` in one transaction (READ COMMITTED; rows are locked by the statements that need it). Deadlocks and
   * serialization failures are run again from the start, so `work` must have no effect outside the database.
   * @throws AppError `database_unavailable` when the server cannot be reached or the connection breaks, also at COMMIT,
   *   whose outcome is then unknown: whoever tries again must find its own work done.
   */
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Tries of one transaction. Too few and hot customers surface as errors; too many and a livelock hides. */
const TRANSACTION_TRIES = 8;

/** How long to wait for a connection. Longer, and a webhook's sender gives up before it hears 503 (Shippo: 3 s). */
const CONNECT_TIMEOUT_MS = 2_500;

/**
 * How long a statement may go without an answer. A network that swallows everything says nothing for a quarter of an hour;
 * shorter than a long statement of the sweep takes, and the night never ends.
 */
const QUERY_TIMEOUT_MS = 120_000;

/**
 * Opens a pool whose sessions work as the application's own role (app-role.ts), not as the owner of the tables.
 * @param url postgresql://user:password@host:port/database
 * @param options.poolSize connections at the most. Fewer than lanes and workers starve each other; many more cost
 *   throughput, as PostgreSQL works best with a few per core.
 */
export function openDatabase(url: string, options: { poolSize: number; onError: (error: Error) => void }): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: options.poolSize,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    keepAlive: true,
    types: pgTypes,
    application_name: 'makegood',
    // Awaited before the connection is given to anybody.
    onConnect: (client) => becomeAppRole(client, { timeoutMs: CONNECT_TIMEOUT_MS }),
  });
  let closing = false;
  const onError = (error: Error) => {
    // A connection that was taken leave of may still hear that the server stops: that is no news.
    if (!closing) options.onError(error);
  };
  // A pooled connection that breaks while idle is replaced; without a listener it would end the process.
  pool.on('error', onError);
  pool.on('connect', (client) => client.on('error', onError));
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool) });

  return {
    pool,
    prisma,
    async transaction(work) {
      for (let attempt = 1; ; attempt++) {
        try {
          return await runTransaction(pool, work);
        } catch (error) {
          if (isConflict(error) && attempt < TRANSACTION_TRIES) {
            // Two that collided must not collide again at once.
            await sleep(Math.random() * 10 * attempt);
            continue;
          }
          throw asDatabaseError(error);
        }
      }
    },
    async close() {
      closing = true;
      await prisma.$disconnect();
      await pool.end();
    },
  };
}

async function runTransaction<T>(pool: pg.Pool, work: (sql: Sql) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    client.release();
    return result;
  } catch (error) {
    const rolledBack = await client.query('ROLLBACK').then(
      () => true,
      () => false,
    );
    // A connection that could not even roll back is not given to anybody else.
    client.release(!rolledBack);
    throw error;
  }
}

/** Serialization failure or deadlock: nothing happened, and the next try may well succeed. */
function isConflict(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return code === '40001' || code === '40P01';
}

/**
 * Socket errors of Node, and what Prisma makes of them; and every SQLSTATE that is not about the statement or its data: a
 * server that is away or short of something, a timeout, a lock, a conflict that did not end. What passes by itself must
 * never be taken for a row that is bad. About the statement are 0A, 21 to 2F, 38, 39, 3F, 42, 44, P0 and XX.
 */
const AWAY =
  /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|08...|25006|25P0[34]|40...|53...|55P03|57...|58...|P1001|P1008|P1017|P2037)$/;
/** What pg throws without a code when the connection ends under it, or none comes in time. */
const AWAY_MESSAGES = [
  'Connection terminated',
  'timeout exceeded when trying to connect',
  'Client has encountered a connection error',
  'timeout expired',
  'Query read timeout',
  'Cannot use a pool after calling end',
];

interface PrismaMeta {
  readonly driverAdapterError?: { readonly cause?: { readonly originalCode?: unknown } };
}

/** True when the server could not be reached or went away: trying again later can help. */
export function isDatabaseAway(error: unknown): boolean {
  if (error instanceof AppError) return error.code === 'database_unavailable';
  // Not `instanceof`: Node's own errors are of another realm where code runs in a VM, as tests do.
  if (!types.isNativeError(error)) return false;
  if ('errors' in error && Array.isArray(error.errors)) return error.errors.some(isDatabaseAway);
  const { code, meta, cause } = error as { code?: unknown; meta?: PrismaMeta; cause?: unknown };
  // Prisma wraps what its driver threw; a SQLSTATE that it has no code for stands deep inside.
  const codes = [code, meta?.driverAdapterError?.cause?.originalCode];
  if (codes.some((one) => typeof one === 'string' && AWAY.test(one))) return true;
  if (cause !== undefined && cause !== error && isDatabaseAway(cause)) return true;
  return AWAY_MESSAGES.some((message) => error.message.includes(message));
}

/** The same error, or an AppError that says that the database is away. */
export function asDatabaseError(error: unknown): unknown {
  if (error instanceof AppError || !isDatabaseAway(error)) return error;
  return new AppError('database_unavailable', 'The database cannot be reached. Try again shortly.', { cause: error });
}

/** SQLSTATE of a server that is there and does not let us in: no such user, a wrong password, no such database. */
const NOT_LET_IN = ['28000', '28P01', '3D000'];

/** The same error, or an AppError that tells whoever set DATABASE_URL what is wrong with it. */
export function explainConnection(error: unknown): unknown {
  const notLetIn = NOT_LET_IN.includes(String((error as { code?: unknown }).code));
  if (!types.isNativeError(error) || !(notLetIn || isDatabaseAway(error))) return error;
  // A name with several addresses fails once for each.
  const reason = error instanceof AggregateError ? String(error.errors[0]?.message) : error.message;
  return new AppError(
    'database_unavailable',
    `The database cannot be used: ${reason}. Check that it runs, and DATABASE_URL.`,
    { cause: error },
  );
}
