import { createHash } from 'node:crypto';
import { access, chmod, lstat, mkdir, realpath, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

import { AppError } from '../errors.js';
import { readJson, writeFileDurably } from './pg-state-files.js';
import type { OsUser } from './platform-process.js';
import { canEnter, chooseOsUser, isRoot } from './platform-user.js';

/** Where the cluster lies and who runs it. */
export interface ClusterLocation {
  /** The folder that holds the cluster: the data folder itself, or one elsewhere that PostgreSQL's user can enter. */
  readonly home: string;
  readonly clusterDir: string;
  /** Null: ourselves. */
  readonly user: OsUser | null;
  readonly notice: string | null;
}

const LOCATION_FILE = 'postgres-location.json';
const SYSTEM_HOME = '/var/lib/makegood';

/** Makes the data folder where it is missing and gives its real path. */
export async function makeDataFolder(dataDir: string): Promise<string> {
  const wanted = resolve(dataDir);
  await makeFolder(wanted);
  return realpath(wanted);
}

/**
 * Decides where the cluster of a data folder lies. A cluster that is there stays there, and runs as its owner. As root,
 * a new one goes to the data folder where PostgreSQL's user can enter it, else to a folder elsewhere, which is recorded.
 */
export async function locateCluster(dataDir: string): Promise<ClusterLocation> {
  const recorded = await readRecordedHome(dataDir);
  const home = recorded ?? dataDir;
  if (!isRoot()) return { ...at(home), user: null, notice: elsewhereNotice(dataDir, home) };

  const owner = await ownerOfCluster(join(home, 'postgres'));
  if (owner !== null) {
    if (await canEnter(owner, home)) return { ...at(home), user: owner, notice: elsewhereNotice(dataDir, home) };
    throw new AppError(
      'database_unavailable',
      `the database in ${join(home, 'postgres')} belongs to the user ${owner.name}, who cannot enter ${home}; let others pass through its parent folders (chmod o+x), or start makegood as that user`,
    );
  }

  const { user, notice: userNotice } = await chooseOsUser();
  const newHome = recorded ?? ((await canEnter(user, dataDir)) ? dataDir : await makeHomeElsewhere(dataDir, user));
  const notice = [userNotice, elsewhereNotice(dataDir, newHome)].filter((sentence) => sentence !== null).join(' ');
  return { ...at(newHome), user, notice: notice === '' ? null : notice };
}

/** Whether there is a cluster for this data folder. Makes nothing. */
export async function hasCluster(dataDir: string): Promise<boolean> {
  const home = (await readRecordedHome(resolve(dataDir))) ?? resolve(dataDir);
  return access(at(home).clusterDir).then(
    () => true,
    () => false,
  );
}

function at(home: string): { home: string; clusterDir: string } {
  return { home, clusterDir: join(home, 'postgres') };
}

function elsewhereNotice(dataDir: string, home: string): string | null {
  if (home === dataDir) return null;
  const where = `The database lies in ${home}, because PostgreSQL's user cannot enter ${dataDir}.`;
  return dirname(home) === SYSTEM_HOME
    ? where
    : `${where} That folder is a temporary one, which the system may empty: for data to keep, set DATA_DIR to a folder that all users can pass through.`;
}

/** Null for a data folder that keeps its own cluster. Throws when the recorded folder is gone, and all data with it. */
async function readRecordedHome(dataDir: string): Promise<string | null> {
  const file = join(dataDir, LOCATION_FILE);
  const { home } = await readJson<{ home: string }>(file);
  if (typeof home !== 'string') return null;
  try {
    await access(home);
  } catch (cause) {
    // Starting with an empty database here would hide the loss.
    throw new AppError(
      'database_unavailable',
      `the database of ${dataDir} was kept in ${home}, which cannot be reached; bring that folder back, or delete ${file} to start with an empty database`,
      { cause },
    );
  }
  return home;
}

/** The user who has to run an existing cluster. Null: there is none, or it is root's and must be given to another. */
async function ownerOfCluster(clusterDir: string): Promise<OsUser | null> {
  try {
    const { uid, gid } = await stat(join(clusterDir, 'PG_VERSION'));
    return uid === 0 ? null : { name: String(uid), uid, gid };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** The name depends on the data folder alone, so that a lost record leads to the same place. */
async function makeHomeElsewhere(dataDir: string, user: OsUser): Promise<string> {
  const key = createHash('sha256').update(dataDir).digest('hex').slice(0, 16);
  for (const home of [join(SYSTEM_HOME, key), join(await realpath(tmpdir()), `makegood-${key}`)]) {
    if (!(await makeOwnFolder(home)) || !(await canEnter(user, home))) continue;
    await writeFileDurably(join(dataDir, LOCATION_FILE), JSON.stringify({ home }), 0o644);
    return home;
  }
  throw new AppError(
    'database_unavailable',
    `the user ${user.name}, as whom PostgreSQL has to run here, cannot enter ${dataDir}, nor could another folder be made for it; set DATA_DIR to a folder that all users can pass through`,
  );
}

/** False where it cannot be made, or where somebody else made it first: in a shared folder such as /tmp that may be a trap. */
async function makeOwnFolder(folder: string): Promise<boolean> {
  try {
    await makeFolder(folder);
    const { uid, mode } = await lstat(folder);
    return uid === 0 && (mode & 0o022) === 0;
  } catch {
    return false;
  }
}

/** What root makes is open to other users' passing through, whatever the umask: PostgreSQL runs as one of them. */
async function makeFolder(wanted: string): Promise<void> {
  const firstMade = await mkdir(wanted, { recursive: true });
  if (firstMade === undefined || !isRoot()) return;
  for (let folder = wanted; folder.length >= firstMade.length; folder = dirname(folder)) await chmod(folder, 0o755);
}
