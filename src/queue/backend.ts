import {
  createPostgresBackend,
  type PostgresConnectionOptions,
  Queue,
  runMigrations,
  Worker,
  withBackend,
} from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';
import { AppError } from '../errors.js';
import type { Logger } from '../logger.js';

/** What this product uses of a BullMQ queue, whichever backend carries it. */
export type JobQueue = Pick<
  Queue,
  | 'add'
  | 'addBulk'
  | 'getJobCounts'
  | 'getJobScheduler'
  | 'upsertJobScheduler'
  | 'removeJobScheduler'
  | 'waitUntilReady'
  | 'close'
>;
export type JobWorker = Pick<Worker, 'waitUntilReady' | 'close' | 'isRunning'>;

/** What a worker is given: the name of the job, its data, and a way to report progress. */
export interface QueueJob {
  readonly name: string;
  readonly data: Record<string, unknown>;
  updateProgress(progress: number | object): Promise<void>;
}

/** Where BullMQ keeps its jobs: Redis when there is one, else the same PostgreSQL as everything else. */
export interface QueueBackend {
  readonly kind: 'postgres' | 'redis';
  openQueue(name: string): JobQueue;
  openWorker(name: string, process: (job: QueueJob) => Promise<void>, options: { concurrency: number }): JobWorker;
  /** @throws when jobs cannot be put on a queue now */
  check(): Promise<void>;
  /** Makes what BullMQ needs, also again after it was dropped. */
  prepare(): Promise<void>;
  close(): Promise<void>;
}

/** BullMQ's own name for it: a pool that is passed in can have no other. */
const SCHEMA = 'bullmq';
const ROLE = 'makegood_queue';
/** Any number will do, as long as nothing else in the database locks it. */
const PREPARE_LOCK = 7_205_759_405;

/**
 * How long a job may go without a sign of life from its worker before another takes it. Too short, and a long pause of a
 * healthy worker starts the job twice (harmless: the ticket is locked); too long, and a crash is noticed late.
 */
const LOCK_DURATION_MS = 15_000;

/** The ticket in the outbox counts, not the job: a job that ends leaves nothing behind, however it ends. */
const JOB_OPTIONS = { removeOnComplete: true, removeOnFail: true, attempts: 1 } as const;

const workerOptions = (concurrency: number) => ({
  concurrency,
  lockDuration: LOCK_DURATION_MS,
  stalledInterval: LOCK_DURATION_MS / 2,
  // A worker that is killed again and again must not make BullMQ give up on a job.
  maxStalledCount: 100,
});

/** A job that failed left its ticket; it comes back by the relay. Silent, nobody would know why it takes so long. */
function failureLogger(log: Logger): (job: string | undefined, error: Error) => void {
  return (job, error) => log.warn({ err: error, job }, 'queue: a job failed, its ticket comes back');
}

export function openPostgresBackend(databaseUrl: string, options: { poolSize: number; log: Logger }): QueueBackend {
  const { log } = options;
  let closing = false;
  const onError = (error: Error) => {
    // A connection that was taken leave of may still hear that the server stops: that is no news.
    if (!closing) log.warn({ err: error }, 'queue: PostgreSQL');
  };
  const onFailed = failureLogger(log);
  const { Queue: PostgresQueue, Worker: PostgresWorker } = withBackend(createPostgresBackend);
  let pool: pg.Pool | undefined;
  const connection = (): PostgresConnectionOptions & pg.Pool => {
    if (!pool) throw new AppError('queue_unavailable', 'The queue is not prepared yet.');
    return pool as PostgresConnectionOptions & pg.Pool;
  };

  return {
    kind: 'postgres',
    openQueue(name) {
      const queue = new PostgresQueue(name, { connection: connection(), defaultJobOptions: JOB_OPTIONS });
      queue.on('error', onError);
      return queue as unknown as JobQueue;
    },
    openWorker(name, process, { concurrency }) {
      const worker = new PostgresWorker(name, (job) => process(job as unknown as QueueJob), {
        connection: connection(),
        ...workerOptions(concurrency),
      });
      worker.on('error', onError);
      worker.on('failed', (job, error) => onFailed(job?.name, error));
      return worker as unknown as JobWorker;
    },
    async check() {
      await connection().query('SELECT 1 FROM job LIMIT 0');
    },
    async prepare() {
      // One process at a time: they create the same things, and one would take back what another was just given.
      await withClient(databaseUrl, async (client) => {
        await client.query('SELECT pg_advisory_lock($1::bigint)', [PREPARE_LOCK]);
        const hasRole = await prepareSchema(client);
        pool ??= openQueuePool(databaseUrl, { size: options.poolSize, role: hasRole ? ROLE : null, onError });
        await migrateQueue(client, pool, hasRole);
      });
    },
    async close() {
      closing = true;
      await pool?.end();
    },
  };
}

/**
 * The planner trap. The job table is a queue: statistics taken while it was empty make PostgreSQL read and sort all of it
 * for every claim once a burst has come (26 times slower, until autovacuum has been there). Its indexes are always the
 * better way, so sequential scans are off in the sessions of this pool. Before PostgreSQL 18 that is done by pricing them
 * absurdly, and a plan that has one all the same is compiled for its price, which takes longer than it runs: so JIT is off too.
 */
