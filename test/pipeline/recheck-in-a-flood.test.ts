import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { startWorkers } from '../../workers/start-workers.js';
import { BACKENDS } from '../support/backends.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { orderDocument, startMakegood, type TestMakegood, trackerEvent } from '../support/makegood.js';

jest.setTimeout(240_000);

const WAITING = 50_000;
const FLOOD_ORDERS = 5_000;
const STAGES = ['judge-promises', 'grant-awards', 'call-providers', 'send-messages'] as const;

describe.each(BACKENDS)(`an agent behind ${WAITING} waiting tickets, BullMQ on $backend`, ({ start }) => {
  let database: TestDatabase;
  let queue: Awaited<ReturnType<typeof start>>;
  let makegood: TestMakegood;

  beforeAll(async () => {
    database = await createTestDatabase();
    queue = await start();
    makegood = await startMakegood({
      databaseUrl: database.url,
      workers: [],
      ...(queue.redisUrl ? { redisUrl: queue.redisUrl } : {}),
      now: '2026-11-07T12:00:00Z',
    });
  });
  afterAll(async () => {
    await makegood.stop();
    await queue.stop();
    await database.drop();
  });

  async function flooded(): Promise<number> {
    const [row] = await database.query<{ count: number }>(
      `SELECT count(*)::int FROM outbox WHERE stage = 'judge-promises' AND trigger = 'deadline'`,
    );
    return row?.count ?? 0;
  }

  /** Tickets that the clock has caused, one an order: none takes another along. All are on the queue. */
  async function flood(): Promise<void> {
    await database.query(`INSERT INTO customers (id) VALUES ('c-flood')`);
    await database.query(
      `INSERT INTO orders (id, customer_id, promise_on, promise_time_zone, promised_until, registered_at, due_at)
       SELECT 'flood-' || n, 'c-flood', '2026-11-20', 'UTC', '2026-11-21T00:00:00Z', '2026-11-01T00:00:00Z', '2026-11-21T00:00:00Z'
       FROM generate_series(1, $1::int) n`,
      [FLOOD_ORDERS],
    );
    const tickets = Array.from({ length: WAITING }, (_, index) => ({
      id: randomUUID(),
      order: `flood-${1 + (index % FLOOD_ORDERS)}`,
    }));
    await database.query(
      `INSERT INTO outbox (id, stage, ids, trigger, trace, relay_after)
       SELECT id, 'judge-promises', ARRAY[order_id], 'deadline', 'flood', now() + interval '1 hour'
       FROM unnest($1::uuid[], $2::text[]) AS n(id, order_id)`,
      [tickets.map(({ id }) => id), tickets.map(({ order }) => order)],
    );
    for (let from = 0; from < tickets.length; from += 5_000) {
      const some = tickets.slice(from, from + 5_000);
      await makegood.deps.queues.announce(
        some.map(({ id }) => ({ id, stage: 'judge-promises', trigger: 'deadline' as const })),
      );
    }
    expect(await makegood.deps.queues.countWaiting('judge-promises')).toBe(WAITING);
  }

  test('a re-check is judged, granted and told while they still wait, and ten at once give one month', async () => {
    const late = ['one', 'two', 'three'];
    for (const id of late) {
      const document = orderDocument({ customerId: `c-${id}`, trackingNumber: `flood-${id}` });
      expect((await makegood.put(id, document)).status).toBe(201);
      const event = trackerEvent(`flood-${id}`, [['delivered', 'arrived_at_destination', '2026-11-06T19:00:00Z']]);
      expect((await makegood.webhook(event)).status).toBe(200);
    }
    // What the webhooks have caused is lost: only the agent's look finds it.
    await database.query('DELETE FROM outbox');
    await flood();

    const stop = await startWorkers(makegood.deps, STAGES);
    try {
      await eventually(async () => (await flooded()) < WAITING);
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => makegood.request('POST', '/v1/orders/one/recheck', { reason: 'she asks' })),
      );
      const stillWaiting = await flooded();
      expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
      expect(answers.filter(({ body }) => body.changed)).toHaveLength(1);
      for (const { body } of answers) expect(body.after).toMatchObject({ verdict: 'late', incident: 'late' });
      expect(stillWaiting).toBeGreaterThan(WAITING / 2);

      // Granting and the letter go ahead as well: theirs are other queues, but the same workers and database.
      await eventually(async () => (await makegood.order('one')).messages[0]?.status === 'sent');
      expect((await makegood.order('one')).awards).toMatchObject([{ kind: 'membership_extension', status: 'applied' }]);
      expect(await flooded()).toBeGreaterThan(0);

      // Re-checks of many go through the queue, and ahead of what waits there.
      const answer = await makegood.request('POST', '/v1/rechecks', {
        filter: { carrier: 'usps' },
        reason: 'a bad week',
      });
      expect(answer).toMatchObject({ status: 202, body: { total: 3, finished: false } });
      await eventually(async () => {
        const { body } = await makegood.request('GET', `/v1/rechecks/${answer.body.id}`);
        return body.finished === true;
      });
      expect(await flooded()).toBeGreaterThan(0);
      const { body } = await makegood.request('GET', `/v1/rechecks/${answer.body.id}`);
      expect(body).toMatchObject({ total: 3, done: 3, failed: 0, changed: 2, awards: 2, finished: true });
    } finally {
      await stop();
    }
    const [awards] = await database.query('SELECT count(*)::int AS count FROM awards');
    expect(awards).toEqual({ count: 3 });
  });
});
