import { readConfig } from '../../src/config.js';
import type { Deps } from '../../src/deps.js';
import { startServer } from '../../src/http/start-server.js';
import { createLogger, type Logger } from '../../src/logger.js';
import { openDeps } from '../../src/open-deps.js';
import { ADMIN_KEY, type Client, clientOf, SECRET } from './makegood.js';

/** The HTTP interface alone: what it writes stays as it wrote it, because no worker carries it on. */
export interface TestServer extends Client {
  readonly deps: Deps;
  stop(): Promise<void>;
}

export async function startHttpServer(
  databaseUrl: string,
  environment: Record<string, string> = {},
  logger?: Logger,
): Promise<TestServer> {
  const config = readConfig({
    PORT: '0',
    ADMIN_API_KEY: ADMIN_KEY,
    EASYPOST_WEBHOOK_SECRET: SECRET,
    DATABASE_URL: databaseUrl,
    LOG_LEVEL: process.env.TEST_LOG_LEVEL ?? 'silent',
    ...environment,
  });
  const log = logger ?? createLogger(config.logLevel);
  const { deps, close } = await openDeps(config, { databaseUrl, log, withQueues: true, makesAdminKey: true });
  const server = await startServer(deps);
  return {
    ...clientOf(server.url),
    deps,
    async stop() {
      await server.close();
      await close();
    },
  };
}
