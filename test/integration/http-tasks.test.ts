import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { listAlarms } from '../../src/compensation/alarm-store.js';
import { watchTasks } from '../../src/promises/watch-tasks.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { startMakegood, type TestMakegood } from '../support/makegood.js';
import { anOrder, type Person, somebody } from '../support/people.js';
import { expectProblem } from '../support/problem.js';

let database: TestDatabase;
let makegood: TestMakegood;
let ann: Person;
let bob: Person;
let chief: Person;
let shop: Person;

/** Half past ten in the morning in New York, where the customers are. */
const MORNING = '2026-12-21T15:30:00Z';
const DAY_MS = 86_400_000;
/** Longer than any request of these tests takes. */
const SOON_MS = 600_000;

beforeAll(async () => {
  database = await createTestDatabase();
  makegood = await startMakegood({ databaseUrl: database.url, now: MORNING, workers: [] });
  [ann, bob, chief, shop] = await Promise.all([
    somebody(makegood, 'agent'),
    somebody(makegood, 'agent'),
    somebody(makegood, 'supervisor'),
    somebody(makegood, 'ingest'),
  ]);
});
afterAll(async () => {
  await makegood.stop();
  await database.drop();
});
beforeEach(() => makegood.clock.set(new Date(MORNING)));

/** A task for an order of its own. */
async function aTask(changes: Record<string, unknown> = {}): Promise<string> {
  const orderId = await anOrder(makegood);
  const id = randomUUID();
  const row = {
    ...{ id, order_id: orderId, customer_id: `c-${orderId}`, incident: 'late', rule: 'occasion-call', kind: 'call' },
    ...{ created_at: MORNING, due_at: MORNING, time_zone: 'America/New_York' },
    ...changes,
  };
  await database.query(
    `INSERT INTO tasks (${Object.keys(row).join(', ')})
     VALUES (${Object.keys(row).map((_name, place) => `$${place + 1}`)})`,
    Object.values(row),
  );
  return id;
}

const assign = (person: Person, id: string, body?: object) => person.ask('POST', `/v1/tasks/${id}/assign`, body);
const postpone = (person: Person, id: string, body?: object) => person.ask('POST', `/v1/tasks/${id}/postpone`, body);
const complete = (person: Person, id: string) => person.ask('POST', `/v1/tasks/${id}/complete`, { outcome: 'reached' });
const listed = async (query: string, person = ann): Promise<string[]> => {
  const { status, body } = await person.ask('GET', `/v1/tasks?limit=200&${query}`);
  expect(status).toBe(200);
  return body.items.map(({ id }: { id: string }) => id);
};
const taskOf = async (id: string, status = 'open') => {
  const { body } = await ann.ask('GET', `/v1/tasks?limit=200&status=${status}`);
  return body.items.find((task: { id: string }) => task.id === id);
};
const actsOn = (id: string) =>
  database.query('SELECT action, actor, reason, details FROM audit WHERE subject = $1 ORDER BY seq', [id]);
const alarmsOf = async (id: string) =>
  (await listAlarms(makegood.deps.db.pool, { openOnly: false, limit: 200 })).filter(({ subject }) => subject === id);

