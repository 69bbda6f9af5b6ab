import type { Sql } from './database.js';

/** What of a PostgreSQL server matters to whoever relies on what it says is stored. */
export interface ServerFacts {
  readonly major: number;
  readonly version: string;
  readonly fsync: string;
  readonly synchronousCommit: string;
  /** It follows another server, and cannot be written to. */
  readonly isReplica: boolean;
  /** The tables of makegood are there. */
  readonly hasTables: boolean;
  /** What BullMQ keeps in PostgreSQL is there. */
  readonly hasQueue: boolean;
}

export async function loadServerFacts(sql: Sql): Promise<ServerFacts> {
  const { rows } = await sql.query(
    `SELECT current_setting('server_version_num')::int / 10000 AS major, current_setting('server_version') AS version,
       current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS "synchronousCommit",
       pg_is_in_recovery() AS "isReplica", to_regclass('public.handshakes') IS NOT NULL AS "hasTables",
       EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE (n.nspname, c.relname) = ('bullmq', 'job')) AS "hasQueue"`,
  );
  return rows[0];
}
