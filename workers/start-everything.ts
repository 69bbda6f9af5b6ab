import type { Clock } from '../src/clock.js';
import { type Config, dataDirOf } from '../src/config.js';
import type { Deps } from '../src/deps.js';
import { startEmbeddedPostgres } from '../src/embedded/postgres.js';
import type { Logger } from '../src/logger.js';
import type { WorkerName } from './start-workers.js';

export interface Everything {
  readonly deps: Deps;
  readonly url: string;
  readonly newAdminKey: string | null;
  /** Something the user should know, such as where the data lies. */
  readonly notice: string | null;
  stop(): Promise<void>;
}

/** Server, workers and schedules in one process; with a PostgreSQL of its own where no other is given. */
export async function startEverything(
  config: Config,
  log: Logger,
  options: { clock?: Clock; workers?: readonly WorkerName[] } = {},
): Promise<Everything> {
  const undo: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    // The program is loaded while PostgreSQL starts: each takes about as long as the other.
    const [{ databaseUrl, notice }, { startOnDatabase }] = await Promise.all([
      startDatabase(config, log, undo),
      import('./start-on-database.js'),
    ]);
    return { ...(await startOnDatabase(config, log, { ...options, databaseUrl, undo })), notice, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startDatabase(
  config: Config,
  log: Logger,
  undo: (() => Promise<void>)[],
): Promise<{ databaseUrl: string; notice: string | null }> {
  if (config.databaseUrl !== null) return { databaseUrl: config.databaseUrl, notice: null };
  const embedded = await startEmbeddedPostgres({
    dataDir: dataDirOf(config),
    log: (line) => log.info({}, `PostgreSQL: ${line}`),
    // Else its log quotes rows, and with them customers.
    settings: { log_error_verbosity: 'terse' },
  });
  undo.push(() => embedded.stop());
  return { databaseUrl: embedded.url, notice: embedded.notice };
}
