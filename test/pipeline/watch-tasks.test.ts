import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { listAlarms } from '../../src/compensation/alarm-store.js';
import { type Database, openDatabase } from '../../src/db/database.js';
import { createLogger } from '../../src/logger.js';
import { watchTasks } from '../../src/promises/watch-tasks.js';
import { BACKENDS } from '../support/backends.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { startMakegood } from '../support/makegood.js';

const ORDER = `
  INSERT INTO customers (id) VALUES ('ann');
  INSERT INTO orders (id, customer_id, promise_on, promise_time_zone, promised_until, registered_at)
    VALUES ('o-1', 'ann', '2026-11-03', 'America/New_York', '2026-11-04T05:00:00Z', now());
`;

/** Tasks of an order, due at an instant. @returns their ids */
async function tasks(database: TestDatabase, kind: 'call' | 'case', dueAt: string | null, many = 1): Promise<string[]> {
  const rows = await database.query<{ id: string }>(
    `INSERT INTO tasks (id, order_id, customer_id, incident, rule, kind, created_at, due_at)
     SELECT gen_random_uuid(), 'o-1', 'ann', 'late', gen_random_uuid()::text, $1, now(), $2 FROM generate_series(1, $3) RETURNING id`,
    [kind, dueAt, many],
  );
  return rows.map(({ id }) => id);
}

describe('the watch over tasks', () => {
  let database: TestDatabase;
  let db: Database;
  let other: Database;

  beforeAll(async () => {
    database = await createTestDatabase();
    await database.query(ORDER);
    [db, other] = [1, 2].map(() => openDatabase(database.url, { poolSize: 3, onError: () => {} })) as [
      Database,
      Database,
    ];
  });
  afterAll(async () => {
    await db.close();
    await other.close();
    await database.drop();
  });

  const log = createLogger('silent');
  const watchAt = (time: string, over = db) =>
    watchTasks({ db: over, clock: { read: () => new Date(`2026-11-05T${time}Z`) }, log });
  const escalated = async (ids: readonly string[]) =>
    (
      await database.query<{ id: string }>('SELECT id FROM tasks WHERE id = ANY($1) AND escalated_at IS NOT NULL', [
        ids,
      ])
    ).map(({ id }) => id);
  const openAlarms = async (ids: readonly string[]) =>
    (await listAlarms(db.pool, { openOnly: true, limit: 10_000 })).filter(({ subject }) => ids.includes(subject));
  const auditOf = (ids: readonly string[]) =>
    database.query('SELECT actor, action, subject, details FROM audit WHERE subject = ANY($1) ORDER BY seq', [ids]);

  test('a case is escalated when it is due, a call four hours later, and not a moment before', async () => {
    const [aCase = ''] = await tasks(database, 'case', '2026-11-05T12:00:00Z');
    const [aCall = ''] = await tasks(database, 'call', '2026-11-05T12:00:00Z');
    await tasks(database, 'call', null);
    expect(await watchAt('11:59:59.999')).toBe(0);
    expect(await watchAt('12:00:00')).toBe(1);
    expect(await escalated([aCase, aCall])).toEqual([aCase]);
    expect(await watchAt('15:59:59.999')).toBe(0);
    expect(await watchAt('16:00:00')).toBe(1);
    expect(await escalated([aCall])).toEqual([aCall]);
    expect(await watchAt('23:00:00')).toBe(0);

    const [{ rule } = { rule: '' }] = await database.query<{ rule: string }>('SELECT rule FROM tasks WHERE id = $1', [
      aCall,
    ]);
    expect(await openAlarms([aCall])).toMatchObject([
      {
        kind: 'task_overdue',
        message: `The call for order o-1 (${rule}) was due at 2026-11-05T12:00:00.000Z and is not done.`,
        details: { task: aCall, order: 'o-1', kind: 'call', assigneeKeyId: null },
        raisedAt: new Date('2026-11-05T16:00:00Z'),
      },
    ]);
    expect(await auditOf([aCase, aCall])).toMatchObject([
      { actor: 'makegood', action: 'task.escalate', subject: aCase, details: { kind: 'case', orderId: 'o-1' } },
      { actor: 'makegood', action: 'task.escalate', subject: aCall, details: { kind: 'call', rule } },
    ]);
  });

  test('what is done is not escalated, however late it was', async () => {
    const ids = await tasks(database, 'case', '2026-11-01T12:00:00Z');
    await database.query(
      `UPDATE tasks SET status = 'done', outcome = 'x', completed_at = now(), completed_by = 'key:x' WHERE id = ANY($1)`,
      [ids],
    );
    expect(await watchAt('12:00:00')).toBe(0);
    expect(await openAlarms(ids)).toEqual([]);
  });

  test('watched by several at once, also in many batches, each task is escalated once', async () => {
    const ids = await tasks(database, 'case', '2026-11-05T09:00:00Z', 450);
    const counts = await Promise.all([db, other, db, other].map((over) => watchAt('13:00:00', over)));
    // Whoever found everything held by the others has ended: the rest is found by the next run.
    const rest = await watchAt('13:01:00');
    expect([...counts, rest].reduce((sum, count) => sum + count, 0)).toBe(450);
    expect(await escalated(ids)).toHaveLength(450);
    expect(await openAlarms(ids)).toHaveLength(450);
    expect(new Set((await auditOf(ids)).map(({ subject }) => subject)).size).toBe(450);
    expect(await auditOf(ids)).toHaveLength(450);
  });

  test('one that somebody is just doing is left to them', async () => {
    const [id = ''] = await tasks(database, 'case', '2026-11-05T09:00:00Z');
    await other.transaction(async (sql) => {
      await sql.query('SELECT 1 FROM tasks WHERE id = $1 FOR UPDATE', [id]);
      expect(await watchAt('14:00:00')).toBe(0);
      await sql.query(
        `UPDATE tasks SET status = 'done', outcome = 'x', completed_at = now(), completed_by = 'key:x' WHERE id = $1`,
        [id],
      );
    });
    expect(await watchAt('14:01:00')).toBe(0);
    expect(await openAlarms([id])).toEqual([]);
  });

  test('a run that dies before COMMIT leaves nothing, and the next does it all', async () => {
    const [id = ''] = await tasks(database, 'case', '2026-11-05T09:00:00Z');
    // An alarm that cannot be written: as a crash, everything is undone.
    await database.query(`ALTER TABLE alarms ADD CONSTRAINT no_more CHECK (subject <> '${id}')`);
    await expect(watchAt('14:00:00')).rejects.toThrow();
    expect([await escalated([id]), await auditOf([id])]).toEqual([[], []]);
    await database.query('ALTER TABLE alarms DROP CONSTRAINT no_more');
    expect(await watchAt('14:01:00')).toBe(1);
    expect(await openAlarms([id])).toHaveLength(1);
  });
});

