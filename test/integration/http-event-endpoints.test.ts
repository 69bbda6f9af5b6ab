import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { readDatabaseState } from '../support/database-state.js';
import { startHttpServer, type TestServer } from '../support/http-server.js';
import { type Person, somebody } from '../support/people.js';
import { expectProblem } from '../support/problem.js';

let database: TestDatabase;
let server: TestServer;
let admin: Person;
beforeAll(async () => {
  database = await createTestDatabase();
  server = await startHttpServer(database.url);
  admin = await somebody(server, 'admin');
});
afterAll(async () => {
  await server.stop();
  await database.drop();
});

const URL = 'https://shop.example/events';
const make = (body: Record<string, unknown> = {}, headers?: Record<string, string>) =>
  admin.ask('POST', '/v1/event-endpoints', { url: URL, ...body }, headers);
const on = (id: string, method: string, path = '', body?: unknown, headers?: Record<string, string>) =>
  admin.ask(method, `/v1/event-endpoints/${id}${path}`, body, headers);
const auditOf = (subject: string) =>
  database.query('SELECT actor, action, details FROM audit WHERE subject = $1 ORDER BY seq', [subject]);
const NOBODY = '00000000-0000-7000-8000-000000000000';

/** The tables with this text in one of their rows. */
async function tablesWith(text: string): Promise<string[]> {
  const found: string[] = [];
  for (const table of Object.keys(await readDatabaseState(database))) {
    const rows = await database.query(`SELECT 1 FROM "${table}" t WHERE t::text LIKE '%' || $1 || '%' LIMIT 1`, [text]);
    if (rows.length > 0) found.push(table);
  }
  return found;
}

describe('POST /v1/event-endpoints', () => {
  test('makes one, and shows its secret this once', async () => {
    const answer = await make({ types: ['award.applied', 'promise.broken'], description: 'ERP' });
    expect(answer).toMatchObject({ status: 201 });
    expect(answer.body).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      url: URL,
      types: ['award.applied', 'promise.broken'],
      secret: expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/),
    });
    const { id, secret } = answer.body;
    expect(await tablesWith(secret)).toEqual(['event_secrets']);
    const shown = await on(id, 'GET');
    expect(shown.body).toEqual({
      id,
      url: URL,
      types: ['award.applied', 'promise.broken'],
      description: 'ERP',
      enabled: true,
      createdAt: expect.stringMatching(/Z$/),
      pausedUntil: null,
      secrets: 1,
      pending: 0,
      failed: 0,
      lastDeliveredAt: null,
    });
    for (const path of ['', '/deliveries'])
      expect(JSON.stringify((await on(id, 'GET', path)).body)).not.toContain(secret);
    expect(await auditOf(id)).toEqual([
      {
        actor: `key:${admin.name}`,
        action: 'event-endpoint.create',
        details: { host: 'shop.example', types: ['award.applied', 'promise.broken'] },
      },
    ]);
  });

  test('twice with one Idempotency-Key: one endpoint, and the second answer does not hold the secret', async () => {
    const headers = { 'idempotency-key': 'endpoint-once' };
    const body = { description: 'Once' };
    const [first, second] = [await make(body, headers), await make(body, headers)];
    expect(second.status).toBe(201);
    expect(second.body).toEqual({ ...first.body, secret: null });
    expect(await tablesWith(first.body.secret)).toEqual(['event_secrets']);
    expect(await database.query(`SELECT 1 FROM event_endpoints WHERE description = 'Once'`)).toHaveLength(1);
  });

  test.each<[string, Record<string, unknown>, readonly string[]]>([
    ['no URL', { url: undefined }, ['url']],
    ['what is no URL', { url: 'shop.example/events' }, ['url']],
    ['another protocol', { url: 'ftp://shop.example/' }, ['url']],
    ['a file', { url: 'file:///etc/passwd' }, ['url']],
    ['a password in it', { url: 'https://user:pass@shop.example/' }, ['url']],
    ['a private address', { url: 'http://10.0.0.1/' }, ['url']],
    ['the address of a cloud for its own machines', { url: 'http://169.254.169.254/latest/meta-data' }, ['url']],
    ['a private address as one number', { url: 'http://2130706433/' }, ['url']],
    ['a private address in octal', { url: 'http://0177.0.0.1/' }, ['url']],
    ['a private address in IPv6', { url: 'http://[::ffff:127.0.0.1]/' }, ['url']],
    ['this machine by its name', { url: 'http://localhost:3000/' }, ['url']],
    ['a type that there is not', { types: ['order.paid'] }, ['types[0]']],
    ['no type at all', { types: [] }, ['types']],
    ['a description of two lines', { description: 'a\nb' }, ['description']],
  ])('%s: 400 names the field, and nothing is made', async (_what, body, fields) => {
    const before = await readDatabaseState(database);
    expectProblem(await make(body), { status: 400, code: 'invalid_request', fields });
    expect(await readDatabaseState(database)).toEqual(before);
  });
});

