import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ROLES, type Role } from '../../src/auth/roles.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { countRows, readDatabaseState } from '../support/database-state.js';
import { startHttpServer, type TestServer } from '../support/http-server.js';
import { type Person, somebody } from '../support/people.js';
import { expectProblem } from '../support/problem.js';

/** Who may use what, as promised. A supervisor may do what an agent may, an admin everything; ingest stands apart. */
const SYSTEMS: readonly Role[] = ['ingest', 'admin'];
const AGENTS: readonly Role[] = ['agent', 'supervisor', 'admin'];
const SUPERVISORS: readonly Role[] = ['supervisor', 'admin'];
const ADMINS: readonly Role[] = ['admin'];
const PROMISED: Readonly<Record<string, readonly Role[]>> = {
  'GET /v1/orders': AGENTS,
  'PUT /v1/orders/{id}': SYSTEMS,
  'GET /v1/orders/{id}': AGENTS,
  'POST /v1/orders/{id}/recheck': AGENTS,
  'POST /v1/rechecks': AGENTS,
  'POST /v1/rechecks/preview': AGENTS,
  'GET /v1/rechecks/{id}': AGENTS,
  'GET /v1/sweeps': SUPERVISORS,
  'POST /v1/orders/{id}/awards': AGENTS,
  'POST /v1/awards/{id}/approve': SUPERVISORS,
  'POST /v1/awards/{id}/decline': SUPERVISORS,
  'POST /v1/awards/{id}/retry': SUPERVISORS,
  'PATCH /v1/awards/{id}': AGENTS,
  'POST /v1/awards/{id}/reverse': SUPERVISORS,
  'GET /v1/approvals': SUPERVISORS,
  'POST /v1/approvals': SUPERVISORS,
  'POST /v1/approvals/preview': SUPERVISORS,
  'GET /v1/breaker': SUPERVISORS,
  'POST /v1/breaker/preview': ADMINS,
  'POST /v1/breaker/reset': ADMINS,
  'GET /v1/customers/{id}/ledger': AGENTS,
  'POST /v1/customers/{id}/ledger/debits': ['ingest', 'supervisor', 'admin'],
  'POST /v1/contacts': ['ingest', 'agent', 'supervisor', 'admin'],
  'POST /v1/incidents': ['ingest', 'agent', 'supervisor', 'admin'],
  'GET /v1/contacts/measure': SUPERVISORS,
  'GET /v1/tasks': AGENTS,
  'POST /v1/tasks/{id}/complete': AGENTS,
  'POST /v1/tasks/{id}/assign': AGENTS,
  'POST /v1/tasks/{id}/postpone': AGENTS,
  'GET /v1/suppressions': AGENTS,
  'POST /v1/suppressions': AGENTS,
  'DELETE /v1/suppressions/{id}': SUPERVISORS,
  'POST /v1/bounces': ['ingest', 'supervisor', 'admin'],
  'GET /v1/messages': AGENTS,
  'GET /v1/messages/{id}': AGENTS,
  'POST /v1/messages/{id}/release': SUPERVISORS,
  'POST /v1/messages/{id}/withdraw': SUPERVISORS,
  'POST /v1/messages/{id}/resend': SUPERVISORS,
  'POST /v1/messages/{id}/settle': SUPERVISORS,
  'GET /v1/alarms': AGENTS,
  'GET /v1/audit': ADMINS,
  'GET /v1/keys': ADMINS,
  'POST /v1/keys': ADMINS,
  'POST /v1/keys/{id}/revoke': ADMINS,
  'GET /v1/events': SYSTEMS,
  'GET /v1/event-endpoints': ADMINS,
  'POST /v1/event-endpoints': ADMINS,
  'GET /v1/event-endpoints/{id}': ADMINS,
  'PATCH /v1/event-endpoints/{id}': ADMINS,
  'DELETE /v1/event-endpoints/{id}': ADMINS,
  'POST /v1/event-endpoints/{id}/rotate-secret': ADMINS,
  'POST /v1/event-endpoints/{id}/replay': ADMINS,
  'POST /v1/event-endpoints/{id}/test': ADMINS,
  'GET /v1/event-endpoints/{id}/deliveries': ADMINS,
};

let database: TestDatabase;
let server: TestServer;
const people = new Map<Role, Person>();
let closed: readonly string[];