function openQueuePool(
  databaseUrl: string,
  options: { size: number; role: string | null; onError: (error: Error) => void },
): pg.Pool {
  const url = new URL(databaseUrl);
  // pg lets `options` of the URL replace ours: they are joined here.
  const own = url.searchParams.get('options');
  url.searchParams.delete('options');
  const settings = [
    own,
    options.role && `-c role=${options.role}`,
    `-c search_path=${SCHEMA}`,
    '-c enable_seqscan=off',
    '-c jit=off',
  ];
  const pool = new pg.Pool({
    connectionString: url.toString(),
    max: options.size,
    options: settings.filter(Boolean).join(' '),
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    query_timeout: 30_000,
    connectionTimeoutMillis: 5_000,
    application_name: 'makegood queue',
  });
  // Each queue and worker listens for errors of the pool they share.
  pool.setMaxListeners(0);
  pool.on('error', options.onError);
  pool.on('connect', (client) => client.on('error', options.onError));
  return pool;
}

/**
 * The schema with a role of its own, that can touch nothing else.
 * @returns false where the database's user may not create roles: BullMQ then works as that user.
 */
async function prepareSchema(client: pg.Client): Promise<boolean> {
  try {
    const { rows } = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [ROLE]);
    if (rows.length === 0) await client.query(`CREATE ROLE ${ROLE} NOLOGIN`).catch(ignoreExisting);
    const member = await client.query(`SELECT pg_has_role(current_user, $1, 'MEMBER') AS yes`, [ROLE]);
    if (!member.rows[0].yes || rows.length === 0) await client.query(`GRANT ${ROLE} TO CURRENT_USER`);
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${SCHEMA} AUTHORIZATION ${ROLE}`).catch(ignoreExisting);
    return true;
  } catch (error) {
    if ((error as { code?: string }).code !== INSUFFICIENT_PRIVILEGE) throw error;
    return false;
  }
}

const INSUFFICIENT_PRIVILEGE = '42501';
/** Two that start at once create the same thing: duplicate_object, duplicate_schema, or the catalog's unique index. */
function ignoreExisting(error: { code?: string }): void {
  if (!['42710', '42P06', '23505'].includes(error.code ?? '')) throw error;
}

/** BullMQ asks for the right to create schemas even where its schema exists; the role has it only while migrations run. */
async function migrateQueue(owner: pg.Client, pool: pg.Pool, hasRole: boolean): Promise<void> {
  const database = owner.escapeIdentifier(owner.database ?? '');
  if (hasRole) await owner.query(`GRANT CREATE ON DATABASE ${database} TO ${ROLE}`);
  const client = await pool.connect();
  try {
    await runMigrations(client, SCHEMA);
  } finally {
    client.release();
  }
  if (hasRole) await owner.query(`REVOKE CREATE ON DATABASE ${database} FROM ${ROLE}`);
}

async function withClient<T>(databaseUrl: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'makegood queue set-up' });
  client.on('error', () => {}); // The query that was under way says it.
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** The braces keep all keys of a queue on one node of a Redis Cluster. */
const REDIS_PREFIX = '{makegood}';

export function openRedisBackend(redisUrl: string, options: { log: Logger }): QueueBackend {
  const { log } = options;
  const onError = (error: Error) => log.warn({ err: error }, 'queue: Redis');
  const onFailed = failureLogger(log);
  const connect = (maxRetriesPerRequest: number | null) => {
    const redis = new Redis(redisUrl, {
      maxRetriesPerRequest,
      connectTimeout: 5_000,
      // Comes back within two seconds of the server, and never gives up.
      retryStrategy: (times) => Math.min(times * 100, 2_000),
    });
    redis.on('error', onError);
    return redis;
  };
  // Whoever adds a job is told soon when Redis is away (the relay brings the ticket later); a worker waits as long as it takes.
  const producers = connect(2);
  const consumers = connect(null);

  return {
    kind: 'redis',
    openQueue(name) {
      const queue = new Queue(name, { connection: producers, prefix: REDIS_PREFIX, defaultJobOptions: JOB_OPTIONS });
      queue.on('error', onError);
      return queue;
    },
    openWorker(name, process, { concurrency }) {
      const worker = new Worker(name, (job) => process(job as unknown as QueueJob), {
        connection: consumers,
        prefix: REDIS_PREFIX,
        ...workerOptions(concurrency),
      });
      worker.on('error', onError);
      worker.on('failed', (job, error) => onFailed(job?.name, error));
      return worker;
    },
    async check() {
      await producers.ping();
    },
    async prepare() {
      const [, policy] = (await producers.config('GET', 'maxmemory-policy').catch(() => [])) as string[];
      // Where CONFIG is forbidden (hosted Redis) BullMQ's own warning has to do.
      if (policy !== undefined && policy !== 'noeviction') {
        throw new AppError(
          'queue_unavailable',
          `Redis has maxmemory-policy ${policy}: it would drop jobs when memory is short. Set it to noeviction.`,
        );
      }
    },
    async close() {
      producers.disconnect();
      consumers.disconnect();
    },
  };
}