describe('POST /v1/tasks/{id}/assign', () => {
  test('an agent takes what is free, and gives it back; each act stands in the audit', async () => {
    const id = await aTask();
    expect(await taskOf(id)).toMatchObject({ assignee: null, assigneeKeyId: null });
    const taken = await assign(ann, id);
    expect(taken).toMatchObject({ status: 200, body: { id, assignee: ann.name, assigneeKeyId: ann.id } });
    expect(await taskOf(id)).toEqual(taken.body);
    expect((await assign(ann, id, {})).body).toMatchObject({ assigneeKeyId: ann.id });
    expect((await assign(ann, id, { assignee: null })).body).toMatchObject({ assignee: null, assigneeKeyId: null });
    expect((await assign(ann, id, { assignee: null })).status).toBe(200);
    expect(await actsOn(id)).toMatchObject([
      { action: 'task.assign', actor: `key:${ann.name}`, details: { from: null, to: ann.id, keyId: ann.id } },
      { action: 'task.assign', actor: `key:${ann.name}`, details: { from: ann.id, to: null } },
    ]);
    expect(await database.query('SELECT assigned_at FROM tasks WHERE id = $1', [id])).toEqual([{ assigned_at: null }]);
  });

  test('of many who take it at once one has it, and the others hear so, whatever they are', async () => {
    const people = [ann, bob, chief];
    for (let round = 0; round < 5; round++) {
      const id = await aTask();
      const answers = await Promise.all(people.map((person) => assign(person, id)));
      const won = people.filter((_person, place) => answers[place]?.status === 200);
      expect(won).toHaveLength(1);
      for (const answer of answers.filter(({ status }) => status !== 200)) {
        expectProblem(answer, { status: 409, code: 'already_decided' });
      }
      expect(await taskOf(id)).toMatchObject({ assigneeKeyId: won[0]?.id });
    }
  });

  test('an agent neither gives a task to somebody else nor takes it from them', async () => {
    const id = await aTask();
    expectProblem(await assign(ann, id, { assignee: bob.id }), { status: 403, code: 'forbidden' });
    await assign(bob, id);
    expectProblem(await assign(ann, id, { assignee: null }), { status: 403, code: 'forbidden' });
    expectProblem(await assign(ann, id, { assignee: ann.id }), { status: 409, code: 'already_decided' });
    expect(await taskOf(id)).toMatchObject({ assigneeKeyId: bob.id });
  });

  test('a supervisor gives it to anybody and takes it from anybody, by name', async () => {
    const id = await aTask();
    expect((await assign(chief, id, { assignee: ann.id.toUpperCase() })).body).toMatchObject({ assignee: ann.name });
    expect((await assign(chief, id, { assignee: bob.id })).body).toMatchObject({ assignee: bob.name });
    expect((await assign(chief, id, { assignee: chief.id })).body).toMatchObject({ assignee: chief.name });
    expect((await assign(chief, id, { assignee: ann.id })).body).toMatchObject({ assignee: ann.name });
    expect((await assign(chief, id, { assignee: null })).body).toMatchObject({ assignee: null });
    // An admin is no less than that.
    await assign(bob, id);
    const byAdmin = await makegood.request('POST', `/v1/tasks/${id}/assign`, { assignee: ann.id });
    expect(byAdmin).toMatchObject({ status: 200, body: { assigneeKeyId: ann.id } });
  });

  test('only an active key of a person can have a task', async () => {
    const id = await aTask();
    const gone = await somebody(makegood, 'agent');
    await database.query('UPDATE api_keys SET revoked_at = now() WHERE id = $1', [gone.id]);
    for (const assignee of [shop.id, gone.id, randomUUID(), 'ann']) {
      expectProblem(await assign(chief, id, { assignee }), { status: 400, fields: ['assignee'] });
    }
    expect(await taskOf(id)).toMatchObject({ assignee: null });
  });

  test('a key that is revoked holds nothing: its tasks are free again', async () => {
    const id = await aTask();
    const gone = await somebody(makegood, 'agent');
    await assign(gone, id);
    expect(await listed('assignee=none')).not.toContain(id);
    await database.query('UPDATE api_keys SET revoked_at = now() WHERE id = $1', [gone.id]);
    expect(await listed('assignee=none')).toContain(id);
    expect(await listed(`assignee=${gone.id}`)).toEqual([]);
    expect((await assign(bob, id)).body).toMatchObject({ assigneeKeyId: bob.id });
  });

  test('what is done is nobody’s to take; an unknown task: 404', async () => {
    const id = await aTask();
    await complete(ann, id);
    expectProblem(await assign(ann, id), { status: 409, code: 'already_decided' });
    expectProblem(await assign(ann, randomUUID()), { status: 404, code: 'not_found' });
  });
});