beforeAll(async () => {
  database = await createTestDatabase();
  server = await startHttpServer(database.url);
  for (const role of ROLES) people.set(role, await somebody(server, role));
  const { paths } = (await server.request('GET', '/openapi.json')).body;
  closed = Object.entries<Record<string, { security: object[] }>>(paths).flatMap(([path, operations]) =>
    Object.entries(operations)
      .filter(([, { security }]) => security.length > 0)
      .map(([method]) => `${method.toUpperCase()} ${path}`),
  );
});
afterAll(async () => {
  await server.stop();
  await database.drop();
});

test('every route that is not public is promised to somebody here, and every promise has its route', () => {
  expect([...closed].sort()).toEqual(Object.keys(PROMISED).sort());
});

const CASES = Object.entries(PROMISED).flatMap(([route, roles]) =>
  ROLES.map((role) => ({
    route,
    role,
    allowed: roles.includes(role),
    what: roles.includes(role) ? 'is heard' : 'is refused',
  })),
);

describe('each role at each route', () => {
  test.each(CASES)('$role $what at $route', async ({ route, role, allowed }) => {
    const [method = '', path = ''] = route.split(' ');
    // Nothing has this id, and the body says nothing: whoever is let in hears that.
    const address = path.replace('{id}', '00000000-0000-7000-8000-000000000000');
    const before = await readDatabaseState(database);
    const lines = await countRows(database, 'audit');
    const person = people.get(role);
    const answer = await person?.ask(method, address, method === 'GET' ? undefined : {});
    if (!answer || !person) throw new Error(`nobody has the role ${role}`);
    if (allowed) {
      expect([200, 400, 404]).toContain(answer.status);
      expect(await readDatabaseState(database)).toEqual(before);
      return;
    }
    expectProblem(answer, { status: 403, code: 'forbidden', fields: [] });
    // Nothing changes but the audit, by one line that says who was refused what.
    const { audit: _before, ...others } = before;
    const { audit: _after, ...othersAfter } = await readDatabaseState(database);
    expect(othersAfter).toEqual(others);
    expect(await countRows(database, 'audit')).toBe(lines + 1);
    const [line] = await database.query<{ details: { needed: string[] } }>(
      'SELECT actor, action, subject, reason, details FROM audit ORDER BY seq DESC LIMIT 1',
    );
    expect(line).toEqual({
      actor: `key:${person.name}`,
      action: 'access.refused',
      subject: person.id,
      reason: null,
      // Roles that were promised the route, and so not the one that asked.
      details: {
        role,
        needed: expect.arrayContaining([expect.any(String)]),
        method,
        route: path.replaceAll(/\{(\w+)\}/g, ':$1'),
      },
    });
    for (const one of line?.details.needed ?? []) expect(PROMISED[route]).toContain(one);
  });

  test.each(Object.keys(PROMISED))('%s is closed without a key', async (route) => {
    const [method = '', path = ''] = route.split(' ');
    const answer = await server.request(method, path.replace('{id}', 'x'), method === 'GET' ? undefined : {}, {
      authorization: '',
    });
    expectProblem(answer, { status: 401, code: 'unauthenticated' });
  });
});

test('what was written in the address or the body is no part of the audit of a refusal', async () => {
  const answer = await people.get('agent')?.ask('PUT', '/v1/orders/ann@example.com?note=secret', { note: 'secret' });
  if (!answer) throw new Error('nobody is an agent');
  expectProblem(answer, { status: 403, code: 'forbidden' });
  const [line] = await database.query('SELECT a::text AS line, details FROM audit a ORDER BY seq DESC LIMIT 1');
  expect(line?.details).toMatchObject({ needed: ['ingest'], route: '/v1/orders/:id' });
  expect(line?.line).not.toMatch(/ann@example|secret/);
});

test('a role that is not enough for what the body asks is refused and audited as well', async () => {
  const ingest = people.get('ingest');
  if (!ingest) throw new Error('nobody is ingest');
  const before = await countRows(database, 'audit');
  const debit = { kind: 'adjust', amount: 1, unit: 'points', reason: 'counted wrong' };
  expectProblem(await ingest.ask('POST', '/v1/customers/c-1/ledger/debits', debit), { status: 403, code: 'forbidden' });
  expect(await countRows(database, 'audit')).toBe(before + 1);
  const [line] = await database.query('SELECT action, details FROM audit ORDER BY seq DESC LIMIT 1');
  expect(line).toMatchObject({ action: 'access.refused', details: { role: 'ingest', needed: ['supervisor'] } });
});

test('the description names the roles', async () => {
  const { paths } = (await server.request('GET', '/openapi.json')).body;
  expect(paths['/v1/contacts'].post.description).toContain('Role: ingest or agent.');
  expect(paths['/v1/audit'].get.description).toContain('Role: admin.');
});
