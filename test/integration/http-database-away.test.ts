import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
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
afterEach(async () => {
  await proxy.restore();
  await eventually(async () => (await server.request('GET', '/readyz')).status === 200);
});
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
const ASKED: readonly (readonly [string, () => Promise<Answer>])[] = [
  ['a webhook', () => server.webhook(newEvent())],
  ['PUT of a new order', () => server.put('new', orderDocument({ trackingNumber: '94-NEW' }))],
  ['PUT of a known order', () => server.put('known', orderDocument({ shipBy: '2026-11-04T00:00:00Z' }))],
  ['GET of an order', () => server.request('GET', '/v1/orders/known')],
  ['a recheck', () => server.request('POST', '/v1/orders/known/recheck', {})],
];

const AWAY: readonly (readonly [string, () => Promise<void> | void])[] = [
  ['is down: connections break, new ones are refused', () => proxy.cut()],
  ['is unplugged: connections stand and nothing comes', () => proxy.blackhole()],
];

describe.each(AWAY)('the database %s', (_how, goAway) => {
  test('whoever asks hears 503 with Retry-After in time, and nothing is stored; after it is back, all of it works', async () => {
    const before = await readDatabaseState(database);
    await goAway();
    const startedAt = Date.now();
    const answers = await Promise.all(ASKED.map(([, ask]) => ask()));
    expect(Date.now() - startedAt).toBeLessThan(PATIENCE_MS);
    for (const answer of answers) {
      expectProblem(answer, { status: 503 });
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect(await readDatabaseState(database)).toEqual(before);

    await proxy.restore();
    await eventually(async () => (await server.request('GET', '/readyz')).status === 200);
    for (const [, ask] of ASKED) expect(Math.floor((await ask()).status / 100)).toBe(2);
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

  test('a hundred webhooks that heard 503 are accepted when they are sent again, each once', async () => {
    const events = Array.from({ length: 100 }, newEvent);
    await goAway();
    const refused = await Promise.all(events.map((event) => server.webhook(event)));
    expect(new Set(refused.map(({ status }) => status))).toEqual(new Set([503]));
    await proxy.restore();
    await eventually(async () => (await server.request('GET', '/readyz')).status === 200);
    const answers = await Promise.all(events.map((event) => server.webhook(event)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    // Some may have been stored though their sender heard 503: the answer got lost, not the webhook.
    expect(answers.reduce((sum, { body }) => sum + body.accepted + body.duplicates, 0)).toBe(100);
    const keys = events.map(({ result }) => result.tracking_code);
    expect(
      await database.query('SELECT count(*)::int AS rows FROM tracking_events WHERE tracking_key = ANY($1)', [keys]),
    ).toEqual([{ rows: 100 }]);
  });
});

test('the server comes back by itself after every connection of the database was ended', async () => {
  await database.query(
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
  );
  await eventually(async () => (await server.webhook(newEvent())).status === 200);
  await eventually(async () => (await server.request('GET', '/v1/orders/known')).status === 200);
});