describe('GET /v1/tasks', () => {
  test('by who has it: mine, nobody’s, somebody’s', async () => {
    const [mine, free, his] = [await aTask(), await aTask(), await aTask()];
    await assign(ann, mine);
    await assign(bob, his);
    const among = (ids: string[]) => ids.filter((id) => [mine, free, his].includes(id));
    expect(among(await listed('assignee=me'))).toEqual([mine]);
    expect(among(await listed('assignee=me', bob))).toEqual([his]);
    expect(among(await listed('assignee=none'))).toEqual([free]);
    expect(among(await listed(`assignee=${bob.id.toUpperCase()}`))).toEqual([his]);
    expect(await listed(`assignee=${randomUUID()}`)).toEqual([]);
    expectProblem(await ann.ask('GET', '/v1/tasks?assignee=bob'), { status: 400, fields: ['assignee'] });
    expectProblem(await ann.ask('GET', '/v1/tasks?escalated=yes'), { status: 400, fields: ['escalated'] });
  });

  test('says what is overdue, from the instant on at which it was due', async () => {
    const [now, later] = [await aTask(), await aTask({ due_at: '2026-12-21T17:00:00Z' })];
    const never = await aTask({ due_at: null });
    expect(await taskOf(now)).toMatchObject({ overdue: true, tries: 0, escalatedAt: null });
    for (const id of [later, never]) expect(await taskOf(id)).toMatchObject({ overdue: false });
    await complete(ann, now);
    expect(await taskOf(now, 'done')).toMatchObject({ overdue: false });
  });

  test('filtered pages follow one another, none twice and none left out', async () => {
    const dues = ['16:00', '16:00', '16:00', '17:00', null, null];
    const ids: string[] = [];
    for (const due of dues) {
      const id = await aTask({ due_at: due && `2026-12-21T${due}:00Z`, kind: 'case' });
      await assign(chief, id, { assignee: chief.id });
      ids.push(id);
      // Between them what is not asked for.
      await aTask({ due_at: due && `2026-12-21T${due}:00Z`, kind: 'case' });
    }
    const seen: string[] = [];
    for (let after = ''; ; ) {
      const { body } = await chief.ask('GET', `/v1/tasks?limit=2&kind=case&assignee=me${after}`);
      seen.push(...body.items.map(({ id }: { id: string }) => id));
      if (body.next === null) break;
      after = `&after=${body.next}`;
    }
    const byId = (some: string[]) => [...some].sort();
    expect(seen).toEqual([...byId(ids.slice(0, 3)), ...ids.slice(3, 4), ...byId(ids.slice(4))]);
  });
});

