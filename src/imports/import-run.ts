import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { basename, resolve } from 'node:path';
import type { Sql } from '../db/database.js';
import { readNow } from '../db/now.js';
import type { Deps } from '../deps.js';
import { newId } from '../ids.js';
import type { FilePlace } from './file-place.js';
import { type ImportProgress, NOTHING_YET } from './import-progress.js';
import { deleteImportRun, holdUnfinishedImports, saveImportPlace, type UnfinishedImport } from './import-run-store.js';
import type { CsvFile } from './open-csv.js';

/** One import of one file, begun or gone on with. */
export interface ImportRun {
  /** The import that this one goes on with; null: it begins with the file. */
  readonly continues: Pick<UnfinishedImport, 'startedAt' | 'nextLine' | 'bytesDone'> | null;
  readonly startedAt: Date;
  readonly progress: ImportProgress;
  /** Notes the place in the transaction that brought it there. */
  save(sql: Sql, place: FilePlace, progress: ImportProgress): Promise<void>;
  /** Takes a file that no other import may write meanwhile. @returns whether nobody else does */
  claimFile(path: string): Promise<boolean>;
  /** It has come to its end: the same file is read from its beginning next time. */
  finish(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Begins an import, or goes on with one that ended early: of a file that begins with the same bytes, by the same settings. One
 * that is under way is left alone, and its file is read from the beginning.
 * @param options.settings everything that decides what a row means
 */
export async function openImportRun(
  deps: Deps,
  csv: CsvFile,
  options: {
    readonly file: string;
    readonly settings: unknown;
    readonly onProgress: (bytesRead: number, bytes: number) => void;
  },
): Promise<ImportRun> {
  const now = await readNow(deps.db.pool, deps.clock);
  const settingsHash = createHash('sha256').update(JSON.stringify(options.settings)).digest();
  const held = await holdUnfinishedImports(deps.db, { settingsHash, now });
  try {
    const before = await csv.goTo(
      held.unfinished.filter(({ bytesDone }) => bytesDone <= csv.sizeBytes),
      (bytesRead) => options.onProgress(bytesRead, csv.sizeBytes),
    );
    const id = before?.id ?? newId();
    await held.keep(id);
    const run = { id, settingsHash, file: basename(options.file), startedAt: before?.startedAt ?? now };
    return {
      continues: before,
      startedAt: now,
      progress: before?.progress ?? NOTHING_YET,
      save: (sql, place, progress) => saveImportPlace(sql, run, place, progress),
      // A path is a file of one machine.
      claimFile: (path) => held.claim(`${hostname()} ${resolve(path)}`),
      finish: () => deleteImportRun(deps.db.pool, id),
      close: held.letGo,
    };
  } catch (error) {
    await held.letGo();
    throw error;
  }
}
