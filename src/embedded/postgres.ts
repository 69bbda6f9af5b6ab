import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { AppError } from '../errors.js';
import { freePort } from './free-port.js';
import { findPlatformPackage, type PostgresBinaries, prepareBinaries } from './pg-binaries.js';
import {
  checkClusterVersion,
  createCluster,
  giveClusterTo,
  readClusterVersion,
  resetSuperuserPassword,
} from './pg-cluster.js';
import { type FolderLock, findLockHolder, lockFolder } from './pg-folder-lock.js';
import { hasPidFile, stopLeftoverServer } from './pg-leftover.js';
import { type ClusterLocation, locateCluster, makeDataFolder } from './pg-location.js';
import { answers, makegoodUrl, waitUntilReady } from './pg-login.js';
import { launchServer, type PostgresServer } from './pg-server.js';
import {
  createSecrets,
  type PostgresSecrets,
  readSecrets,
  readServerState,
  saveServerState,
} from './pg-state-files.js';

/** A PostgreSQL of our own, running until `stop`, or until this process ends in whatever way. */
export interface EmbeddedPostgres {
  /** postgresql://makegood:...@127.0.0.1:PORT/makegood; the role is no superuser, and may make roles and databases. */
  readonly url: string;
  /** Where the cluster really lies. */
  readonly dataDir: string;
  /** A sentence for the user, for example that the data lies elsewhere. */
  readonly notice: string | null;
  /** Stops the server and lets go of the folder. The second call gives the result of the first. */
  stop(): Promise<void>;
}

/** `dataDir` is made where missing. `settings` are settings of postgresql.conf. `packageDir` is for tests. */
export interface EmbeddedPostgresOptions {
  readonly dataDir: string;
  readonly log?: (line: string) => void;
  readonly settings?: Readonly<Record<string, string>>;
  readonly packageDir?: string;
}

/**
 * A start that failed is tried again when the port was taken between our look and the server's, or when there are signs
 * of a killed server, parts of which may still be ending. Too short: such a start fails for nothing. Too long: a server
 * that cannot start for another reason is reported late.
 */
const RETRY_BOUND_MS = 10_000;

/** Too short: a log full of failures. Too long: the start waits after what was in its way has gone. */
const RETRY_PAUSE_MS = 200;

/**
 * Starts PostgreSQL on a data folder, makes the cluster where there is none, and returns when it can be used. What an
 * earlier makegood left behind when it was killed is cleared away. One makegood a folder: throws AppError
 * (database_unavailable) when another one is using it, and for everything else that keeps the server from running.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const log = options.log ?? (() => {});
  const locks: FolderLock[] = [];
  const unlock = async (): Promise<void> => {
    for (const lock of locks.splice(0)) await lock.release();
  };
  try {
    const dataDir = await makeDataFolder(options.dataDir);
    const lock = await lockFolder(dataDir);
    locks.push(lock);
    const location = await locateCluster(dataDir);
    // Two copies of one data folder lead to the same cluster elsewhere.
    if (location.home !== dataDir) locks.push(await lockFolder(location.home));

    const binaries = await prepareBinaries({
      packageDir: options.packageDir ?? findPlatformPackage(),
      copyHome: location.home,
      user: location.user,
      log,
    });
    const secrets = await prepareCluster(dataDir, location, binaries, log);
    const { server, port } = await startServer({
      dataDir,
      location,
      binaries,
      secrets,
      settings: options.settings ?? {},
      log,
    });
    await saveServerState(dataDir, { port, token: lock.token });

    let stopping: Promise<void> | null = null;
    void server.ended.then((how) => {
      if (stopping === null) log(`PostgreSQL has ended by itself (${how}); see ${join(dataDir, 'postgres.log')}`);
    });
    const stopAll = async (): Promise<void> => {
      try {
        await server.stop();
        // Only when something killed the watcher between us: the server may have outlived it.
        await stopLeftoverServer(location, binaries, log);
      } finally {
        await unlock();
      }
    };
    return {
      url: makegoodUrl(port, secrets),
      dataDir: location.clusterDir,
      notice: location.notice,
      stop: () => {
        stopping ??= stopAll();
        return stopping;
      },
    };
  } catch (error) {
    await unlock();
    throw asDatabaseError(error, resolve(options.dataDir));
  }
}

/**
 * The server that another live makegood runs on this folder, so that a command can use it; null when there is none, or
 * when it is still starting. Throws AppError when the folder may not be read.
 */
