import { ensureAdminKey } from './auth/key-store.js';
import { openProviders } from './awards/providers/open-providers.js';
import { type Clock, systemClock } from './clock.js';
import { ensureFirstPolicy, PolicyBook } from './compensation/policy-store.js';
import type { Config } from './config.js';
import { openDatabase } from './db/database.js';
import { migrate } from './db/migrate.js';
import type { Deps } from './deps.js';
import type { Logger } from './logger.js';
import { ensureLinkKey } from './messages/link-key-store.js';
import { loadLetterTexts } from './messages/load-letter-texts.js';
import { createSmtpMailer } from './messages/mailer.js';
import { createMetrics } from './metrics.js';
import { openPostgresBackend, openRedisBackend } from './queue/backend.js';
import { openQueues, type Queues } from './queue/queues.js';

/**
 * Connections of one process: the door has two lanes, each stage two batches, letters and events hold one each while
 * they are sent, and requests come beside. Fewer, and they wait for each other; many more cost PostgreSQL throughput.
 */
const POOL_SIZE = 18;
/** BullMQ keeps one connection a worker for LISTEN, eleven in all, and needs some to work with. */
const QUEUE_POOL_SIZE = 20;

export interface OpenedDeps {
  readonly deps: Deps;
  /** The admin key that had to be made, to be shown this once. */
  readonly newAdminKey: string | null;
  close(): Promise<void>;
}

/** Connects everything, brings the database to the current schema, and sees that a policy and an admin key are there. */
export async function openDeps(
  config: Config,
  options: { databaseUrl: string; log: Logger; withQueues: boolean; makesAdminKey?: boolean; clock?: Clock },
): Promise<OpenedDeps> {
  const { databaseUrl, log } = options;
  // First: whoever starts it with texts that are not right is told so before anything has changed.
  const texts = await loadLetterTexts(config.letterTextsDir);
  await migrate(databaseUrl);
  const db = openDatabase(databaseUrl, {
    poolSize: POOL_SIZE,
    onError: (error) => log.warn({ err: error }, 'a connection to the database broke'),
  });
  const undo: (() => Promise<void>)[] = [() => db.close()];
  const close = async () => {
    for (const step of undo.reverse()) await step();
  };
  try {
    const mailer = config.smtpUrl === null ? null : createSmtpMailer(config.smtpUrl, {}, config.dkim);
    if (mailer) undo.push(() => mailer.close());
    // All of these wait for the database most of the time, and none of them for another.
    const opening = options.withQueues ? openBackend(config, databaseUrl, log) : Promise.resolve(noQueues);
    undo.push(() =>
      opening.then(
        (queues) => queues.close(),
        () => {}, // Said below.
      ),
    );
    const [queues, newAdminKey, linkKey, providers] = await Promise.all([
      opening,
      options.makesAdminKey ? ensureAdminKey(db, config.adminApiKey) : null,
      ensureLinkKey(db),
      openProviders(config),
      ensureFirstPolicy(db, config.policyFile),
    ]);
    const deps: Deps = {
      config,
      db,
      queues,
      mailer,
      linkKey,
      texts,
      providers,
      policies: new PolicyBook(),
      metrics: createMetrics(),
      clock: options.clock ?? systemClock,
      log,
    };
    return { deps, newAdminKey, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openBackend(config: Config, databaseUrl: string, log: Logger): Promise<Queues> {
  const backend =
    config.redisUrl === null
      ? openPostgresBackend(databaseUrl, { poolSize: QUEUE_POOL_SIZE, log })
      : openRedisBackend(config.redisUrl, { log });
  return openQueues(backend, log);
}

/** For a process that does its work itself: the tickets it writes are for itself, or for the relay of the workers. */
const noQueues: Queues = {
  kind: 'postgres',
  announce: async () => {},
  enqueueAgain: async () => {},
  countWaiting: async () => 0,
  openWorker: () => {
    throw new Error('assertion failed: this process has no queues');
  },
  ensureSchedules: async () => [],
  check: async () => {},
  close: async () => {},
};
