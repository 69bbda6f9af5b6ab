import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createPostgresBackend, type PostgresConnectionOptions, withBackend } from 'bullmq';
import pg from 'pg';
import { createLogger } from '../../src/logger.js';
import { type JobQueue, openPostgresBackend, type QueueBackend } from '../../src/queue/backend.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';

const QUEUE = 'planner-trap';
const BURST = 20_000;
const CHUNK = 1_000;
/** Jobs done before it, one by one: after five runs PostgreSQL settles on one plan for a session, and keeps it. */
const WARM_UP = 30;
/** One connection to listen on and one to work with, so that every claim is made by the session that has its plan. */
const POOL_SIZE = 2;

/** A worker that somebody opened; `stop` ends its sessions too. */
interface CountingWorker {
  readonly done: () => number;
  stop(): Promise<void>;
}

/**
 * BullMQ's table of jobs, with statistics that were taken while it was empty, and a burst of jobs since. What is counted is
 * how often claims read the whole table, and not how long they take: that is the same on every machine.
 */
describe('a burst of jobs after statistics of an empty table', () => {
  let database: TestDatabase;
  let producer: QueueBackend;
  let queue: JobQueue;
  const log = createLogger('silent');

  beforeEach(async () => {
    database = await createTestDatabase();
    producer = openPostgresBackend(database.url, { poolSize: POOL_SIZE, log });
    await producer.prepare();
    queue = producer.openQueue(QUEUE);
    // Nobody may repair the statistics behind the test's back.
    await database.query('ALTER TABLE bullmq.job SET (autovacuum_enabled = off)');
    // The first bulk of a session makes its temporary schema, which throws away the plans of all sessions.
    await add(1);
    await database.query('TRUNCATE bullmq.job CASCADE');
    await database.query('ANALYZE bullmq.job');
  });
  afterEach(async () => {
    await queue.close();
    await producer.close();
    await database.drop();
  });

  const add = (count: number) => queue.addBulk(Array.from({ length: count }, () => ({ name: 'nothing', data: {} })));

  /** A worker as the product opens it. */
  async function openOurs(): Promise<CountingWorker> {
    let done = 0;
    const backend = openPostgresBackend(database.url, { poolSize: POOL_SIZE, log });
    await backend.prepare();
    const worker = backend.openWorker(QUEUE, async () => void done++, { concurrency: 1 });
    await worker.waitUntilReady();
    return {
      done: () => done,
      async stop() {
        await worker.close();
        await backend.close();
      },
    };
  }

  /** The same without our settings of the planner. */
  async function openPlain(): Promise<CountingWorker> {
    let done = 0;
    const pool = new pg.Pool({
      connectionString: database.url,
      max: POOL_SIZE,
      options: '-c role=makegood_queue -c search_path=bullmq',
      application_name: 'makegood queue',
    });
    pool.on('error', () => {});
    const { Worker } = withBackend(createPostgresBackend);
    const connection = pool as PostgresConnectionOptions & pg.Pool;
    const worker = new Worker(QUEUE, async () => void done++, { connection, concurrency: 1 });
    await worker.waitUntilReady();
    return {
      done: () => done,
      async stop() {
        await worker.close();
        await pool.end();
      },
    };
  }

  /** What was read by scans of the whole table. Sessions count it at the latest when they end. */
  async function readScans(sessionsLeft: number): Promise<{ scans: number; rows: number }> {
    await eventually(async () => {
      const [sessions] = await database.query<{ count: number }>(
        `SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'makegood queue'`,
      );
      return (sessions?.count ?? 0) <= sessionsLeft;
    });
    const [row] = await database.query<{ seq_scan: string; seq_tup_read: string }>(
      `SELECT seq_scan, seq_tup_read FROM pg_stat_user_tables WHERE schemaname = 'bullmq' AND relname = 'job'`,
    );
    return { scans: Number(row?.seq_scan), rows: Number(row?.seq_tup_read) };
  }

  /** Works through a quiet time and then a burst, of which it does so many jobs. @returns how much the worker read by scans, and how many jobs it did */
  async function workThroughBurst(open: () => Promise<CountingWorker>, jobs: number) {
    const [mine] = await database.query<{ count: number }>(
      `SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'makegood queue'`,
    );
    const before = await readScans(mine?.count ?? 0);
    const worker = await open();
    for (let job = 1; job <= WARM_UP; job++) {
      await add(1);
      await eventually(() => worker.done() >= job);
    }
    for (let added = 0; added < BURST; added += CHUNK) await add(CHUNK);
    const upTo = worker.done() + jobs;
    await eventually(() => worker.done() >= upTo, 120_000);
    await worker.stop();
    const after = await readScans(mine?.count ?? 0);
    const claims = worker.done();
    expect(claims).toBeLessThan(BURST);
    return { claims, scans: after.scans - before.scans, rows: after.rows - before.rows };
  }

  test('does not make claims read the whole table: they go through its indexes', async () => {
    const { claims, scans, rows } = await workThroughBurst(openOurs, 500);
    expect(rows).toBe(0);
    // The few there are built the indexes of the empty table.
    expect(scans).toBeLessThan(claims / 10);
  });

  test('would make them read it each time without our settings, or this test shows nothing', async () => {
    const { claims, scans, rows } = await workThroughBurst(openPlain, 100);
    expect(scans).toBeGreaterThan(claims / 2);
    expect(rows).toBeGreaterThan(10 * BURST);
  });
});