export async function findRunningPostgres(dataDir: string): Promise<{ url: string } | null> {
  const folder = resolve(dataDir);
  try {
    const holder = await findLockHolder(folder);
    if (holder === null) return null;
    const [state, secrets] = await Promise.all([readServerState(folder), readSecrets(folder)]);
    if (state === null || secrets === null || state.token !== holder.token) return null;
    const url = makegoodUrl(state.port, secrets);
    return (await answers(url)) ? { url } : null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw asDatabaseError(error, folder);
  }
}

/** Sees to a cluster that is whole, of our version, not in use, and opens to the secrets that it gives back. */
async function prepareCluster(
  dataDir: string,
  location: ClusterLocation,
  binaries: PostgresBinaries,
  log: (line: string) => void,
): Promise<PostgresSecrets> {
  const version = await readClusterVersion(location.clusterDir);
  const known = await readSecrets(dataDir);
  // Before the cluster: one whose passwords died with us would be of no use.
  const secrets = known ?? (await createSecrets(dataDir));
  if (version === null) {
    log(`making a new database in ${location.clusterDir}`);
    await createCluster(location, binaries, secrets);
    return secrets;
  }
  checkClusterVersion(location.clusterDir, version, binaries);
  await giveClusterTo(location);
  if (known === null) {
    log('the passwords of the database were lost; setting new ones');
    await stopLeftoverServer(location, binaries, log);
    await resetSuperuserPassword(location, binaries, secrets);
  }
  return secrets;
}

async function startServer(options: {
  dataDir: string;
  location: ClusterLocation;
  binaries: PostgresBinaries;
  secrets: PostgresSecrets;
  settings: Readonly<Record<string, string>>;
  log: (line: string) => void;
}): Promise<{ server: PostgresServer; port: number }> {
  const { dataDir, location, binaries, secrets, log } = options;
  const logFile = join(dataDir, 'postgres.log');
  const lastPort = (await readServerState(dataDir))?.port ?? null;
  const giveUpAt = performance.now() + RETRY_BOUND_MS;
  let wasKilled = false;
  for (let tries = 1; ; tries += 1) {
    wasKilled ||= await hasPidFile(location.clusterDir);
    await stopLeftoverServer(location, binaries, log);
    // After a failure any other port is better than the one it may have failed on.
    const port = await pickPort(tries === 1 ? lastPort : null);
    const server = await launchServer({ location, binaries, port, logFile, settings: options.settings });
    let reason: string;
    try {
      if ((await waitUntilReady(server, port, secrets, log)) === 'ready') return { server, port };
      reason = await server.ended;
    } catch (error) {
      const said = await server.lastWords();
      await server.stop();
      throw new AppError(
        'database_unavailable',
        `PostgreSQL on ${location.clusterDir} could not be set up: ${(error as Error).message}. Its last words, from ${logFile}:\n${said}`,
        { cause: error },
      );
    }
    wasKilled ||= await hasPidFile(location.clusterDir);
    if (performance.now() > giveUpAt || !(wasKilled || (await freePort(port)) === null)) {
      throw new AppError(
        'database_unavailable',
        `PostgreSQL on ${location.clusterDir} did not start (${reason}). Its last words, from ${logFile}:\n${await server.lastWords()}`,
      );
    }
    log(`PostgreSQL did not start (${reason}), trying again`);
    await delay(RETRY_PAUSE_MS);
  }
}

/** A port that is free now; the preferred one when it is. */
async function pickPort(preferred: number | null): Promise<number> {
  const port = (preferred === null ? null : await freePort(preferred)) ?? (await freePort(0));
  if (port !== null) return port;
  throw new AppError('database_unavailable', 'no free port on 127.0.0.1 for PostgreSQL');
}

/** Trouble with the disk, put in words for whoever set DATA_DIR. Anything without a system's code is our own mistake. */
function asDatabaseError(error: unknown, dataDir: string): unknown {
  if (error instanceof AppError) return error;
  const { code, path, message } = error as NodeJS.ErrnoException;
  if (code === undefined) return error;
  const where = path === undefined || path.startsWith(dataDir) ? dataDir : `${path}, for the data folder ${dataDir}`;
  return new AppError(
    'database_unavailable',
    `cannot use ${where}: ${message}; make it a folder on a disk with free space that this user can write to, or set DATA_DIR to another folder`,
    { cause: error },
  );
}
