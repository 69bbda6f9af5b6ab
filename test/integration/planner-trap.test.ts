import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createPostgresBackend, type PostgresConnectionOptions, withBackend } from 'bullmq';
import pg from 'pg';
import { createLogger } from '../../src/logger.js';
import { openPostgresBackend, type QueueBackend } from '../../src/queue/backend.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';

const QUEUE = 'planner-trap';
const JOBS = 20_000;
const CHUNK = 1_000;
/** Jobs done by each side. Enough for the plans of a session to become generic ones, which is what the trap needs. */
const CLAIMS = 300;

/**
 * BullMQ's table of jobs with statistics taken while it was empty, and a burst of jobs since. Counted is how often a claim
 * reads the whole table, not how long it takes: that is the same on every machine.
 */
describe('a burst of jobs after statistics of an empty table', () => {
  let database: TestDatabase;
  const backends: QueueBackend[] = [];
  const log = createLogger('silent');

  beforeAll(async () => {
    database = await createTestDatabase();
    const backend = await open();
    // Nobody may repair the statistics behind the test's back.
    await database.query('ALTER TABLE bullmq.job SET (autovacuum_enabled = off)');
    await database.query('ANALYZE bullmq.job');
    const queue = backend.openQueue(QUEUE);
    for (let added = 0; added < JOBS; added += CHUNK) {
      await queue.addBulk(Array.from({ length: CHUNK }, () => ({ name: 'nothing', data: {} })));
    }
    await queue.close();
    await closeAll();
  });
  afterAll(async () => {
    await closeAll();
    await database.drop();
  });

  async function open(): Promise<QueueBackend> {
    const backend = openPostgresBackend(database.url, { poolSize: 6, log });
    backends.push(backend);
    await backend.prepare();
    return backend;
  }
  async function closeAll() {
    for (const backend of backends.splice(0)) await backend.close();
  }

  /** How often the table was read from end to end, by sessions that have ended: each counts when it ends at the latest. */
  async function readScans(): Promise<number> {
    await eventually(async () => {
      const [others] = await database.query<{ count: number }>(
        `SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE '%queue%'`,
      );
      return others?.count === 0;
    });
    const [row] = await database.query<{ seq_scan: string }>(
      `SELECT seq_scan FROM pg_stat_user_tables WHERE schemaname = 'bullmq' AND relname = 'job'`,
    );
    return Number(row?.seq_scan);
  }

  test('is claimed through the indexes with our settings, and by reading the whole table without them', async () => {
    const atFirst = await readScans();

    const backend = await open();
    let ours = 0;
    const worker = backend.openWorker(QUEUE, async () => void ours++, { concurrency: 4 });
    await eventually(() => ours >= CLAIMS, 60_000);
    await worker.close();
    await closeAll();
    const withOurs = (await readScans()) - atFirst;

    const pool = new pg.Pool({
      connectionString: database.url,
      max: 6,
      options: '-c role=makegood_queue -c search_path=bullmq',
      application_name: 'plain queue',
    });
    pool.on('error', () => {});
    const { Worker } = withBackend(createPostgresBackend);
    let plain = 0;
    const plainWorker = new Worker(QUEUE, async () => void plain++, {
      connection: pool as PostgresConnectionOptions & pg.Pool,
      concurrency: 4,
      removeOnComplete: { count: 0 },
    });
    await eventually(() => plain >= CLAIMS, 120_000);
    await plainWorker.close();
    await pool.end();
    const withoutOurs = (await readScans()) - atFirst - withOurs;

    process.stderr.write(JSON.stringify({ atFirst, ours, withOurs, plain, withoutOurs }) + '\n');
    // A few come with every start of a worker, whatever the claims do.
    expect(withOurs).toBeLessThan(20);
    expect(withoutOurs).toBeGreaterThan(plain / 2);
  }, 240_000);
});
