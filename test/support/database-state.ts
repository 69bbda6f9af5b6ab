import type { TestDatabase } from './database.js';

/** Rows and content of every table of ours, to see that nothing was written, or nothing but this. */
export type DatabaseState = Readonly<Record<string, string>>;

export async function readDatabaseState(database: TestDatabase): Promise<DatabaseState> {
  const tables = await database.query<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.tables
     WHERE table_schema = 'public' AND table_name <> '_prisma_migrations' ORDER BY 1`,
  );
  const counts = tables.map(
    ({ name }) =>
      `SELECT '${name}' AS name, count(*) || ' rows ' || coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') AS state FROM "${name}" t`,
  );
  const states = await database.query<{ name: string; state: string }>(counts.join(' UNION ALL '));
  return Object.fromEntries(states.map(({ name, state }) => [name, state]));
}

/** Rows of one table. */
export async function countRows(database: TestDatabase, table: string): Promise<number> {
  const [row] = await database.query<{ count: string }>(`SELECT count(*) FROM "${table}"`);
  return Number(row?.count);
}
