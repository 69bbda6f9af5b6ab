import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { readDatabaseState } from '../support/database-state.js';
import { eventually } from '../support/eventually.js';
import { startHttpServer, type TestServer } from '../support/http-server.js';
import { type Answer, orderDocument, trackerEvent } from '../support/makegood.js';
import { expectProblem } from '../support/problem.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';

/** A carrier's patience: senders hang up after 15 to 30 seconds and count it as a failure without an answer. */
const PATIENCE_MS = 15_000;

let database: TestDatabase;
let proxy: TcpProxy;
let server: TestServer;

beforeAll(async () => {
  database = await createTestDatabase();
  proxy = await startTcpProxy(database.url);
  server = await startHttpServer(proxy.through(database.url));
  expect((await server.put('known', orderDocument())).status).toBe(201);
});
async function isBack(): Promise<void> {
  await proxy.restore();
  await eventually(async () => (await server.request('GET', '/readyz')).status === 200);
}
afterEach(isBack);
afterAll(async () => {
  await server.stop();
  await proxy.stop();
  await database.drop();
});

let numbers = 0;
const newEvent = () =>
  trackerEvent(`9400${String(++numbers).padStart(18, '0')}`, [
    ['in_transit', 'departed_facility', '2025-03-03T13:00:00Z'],
  ]);

/** What a shop and a carrier ask for that cannot be done without the database. */
const ASKED: readonly (() => Promise<Answer>)[] = [
  () => server.webhook(newEvent()),
  () => server.put('new', orderDocument({ trackingNumber: '94-NEW' })),
  () => server.put('known', orderDocument({ shipBy: '2026-11-04T00:00:00Z' })),
  () => server.request('GET', '/v1/orders/known'),
  () => server.request('POST', '/v1/orders/known/recheck', {}),
];

const AWAY: readonly (readonly [string, () => Promise<void> | void])[] = [
  ['is down: connections break, new ones are refused', () => proxy.cut()],
  ['is unplugged: connections stand and nothing comes', () => proxy.blackhole()],
];

describe.each(AWAY)('the database %s', (_how, goAway) => {
  test('whoever asks hears 503 with Retry-After in time; after it is back, all of it works, and nothing is there twice', async () => {
    const flood = Array.from({ length: 100 }, newEvent);
    const before = await readDatabaseState(database);
    await goAway();
    const startedAt = Date.now();
    const answers = await Promise.all([...ASKED.map((ask) => ask()), ...flood.map((event) => server.webhook(event))]);
    expect(Date.now() - startedAt).toBeLessThan(PATIENCE_MS);
    for (const answer of answers) {
      expectProblem(answer, { status: 503 });
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect(await readDatabaseState(database)).toEqual(before);

    await isBack();
    for (const ask of ASKED) expect(Math.floor((await ask()).status / 100)).toBe(2);
    const again = await Promise.all(flood.map((event) => server.webhook(event)));
    expect(new Set(again.map(({ status }) => status))).toEqual(new Set([200]));
    // Some may have been stored though their sender heard 503: the answer got lost, not the webhook.
    expect(again.reduce((sum, { body }) => sum + body.accepted + body.duplicates, 0)).toBe(flood.length);
    const keys = flood.map(({ result }) => result.tracking_code);
    expect(
      await database.query('SELECT count(*)::int AS rows FROM tracking_events WHERE tracking_key = ANY($1)', [keys]),
    ).toEqual([{ rows: flood.length }]);
  });

  test('the process is alive and says so; what it is not ready for is named', async () => {
    await goAway();
    expect((await server.request('GET', '/healthz')).body).toEqual({ status: 'ok' });
    const answer = await server.request('GET', '/readyz');
    expect(answer).toMatchObject({
      status: 503,
      body: {
        status: 'not ready',
        parts: { database: { ok: false, detail: expect.any(String) }, queue: { ok: false } },
      },
    });
    expect(JSON.stringify(answer.body)).not.toMatch(/127\.0\.0\.1|ECONN|password|postgres/i);
  });

  test('what needs no database is refused as ever: a wrong signature, an unknown source, a body too large', async () => {
    await goAway();
    const event = JSON.stringify(newEvent());
    expectProblem(await server.request('POST', '/webhooks/easypost', event, { 'x-hmac-signature': 'x' }), {
      status: 401,
    });
    expectProblem(await server.request('POST', '/webhooks/nobody', event), { status: 404 });
    expectProblem(await server.request('POST', '/webhooks/easypost', Buffer.alloc(2 * 1024 * 1024)), { status: 413 });
  });
});

test('a connection that is ended under a query: 503, and the next request is served by another', async () => {
  const holder = new pg.Client({ connectionString: database.url });
  await holder.connect();
  await holder.query('BEGIN; LOCK TABLE api_keys IN ACCESS EXCLUSIVE MODE');
  const waiting = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  try {
    // Prisma is interrupted while it looks for the key.
    const asked = server.request('GET', '/v1/orders/known');
    await eventually(async () => (await database.query(waiting)).length === 1);
    await database.query(`SELECT pg_terminate_backend(pid) FROM (${waiting}) w`);
    expectProblem(await asked, { status: 503, code: 'database_unavailable' });
  } finally {
    await holder.end();
  }
  expect((await server.request('GET', '/v1/orders/known')).status).toBe(200);
});

test('the server comes back by itself after every connection of the database was ended', async () => {
  await database.query(
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
  );
  await eventually(async () => (await server.webhook(newEvent())).status === 200);
  await eventually(async () => (await server.request('GET', '/v1/orders/known')).status === 200);
});
