import { runProcess } from '../src/run-process.js';
import { startEverything } from './start-everything.js';

/** `npm start`: everything in one process. */
await runProcess(async ({ config, log }) => {
  const everything = await startEverything(config, log);
  if (everything.notice) process.stdout.write(`${everything.notice}\n`);
  if (everything.newAdminKey) process.stdout.write(`Admin API key (shown this once): ${everything.newAdminKey}\n`);
  process.stdout.write(`makegood is ready at ${everything.url}\n`);
  log.info(
    { url: everything.url, queue: everything.deps.queues.kind, embedded: config.databaseUrl === null },
    'start: ready',
  );
  return async () => {
    await everything.stop();
    log.info({}, 'start: stopped');
  };
});
