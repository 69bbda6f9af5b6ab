import { setTimeout as sleep } from 'node:timers/promises';
import { isDatabaseAway } from './db/database.js';
import { AppError } from './errors.js';
import type { Logger } from './logger.js';

/** How long a process waits for its database when it starts. Machines of a cluster come up in any order. */
const START_WAIT_MS = 60_000;
const RETRY_EVERY_MS = 1_000;

/** Tries until the database is there. @throws AppError `database_unavailable` when it does not come */
export async function openWhenThere<T>(log: Logger, open: () => Promise<T>): Promise<T> {
  const until = Date.now() + START_WAIT_MS;
  for (;;) {
    try {
      return await open();
    } catch (error) {
      if (!isDatabaseAway(error)) throw error;
      if (Date.now() > until) {
        throw new AppError(
          'database_unavailable',
          `The database of DATABASE_URL did not answer within ${START_WAIT_MS / 1000} s.`,
          {
            cause: error,
          },
        );
      }
      log.warn({ err: error }, 'waiting for the database');
      await sleep(RETRY_EVERY_MS);
    }
  }
}

/** @throws AppError `invalid_request` for a part of a cluster without a database to share */
export function clusterDatabaseUrl(databaseUrl: string | null): string {
  if (databaseUrl !== null) return databaseUrl;
  throw new AppError(
    'invalid_request',
    'A server or worker of a cluster needs DATABASE_URL. Without one, use `npm start`: it runs everything, with its own PostgreSQL.',
  );
}
