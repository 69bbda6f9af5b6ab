import { chown, lchown, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { AppError } from '../errors.js';
import type { PostgresBinaries } from './pg-binaries.js';
import type { ClusterLocation } from './pg-location.js';
import { type PostgresSecrets, syncFolder } from './pg-state-files.js';
import { runProgram } from './platform-process.js';

/** Cluster in the making: never the name that a start trusts. */
const DRAFT_PREFIX = 'postgres.new-';

/**
 * In order of preference. Both sort by code point and fold the case of all letters. The first takes its rules from the
 * system's C.UTF-8, which older systems and macOS do not have; the second brings its own.
 */
const LOCALE_FLAGS = [['--locale=C.UTF-8'], ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']];

/** The PostgreSQL version of the cluster in a folder, such as "18"; null when there is no cluster. Throws AppError when
 * the folder holds something else. */
export async function readClusterVersion(clusterDir: string): Promise<string | null> {
  try {
    return (await readFile(join(clusterDir, 'PG_VERSION'), 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const inside = await readdir(clusterDir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  if (inside.length === 0) return null;
  throw new AppError(
    'database_unavailable',
    `${clusterDir} is not empty and holds no PostgreSQL database (there is no PG_VERSION in it); move it away, or set DATA_DIR to another folder`,
  );
}

/** Throws AppError when the programs cannot run a cluster of this version. */
export function checkClusterVersion(clusterDir: string, version: string, binaries: PostgresBinaries): void {
  if (version === binaries.major) return;
  throw new AppError(
    'database_unavailable',
    `the database in ${clusterDir} was made by PostgreSQL ${version}, and this makegood brings PostgreSQL ${binaries.major}; use the makegood that made it, or move the data with pg_dump and restore it into an empty DATA_DIR`,
  );
}

/**
 * Makes a new cluster with `secrets.postgres` as its superuser's password. It is made beside its place and moved there
 * when complete and on disk: a crash at any moment leaves either no cluster or a whole one.
 */
export async function createCluster(
  { home, clusterDir, user }: ClusterLocation,
  binaries: PostgresBinaries,
  secrets: PostgresSecrets,
): Promise<void> {
  await removeDrafts(home);
  const draft = join(home, `${DRAFT_PREFIX}${process.pid}`);
  const passwordFile = `${draft}.password`;
  try {
    await writeFile(passwordFile, secrets.postgres, { mode: 0o600 });
    if (user !== null) await chown(passwordFile, user.uid, user.gid);

    let lastOutput = '';
    for (const localeFlags of LOCALE_FLAGS) {
      await rm(draft, { recursive: true, force: true });
      await mkdir(draft, { mode: 0o700 });
      if (user !== null) await chown(draft, user.uid, user.gid);
      const flags = ['--username=postgres', '--encoding=UTF8', '--auth=scram-sha-256', '--no-instructions'];
      const made = await runProgram(
        binaries.initdb,
        [`--pgdata=${draft}`, `--pwfile=${passwordFile}`, ...flags, ...localeFlags],
        { user },
      );
      if (made.code === 0) {
        await rename(draft, clusterDir);
        await syncFolder(home);
        return;
      }
      lastOutput = made.startError?.message ?? made.output.trim();
    }
    throw new AppError('database_unavailable', `a new database could not be made in ${home}: ${lastOutput}`);
  } finally {
    await rm(passwordFile, { force: true });
    await rm(draft, { recursive: true, force: true });
  }
}

/** Gives a cluster that belongs to root, such as one copied back from a backup, to the user who runs it. */
export async function giveClusterTo({ clusterDir, user }: ClusterLocation): Promise<void> {
  if (user === null || (await stat(join(clusterDir, 'PG_VERSION'))).uid === user.uid) return;
  const give = async (path: string): Promise<void> => {
    await lchown(path, user.uid, user.gid);
  };
  await give(clusterDir);
  for (const name of await readdir(clusterDir, { recursive: true })) {
    // Last, because its owner says who runs the cluster: cut off before, the next start begins again.
    if (name !== 'PG_VERSION') await give(join(clusterDir, name));
  }
  await give(join(clusterDir, 'PG_VERSION'));
}

/**
 * Sets the superuser's password in a cluster that is not running, for when the file with the passwords was lost: whoever
 * may read the cluster's files owns its data anyway.
 */
export async function resetSuperuserPassword(
  { clusterDir, user }: ClusterLocation,
  binaries: PostgresBinaries,
  secrets: PostgresSecrets,
): Promise<void> {
  const result = await runProgram(binaries.postgres, ['--single', '-D', clusterDir, 'postgres'], {
    user,
    input: `ALTER ROLE postgres PASSWORD '${secrets.postgres}';\n`,
  });
  if (result.code === 0 && !/\b(ERROR|FATAL):/.test(result.output)) return;
  throw new AppError(
    'database_unavailable',
    `the passwords of the database in ${clusterDir} were lost and could not be set anew: ${result.output.trim()}`,
  );
}

/** What starts that were killed left behind. Should initdb still run in one, it fails for itself and nobody else. */
async function removeDrafts(home: string): Promise<void> {
  for (const name of await readdir(home)) {
    if (name.startsWith(DRAFT_PREFIX)) await rm(join(home, name), { recursive: true, force: true, maxRetries: 10 });
  }
}
