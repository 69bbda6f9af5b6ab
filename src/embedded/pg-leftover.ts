import { readFile, readlink, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { AppError } from '../errors.js';
import type { PostgresBinaries } from './pg-binaries.js';
import type { ClusterLocation } from './pg-location.js';
import { FAST_SHUTDOWN_MS, IMMEDIATE_SHUTDOWN_MS } from './pg-server.js';
import { commandLineOf, isAlive, processIdentity, runProgram } from './platform-process.js';

/** How often to look whether a process is gone. Too rare: a start after a crash waits longer than it must. */
const LOOK_EVERY_MS = 20;

/** For the kernel to end a killed process. Too short: a busy machine makes us report a survivor that is none. */
const KILL_MS = 5_000;

/** Whether a server runs on the cluster or left its mark there when it was killed. */
export async function hasPidFile(clusterDir: string): Promise<boolean> {
  return (await readPid(clusterDir)) !== null;
}

/**
 * Ends the server that a killed makegood left on this cluster and waits until it is gone. The caller holds the folder's
 * lock, so nobody else can want that server. A process that merely got the number of a dead server is left alone. The file
 * that names it is removed, because the new server would not start over it, nor over the number of a zombie. Should parts
 * of the dead server live on, the new one still refuses: it also looks at the shared memory that they hold.
 */
export async function stopLeftoverServer(
  { clusterDir, user }: ClusterLocation,
  binaries: PostgresBinaries,
  log: (line: string) => void,
): Promise<void> {
  const pid = await readPid(clusterDir);
  if (pid === null) return;
  if (process.platform === 'win32') {
    // Without a server it fails, and does no harm.
    await runProgram(binaries.pgCtl, ['stop', '-m', 'fast', '-D', clusterDir], { user });
    return;
  }

  const identity = processIdentity(pid);
  if (identity === null || !(await isServerOf(pid, clusterDir))) {
    await rm(join(clusterDir, 'postmaster.pid'), { force: true });
    return;
  }
  log(`stopping the PostgreSQL (process ${pid}) that an earlier makegood left running`);
  for (const [signal, bound] of [
    ['SIGINT', FAST_SHUTDOWN_MS],
    ['SIGQUIT', IMMEDIATE_SHUTDOWN_MS],
    ['SIGKILL', KILL_MS],
  ] as const) {
    if (await endsAfter(signal, pid, identity, bound)) return;
  }
  throw new AppError(
    'database_unavailable',
    `a PostgreSQL (process ${pid}) that an earlier makegood left running on ${clusterDir} does not stop; end it by hand`,
  );
}

async function endsAfter(signal: NodeJS.Signals, pid: number, identity: string, boundMs: number): Promise<boolean> {
  try {
    if (isAlive(pid, identity)) process.kill(pid, signal);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ESRCH') return true;
    throw new AppError(
      'database_unavailable',
      `a PostgreSQL (process ${pid}) of another user is running on this data folder, and we may not stop it (${code}); stop it, or set DATA_DIR to another folder`,
      { cause },
    );
  }
  const giveUpAt = performance.now() + boundMs;
  while (isAlive(pid, identity)) {
    if (performance.now() > giveUpAt) return false;
    await delay(LOOK_EVERY_MS);
  }
  return true;
}

/**
 * By the words it was started with, which can be read of any user's process and which a server keeps for life; and for
 * one that somebody started without naming the folder, by where it stands.
 */
async function isServerOf(pid: number, clusterDir: string): Promise<boolean> {
  const words = commandLineOf(pid);
  const program = words?.split(' -D ')[0] ?? '';
  // The shell that watches over a server was started with the same words as the server, and more.
  if (!/postgres\b/.test(program) || program.startsWith('/bin/sh ')) return false;
  const real = await realpath(clusterDir);
  if ([clusterDir, real].some((folder) => `${words} `.includes(` -D ${folder} `))) return true;
  const standsIn = await readlink(`/proc/${pid}/cwd`).catch(() => null);
  return standsIn === real;
}

/** The first line of postmaster.pid; null when there is none. A server in single-user mode writes its number negative. */
async function readPid(clusterDir: string): Promise<number | null> {
  try {
    const pid = Math.abs(Number.parseInt(await readFile(join(clusterDir, 'postmaster.pid'), 'utf8'), 10));
    return Number.isInteger(pid) && pid > 1 ? pid : null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
