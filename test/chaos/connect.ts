import pg from 'pg';
import type { TestDatabase } from '../support/database.js';

/** What the oracle asks. */
export type Queryable = Pick<TestDatabase, 'query'>;

/** Connections to a database that is not of the common server. */
export function connectTo(url: string): Queryable & { disconnect(): Promise<void> } {
  const pool = new pg.Pool({ connectionString: url, max: 3 });
  pool.on('error', () => {});
  return {
    async query(sql, values) {
      return (await pool.query(sql, values)).rows;
    },
    disconnect: () => pool.end(),
  };
}
