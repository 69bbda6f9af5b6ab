import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { BACKENDS } from '../support/backends.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { orderDocument, startMakegood, type TestMakegood, trackerEvent } from '../support/makegood.js';

type Scan = readonly [status: string, detail: string, datetime: string];

const DEPARTED: Scan = ['in_transit', 'departed_facility', '2026-11-04T13:00:00Z'];
const ATTEMPTED_IN_TIME: Scan = ['in_transit', 'delivery_exception', '2026-11-05T18:00:00Z'];
const DELIVERED_IN_TIME: Scan = ['delivered', 'arrived_at_destination', '2026-11-05T19:00:00Z'];
const DELIVERED_LATE: Scan = ['delivered', 'arrived_at_destination', '2026-11-07T19:00:00Z'];

describe.each(BACKENDS)('late news, BullMQ on $backend', ({ start }) => {
  let database: TestDatabase;
  let queue: Awaited<ReturnType<typeof start>>;
  let makegood: TestMakegood;

  beforeAll(async () => {
    database = await createTestDatabase();
    queue = await start();
    makegood = await startMakegood({
      databaseUrl: database.url,
      ...(queue.redisUrl ? { redisUrl: queue.redisUrl } : {}),
    });
  });
  afterAll(async () => {
    await makegood.stop();
    await queue.stop();
    await database.drop();
  });

  let numbers = 0;
  const newNumber = () => `94001000000000000007${String(++numbers).padStart(2, '0')}`;
  const at = (instant: string) => makegood.clock.set(new Date(instant));
  async function register(id: string, trackingNumber: string, changes: Record<string, unknown> = {}) {
    const answer = await makegood.put(id, orderDocument({ customerId: `c-${id}`, trackingNumber, ...changes }));
    expect(answer.status).toBe(201);
    await makegood.quiet();
  }
  async function report(number: string, ...scans: Scan[]) {
    expect((await makegood.webhook(trackerEvent(number, scans))).status).toBe(200);
    await makegood.quiet();
  }

  describe('an order registered after its promise has ended', () => {
    test('without scans gets nothing for an hour, and is then made good by the deadline watch', async () => {
      at('2026-11-07T12:00:00Z');
      await register('silent', newNumber());
      expect((await makegood.order('silent')).verdict).toMatchObject({
        verdict: 'overdue',
        incident: null,
        declinedBecause: 'not_due',
      });
      at('2026-11-07T12:59:00Z');
      await makegood.watch();
      expect(await makegood.order('silent')).toMatchObject({ awards: [], messages: [] });

      at('2026-11-07T13:01:00Z');
      expect(await makegood.watch()).toBe(1);
      const order = await makegood.order('silent');
      expect(order.verdict).toMatchObject({ verdict: 'overdue', incident: 'late', lateDays: 2 });
      expect(order.awards).toMatchObject([{ kind: 'membership_extension', months: 1, status: 'applied' }]);
      expect(order.messages).toMatchObject([{ template: 'late-overdue', status: 'sent' }]);

      at('2026-11-07T13:30:00Z');
      await makegood.watch();
      expect((await makegood.order('silent')).messages).toHaveLength(1);
    });

    test('gets nothing at all when scans within the hour say that it was in time', async () => {
      at('2026-11-07T12:00:00Z');
      const number = newNumber();
      await register('kept', number);
      at('2026-11-07T12:30:00Z');
      await report(number, DEPARTED, DELIVERED_IN_TIME);
      at('2026-11-07T13:05:00Z');
      await makegood.watch();
      expect(await makegood.order('kept')).toMatchObject({
        verdict: { verdict: 'on_time', declinedBecause: 'kept' },
        awards: [],
        messages: [],
      });
    });

    test('is made good at once when scans within the hour say that it was late', async () => {
      at('2026-11-08T12:00:00Z');
      const number = newNumber();
      await register('broken', number);
      at('2026-11-08T12:10:00Z');
      await report(number, DEPARTED, DELIVERED_LATE);
      const order = await makegood.order('broken');
      expect(order.verdict).toMatchObject({ verdict: 'late', lateDays: 2 });
      expect(order.awards).toMatchObject([{ kind: 'membership_extension', status: 'applied' }]);
      expect(order.messages).toMatchObject([{ template: 'late-delivered' }]);
    });

    test('with scans that came before it is judged by them at once', async () => {
      at('2026-11-08T12:00:00Z');
      const [late, kept] = [newNumber(), newNumber()];
      await report(late, DEPARTED, DELIVERED_LATE);
      await report(kept, DEPARTED, DELIVERED_IN_TIME);
      await register('scans-first-late', late);
      await register('scans-first-kept', kept);
      expect(await makegood.order('scans-first-late')).toMatchObject({
        verdict: { verdict: 'late' },
        awards: [{ kind: 'membership_extension', status: 'applied' }],
        messages: [{ template: 'late-delivered' }],
      });
      expect(await makegood.order('scans-first-kept')).toMatchObject({
        verdict: { verdict: 'on_time' },
        awards: [],
        messages: [],
      });
    });
  });

  test('a member paid while overdue gets nothing more and no second letter when it is delivered', async () => {
    at('2026-11-04T12:00:00Z');
    const number = newNumber();
    await register('overdue-first', number);
    await report(number, DEPARTED);
    at('2026-11-06T05:00:01Z');
    await makegood.watch();
    expect((await makegood.order('overdue-first')).messages).toMatchObject([{ template: 'late-overdue' }]);

    at('2026-11-07T20:00:00Z');
    await report(number, DEPARTED, DELIVERED_LATE);

    const order = await makegood.order('overdue-first');
    expect(order.verdict).toMatchObject({ verdict: 'late', lateDays: 2, declinedBecause: 'already_compensated' });
    expect(order.awards).toMatchObject([{ kind: 'membership_extension', months: 1, status: 'applied' }]);
    expect(order.messages).toMatchObject([{ template: 'late-overdue' }]);
  });

  test('an award stays when a scan that comes later shows that the first attempt was in time', async () => {
    at('2026-11-08T12:00:00Z');
    const number = newNumber();
    await register('turned', number);
    await report(number, DELIVERED_LATE);
    const paid = await makegood.order('turned');
    expect(paid).toMatchObject({ verdict: { verdict: 'late' }, awards: [{ status: 'applied' }] });

    at('2026-11-08T14:00:00Z');
    await report(number, ATTEMPTED_IN_TIME);

    const order = await makegood.order('turned');
    expect(order.verdict).toMatchObject({
      verdict: 'on_time',
      metAt: '2026-11-05T18:00:00.000Z',
      declinedBecause: 'kept',
    });
    expect(order.awards).toEqual(paid.awards);
    expect(order.messages).toEqual([...paid.messages, expect.objectContaining({ template: 'correction' })]);
    const history = await database.query(
      `SELECT verdict FROM verdicts WHERE order_id = 'turned' AND verdict <> 'overdue' ORDER BY judged_at`,
    );
    expect(history).toEqual([{ verdict: 'late' }, { verdict: 'on_time' }]);
    const [account] = await database.query(`SELECT balance FROM ledger_accounts WHERE owner_id = 'c-turned'`);
    expect(account).toEqual({ balance: '1' });
  });

  test('an award stays when the delivery that was still out turns out to have been in time', async () => {
    at('2026-11-04T12:00:00Z');
    const number = newNumber();
    await register('slow-carrier', number);
    at('2026-11-06T05:00:01Z');
    await makegood.watch();
    expect((await makegood.order('slow-carrier')).awards).toMatchObject([{ status: 'applied' }]);
    at('2026-11-06T09:00:00Z');
    await report(number, DEPARTED, DELIVERED_IN_TIME);
    const order = await makegood.order('slow-carrier');
    expect(order.verdict).toMatchObject({ verdict: 'on_time' });
    expect(order.awards).toMatchObject([{ kind: 'membership_extension', status: 'applied' }]);
    expect(order.messages.map(({ template }) => template)).toEqual(['late-overdue', 'correction']);
  });
});
