import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { readDatabaseState } from '../support/database-state.js';
import { startHttpServer, type TestServer } from '../support/http-server.js';
import { trackerEvent } from '../support/makegood.js';
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
const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();
/** Promised for a day that is over, and not for long enough to be lost. */
const LATE = { promise: { on: daysAgo(3).slice(0, 10), timeZone: 'America/New_York' }, placedAt: daysAgo(8) };
const trackingNumberOf = (orderId: string) => `9400${orderId.replace('o-people-', '').padStart(18, '0')}`;
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

  test('late, and it is not: no case, and a true answer to read out, judged or not', async () => {
    const orderId = await anOrder(server, { promise: { on: '2098-03-05', timeZone: 'America/New_York' } });
    const first = await contact({ orderId, reason: 'late' });
    expect(first).toMatchObject({ status: 201, body: { taskId: null } });
    expect(first.body.answer).toBe(
      [
        'We promised this order for Wednesday, March 5, 2098.',
        'That day is still to come, so it is not late.',
        'The carrier has not told us anything of it yet.',
        'If it comes too late, we notice it by ourselves and see to what is due to you: you do not have to ask.',
      ].join(' '),
    );
    await agent.ask('POST', `/v1/orders/${orderId}/recheck`, {});
    expect((await contact({ orderId, reason: 'late' })).body.answer).toBe(first.body.answer);
    expect(await tasksOf(orderId)).toEqual([]);
  });

  test('late, and it is: what the carrier told last, and no amount that was not given', async () => {
    const orderId = await anOrder(server, LATE);
    // Of an order that is known only now nobody says that it is late before its scans had time to come in.
    await database.query(`UPDATE orders SET registered_at = placed_at WHERE id = $1`, [orderId]);
    await server.webhook(trackerEvent(trackingNumberOf(orderId), [['in_transit', 'arrived_at_facility', daysAgo(4)]]));
    await workByHand(server.deps, database, 'judge-promises');
    const given = () => database.query('SELECT status FROM awards WHERE order_id = $1', [orderId]);
    expect(await given()).toEqual([{ status: 'pending' }]);
    const before = (await contact({ orderId, reason: 'late' })).body.answer;
    expect(before).toMatch(
      /^We promised this order for \w+, \w+ \d+(, \d+)?\. It should have reached you by then, and has not: it is late\./,
    );
    expect(before).toMatch(/last told us of it on \w+, \w+ \d+(, \d+)?, \d+:\d\d.[AP]M E[DS]T: it was on its way\./);
    expect(before).toMatch(/Making good for it is under way\.$/);
    await workByHand(server.deps, database, 'grant-awards');
    expect(await given()).toEqual([{ status: 'applied' }]);
    expect((await contact({ orderId, reason: 'late' })).body.answer).toMatch(
      /For it you have been given one free month of your membership\.$/,
    );
  });

  test('a case knows what the record says', async () => {
    const orderId = await anOrder(server, LATE);
    await contact({ orderId, reason: 'late', at: ago(60) });
    await contact({ orderId, reason: 'not_received', channel: 'chat' });
    const [task] = await tasksOf(orderId);
    expect(task.talkingPoints).toEqual([
      expect.stringMatching(`^The customer says that order ${orderId} was not received \\(chat, `),
      expect.stringMatching(/^It was promised for \w+, \w+ \d+(, \d+)?\.$/),
      'It has not been judged before.',
      `Parcel usps ${trackingNumberOf(orderId)}: the carrier has told nothing of it.`,
      'Nothing was given for it so far.',
      'Nothing was made good for this customer in the last 90 days.',
      expect.stringMatching(/^The customer got in touch once in the 90 days before: late on /),
      'Promise nothing that is not on this list.',
    ]);
    await workByHand(server.deps, database, 'judge-promises');
  });

  test('an order of another customer is answered as one that is not there, and nothing is stored', async () => {
    const orderId = await anOrder(server);
    const other = await anOrder(server);
    const before = await readDatabaseState(database);
    const foreign = await contact({ orderId, customerId: `c-${other}`, reason: 'damaged' });
    const unknown = await contact({ orderId: 'nobody', customerId: `c-${other}`, reason: 'damaged' });
    expectProblem(foreign, { status: 404, code: 'not_found' });
    expect(foreign.body).toEqual({ ...unknown.body, instance: foreign.body.instance });
    expect(await readDatabaseState(database)).toEqual(before);
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
    await contact({ orderId, reason: 'damaged', channel: 'letter' });
    const [again] = await tasksOf(orderId);
    expect(again).toMatchObject({ id: taskId, status: 'open', outcome: null });
    // What whoever looks at it now needs to know is of now.
    expect(again.talkingPoints[0]).toContain('(letter, ');
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