describe('PATCH and DELETE', () => {
  test('what is named is changed, the rest stays', async () => {
    const { id } = (await make({ types: ['award.applied'], description: 'Old' })).body;
    const changed = await on(id, 'PATCH', '', { url: 'https://other.example/', enabled: false });
    expect(changed.body).toMatchObject({
      url: 'https://other.example/',
      types: ['award.applied'],
      description: 'Old',
      enabled: false,
    });
    const all = await on(id, 'PATCH', '', { types: null, description: null });
    expect(all.body).toMatchObject({ types: null, description: null, enabled: false });
    expectProblem(await on(id, 'PATCH', '', { url: 'http://[::1]/' }), { status: 400, fields: ['url'] });
    expect((await on(id, 'GET')).body).toEqual(all.body);
    expect((await auditOf(id)).map(({ action }) => action)).toEqual([
      'event-endpoint.create',
      'event-endpoint.change',
      'event-endpoint.change',
    ]);
  });

  test('removed it is not there any more, its secrets are gone, and once more is 404', async () => {
    const { id, secret } = (await make()).body;
    expect((await on(id, 'DELETE')).body).toEqual({ id, removed: true });
    expect(await tablesWith(secret)).toEqual([]);
    for (const [method, path] of [
      ['GET', ''],
      ['GET', '/deliveries'],
      ['DELETE', ''],
      ['PATCH', ''],
      ['POST', '/test'],
      ['POST', '/rotate-secret'],
    ] as const) {
      const body = method === 'PATCH' || path === '/rotate-secret' ? {} : undefined;
      expectProblem(await on(id, method, path, body), { status: 404, code: 'not_found' });
    }
    expect((await auditOf(id)).at(-1)).toMatchObject({ action: 'event-endpoint.remove', details: { ended: 0 } });
  });

  test.each([
    ['GET', ''],
    ['PATCH', ''],
    ['DELETE', ''],
    ['POST', '/replay'],
  ] as const)('%s %s of one that never was: 404; of what is no id: 400', async (method, path) => {
    const body = method === 'PATCH' ? {} : path === '/replay' ? { after: 0 } : undefined;
    expectProblem(await on(NOBODY, method, path, body), { status: 404, code: 'not_found' });
    expectProblem(await on('nonsense', method, path, body), { status: 400, fields: ['id'] });
  });
});

