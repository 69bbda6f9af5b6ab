import { AppError } from '../errors.js';
import { type OsUser, runProgram } from './platform-process.js';

/** In order of preference. `nobody` owns nothing by custom, so what it owns here is ours alone only by luck. */
const PREFERRED_USER = 'postgres';
const LAST_RESORT_USER = 'nobody';

/** Whether this process is root, as which PostgreSQL refuses to run. */
export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/**
 * For root: the operating system's user to run PostgreSQL as. Takes `postgres`, makes it when there is none, and falls
 * back to `nobody` where users cannot be made; `notice` then says so. Throws AppError when there is not even that one.
 */
export async function chooseOsUser(
  candidates: { preferred: string; lastResort: string } = { preferred: PREFERRED_USER, lastResort: LAST_RESORT_USER },
): Promise<{ user: OsUser; notice: string | null }> {
  const existing = await lookUpUser(candidates.preferred);
  if (existing !== null) return { user: existing, notice: null };

  // Either may fail because another start was faster or the group is there already: what counts is the user at the end.
  await runProgram('groupadd', ['--system', candidates.preferred]);
  await runProgram('useradd', ['--system', '--no-create-home', '-g', candidates.preferred, candidates.preferred]);
  const created = await lookUpUser(candidates.preferred);
  if (created !== null) return { user: created, notice: null };

  const lastResort = await lookUpUser(candidates.lastResort);
  if (lastResort !== null) {
    return {
      user: lastResort,
      notice: `PostgreSQL runs as the user "${lastResort.name}", because it refuses to run as root and a user "${candidates.preferred}" could not be made.`,
    };
  }
  throw new AppError(
    'database_unavailable',
    `PostgreSQL refuses to run as root, and neither a user "${candidates.preferred}" nor "${candidates.lastResort}" is there; start makegood as an ordinary user, or create the user "${candidates.preferred}", or set DATABASE_URL to a PostgreSQL server`,
  );
}

/** Whether the user can pass into the folder, found by trying: modes alone would miss ACLs, mounts and modules. */
export async function canEnter(user: OsUser, folder: string): Promise<boolean> {
  const { code } = await runProgram('/bin/sh', ['-c', 'cd -- "$1"', 'sh', folder], { user });
  return code === 0;
}

async function lookUpUser(name: string): Promise<OsUser | null> {
  const [uid, gid] = await Promise.all([runProgram('id', ['-u', name]), runProgram('id', ['-g', name])]);
  if (uid.code !== 0 || gid.code !== 0) return null;
  return { name, uid: Number(uid.output), gid: Number(gid.output) };
}
