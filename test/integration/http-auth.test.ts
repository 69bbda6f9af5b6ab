import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createKey, ensureAdminKey, revokeKey } from '../../src/auth/key-store.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { readDatabaseState } from '../support/database-state.js';
import { startHttpServer, type TestServer } from '../support/http-server.js';
import { ADMIN_KEY, type Answer, orderDocument } from '../support/makegood.js';
import { expectProblem } from '../support/problem.js';

let database: TestDatabase;
let server: TestServer;

beforeAll(async () => {
  database = await createTestDatabase();
  server = await startHttpServer(database.url);
  expect((await server.put('o-1', orderDocument())).status).toBe(201);
});
afterAll(async () => {
  await server.stop();
  await database.drop();
});

const newKey = (role: 'ingest' | 'agent' | 'supervisor' | 'admin') =>
  createKey(server.deps.db, { role, name: `test ${role}`, actor: 'test' });
const ask = (authorization: string, path = '/v1/orders/o-1'): Promise<Answer> =>
  server.request('GET', path, undefined, { authorization });

describe('who may do what', () => {
  const ROUTES = [
    { method: 'PUT', path: '/v1/orders/o-1', body: orderDocument(), roles: ['ingest', 'admin'] },
    { method: 'GET', path: '/v1/orders/o-1', body: undefined, roles: ['agent', 'supervisor', 'admin'] },
    { method: 'POST', path: '/v1/orders/o-1/recheck', body: {}, roles: ['agent', 'supervisor', 'admin'] },
  ] as const;
  const CASES = ROUTES.flatMap((route) =>
    (['ingest', 'agent', 'supervisor', 'admin'] as const).map((role) => ({
      ...route,
      role,
      answer: (route.roles as readonly string[]).includes(role) ? 200 : 403,
    })),
  );

  test.each(CASES)('$role: $method $path is answered $answer', async ({ method, path, body, role, answer: status }) => {
    const { key } = await newKey(role);
    const before = await readDatabaseState(database);
    const answer = await server.request(method, path, body, { authorization: `Bearer ${key}` });
    expect(answer.status).toBe(status);
    if (status !== 403) return;
    expectProblem(answer, { status: 403, code: 'forbidden', fields: [] });
    // That it was refused is a line of the audit, and nothing else changes.
    const { audit: _before, ...others } = before;
    const { audit: _after, ...othersAfter } = await readDatabaseState(database);
    expect(othersAfter).toEqual(others);
  });

  test.each(['/healthz', '/readyz', '/openapi.json'])('%s is open to everybody', async (path) => {
    expect((await ask('', path)).status).toBe(200);
    expect((await ask('Bearer nonsense', path)).status).toBe(200);
  });
});

describe('without a good key: 401, and what is asked for plays no part', () => {
  test.each([
    ['no header', ''],
    ['no key', 'Bearer'],
    ['a blank key', 'Bearer  '],
    ['a wrong key', 'Bearer wrong-key-0123456789'],
    ['a key that is a beginning', `Bearer ${ADMIN_KEY.slice(0, -1)}`],
    ['a key that goes on', `Bearer ${ADMIN_KEY}x`],
    ['a key in other letters', `Bearer ${ADMIN_KEY.toUpperCase()}`],
    ['the key alone', ADMIN_KEY],
    ['another scheme', `Basic ${Buffer.from(`admin:${ADMIN_KEY}`).toString('base64')}`],
    ['two keys', `Bearer ${ADMIN_KEY} ${ADMIN_KEY}`],
    ['a key as long as a header may be', `Bearer ${'k'.repeat(8_000)}`],
    ['SQL', `Bearer ' OR '1'='1`],
  ])('%s', async (_name, authorization) => {
    for (const path of ['/v1/orders/o-1', '/v1/orders/nobody', '/v1/orders/%00']) {
      const answer = await ask(authorization, path);
      expectProblem(answer, { status: 401, code: 'unauthenticated', fields: [] });
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    }
  });

  test('the key in the address does not count', async () => {
    expectProblem(await ask('', `/v1/orders/o-1?authorization=Bearer%20${ADMIN_KEY}&key=${ADMIN_KEY}`), {
      status: 401,
    });
  });

  test('nothing is written, and the body is not even read', async () => {
    const before = await readDatabaseState(database);
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    socket.write(
      `PUT /v1/orders/o-2 HTTP/1.1\r\nHost: ${hostname}\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{`,
    );
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1\.1 401 /);
    socket.destroy();
    expect(await readDatabaseState(database)).toEqual(before);
  });
});

describe('the life of a key', () => {
  test.each(['Bearer', 'bearer', 'BEARER', 'Bearer  '])(
    'the scheme is written as anybody likes: %j',
    async (scheme) => {
      expect((await ask(`${scheme} ${ADMIN_KEY}`)).status).toBe(200);
    },
  );

  test('it works from when it is made until it is revoked, and not one request longer', async () => {
    const { id, key } = await newKey('agent');
    expect((await ask(`Bearer ${key}`)).status).toBe(200);
    await revokeKey(server.deps.db, id, 'test');
    expectProblem(await ask(`Bearer ${key}`), { status: 401, code: 'unauthenticated' });
    await expect(revokeKey(server.deps.db, id, 'test')).rejects.toMatchObject({ code: 'not_found' });
    expect(await database.query('SELECT actor, action FROM audit WHERE subject = $1 ORDER BY seq', [id])).toEqual([
      { actor: 'test', action: 'key.create' },
      { actor: 'test', action: 'key.revoke' },
    ]);
  });

  test('it is stored nowhere, only its hash', async () => {
    const { key } = await newKey('agent');
    for (const table of ['api_keys', 'audit']) {
      const rows = await database.query(`SELECT t::text AS row FROM "${table}" t`);
      expect(rows.filter(({ row }) => String(row).includes(key) || String(row).includes(ADMIN_KEY))).toEqual([]);
    }
  });

  test('ADMIN_API_KEY was changed: from that start on the old one is invalid, also where the process runs on', async () => {
    const other = 'another-admin-key-0123456789';
    const { key: made } = await newKey('admin');
    const restarted = await startHttpServer(database.url, { ADMIN_API_KEY: other });
    await restarted.stop();
    expectProblem(await ask(`Bearer ${ADMIN_KEY}`), { status: 401 });
    expect((await ask(`Bearer ${other}`)).status).toBe(200);
    expect((await ask(`Bearer ${made}`)).status).toBe(200);

    const back = await startHttpServer(database.url);
    await back.stop();
    expect((await ask(`Bearer ${ADMIN_KEY}`)).status).toBe(200);
    expectProblem(await ask(`Bearer ${other}`), { status: 401 });
  });

  test('without ADMIN_API_KEY one is made where there is none, and only then', async () => {
    const empty = await createTestDatabase();
    const alone = await startHttpServer(empty.url, { ADMIN_API_KEY: '' });
    try {
      // The start above made the first; nobody but the terminal saw it.
      expect(await empty.query('SELECT role, revoked_at FROM api_keys')).toEqual([{ role: 'admin', revoked_at: null }]);
      expect(await ensureAdminKey(alone.deps.db, null)).toBeNull();
      await empty.query('UPDATE api_keys SET revoked_at = now()');
      const key = await ensureAdminKey(alone.deps.db, null);
      const answer = await alone.request('GET', '/v1/orders/nobody', undefined, { authorization: `Bearer ${key}` });
      expectProblem(answer, { status: 404 });
    } finally {
      await alone.stop();
      await empty.drop();
    }
  });
});
