import type pg from 'pg';
import { asDatabaseError, type Database } from './database.js';

/**
 * Holds a name for work that lasts longer than a transaction should: by a lock of the session, which PostgreSQL drops the
 * moment the holder dies. It holds back no vacuum, and needs no lease. The work runs beside it on other connections.
 * @param work is given the connection that holds the name; null: somebody else holds it
 */
export async function withSessionLock<T>(
  db: Database,
  name: string,
  work: (holder: pg.PoolClient | null) => Promise<T>,
): Promise<T> {
  const client = await db.pool.connect().catch((error: unknown) => {
    throw asDatabaseError(error);
  });
  let broken = false;
  try {
    const { rows } = await client.query('SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS held', [name]);
    if (!rows[0].held) return await work(null);
    try {
      return await work(client);
    } finally {
      await client.query('SELECT pg_advisory_unlock(hashtextextended($1, 0))', [name]).catch(() => {
        broken = true;
      });
    }
  } catch (error) {
    throw asDatabaseError(error);
  } finally {
    // A connection that may still hold the lock is closed, and the lock with it.
    client.release(broken);
  }
}