describe.each(BACKENDS)('watch-tasks by the clock, BullMQ on $backend', ({ start }) => {
  test('a task that is overdue raises its alarm without anybody asking', async () => {
    const database = await createTestDatabase();
    const queue = await start();
    const makegood = await startMakegood({
      databaseUrl: database.url,
      workers: ['watch-tasks'],
      ...(queue.redisUrl ? { redisUrl: queue.redisUrl } : {}),
    });
    try {
      await database.query(ORDER);
      const [id = randomUUID()] = await tasks(database, 'case', new Date(Date.now() - 60_000).toISOString());
      // The same schedule, more often: nobody waits a minute for it here.
      await makegood.deps.queues.ensureSchedules({ 'watch-tasks': { every: 500 } });
      const alarms = await eventually(async () => {
        const { body } = await makegood.request('GET', '/v1/alarms');
        return body.items.length > 0 && body.items;
      }, 90_000);
      expect(alarms).toMatchObject([{ kind: 'task_overdue', subject: id }]);
      expect((await makegood.request('GET', '/v1/tasks?escalated=true')).body.items).toMatchObject([
        { id, overdue: true },
      ]);
      expect((await makegood.request('GET', '/metrics')).body).toContain('makegood_open_alarms{kind="task_overdue"} 1');
    } finally {
      await makegood.stop();
      await queue.stop();
      await database.drop();
    }
  }, 120_000);
});
