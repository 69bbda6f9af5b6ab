import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { watchDeadlines } from '../../src/promises/watch-deadlines.js';
import { BACKENDS } from '../support/backends.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { orderDocument, startMakegood, type TestMakegood, trackerEvent } from '../support/makegood.js';
import { ticketsOf, workByHand } from '../support/tickets.js';

describe.each(BACKENDS)('deadlines by the clock, BullMQ on $backend', ({ start }) => {
  let database: TestDatabase;
  let queue: Awaited<ReturnType<typeof start>>;
  let makegood: TestMakegood;

  beforeAll(async () => {
    database = await createTestDatabase();
    queue = await start();
    makegood = await startMakegood({
      databaseUrl: database.url,
      now: '2026-11-05T12:00:00Z',
      workers: ['track-shipments', 'judge-promises', 'grant-awards', 'send-messages', 'watch-deadlines'],
      ...(queue.redisUrl ? { redisUrl: queue.redisUrl } : {}),
    });
  });
  afterAll(async () => {
    await makegood.stop();
    await queue.stop();
    await database.drop();
  });

  test('a parcel whose promise runs out is noticed and made good within a minute, without any webhook', async () => {
    const registered = [
      ['date', { on: '2026-11-05', timeZone: 'America/New_York' }],
      ['instant', { at: '2026-11-06T04:59:59Z', timeZone: 'Europe/Berlin' }],
      ['tomorrow', { on: '2026-11-06', timeZone: 'America/New_York' }],
    ] as const;
    for (const [id, promise] of registered) {
      const answer = await makegood.put(id, orderDocument({ customerId: id, trackingNumber: `${id}-1`, promise }));
      expect(answer.status).toBe(201);
    }
    await makegood.quiet();
    for (const [id] of registered) expect((await makegood.order(id)).verdict).toMatchObject({ verdict: 'pending' });

    // Two seconds before the day ends in New York.
    makegood.clock.set(new Date('2026-11-06T04:59:58Z'));
    const overdue = await eventually(async () => {
      const orders = await Promise.all(['date', 'instant'].map((id) => makegood.order(id)));
      return orders.every(({ verdict }) => verdict?.verdict === 'overdue') ? orders : null;
    }, 60_000);
    await makegood.quiet();

    // Of the date a day is over; of the instant, on the same local day, only seconds: not an incident yet.
    expect(overdue.map(({ verdict }) => [verdict?.lateDays, verdict?.fault])).toEqual([
      [1, 'merchant'],
      [0, 'merchant'],
    ]);
    const made = await makegood.order('date');
    expect(made.awards).toMatchObject([{ kind: 'membership_extension', months: 1, status: 'applied' }]);
    expect(made.messages).toMatchObject([{ template: 'late-overdue', status: 'sent' }]);
    expect((await makegood.order('instant')).verdict).toMatchObject({ incident: null, declinedBecause: 'not_due' });
    expect((await makegood.order('tomorrow')).verdict).toMatchObject({ verdict: 'pending' });
    const triggers = await database.query(
      `SELECT DISTINCT trigger FROM verdicts WHERE verdict = 'overdue' AND order_id IN ('date', 'instant')`,
    );
    expect(triggers).toEqual([{ trigger: 'deadline' }]);
  });
});

