import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ROLES } from '../../src/auth/roles.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { readDatabaseState } from '../support/database-state.js';
import { startHttpServer, type TestServer } from '../support/http-server.js';
import { ADMIN_KEY, type Answer } from '../support/makegood.js';
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

const make = (body: unknown, headers?: Record<string, string>) => admin.ask('POST', '/v1/keys', body, headers);
const revoke = (id: string, by = admin) => by.ask('POST', `/v1/keys/${id}/revoke`);
const auditOf = (subject: string) =>
  database.query('SELECT actor, action, details FROM audit WHERE subject = $1 ORDER BY seq', [subject]);
const use = (key: string): Promise<Answer> =>
  server.request('GET', '/v1/orders/nobody', undefined, { authorization: `Bearer ${key}` });

/** Every row of every table that has this text in it. */
async function rowsWith(text: string): Promise<string[]> {
  const found: string[] = [];
  for (const table of Object.keys(await readDatabaseState(database))) {
    const rows = await database.query(`SELECT t::text AS row FROM "${table}" t WHERE t::text LIKE '%' || $1 || '%'`, [
      text,
    ]);
    found.push(...rows.map(() => table));
  }
  return found;
}

describe('POST /v1/keys', () => {
  test.each(ROLES)('makes a key of role %s that works at once; its value is stored nowhere', async (role) => {
    const answer = await make({ role, name: `Desk of ${role}` });
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      key: expect.stringMatching(/^mg_[\w-]{32}$/),
      role,
      name: `Desk of ${role}`,
    });
    expect((await use(answer.body.key)).status).toBe(role === 'ingest' ? 403 : 404);
    expect(await rowsWith(answer.body.key)).toEqual([]);
    expect((await auditOf(answer.body.id))[0]).toEqual({
      actor: `key:${admin.name}`,
      action: 'key.create',
      details: { role, name: `Desk of ${role}` },
    });
  });

  test('twice with one Idempotency-Key: one key, and the second answer does not hold it', async () => {
    const body = { role: 'agent', name: 'Once' };
    const headers = { 'idempotency-key': 'make-once' };
    const first = await make(body, headers);
    const second = await make(body, headers);
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.body).toEqual({ ...first.body, key: null });
    expect(second.headers.get('idempotent-replayed')).toBe('true');
    expect(await database.query("SELECT id FROM api_keys WHERE name = 'Once'")).toEqual([{ id: first.body.id }]);
    expect(await rowsWith(first.body.key)).toEqual([]);
    expect((await use(first.body.key)).status).toBe(404);
    expectProblem(await make({ ...body, name: 'Twice' }, headers), { status: 409, code: 'idempotency_conflict' });
  });

  test.each<[string, unknown, readonly string[]]>([
    ['nothing', {}, ['role', 'name']],
    ['a role that nobody has', { role: 'god', name: 'x' }, ['role']],
    ['no name', { role: 'agent', name: '  ' }, ['name']],
    ['a name of two lines', { role: 'agent', name: 'a\nb' }, ['name']],
    ['a name without end', { role: 'agent', name: 'x'.repeat(101) }, ['name']],
  ])('%s: 400 names the field, and nothing is made', async (_what, body, fields) => {
    const before = await readDatabaseState(database);
    expectProblem(await make(body), { status: 400, code: 'invalid_request', fields });
    expect(await readDatabaseState(database)).toEqual(before);
  });
});

describe('POST /v1/keys/{id}/revoke', () => {
  test('from then on the key is refused; once more is 404', async () => {
    const { body } = await make({ role: 'agent', name: 'Short' });
    const answer = await revoke(body.id);
    expect([answer.status, answer.body]).toEqual([200, { id: body.id, revoked: true }]);
    expectProblem(await use(body.key), { status: 401, code: 'unauthenticated' });
    expectProblem(await revoke(body.id), { status: 404, code: 'not_found' });
    expect((await auditOf(body.id)).map(({ actor, action }) => [actor, action])).toEqual([
      [`key:${admin.name}`, 'key.create'],
      [`key:${admin.name}`, 'key.revoke'],
    ]);
  });

  test('one that never was: 404; what is no id: 400', async () => {
    expectProblem(await revoke('00000000-0000-7000-8000-000000000000'), { status: 404, code: 'not_found' });
    expectProblem(await revoke('nonsense'), { status: 400, fields: ['id'] });
  });

  test('nobody revokes the key they are using: 409, however its id is written', async () => {
    const before = await readDatabaseState(database);
    for (const id of [admin.id, admin.id.toUpperCase()]) {
      expectProblem(await revoke(id), { status: 409, code: 'key_in_use' });
    }
    expect(await readDatabaseState(database)).toEqual(before);
  });

  test('two that revoke each other at once: one is revoked, the other goes on', async () => {
    for (let round = 0; round < 5; round++) {
      const [one, other] = [await somebody(server, 'admin'), await somebody(server, 'admin')];
      const answers = await Promise.all([revoke(other.id, one), revoke(one.id, other)]);
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 401]);
      const left = await database.query('SELECT id FROM api_keys WHERE id = ANY($1) AND revoked_at IS NULL', [
        [one.id, other.id],
      ]);
      expect(left).toHaveLength(1);
    }
  });
});

describe('GET /v1/keys', () => {
  test('lists all, the newest first, page by page, without their values', async () => {
    const made: string[] = [];
    for (let number = 0; number < 5; number++)
      made.push((await make({ role: 'agent', name: `Page ${number}` })).body.id);
    await revoke(made[0] ?? '');
    const all: { id: string; revokedAt: string | null }[] = [];
    let next: string | null = '';
    let pages = 0;
    while (next !== null) {
      const answer: Answer = await admin.ask('GET', `/v1/keys?limit=3${next === '' ? '' : `&after=${next}`}`);
      expect(answer.status).toBe(200);
      expect(answer.body.items.length).toBeLessThanOrEqual(3);
      all.push(...answer.body.items);
      next = answer.body.next;
      pages++;
    }
    const stored = await database.query('SELECT id FROM api_keys ORDER BY created_at DESC, id DESC');
    expect(all.map(({ id }) => id)).toEqual(stored.map(({ id }) => id));
    expect(pages).toBe(Math.ceil(stored.length / 3));
    expect(all.slice(0, 5).map(({ id }) => id)).toEqual([...made].reverse());
    expect(all.find(({ id }) => id === made[0])?.revokedAt).toMatch(/Z$/);
    for (const key of all) expect(Object.keys(key).sort()).toEqual(['createdAt', 'id', 'name', 'revokedAt', 'role']);
    expect(JSON.stringify(all)).not.toContain(ADMIN_KEY);
  });

  test.each(['nonsense', Buffer.from('[null,"00000000-0000-7000-8000-000000000000"]').toString('base64url')])(
    'a place that is none: 400 (%s)',
    async (after) => {
      expectProblem(await admin.ask('GET', `/v1/keys?after=${after}`), { status: 400, fields: ['after'] });
    },
  );
});
