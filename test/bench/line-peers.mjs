import { createPostgresBackend, Queue, runMigrations, Worker, withBackend } from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';

/**
 * The peers, each as its makers say that it is fastest, and with nothing kept of what is done. Each can `add`, `addBulk`, `work` (calls
 * back with the number of each job), `stop`, say what is `left`, and `close`.
 */

const NAME = 'noop';
const KEEPS_NOTHING = { removeOnComplete: true, removeOnFail: true, attempts: 1 };

/** BullMQ on PostgreSQL, in sessions without sequential scans: statistics of an empty queue would slow it down twentyfold. */
export async function openBullPostgres(url, { concurrency = 32, poolSize = 20 }) {
  const options = '-c search_path=bullmq -c enable_seqscan=off -c jit=off';
  const pool = new pg.Pool({ connectionString: url, max: poolSize, options });
  pool.setMaxListeners(0);
  await migrateBull(url, pool);
  const classes = withBackend(createPostgresBackend);
  return openBull({ ...classes, connection: pool, concurrency, end: () => pool.end() });
}

async function migrateBull(url, pool) {
  const owner = new pg.Client({ connectionString: url });
  await owner.connect();
  await owner.query('CREATE SCHEMA IF NOT EXISTS bullmq');
  await owner.end();
  const client = await pool.connect();
  await runMigrations(client, 'bullmq');
  client.release();
}

export async function openBullRedis(url, { concurrency = 32 }) {
  const connection = new Redis(url, { maxRetriesPerRequest: null });
  return openBull({ Queue, Worker, connection, concurrency, end: async () => connection.disconnect() });
}

async function openBull({ Queue, Worker, connection, concurrency, end }) {
  const queue = new Queue(NAME, { connection, defaultJobOptions: KEEPS_NOTHING });
  await queue.waitUntilReady();
  let worker;
  return {
    add: (nth) => queue.add(NAME, { nth }),
    addBulk: (numbers) => queue.addBulk(numbers.map((nth) => ({ name: NAME, data: { nth } }))),
    async work(take) {
      worker = new Worker(NAME, async ({ data }) => take(data.nth), { connection, concurrency });
      worker.on('error', (error) => console.error(error));
      await worker.waitUntilReady();
    },
    stop: () => worker.close(),
    async left() {
      const counts = await queue.getJobCounts();
      return Object.values(counts).reduce((sum, count) => sum + count, 0);
    },
    async close() {
      await queue.close();
      await end();
    },
  };
}

/** A table and FOR UPDATE SKIP LOCKED, as one writes it in an afternoon: claimed and deleted in one transaction. */
export async function openPlainSql(url, { batch = 100, lanes = 4, poolSize = 20 }) {
  const pool = new pg.Pool({ connectionString: url, max: poolSize });
  await pool.query(
    'CREATE TABLE jobs (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, nth int NOT NULL, claimed_at timestamptz)',
  );
  const claim = {
    name: 'claim',
    text: `UPDATE jobs SET claimed_at = now() WHERE id IN
      (SELECT id FROM jobs WHERE claimed_at IS NULL ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING id, nth`,
  };
  const complete = { name: 'complete', text: 'DELETE FROM jobs WHERE id = ANY($1::bigint[])' };
  const lane = async (take) => {
    for (;;) {
      const { rows } = await pool.query({ ...claim, values: [batch] });
      if (rows.length === 0) return;
      for (const { nth } of rows) take(nth);
      await pool.query({ ...complete, values: [rows.map(({ id }) => id)] });
    }
  };
  let working;
  return {
    addBulk: (numbers) => pool.query('INSERT INTO jobs (nth) SELECT * FROM unnest($1::int[])', [numbers]),
    async work(take) {
      working = Promise.all(Array.from({ length: lanes }, () => lane(take)));
    },
    stop: () => working,
    async left() {
      const { rows } = await pool.query('SELECT count(*)::int AS count FROM jobs');
      return rows[0].count;
    },
    close: () => pool.end(),
  };
}