// PostgreSQL alone, and the watch called by hand: who is due is asked of our tables, not of the queue.
describe('the deadline watch', () => {
  let database: TestDatabase;
  let makegood: TestMakegood;

  beforeAll(async () => {
    database = await createTestDatabase();
    makegood = await startMakegood({ databaseUrl: database.url, workers: [] });
  });
  afterAll(async () => {
    await makegood.stop();
    await database.drop();
  });

  const at = (instant: string) => makegood.clock.set(new Date(instant));
  const work = () => workByHand(makegood.deps, database);
  const register = (id: string, changes: Record<string, unknown>) =>
    makegood.put(id, orderDocument({ customerId: `c-${id}`, shipments: [], ...changes }));

  test.each([
    ['Pacific/Kiritimati', '2026-11-05T10:00:00Z'],
    ['Pacific/Auckland', '2026-11-05T11:00:00Z'],
    ['Asia/Kathmandu', '2026-11-05T18:15:00Z'],
    ['Europe/London', '2026-11-06T00:00:00Z'],
    ['America/New_York', '2026-11-06T05:00:00Z'],
    ['America/Los_Angeles', '2026-11-06T08:00:00Z'],
    ['Pacific/Pago_Pago', '2026-11-06T11:00:00Z'],
  ])('takes a date promised in %s when that day is over there, and not a second before', async (timeZone, end) => {
    const id = timeZone.replace('/', '-');
    at('2026-11-03T12:00:00Z');
    await register(id, { promise: { on: '2026-11-05', timeZone } });
    await work();

    at(new Date(Date.parse(end) - 1_000).toISOString());
    expect(await watchDeadlines(makegood.deps)).toBe(0);
    at(end);
    expect(await watchDeadlines(makegood.deps)).toBe(1);
    await work();

    const order = await makegood.order(id);
    expect(order.verdict).toMatchObject({ verdict: 'overdue', lateDays: 1 });
    expect(order.awards).toHaveLength(1);
    // Judged again at each midnight there from now on: settle it, so that the next zone's count is its own.
    await database.query('UPDATE orders SET due_at = NULL');
  });

  test('several at once take each order once', async () => {
    at('2026-11-04T12:00:00Z');
    const ids = Array.from({ length: 40 }, (_, index) => `many-${String(index).padStart(2, '0')}`);
    for (const id of ids) await register(id, {});
    await work();
    at('2026-11-06T12:00:00Z');

    const due = await Promise.all(Array.from({ length: 6 }, () => watchDeadlines(makegood.deps)));

    expect(due.reduce((sum, count) => sum + count, 0)).toBe(40);
    const tickets = await ticketsOf(database, 'judge-promises');
    expect(tickets.flatMap((ticket) => ticket.ids).sort()).toEqual(ids);
    expect(new Set(tickets.map(({ trigger }) => trigger))).toEqual(new Set(['deadline']));
    await work();
    const [counted] = await database.query(
      `SELECT count(*)::int AS verdicts, count(DISTINCT order_id)::int AS orders FROM verdicts WHERE order_id LIKE 'many-%' AND verdict = 'overdue'`,
    );
    expect(counted).toEqual({ verdicts: 40, orders: 40 });
    await database.query('UPDATE orders SET due_at = NULL');
  });

  test('an order whose ticket was lost is taken again ten minutes later', async () => {
    at('2026-11-04T12:00:00Z');
    await register('put-off', {});
    await work();
    at('2026-11-06T12:00:00Z');
    expect(await watchDeadlines(makegood.deps)).toBe(1);
    await database.query('DELETE FROM outbox');

    at('2026-11-06T12:09:00Z');
    expect(await watchDeadlines(makegood.deps)).toBe(0);
    at('2026-11-06T12:10:01Z');
    expect(await watchDeadlines(makegood.deps)).toBe(1);
    await work();
    expect((await makegood.order('put-off')).verdict).toMatchObject({ verdict: 'overdue' });
    await database.query('UPDATE orders SET due_at = NULL');
  });

  test('an order that was settled since is left alone', async () => {
    at('2026-11-04T12:00:00Z');
    const shipments = [{ carrier: 'usps', trackingNumber: '9400100000000000000601' }];
    await register('settled', { shipments });
    await work();
    at('2026-11-06T12:00:00Z');
    await makegood.webhook(
      trackerEvent('9400100000000000000601', [['delivered', 'arrived_at_destination', '2026-11-05T19:00:00Z']]),
    );
    await work();
    expect(await watchDeadlines(makegood.deps)).toBe(0);
    expect((await makegood.order('settled')).verdict).toMatchObject({ verdict: 'on_time' });
  });
});
