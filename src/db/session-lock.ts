import type pg from 'pg';
import { asDatabaseError, type Database } from './database.js';

/**
 * Names that one process holds, for work that lasts longer than a transaction should: by locks of a session, which PostgreSQL
 * drops the moment the holder dies. They hold back no vacuum, and need no lease. The work runs beside them on other connections.
 */
export interface SessionLocks {
  /** The connection that holds them; good for reading what only the holder may read. */
  readonly connection: pg.PoolClient;
  /** Takes those of these names that nobody else holds. @returns which they are */
  take(names: readonly string[]): Promise<ReadonlySet<string>>;
  /** Lets go of names that it holds. */
  drop(names: readonly string[]): Promise<void>;
  /** Lets go of all, and of the connection. */
  close(): Promise<void>;
}

/** Opens a session for locks. @throws AppError `database_unavailable` */
export async function openSessionLocks(db: Database): Promise<SessionLocks> {
  const connection = await db.pool.connect().catch((error: unknown) => {
    throw asDatabaseError(error);
  });
  return {
    connection,
    async take(names) {
      const { rows } = await connection.query(
        'SELECT name FROM (SELECT name, pg_try_advisory_lock(hashtextextended(name, 0)) AS held FROM unnest($1::text[]) AS n(name)) n WHERE held',
        [names],
      );
      return new Set(rows.map(({ name }) => name));
    },
    async drop(names) {
      await connection.query(
        'SELECT pg_advisory_unlock(hashtextextended(name, 0)) FROM unnest($1::text[]) AS n(name)',
        [names],
      );
    },
    async close() {
      const isClean = await connection.query('SELECT pg_advisory_unlock_all()').then(
        () => true,
        () => false,
      );
      // A connection that may still hold a lock is closed, and the lock with it.
      connection.release(!isClean);
    },
  };
}

/**
 * Holds a name for as long as the work lasts.
 * @param work is given the connection that holds the name; null: somebody else holds it
 */
export async function withSessionLock<T>(
  db: Database,
  name: string,
  work: (holder: pg.PoolClient | null) => Promise<T>,
): Promise<T> {
  const locks = await openSessionLocks(db);
  try {
    return await work((await locks.take([name])).has(name) ? locks.connection : null);
  } catch (error) {
    throw asDatabaseError(error);
  } finally {
    await locks.close();
  }
}