describe('rotate-secret, replay, test', () => {
  test('a new secret is shown once, also to who sends the request twice', async () => {
    const { id, secret } = (await make()).body;
    const headers = { 'idempotency-key': 'rotate-once' };
    const rotate = () => on(id, 'POST', '/rotate-secret', {}, headers);
    const [first, second] = [await rotate(), await rotate()];
    expect(first.status).toBe(201);
    expect(first.body.secret).not.toBe(secret);
    expect(second.body).toEqual({ ...first.body, secret: null });
    expect(new Date(first.body.oldEndsAt).getTime() - Date.now()).toBeGreaterThan(23.9 * 3_600_000);
    expect((await on(id, 'GET')).body.secrets).toBe(2);
  });

  test('without a body the old one signs for a day; with no overlap it ends at once', async () => {
    const { id } = (await make()).body;
    expect((await on(id, 'POST', '/rotate-secret')).status).toBe(201);
    expect((await on(id, 'GET')).body.secrets).toBe(2);
    expect((await on(id, 'POST', '/rotate-secret', { overlapHours: 0 })).status).toBe(201);
    expect((await on(id, 'GET')).body.secrets).toBe(1);
  });

  test('however often it is rotated, at most five sign', async () => {
    const { id } = (await make()).body;
    for (let turn = 0; turn < 8; turn++) await on(id, 'POST', '/rotate-secret', { overlapHours: 24 });
    expect((await on(id, 'GET')).body.secrets).toBe(5);
  });

  test.each<[string, unknown, readonly string[]]>([
    ['neither place nor instant', {}, ['after']],
    ['both', { after: 1, since: '2026-11-16T12:00:00Z' }, ['after']],
    ['half a number', { after: 1.5 }, ['after']],
    ['a date', { since: '2026-11-16' }, ['since']],
  ])('replay from %s: 400', async (_what, body, fields) => {
    const { id } = (await make()).body;
    expectProblem(await on(id, 'POST', '/replay', body), { status: 400, fields });
    await on(id, 'DELETE');
  });

  test('a test event is for one endpoint alone, whatever types it wants, and is shown among its deliveries', async () => {
    const [one, other] = [(await make({ types: ['award.applied'] })).body.id, (await make()).body.id];
    const answer = await on(one, 'POST', '/test');
    expect(answer).toMatchObject({ status: 202, body: { eventId: expect.any(String) } });
    expect((await on(one, 'GET', '/deliveries')).body).toEqual({
      items: [
        {
          id: expect.any(String),
          eventId: answer.body.eventId,
          seq: expect.any(Number),
          type: 'makegood.test',
          status: 'pending',
          attempts: 0,
          createdAt: expect.any(String),
          nextAt: expect.any(String),
          deliveredAt: null,
          lastStatus: null,
          lastError: null,
        },
      ],
      next: null,
    });
    expect((await on(one, 'GET', '/deliveries?status=failed')).body.items).toEqual([]);
    expect((await on(other, 'GET', '/deliveries')).body.items).toEqual([]);
    expect((await on(one, 'GET')).body.pending).toBe(1);
  });
});

describe('lists', () => {
  test('endpoints and deliveries are paged, the newest first', async () => {
    const { id } = (await make({ description: 'Newest' })).body;
    for (let turn = 0; turn < 5; turn++) await on(id, 'POST', '/test');
    const pages = async (path: string) => {
      const found: { id: string; createdAt: string }[] = [];
      for (let next: string | null = ''; next !== null; ) {
        const { body } = await admin.ask('GET', `${path}?limit=2${next === '' ? '' : `&after=${next}`}`);
        found.push(...body.items);
        next = body.next;
      }
      return found;
    };
    const endpoints = await pages('/v1/event-endpoints');
    const stored = await database.query(
      'SELECT id FROM event_endpoints WHERE removed_at IS NULL ORDER BY created_at DESC, id DESC',
    );
    expect(endpoints.map((one) => one.id)).toEqual(stored.map((row) => row.id));
    expect(endpoints[0]?.id).toBe(id);
    const deliveries = await pages(`/v1/event-endpoints/${id}/deliveries`);
    expect(new Set(deliveries.map((one) => one.id)).size).toBe(5);
    expect(deliveries.map(({ createdAt }) => createdAt)).toEqual(
      deliveries
        .map(({ createdAt }) => createdAt)
        .sort()
        .reverse(),
    );
  });

  test('there are at most twenty endpoints', async () => {
    const statuses = [];
    for (let turn = 0; turn < 21; turn++) statuses.push((await make()).status);
    expect(statuses.at(-1)).toBe(400);
    expect(await database.query('SELECT 1 FROM event_endpoints WHERE removed_at IS NULL')).toHaveLength(20);
  });
});
