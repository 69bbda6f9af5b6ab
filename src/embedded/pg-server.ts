import { type ChildProcess, spawn } from 'node:child_process';
import { open, readFile, stat, truncate } from 'node:fs/promises';

import { AppError } from '../errors.js';
import type { PostgresBinaries } from './pg-binaries.js';
import type { ClusterLocation } from './pg-location.js';
import { asUser, postgresEnvironment, runProgram } from './platform-process.js';

/** One run of the server. */
export interface PostgresServer {
  /** Settles, never rejects, when the server has ended: with a word on how. */
  readonly ended: Promise<string>;
  hasEnded(): boolean;
  /** The last lines that the server has written in this run. */
  lastWords(): Promise<string>;
  /** Ends the server, harder with every bound that passes. Throws AppError when it survives even that. */
  stop(): Promise<void>;
}

/**
 * For a fast shutdown, which rolls back what is open and writes all dirty pages to disk. Too short: a slow disk makes it
 * an immediate one, and the next start has to replay the log. Too long: whoever stops us kills us first.
 */
export const FAST_SHUTDOWN_MS = 10_000;

/** For an immediate shutdown: the server itself kills its children after 5 s. Too short: we kill it before it has. */
export const IMMEDIATE_SHUTDOWN_MS = 6_000;

/** For the kernel to end a killed process. Too short: a busy machine makes us report a survivor that is none. */
const KILL_MS = 5_000;

/** Too small: the reason of last week's trouble is gone after a few starts. Too big: it fills the disk. */
const MAX_LOG_BYTES = 5 * 1024 * 1024;

/** Too few: the FATAL line may be missing from the error. Too many: nobody reads it. */
const LAST_LINES = 15;

/**
 * Runs the server, passes on the names of signals that come line by line through its input, and stops the server when
 * that input ends, which the kernel sees to when we die in whatever way. It ends with the server.
 *
 * It is a shell because nothing else is on every system. SIGTERM and SIGINT to a whole group or service do not end it. A
 * server that has just begun does not listen to SIGINT yet, hence the loop. Only this shell may wait for the server, so
 * the server's number stays its own until the line before the watcher is killed.
 */
const SUPERVISOR = `
trap '' HUP INT TERM
exec 3<&0 </dev/null
"$@" 3<&- &
server=$!
exec 2>/dev/null
(
  while read -r signal; do kill -s "$signal" "$server"; done
  while kill -s INT "$server"; do sleep 1; done
) <&3 3<&- &
watcher=$!
exec 3<&-
wait "$server"
status=$?
kill -s KILL "$watcher"
exit "$status"
`;

/**
 * Starts the server of a cluster on a port, in a session of its own: signals for our process group, such as a SIGTERM at
 * which we want to finish our work first, do not reach it. It does not keep our event loop alive.
 */
export async function launchServer(options: {
  location: ClusterLocation;
  binaries: PostgresBinaries;
  port: number;
  logFile: string;
  settings: Readonly<Record<string, string>>;
}): Promise<PostgresServer> {
  const { location, binaries, logFile } = options;
  const logStart = await prepareLog(logFile);
  const log = await open(logFile, 'a', 0o600);
  let child: ChildProcess;
  try {
    const command = [binaries.postgres, '-D', location.clusterDir, ...settingFlags(options.settings, options.port)];
    const isWindows = process.platform === 'win32';
    const [program, args] = isWindows
      ? [binaries.postgres, command.slice(1)]
      : ['/bin/sh', ['-c', SUPERVISOR, 'makegood-postgres', ...command]];
    child = spawn(program, args, {
      ...asUser(location.user),
      ...(isWindows ? {} : { cwd: '/' }),
      env: postgresEnvironment(),
      detached: true,
      windowsHide: true,
      stdio: [isWindows ? 'ignore' : 'pipe', log.fd, log.fd],
    });
  } finally {
    await log.close();
  }

  let endedHow: string | null = null;
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  }).then((how) => {
    endedHow = how;
    child.stdin?.end();
    return how;
  });
  // The server may end between our look and our word to it: its end is what tells, not the broken pipe.
  child.stdin?.on('error', () => {});
  child.unref();
  if (child.stdin !== null && 'unref' in child.stdin) (child.stdin as { unref(): void }).unref();

  const send = (signal: 'INT' | 'QUIT' | 'KILL'): void => {
    if (child.stdin !== null) child.stdin.write(`${signal}\n`);
    else if (signal === 'KILL') child.kill('SIGKILL');
    else {
      const mode = signal === 'INT' ? 'fast' : 'immediate';
      void runProgram(binaries.pgCtl, ['stop', '--no-wait', '-m', mode, '-D', location.clusterDir]);
    }
  };

  return {
    ended,
    hasEnded: () => endedHow !== null,
    lastWords: () => readLastLines(logFile, logStart),
    stop: async () => {
      child.ref();
      for (const [signal, bound] of [
        ['INT', FAST_SHUTDOWN_MS],
        ['QUIT', IMMEDIATE_SHUTDOWN_MS],
        ['KILL', KILL_MS],
      ] as const) {
        if (endedHow !== null) return;
        send(signal);
        if (await settlesWithin(ended, bound)) return;
      }
      throw new AppError(
        'database_unavailable',
        `PostgreSQL in ${location.clusterDir} does not stop; see ${logFile}, and end it by hand`,
      );
    },
  };
}

/** Ours can be replaced by `settings`, except those on which the address and the safety of others on the machine depend. */
function settingFlags(settings: Readonly<Record<string, string>>, port: number): string[] {
  const all = {
    // Too low: a burst of pools is refused. Too high: each allowed connection costs shared memory, used or not.
    max_connections: '300',
    fsync: 'on',
    synchronous_commit: 'on',
    ...settings,
    listen_addresses: '127.0.0.1',
    // No socket file: its folder would have to be writable for the server's user, and its path short.
    unix_socket_directories: '',
    port: String(port),
  };
  return Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** Empties a log that has grown too long and gives its length. */
async function prepareLog(logFile: string): Promise<number> {
  try {
    const { size } = await stat(logFile);
    if (size <= MAX_LOG_BYTES) return size;
    await truncate(logFile, 0);
    return 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}

async function readLastLines(logFile: string, from: number): Promise<string> {
  try {
    const written = (await readFile(logFile)).subarray(from).toString();
    return written.trim().split('\n').slice(-LAST_LINES).join('\n');
  } catch (error) {
    return `(its log cannot be read: ${(error as Error).message})`;
  }
}

async function settlesWithin(promise: Promise<unknown>, boundMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const bound = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), boundMs);
  });
  const settled = await Promise.race([promise.then(() => true as const), bound]);
  clearTimeout(timer);
  return settled;
}
