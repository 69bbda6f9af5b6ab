import { Logger, makeWorkerUtils, run, runMigrations } from 'graphile-worker';
import pg from 'pg';

const NAME = 'noop';

/** graphile-worker; `localQueue` and `completeJobBatchDelay` are its own settings for many short jobs. */
export async function openGraphileWorker(url, { concurrency = 24, poolSize = 20, tuned = true }) {
  const logger = new Logger(() => () => {});
  const pgPool = new pg.Pool({ connectionString: url, max: poolSize });
  pgPool.on('error', () => {});
  pgPool.on('connect', (client) => client.on('error', () => {}));
  const preset = {
    worker: {
      logger,
      concurrentJobs: concurrency,
      ...(tuned ? { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 } : {}),
    },
  };
  await runMigrations({ pgPool, logger });
  const utils = await makeWorkerUtils({ pgPool, logger });
  let runner;
  return {
    add: (nth) => utils.addJob(NAME, { nth }),
    addBulk: (numbers) => utils.addJobs(numbers.map((nth) => ({ identifier: NAME, payload: { nth } }))),
    async work(take) {
      const taskList = { [NAME]: ({ nth }) => take(nth) };
      runner = await run({ pgPool, preset, taskList, noHandleSignals: true, parsedCronItems: [] });
    },
    stop: () => runner.stop(),
    async left() {
      const { rows } = await pgPool.query('SELECT count(*)::int AS count FROM graphile_worker.jobs');
      return rows[0].count;
    },
    async close() {
      await utils.release();
      await pgPool.end();
    },
  };
}