describe('POST /v1/tasks/{id}/postpone', () => {
  /** What a task is due at after it was put off at an instant. */
  async function dueAfter(now: string, body?: object, changes: Record<string, unknown> = {}): Promise<number> {
    const id = await aTask(changes);
    makegood.clock.set(new Date(now));
    const { status, body: task } = await postpone(ann, id, body);
    expect({ status, task }).toMatchObject({ status: 200, task: { tries: 1 } });
    return Date.parse(task.dueAt);
  }

  test('counts a try, and the next is due an hour later where that is within the hours of the customer', async () => {
    const id = await aTask();
    const first = await postpone(ann, id, { note: 'no answer' });
    expect(first).toMatchObject({ status: 200, body: { status: 'open', tries: 1, note: 'no answer', overdue: false } });
    expect(Date.parse(first.body.dueAt)).toBeGreaterThanOrEqual(Date.parse('2026-12-21T16:30:00Z'));
    expect(Date.parse(first.body.dueAt)).toBeLessThan(Date.parse('2026-12-21T16:30:00Z') + SOON_MS);
    const second = await postpone(bob, id);
    expect(second.body).toMatchObject({ tries: 2, note: 'no answer' });
    expect(await taskOf(id)).toEqual(second.body);
    expect(await actsOn(id)).toMatchObject([
      { action: 'task.postpone', actor: `key:${ann.name}`, reason: 'no answer', details: { tries: 1, keyId: ann.id } },
      { action: 'task.postpone', actor: `key:${bob.name}`, reason: null, details: { tries: 2 } },
    ]);
  });

  test.each([
    ['in the evening: when their hours begin again', '2026-12-21T22:30:00Z', undefined, '2026-12-22T15:00:00Z'],
    ['not before a time of day: then', MORNING, { notBefore: '2026-12-21T14:00:00-05:00' }, '2026-12-21T19:00:00Z'],
    [
      'not before a time of night: in the morning after',
      MORNING,
      { notBefore: '2026-12-23T03:00:00Z' },
      '2026-12-23T15:00:00Z',
    ],
  ])('a call put off %s', async (_name, now, body, wanted) => {
    expect(await dueAfter(now, body)).toBe(Date.parse(wanted));
  });

  test('a call that knows no zone takes that of its order', async () => {
    const id = await aTask({ due_at: null, time_zone: null });
    const { body } = await postpone(ann, id, { notBefore: '2026-12-23T03:00:00Z' });
    expect(body).toMatchObject({ dueAt: '2026-12-23T15:00:00.000Z', timeZone: 'America/New_York' });
  });

  test('a case is due simply then, at any hour, and an hour later at the least', async () => {
    const aCase = { kind: 'case', time_zone: null };
    expect(await dueAfter(MORNING, { notBefore: '2026-12-23T03:00:00Z' }, aCase)).toBe(
      Date.parse('2026-12-23T03:00:00Z'),
    );
    const soon = await dueAfter(MORNING, { notBefore: '2026-12-21T15:40:00Z' }, aCase);
    expect(soon).toBeGreaterThanOrEqual(Date.parse('2026-12-21T16:30:00Z'));
    expect(soon).toBeLessThan(Date.parse('2026-12-21T16:30:00Z') + SOON_MS);
  });

  test('within 14 days and not beyond, also when only the night makes it more', async () => {
    const now = Date.parse(MORNING);
    const at = (ms: number) => ({ notBefore: new Date(now + ms).toISOString() });
    const aCase = await aTask({ kind: 'case' });
    expectProblem(await postpone(ann, aCase, at(14 * DAY_MS + SOON_MS)), { status: 400, fields: ['notBefore'] });
    expect((await postpone(ann, aCase, at(14 * DAY_MS))).status).toBe(200);
    makegood.clock.set(new Date('2026-12-21T22:30:00Z'));
    const call = await aTask();
    // Half an hour before the 14 days are over it is six in the evening there, and nobody is called until the next morning.
    expectProblem(await postpone(ann, call, { notBefore: '2027-01-04T23:00:00Z' }), {
      status: 400,
      fields: ['notBefore'],
    });
    expect(await taskOf(call)).toMatchObject({ tries: 0 });
    expect((await postpone(ann, call, { notBefore: '2027-01-04T22:00:00Z' })).status).toBe(200);
  });

  test('what is done is not put off; what is no instant is refused; an unknown task: 404', async () => {
    const id = await aTask();
    expectProblem(await postpone(ann, id, { notBefore: 'tomorrow' }), { status: 400, fields: ['notBefore'] });
    await complete(ann, id);
    expectProblem(await postpone(ann, id), { status: 409, code: 'already_decided' });
    expectProblem(await postpone(ann, randomUUID()), { status: 404 });
  });

  test('it ends the escalation and its alarm, and keeps who has taken it', async () => {
    const id = await aTask({ kind: 'case' });
    await assign(ann, id);
    await watchTasks(makegood.deps);
    expect(await listed('escalated=true')).toContain(id);
    expect(await listed('escalated=false')).not.toContain(id);
    expect(await alarmsOf(id)).toMatchObject([{ kind: 'task_overdue', clearedAt: null }]);
    expect((await postpone(ann, id)).body).toMatchObject({ escalatedAt: null, assigneeKeyId: ann.id });
    expect(await listed('escalated=true')).not.toContain(id);
    expect(await alarmsOf(id)).toMatchObject([{ clearedAt: expect.any(Date) }]);
  });
});

test('a task that is done has no alarm any more, and still shows that it was late', async () => {
  const id = await aTask({ kind: 'case' });
  await watchTasks(makegood.deps);
  expect((await complete(ann, id)).body).toMatchObject({ status: 'done', escalatedAt: expect.any(String) });
  expect(await alarmsOf(id)).toMatchObject([{ clearedAt: expect.any(Date) }]);
});

test('a case that opens again is as new: nobody has it, nothing was tried, and it is not overdue', async () => {
  const orderId = await anOrder(makegood);
  const contact = () => shop.ask('POST', '/v1/contacts', { orderId, channel: 'phone', reason: 'damaged' });
  const { taskId } = (await contact()).body;
  await assign(ann, taskId);
  await postpone(ann, taskId, { note: 'no photos yet' });
  makegood.clock.set(new Date('2026-12-24T15:30:00Z'));
  await watchTasks(makegood.deps);
  // One that is open stays as it is, whoever gets in touch.
  await contact();
  expect(await taskOf(taskId)).toMatchObject({ assignee: ann.name, tries: 1, escalatedAt: expect.any(String) });
  await complete(ann, taskId);
  expect((await contact()).body.taskId).toBe(taskId);
  const fresh = { assignee: null, assigneeKeyId: null, tries: 0, escalatedAt: null, overdue: false, note: null };
  expect(await taskOf(taskId)).toMatchObject({ status: 'open', ...fresh });
  makegood.clock.set(new Date('2026-12-26T15:30:00Z'));
  await watchTasks(makegood.deps);
  expect((await alarmsOf(taskId)).map(({ clearedAt }) => clearedAt === null)).toEqual([true, false]);
});
