import type { Clock } from '../clock.js';
import type { Sql } from './database.js';

/**
 * What time it is, by the clock of the database; also in a transaction that began a while ago and waited for a lock since:
 * whoever judged meanwhile must not be overruled by an older now.
 */
export async function readNow(sql: Sql, clock: Clock): Promise<Date> {
  const { rows } = await sql.query('SELECT clock_timestamp() AS database_now');
  return clock.read(rows[0].database_now);
}
