import { asDatabaseError, type Database, type Sql } from '../db/database.js';
import { openSessionLocks } from '../db/session-lock.js';
import type { FilePlace } from './file-place.js';
import { type ImportProgress, importProgressSchema } from './import-progress.js';

/** An import that did not come to its end: where it was, and what it had found. */
export interface UnfinishedImport extends FilePlace {
  readonly id: string;
  readonly startedAt: Date;
  readonly progress: ImportProgress;
}

/** The unfinished imports that are ours alone. They are let go with the connection, however this process ends. */
export interface HeldImports {
  readonly unfinished: readonly UnfinishedImport[];
  /** Keeps this one, which may be new, and lets the others go. */
  keep(id: string): Promise<void>;
  /** Takes something else that no other import may use meanwhile. @returns whether nobody else has it */
  claim(name: string): Promise<boolean>;
  letGo(): Promise<void>;
}

/** What nobody went on with for so long is forgotten. Shorter, and a long holiday loses the place; longer, and old rows pile up. */
const ABANDONED_AFTER_DAYS = 30;
/** More lines than the column can count: from there on, the place stays where it was. */
const LAST_LINE = 2_147_483_647;

/**
 * Takes the unfinished imports with these settings that nobody is at work on, each by a lock of the session: PostgreSQL drops it
 * the moment the process dies, and an import that lives is never taken from under it. By the way, those are removed that
 * were abandoned long ago.
 */
export async function holdUnfinishedImports(
  db: Database,
  { settingsHash, now }: { settingsHash: Buffer; now: Date },
): Promise<HeldImports> {
  const locks = await openSessionLocks(db);
  try {
    const { connection } = locks;
    await connection.query(`DELETE FROM import_runs WHERE updated_at < $1::timestamptz - $2 * interval '1 day'`, [
      now,
      ABANDONED_AFTER_DAYS,
    ]);
    const { rows: known } = await connection.query('SELECT id FROM import_runs WHERE settings_hash = $1', [
      settingsHash,
    ]);
    const held = await locks.take(known.map(({ id }) => lockOf(id)));
    // Read when they are ours: whoever had one may have gone on with it, or come to its end, until then.
    const { rows } = await connection.query(
      `SELECT id, started_at, bytes_done::float8 AS bytes_done, next_line, prefix_hash, report FROM import_runs WHERE id = ANY($1)`,
      [known.map(({ id }) => id).filter((id) => held.has(lockOf(id)))],
    );
    return {
      unfinished: rows.flatMap((row) => {
        const progress = importProgressSchema.safeParse(row.report);
        if (!progress.success) return [];
        return [
          {
            id: row.id,
            startedAt: row.started_at,
            bytesDone: row.bytes_done,
            nextLine: row.next_line,
            prefixHash: row.prefix_hash,
            progress: progress.data,
          },
        ];
      }),
      async keep(id) {
        const own = lockOf(id);
        await locks.drop([...held].filter((name) => name !== own));
        if (!held.has(own)) await locks.take([own]);
      },
      async claim(name) {
        const path = lockOf(name);
        return (await locks.take([path])).has(path);
      },
      letGo: () => locks.close(),
    };
  } catch (error) {
    await locks.close();
    throw asDatabaseError(error);
  }
}

const lockOf = (name: string): string => `import-orders ${name}`;

/** Notes how far an import has come, in the transaction that brought it there. */
export async function saveImportPlace(
  sql: Sql,
  run: { readonly id: string; readonly settingsHash: Buffer; readonly file: string; readonly startedAt: Date },
  { bytesDone, nextLine, prefixHash }: FilePlace,
  progress: ImportProgress,
): Promise<void> {
  if (nextLine > LAST_LINE) return;
  await sql.query(
    `INSERT INTO import_runs (id, settings_hash, file, started_at, updated_at, bytes_done, next_line, prefix_hash, report)
     VALUES ($1, $2, $3, $4, now(), $5, $6, $7, $8)
     ON CONFLICT (id) DO UPDATE SET updated_at = excluded.updated_at, bytes_done = excluded.bytes_done,
       next_line = excluded.next_line, prefix_hash = excluded.prefix_hash, report = excluded.report`,
    [run.id, run.settingsHash, run.file, run.startedAt, bytesDone, nextLine, prefixHash, storable(progress)],
  );
}

/** An import that came to its end goes on nowhere. */
export async function deleteImportRun(sql: Sql, id: string): Promise<void> {
  await sql.query('DELETE FROM import_runs WHERE id = $1', [id]);
}

/** PostgreSQL keeps every character but NUL, which a cell or the name of a column may have. */
function storable(progress: ImportProgress): string {
  return JSON.stringify(progress, (_key, value) =>
    typeof value === 'string' ? value.replaceAll('\0', '\ufffd') : value,
  );
}
