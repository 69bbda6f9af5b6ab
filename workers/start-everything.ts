import type { Clock } from '../src/clock.js';
import type { Config } from '../src/config.js';
import type { Deps } from '../src/deps.js';
import { startEmbeddedPostgres } from '../src/embedded/postgres.js';
import { startServer } from '../src/http/start-server.js';
import type { Logger } from '../src/logger.js';
import { dataDirOf, openDeps } from '../src/open-deps.js';
import { openWhenThere } from '../src/open-when-there.js';
import { startWorkers, WORKERS, type WorkerName } from './start-workers.js';

export interface Everything {
  readonly deps: Deps;
  readonly url: string;
  readonly newAdminKey: string | null;
  /** Something the user should know, such as where the data lies. */
  readonly notice: string | null;
  stop(): Promise<void>;
}

const ALL_WORKERS = Object.keys(WORKERS) as WorkerName[];

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
    let notice: string | null = null;
    let { databaseUrl } = config;
    if (databaseUrl === null) {
      const embedded = await startEmbeddedPostgres({
        dataDir: dataDirOf(config),
        log: (line) => log.info({}, `PostgreSQL: ${line}`),
        // Else its log quotes rows, and with them customers.
        settings: { log_error_verbosity: 'terse' },
      });
      undo.push(() => embedded.stop());
      ({ url: databaseUrl, notice } = embedded);
    }
    const url = databaseUrl;
    const opened = await openWhenThere(log, () =>
      openDeps(config, {
        databaseUrl: url,
        log,
        withQueues: true,
        makesAdminKey: true,
        ...(options.clock ? { clock: options.clock } : {}),
      }),
    );
    undo.push(opened.close);
    const stopWorkers = await startWorkers(opened.deps, options.workers ?? ALL_WORKERS);
    // The mailer closes with the workers: a batch of letters must not wait for a mail server that hangs.
    undo.push(async () => void (await Promise.all([stopWorkers(), opened.deps.mailer?.close()])));
    const server = await startServer(opened.deps);
    undo.push(() => server.close());
    return { deps: opened.deps, url: server.url, newAdminKey: opened.newAdminKey, notice, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
