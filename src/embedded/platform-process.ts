import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A user of the operating system, as spawn takes it. Null in its place means: as ourselves. */
export interface OsUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** What a program left behind. `code` is null when it could not be started at all; `startError` then says why. */
export interface ProgramResult {
  readonly code: number | null;
  readonly output: string;
  readonly startError: NodeJS.ErrnoException | null;
}

/**
 * Too short: a slow disk makes initdb look dead and a first start fails. Too long: a program that hangs holds up the
 * start for as long.
 */
const PROGRAM_TIMEOUT_MS = 120_000;

const PASSED_ON = ['PATH', 'LD_LIBRARY_PATH', 'DYLD_LIBRARY_PATH', 'TMPDIR'];

/**
 * The environment for programs of PostgreSQL. An allow list: our own environment holds keys and passwords, which another
 * user of the system could read from the process, and PG* variables that would change what the programs do. LC_ALL=C
 * also keeps macOS from loading threads into the server, which it refuses to run with.
 */
export function postgresEnvironment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env);
  const passed =
    process.platform === 'win32'
      ? own.filter(([name]) => !name.toUpperCase().startsWith('PG'))
      : own.filter(([name]) => PASSED_ON.includes(name));
  return { ...Object.fromEntries(passed), LC_ALL: 'C', TZ: 'UTC' };
}

/** The part of spawn's options that makes a program run as this user. libuv drops our supplementary groups as well. */
export function asUser(user: OsUser | null): { uid?: number; gid?: number } {
  // setuid takes what the system prints as 4294967294 (nobody on macOS) as -2; spawn accepts only 32 signed bits.
  return user === null ? {} : { uid: user.uid | 0, gid: user.gid | 0 };
}

/** Runs a program to its end and never throws: what went wrong is in the result. */
export function runProgram(
  program: string,
  args: readonly string[],
  options: { user?: OsUser | null; input?: string } = {},
): Promise<ProgramResult> {
  return new Promise((resolve) => {
    let output = '';
    try {
      const child = spawn(program, args, {
        ...asUser(options.user ?? null),
        // Programs of PostgreSQL complain when the other user cannot enter the folder we happen to stand in.
        ...(process.platform === 'win32' ? {} : { cwd: '/' }),
        env: postgresEnvironment(),
        windowsHide: true,
        stdio: ['pipe', 'pipe', 'pipe'],
      });
      child.stdout.on('data', (chunk: Buffer) => {
        output += chunk.toString();
      });
      child.stderr.on('data', (chunk: Buffer) => {
        output += chunk.toString();
      });
      // A program that ends without reading its input closes the pipe; its exit code tells what matters.
      child.stdin.on('error', () => {});
      child.stdin.end(options.input ?? '');
      // Not spawn's own timeout: its timer stays behind, and holds up our end, when the program cannot be started.
      const timer = setTimeout(() => child.kill('SIGKILL'), PROGRAM_TIMEOUT_MS);
      const finish = (code: number | null, startError: NodeJS.ErrnoException | null): void => {
        clearTimeout(timer);
        resolve({ code, output, startError });
      };
      child.once('error', (error) => finish(null, error));
      child.once('close', (code) => finish(code ?? 1, null));
    } catch (error) {
      resolve({ code: null, output, startError: error as NodeJS.ErrnoException });
    }
  });
}

/**
 * Names a living process so that another process which later gets the same number is told apart: the boot and the time
 * of its start. Null: no such process, or only its remains (a zombie). 'unknown': alive, and the system says no more.
 */
export function processIdentity(pid: number): string | null {
  if (process.platform === 'linux') {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      // The name in brackets may hold spaces and brackets: count from the last one. State is field 3, start time 22.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (fields[0] === 'Z' || fields[0] === 'X') return null;
      return `${bootId()}:${fields[19]}`;
    } catch {
      // No such process, or /proc hides those of other users: ask the kernel in the way that works everywhere.
    }
  } else if (process.platform !== 'win32' && isSignalable(pid)) {
    const ps = spawnSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' },
    });
    const [, state, startedAt] = /^\s*(\S+)\s+(\S.*?)\s*$/m.exec(ps.stdout ?? '') ?? [];
    if (state?.startsWith('Z')) return null;
    if (startedAt !== undefined) return startedAt;
  }
  return isSignalable(pid) ? 'unknown' : null;
}

/** Whether the process that once had this identity still lives. */
export function isAlive(pid: number, identity: string): boolean {
  const now = processIdentity(pid);
  return now !== null && (now === identity || now === 'unknown' || identity === 'unknown');
}

/** The words a process was started with; null when it is gone or the system does not tell. */
export function commandLineOf(pid: number): string | null {
  if (process.platform === 'linux') {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim();
    } catch {
      return null;
    }
  }
  const ps = spawnSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  return ps.status === 0 ? ps.stdout.trim() : null;
}

function isSignalable(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, and is another user's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return 'boot';
  }
}
