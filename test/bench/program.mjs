import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { easypost } from '../../dist/src/carriers/easypost/adapter.js';
import { migrate } from '../../dist/src/db/migrate.js';
import { readSecrets } from '../../dist/src/embedded/pg-state-files.js';
import { startEmbeddedPostgres } from '../../dist/src/embedded/postgres.js';

const RUN = fileURLToPath(new URL('../../bin/run.mjs', import.meta.url));
const KEY = 'bench-admin-key-0123456789';
const SECRET = 'bench-secret-of-easypost';

/** What every program of the benchmarks is told. Nothing runs by the clock of the night that the benchmark has not asked for. */
export const BENCH_ENV = {
  ADMIN_API_KEY: KEY,
  EASYPOST_WEBHOOK_SECRET: SECRET,
  LOG_LEVEL: 'error',
  SWEEP_CRON: '0 0 1 1 *',
};

/** A PostgreSQL of the benchmark's own, with the tables; fsync on, as it always is. */
export async function withDatabase(work) {
  const dataDir = mkdtempSync(join(tmpdir(), 'makegood-bench-'));
  chmodSync(dataDir, 0o755);
  const server = await startEmbeddedPostgres({ dataDir });
  const pool = new pg.Pool({ connectionString: server.url, max: 4 });
  // A connection that was taken leave of may still hear that the server stops.
  pool.on('error', () => {});
  try {
    await migrate(server.url);
    return await work({
      url: server.url,
      query: async (sql, values) => (await pool.query(sql, values)).rows,
      checkpoint: () => checkpoint(server.url, dataDir),
    });
  } finally {
    await pool.end();
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** Writes out what is left to write out: only the superuser can, whose password lies in the data folder. */
async function checkpoint(url, dataDir) {
  const asSuperuser = new URL(url);
  asSuperuser.username = 'postgres';
  asSuperuser.password = (await readSecrets(dataDir)).postgres;
  const client = new pg.Client({ connectionString: asSuperuser.href });
  await client.connect();
  await client.query('CHECKPOINT');
  await client.end();
}

/** The whole program in a process of its own, as `npm start` runs it. The load comes from here, from another process. */
export async function withProgram(databaseUrl, env, work) {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [RUN, 'start'], {
    env: {
      PATH,
      HOME,
      PORT: '0',
      DATABASE_URL: databaseUrl,
      ...BENCH_ENV,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => {
    child.once('exit', resolve);
  });
  try {
    const url = await new Promise((resolve, reject) => {
      let output = '';
      child.stdout.setEncoding('utf8').on('data', (text) => {
        output += text;
        const [, ready] = /makegood is ready at (\S+)/.exec(output) ?? [];
        if (ready) resolve(ready);
      });
      void ended.then((code) => reject(new Error(`the program ended (${code}) before it was ready:\n${output}`)));
    });
    return await work(url);
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
}

/** @returns the answer, as JSON */
export async function ask(url, method, path, body) {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${KEY}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return JSON.parse(text);
}

let scans = 0;

/** A carrier's webhook about a parcel, with a scan that nobody has told before. */
export async function postScan(url, trackingNumber) {
  const at = new Date(Date.UTC(2026, 10, 1) + ++scans * 1_000).toISOString();
  const body = Buffer.from(
    JSON.stringify({
      id: `evt_${scans}`,
      object: 'Event',
      description: 'tracker.updated',
      result: {
        id: `trk_${scans}`,
        object: 'Tracker',
        tracking_code: trackingNumber,
        carrier: 'USPS',
        status: 'in_transit',
        tracking_details: [
          {
            object: 'TrackingDetail',
            message: 'Departed',
            status: 'in_transit',
            status_detail: 'departed_facility',
            datetime: at,
          },
        ],
      },
    }),
  );
  const headers = easypost.sign({ rawBody: body, secret: SECRET, now: new Date() });
  const response = await fetch(`${url}/webhooks/easypost`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
  const answer = await response.json();
  if (response.status !== 200 || answer.accepted !== 1)
    throw new Error(`webhook: ${response.status} ${JSON.stringify(answer)}`);
}

/** Orders on their way, each with a parcel and a promise to come: open, and judged once a night. */
export async function insertOpenOrders(query, orders) {
  await query(`INSERT INTO customers (id) SELECT 'c-' || n FROM generate_series(1, $1::int) n`, [orders]);
  await query(
    `INSERT INTO orders (id, customer_id, promise_on, promise_time_zone, promised_until, registered_at, due_at)
     SELECT 'o-' || lpad(n::text, 7, '0'), 'c-' || n, '2099-11-05', 'UTC', '2099-11-06', now(), '2099-11-06' FROM generate_series(1, $1::int) n`,
    [orders],
  );
  await query(
    `INSERT INTO shipments (id, order_id, position, carrier, carrier_key, tracking_number, tracking_key)
     SELECT gen_random_uuid(), id, 0, 'usps', 'usps', 'N' || substr(id, 3), 'N' || substr(id, 3) FROM orders`,
  );
}
