import { randomBytes } from 'node:crypto';
import { link, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { AppError } from '../errors.js';
import { isAlive, processIdentity } from './platform-process.js';

/** A folder held by this process until `release`, or until the process ends in whatever way. */
export interface FolderLock {
  /** Unique to this holding of the lock: a file that carries it was written by this holder. */
  readonly token: string;
  release(): Promise<void>;
}

/** Who holds a folder. `identity` tells the process from a later one with the same number. */
export interface LockHolder {
  readonly pid: number;
  readonly identity: string;
  readonly token: string;
}

/**
 * Each try that fails means that another process got in between. Too few: a crowd of starts at once could see an error
 * that names no holder. Too many: nothing but time, and never more than the crowd takes.
 */
const MAX_TRIES = 200;

/**
 * Takes a folder for this process alone, at once or not at all: throws AppError when another live process holds it.
 *
 * The lock is the file `lock.N` of the highest N. It is free when its holder is dead or has emptied it. It is taken by
 * linking a complete file to N + 1, which succeeds for exactly one of those who found N free. A lock file is deleted only
 * after a higher one exists, so whoever was slow and links a number that was used and deleted before, sees the higher
 * file when it looks again, and yields. No step needs a lock of its own that a crash could leave behind.
 * Not noticed: a holder in another container or on another machine that shares the folder, whose process we cannot see.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const token = randomBytes(8).toString('hex');
  const holder: LockHolder = { pid: process.pid, identity: processIdentity(process.pid) ?? 'unknown', token };
  const draft = join(folder, `lock.draft-${token}`);
  try {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const found = await highestGeneration(folder);
      const current = await readHolder(lockFile(folder, found));
      if (current !== null && isAlive(current.pid, current.identity)) {
        throw new AppError(
          'database_unavailable',
          `another makegood (process ${current.pid}) is using ${folder}; stop it, or set DATA_DIR to another folder`,
        );
      }
      await writeFile(draft, JSON.stringify(holder), { mode: 0o644 });
      const mine = found + 1;
      if (!(await linkWhenFree(draft, lockFile(folder, mine)))) continue;
      if ((await highestGeneration(folder)) !== mine) {
        await rm(lockFile(folder, mine), { force: true });
        continue;
      }
      await removeOlder(folder, mine);
      return { token, release: () => release(lockFile(folder, mine)) };
    }
  } finally {
    await rm(draft, { force: true });
  }
  throw new AppError('database_unavailable', `too many makegoods are starting on ${folder} at once; start only one`);
}

/** The live process that holds the folder; null when nobody does. */
export async function findLockHolder(folder: string): Promise<LockHolder | null> {
  const found = await highestGeneration(folder);
  const holder = await readHolder(lockFile(folder, found));
  return holder !== null && isAlive(holder.pid, holder.identity) ? holder : null;
}

function lockFile(folder: string, generation: number): string {
  return join(folder, `lock.${generation}`);
}

async function highestGeneration(folder: string): Promise<number> {
  const generations = (await readdir(folder)).map((name) => Number(/^lock\.(\d+)$/.exec(name)?.[1] ?? 0));
  return Math.max(0, ...generations);
}

/** Null for a lock that nobody holds: never taken, emptied by its holder, or cut off when the power went. */
async function readHolder(file: string): Promise<LockHolder | null> {
  try {
    const { pid, identity, token } = JSON.parse(await readFile(file, 'utf8')) as Partial<LockHolder>;
    if (!Number.isInteger(pid) || pid === undefined || identity === undefined || token === undefined) return null;
    return { pid, identity, token };
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

async function linkWhenFree(draft: string, target: string): Promise<boolean> {
  try {
    await link(draft, target);
    return true;
  } catch (error) {
    // ENOENT: a winner tidied our draft away. Either way somebody else was faster, and the next look shows who.
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' || code === 'ENOENT') return false;
    throw error;
  }
}

async function removeOlder(folder: string, mine: number): Promise<void> {
  for (const name of await readdir(folder)) {
    const generation = /^lock\.(\d+)$/.exec(name)?.[1];
    const isOld = generation !== undefined && Number(generation) < mine;
    if (isOld || name.startsWith('lock.draft-')) await rm(join(folder, name), { force: true });
  }
}

async function release(file: string): Promise<void> {
  try {
    await truncate(file, 0);
  } catch (error) {
    // The whole folder was deleted under us: nothing is left to release.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
