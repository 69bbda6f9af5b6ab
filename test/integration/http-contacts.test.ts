import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { startHttpServer, type TestServer } from '../support/http-server.js';
import { anOrder, type Person, somebody } from '../support/people.js';
import { expectProblem } from '../support/problem.js';
import { workByHand } from '../support/tickets.js';

let database: TestDatabase;
let server: TestServer;
let agent: Person;
let shop: Person;

beforeAll(async () => {
  database = await createTestDatabase();
  server = await startHttpServer(database.url);
  [agent, shop] = await Promise.all([somebody(server, 'agent'), somebody(server, 'ingest')]);
});
afterAll(async () => {
  await server.stop();
  await database.drop();
});

const contact = (body: object, headers?: Record<string, string>) =>
  shop.ask('POST', '/v1/contacts', { channel: 'phone', reason: 'other', ...body }, headers);
const tasksOf = async (orderId: string, status = 'open') => {
  const { body } = await agent.ask('GET', `/v1/tasks?status=${status}&limit=200`);
  return body.items.filter((task: { orderId: string }) => task.orderId === orderId);
};
const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();

describe('POST /v1/contacts', () => {
  test.each(['not_received', 'damaged'] as const)(
    '%s opens one case, and the order is judged at once',
    async (reason) => {
      const orderId = await anOrder(server);
      const first = await contact({ orderId, reason });
      expect(first).toMatchObject({ status: 201, body: { orderId, customerId: `c-${orderId}`, reason } });
      const again = await contact({ orderId, reason, channel: 'mail' });
      expect(again.body.taskId).toBe(first.body.taskId);
      expect(await tasksOf(orderId)).toMatchObject([
        { id: first.body.taskId, kind: 'case', incident: reason, dueAt: expect.any(String), customerName: 'Ann Lee' },
      ]);
      expect(
        await database.query(`SELECT stage, trigger FROM outbox WHERE ids = $1 AND stage = 'judge-promises'`, [
          [orderId],
        ]),
      ).toEqual([
        { stage: 'judge-promises', trigger: 'contact' },
        { stage: 'judge-promises', trigger: 'contact' },
      ]);
      await workByHand(server.deps, database, 'judge-promises');
    },
  );

  test('late: no case, and a true sentence to read out', async () => {
    const orderId = await anOrder(server, { promise: { on: '2098-03-05', timeZone: 'America/New_York' } });
    const { status, body } = await contact({ orderId, reason: 'late' });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      taskId: null,
      answer: expect.stringMatching(/promised this order for .*March 5, 2098/),
    });
    await agent.ask('POST', `/v1/orders/${orderId}/recheck`, {});
    const after = await contact({ orderId, reason: 'late' });
    const [{ wording } = {}] = await database.query(
      'SELECT customer_wording AS wording FROM verdicts v JOIN orders o ON o.verdict_id = v.id WHERE o.id = $1',
      [orderId],
    );
    expect(after.body.answer).toBe((wording as string[]).join(' '));
    expect(await tasksOf(orderId)).toEqual([]);
  });

  test('a customer alone is enough where there is one order, and is noted without one where there are more', async () => {
    const orderId = await anOrder(server);
    expect((await contact({ customerId: `c-${orderId}`, reason: 'damaged' })).body).toMatchObject({ orderId });
    await anOrder(server, { customerId: `c-${orderId}` });
    expect((await contact({ customerId: `c-${orderId}`, reason: 'damaged' })).body).toMatchObject({
      orderId: null,
      taskId: null,
      answer: null,
    });
  });

  test.each([
    ['an unknown order', { orderId: 'nobody' }, 404, undefined],
    ['an unknown customer', { customerId: 'nobody' }, 404, undefined],
    ['nobody at all', {}, 400, ['orderId']],
    ['another reason', { orderId: 'x', reason: 'angry' }, 400, ['reason']],
  ])('%s', async (_name, body, status, fields) => {
    expectProblem(await contact(body), { status, ...(fields ? { fields } : {}) });
  });

  test('a time to come is refused beyond five minutes, and counts as now within them', async () => {
    const orderId = await anOrder(server);
    expectProblem(await contact({ orderId, at: ago(-7) }), { status: 400, fields: ['at'] });
    const { status, body } = await contact({ orderId, at: ago(-4) });
    expect(status).toBe(201);
    expect(Date.parse(body.at)).toBeLessThan(Date.now() + 1_000);
    expect((await contact({ orderId, at: ago(60) })).status).toBe(201);
  });

  test('one key, one contact', async () => {
    const orderId = await anOrder(server);
    const body = { orderId, reason: 'late', at: ago(5) };
    const answers = await Promise.all(Array.from({ length: 20 }, () => contact(body, { 'idempotency-key': 'once' })));
    expect(new Set(answers.map((answer) => `${answer.status} ${answer.body.id}`)).size).toBe(1);
    expect(await database.query('SELECT 1 FROM contacts WHERE order_id = $1', [orderId])).toHaveLength(1);
  });
});

