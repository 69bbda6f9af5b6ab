import { AppError } from '../src/errors.js';
import { openDeps } from '../src/open-deps.js';
import { clusterDatabaseUrl, openWhenThere } from '../src/open-when-there.js';
import { runProcess } from '../src/run-process.js';
import { startWorkers, WORKERS, type WorkerName } from './start-workers.js';

/** `npm run worker`: the background of a cluster; `-- --only=judge-promises,grant-awards` for some stages alone. */
await runProcess(async ({ config, log }) => {
  const only = parseOnly(process.argv.slice(2));
  const databaseUrl = clusterDatabaseUrl(config.databaseUrl);
  const { deps, close } = await openWhenThere(log, () => openDeps(config, { databaseUrl, log, withQueues: true }));
  const stop = await startWorkers(deps, only);
  log.info({ workers: only, queue: deps.queues.kind }, 'worker: ready');
  return async () => {
    // The mailer closes with the workers: a batch of letters must not wait for a mail server that hangs.
    await Promise.all([stop(), deps.mailer?.close()]);
    await close();
    log.info({}, 'worker: stopped');
  };
});

function parseOnly(args: readonly string[]): WorkerName[] {
  const all = Object.keys(WORKERS) as WorkerName[];
  if (args.length === 0) return all;
  const names = args.length === 1 && args[0]?.startsWith('--only=') ? args[0].slice('--only='.length).split(',') : [];
  const unknown = names.filter((name) => !all.includes(name as WorkerName));
  if (names.length === 0 || unknown.length > 0) {
    throw new AppError(
      'invalid_request',
      `Usage: npm run worker -- [--only=NAME,NAME]; the names are ${all.join(', ')}.`,
    );
  }
  return names as WorkerName[];
}
