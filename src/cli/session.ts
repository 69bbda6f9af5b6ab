import { setTimeout as sleep } from 'node:timers/promises';
import { type Config, dataDirOf, readConfig } from '../config.js';
import type { Deps } from '../deps.js';
import { hasCluster } from '../embedded/pg-location.js';
import { findRunningPostgres, startEmbeddedPostgres } from '../embedded/postgres.js';
import { createLogger } from '../logger.js';
import { openDeps } from '../open-deps.js';
import { PIPELINE } from '../pipeline.js';
import { findOpenTickets, hurryTickets } from '../queue/outbox-store.js';
import { runTicket } from '../queue/run-ticket.js';

/** How long a command waits for the workers of a running `npm start` to carry on what it began. */
const WORKERS_WAIT_MS = 30_000;

/** What a command that needs the database works with. */
export interface Session {
  readonly deps: Deps;
  /**
   * Sees the work of this trace through to its end: letters sent, or put off until a server is back. `onStep` is called again
   * and again meanwhile; as long as it says that there is progress, workers are waited for.
   */
  finish(trace: string, onStep?: () => Promise<boolean>): Promise<void>;
  close(): Promise<void>;
}

/**
 * The database a command works on: that of DATABASE_URL, else the embedded one, of the running `npm start` where there is
 * one; else it is started for as long as the command needs it.
 */
export async function openDatabaseUrl(
  config: Config,
): Promise<{ readonly url: string; readonly hasWorkers: boolean; close(): Promise<void> }> {
  if (config.databaseUrl !== null) return { url: config.databaseUrl, hasWorkers: false, close: async () => {} };
  const running = await findRunningPostgres(dataDirOf(config));
  if (running) return { url: running.url, hasWorkers: true, close: async () => {} };
  const embedded = await startEmbeddedPostgres({ dataDir: dataDirOf(config) });
  if (embedded.notice) process.stderr.write(`${embedded.notice}\n`);
  return { url: embedded.url, hasWorkers: false, close: () => embedded.stop() };
}

/** Whether there is a database yet, or a start would make one. */
export async function hasDatabase(config: Config): Promise<boolean> {
  return config.databaseUrl !== null || hasCluster(dataDirOf(config));
}

/**
 * Opens what a command needs. Beside a running `npm start` its workers carry on what the command begins, with their
 * configuration; everywhere else the command does it all itself.
 */
export async function openSession(): Promise<Session> {
  const config = readConfig(process.env);
  // What a command has to say is its answer; the log is for what goes wrong.
  const log = createLogger(process.env.LOG_LEVEL ? config.logLevel : 'warn');
  const database = await openDatabaseUrl(config);
  try {
    const opened = await openDeps(config, { databaseUrl: database.url, log, withQueues: false });
    return {
      deps: opened.deps,
      finish: (trace, onStep = async () => false) =>
        database.hasWorkers ? waitForWorkers(opened.deps, trace, onStep) : workOff(opened.deps, trace, onStep),
      async close() {
        await opened.close();
        await database.close();
      },
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** Opens it for this work alone. */
export async function withSession<T>(work: (session: Session) => Promise<T>): Promise<T> {
  const session = await openSession();
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

/** Does the tickets of a trace, and those that come of them, until none is left that can be done now. */
async function workOff(deps: Deps, trace: string, onStep: () => Promise<boolean>): Promise<void> {
  for (;;) {
    const tickets = await findOpenTickets(deps.db.pool, { trace });
    if (tickets.length === 0) return;
    for (const ticket of tickets) {
      const { outcome } = await runTicket(deps, PIPELINE[ticket.stage], ticket.id);
      await onStep();
      // Somebody else's workers have it: then they do it.
      if (outcome === 'gone') await sleep(50);
    }
  }
}

async function waitForWorkers(deps: Deps, trace: string, onStep: () => Promise<boolean>): Promise<void> {
  let until = Date.now() + WORKERS_WAIT_MS;
  while (Date.now() < until) {
    if (await onStep()) until = Date.now() + WORKERS_WAIT_MS;
    if ((await findOpenTickets(deps.db.pool, { trace })).length === 0) return;
    await hurryTickets(deps.db.pool, trace);
    await sleep(200);
  }
  process.stderr.write(
    'makegood: the workers of the running makegood are still at it; what is left is done by them.\n',
  );
}