describe('tasks', () => {
  test('a task is done once, with what came of it', async () => {
    const orderId = await anOrder(server);
    const { taskId } = (await contact({ orderId, reason: 'damaged' })).body;
    const complete = () =>
      agent.ask('POST', `/v1/tasks/${taskId}/complete`, { outcome: 'refunded', note: 'sent photos' });
    const answers = await Promise.all(Array.from({ length: 5 }, complete));
    const done = answers.filter(({ status }) => status === 200);
    expect(done).toHaveLength(1);
    expect(done[0]?.body).toMatchObject({ status: 'done', outcome: 'refunded', completedBy: `key:${agent.name}` });
    for (const answer of answers.filter((one) => !done.includes(one))) {
      expectProblem(answer, { status: 409, code: 'already_decided' });
    }
    expect(await tasksOf(orderId)).toEqual([]);
    expect(await tasksOf(orderId, 'done')).toMatchObject([{ id: taskId, note: 'sent photos' }]);
  });

  test('a case that was closed opens again when the customer comes back, and not for a contact of before', async () => {
    const orderId = await anOrder(server);
    const { taskId } = (await contact({ orderId, reason: 'damaged' })).body;
    await agent.ask('POST', `/v1/tasks/${taskId}/complete`, { outcome: 'refunded' });
    await contact({ orderId, reason: 'damaged', at: ago(60) });
    expect(await tasksOf(orderId)).toEqual([]);
    await contact({ orderId, reason: 'damaged' });
    expect(await tasksOf(orderId)).toMatchObject([{ id: taskId, status: 'open', outcome: null }]);
  });

  test('pages by when they are due, what is due at no time last, none twice', async () => {
    await database.query(
      `UPDATE tasks SET due_at = NULL WHERE id = (SELECT min(id::text)::uuid FROM tasks WHERE status = 'open')`,
    );
    const all = (await agent.ask('GET', '/v1/tasks?limit=200')).body.items.map(({ id }: { id: string }) => id);
    expect(all.length).toBeGreaterThan(2);
    const seen: string[] = [];
    for (let after = ''; ; ) {
      const { body } = await agent.ask('GET', `/v1/tasks?limit=2${after}`);
      seen.push(...body.items.map(({ id }: { id: string }) => id));
      if (body.next === null) break;
      after = `&after=${body.next}`;
    }
    expect(seen).toEqual(all);
  });

  test('an unknown task: 404; without an outcome: 400', async () => {
    const path = '/v1/tasks/00000000-0000-7000-8000-000000000000/complete';
    expectProblem(await agent.ask('POST', path, { outcome: 'x' }), { status: 404 });
    expectProblem(await agent.ask('POST', path, { outcome: ' ' }), { status: 400, fields: ['outcome'] });
  });
});
