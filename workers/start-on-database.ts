import type { Clock } from '../src/clock.js';
import type { Config } from '../src/config.js';
import { startServer } from '../src/http/start-server.js';
import type { Logger } from '../src/logger.js';
import { type OpenedDeps, openDeps } from '../src/open-deps.js';
import { openWhenThere } from '../src/open-when-there.js';
import { startWorkers, WORKERS, type WorkerName } from './start-workers.js';

const ALL_WORKERS = Object.keys(WORKERS) as WorkerName[];

/**
 * Server, workers and schedules on a database that runs.
 * @param undo takes what stops each part again, in the order of the starts; also of a start that fails
 */
export async function startOnDatabase(
  config: Config,
  log: Logger,
  options: { databaseUrl: string; clock?: Clock; workers?: readonly WorkerName[]; undo: (() => Promise<void>)[] },
): Promise<Pick<OpenedDeps, 'deps' | 'newAdminKey'> & { readonly url: string }> {
  const { databaseUrl, clock, workers = ALL_WORKERS, undo } = options;
  const { deps, newAdminKey, close } = await openWhenThere(log, () =>
    openDeps(config, { databaseUrl, log, withQueues: true, makesAdminKey: true, ...(clock ? { clock } : {}) }),
  );
  undo.push(close);
  const starting = startWorkers(deps, workers);
  // The mailer closes with the workers: a batch of letters must not wait for a mail server that hangs.
  undo.push(async () => {
    const stopWorkers = await starting.catch(() => async () => {});
    await Promise.all([stopWorkers(), deps.mailer?.close()]);
  });
  const server = await startServer(deps, starting);
  undo.push(() => server.close());
  return { deps, url: server.url, newAdminKey };
}
