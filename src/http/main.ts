import { openDeps } from '../open-deps.js';
import { clusterDatabaseUrl, openWhenThere } from '../open-when-there.js';
import { runProcess } from '../run-process.js';
import { startServer } from './start-server.js';

/** `npm run server`: the HTTP interface of a cluster. */
await runProcess(async ({ config, log }) => {
  const databaseUrl = clusterDatabaseUrl(config.databaseUrl);
  const { deps, newAdminKey, close } = await openWhenThere(log, () =>
    openDeps(config, { databaseUrl, log, withQueues: true, makesAdminKey: true }),
  );
  if (newAdminKey) process.stdout.write(`Admin API key (shown this once): ${newAdminKey}\n`);
  const server = await startServer(deps).catch(async (error) => {
    await close();
    throw error;
  });
  log.info({ url: server.url, queue: deps.queues.kind }, 'server: ready');
  return async () => {
    await server.close();
    await close();
    log.info({}, 'server: stopped');
  };
});
