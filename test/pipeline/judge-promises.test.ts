import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { orderDocument, startMakegood, type TestMakegood, trackerEvent } from '../support/makegood.js';
import { atOnce, issueTicket, runByHand, workByHand } from '../support/tickets.js';

const DEPARTED = ['in_transit', 'departed_facility', '2026-11-03T13:00:00Z'] as const;
const IN_TIME = ['delivered', 'arrived_at_destination', '2026-11-05T19:00:00Z'] as const;
const TOO_LATE = ['delivered', 'arrived_at_destination', '2026-11-06T19:00:00Z'] as const;
const NEW_YORK = 'America/New_York';

// PostgreSQL alone, and tickets run by hand: an answer does not depend on who brings the tickets.
describe('judging orders', () => {
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

  /** The id of an order and its customer, from the words of a test's name. */
  const idOf = (...words: string[]) => words.join(' ').replaceAll(/\W+/g, '-').toLowerCase();
  let numbers = 0;
  const newNumber = () => `94001000000000000005${String(++numbers).padStart(2, '0')}`;
  const work = () => workByHand(makegood.deps, database);
  const at = (instant: string) => makegood.clock.set(new Date(instant));
  async function register(id: string, changes: Record<string, unknown> = {}) {
    const answer = await makegood.put(id, orderDocument({ customerId: `c-${id}`, ...changes }));
    expect([200, 201]).toContain(answer.status);
    await work();
  }
  async function report(number: string, ...scans: (readonly [string, string, string])[]) {
    await makegood.webhook(trackerEvent(number, scans));
    await work();
  }
  async function judgeAgain(...ids: string[]) {
    const ticket = await issueTicket(makegood.deps, 'judge-promises', ids);
    await runByHand(makegood.deps, { id: ticket, stage: 'judge-promises' });
  }
  async function dueAt(id: string): Promise<Date | null> {
    const [row] = await database.query<{ due_at: Date | null }>('SELECT due_at FROM orders WHERE id = $1', [id]);
    return row?.due_at ?? null;
  }
  const verdictsOf = (id: string) =>
    database.query('SELECT verdict, declined_because FROM verdicts WHERE order_id = $1 ORDER BY judged_at, id', [id]);

  describe('the history of answers', () => {
    test('an answer that changed adds a row, the same answer again adds none', async () => {
      at('2026-11-04T12:00:00Z');
      const number = newNumber();
      await register('history', { trackingNumber: number });
      await judgeAgain('history');
      await report(number, DEPARTED);
      expect(await verdictsOf('history')).toEqual([{ verdict: 'pending', declined_because: 'not_due' }]);

      at('2026-11-05T20:00:00Z');
      await report(number, IN_TIME);
      await judgeAgain('history');
      at('2026-11-20T20:00:00Z');
      await judgeAgain('history');
      expect(await verdictsOf('history')).toEqual([
        { verdict: 'pending', declined_because: 'not_due' },
        { verdict: 'on_time', declined_because: 'kept' },
      ]);
    });

    test('an overdue parcel adds a row a day, not one a look', async () => {
      at('2026-11-04T12:00:00Z');
      await register('daily', { trackingNumber: newNumber(), customer: { membership: null } });
      for (const instant of [
        '2026-11-06T15:00:00Z',
        '2026-11-06T16:00:00Z',
        '2026-11-07T15:00:00Z',
        '2026-11-07T16:00:00Z',
      ]) {
        at(instant);
        await judgeAgain('daily');
      }
      const rows = await database.query(
        'SELECT verdict, late_days FROM verdicts WHERE order_id = $1 ORDER BY judged_at',
        ['daily'],
      );
      expect(rows).toEqual([
        { verdict: 'pending', late_days: null },
        { verdict: 'overdue', late_days: 1 },
        { verdict: 'overdue', late_days: 2 },
      ]);
    });

    test('an order that was made good is not told otherwise by the next look', async () => {
      at('2026-11-08T12:00:00Z');
      const number = newNumber();
      await register('made-good', { trackingNumber: number });
      await report(number, TOO_LATE);
      const before = await makegood.order('made-good');
      expect(before.awards).toMatchObject([{ kind: 'membership_extension', status: 'applied' }]);

      await judgeAgain('made-good');
      const answer = await makegood.request('POST', '/v1/orders/made-good/recheck', { reason: 'the customer asked' });

      expect(answer.body).toMatchObject({ changed: false });
      expect(await makegood.order('made-good')).toEqual(before);
      expect(before.explanation.at(-1)).toMatch(/^Given: membership_extension/);
    });

    test('judgements of one order by ten tickets at once add one row', async () => {
      at('2026-11-04T12:00:00Z');
      await register('hammered', { trackingNumber: newNumber() });
      at('2026-11-06T12:00:00Z');
      const tickets = await Promise.all(
        Array.from({ length: 10 }, () => issueTicket(makegood.deps, 'judge-promises', ['hammered'])),
      );
      await Promise.all(tickets.map((id) => runByHand(makegood.deps, { id, stage: 'judge-promises' })));
      await work();
      expect(await verdictsOf('hammered')).toEqual([
        { verdict: 'pending', declined_because: 'not_due' },
        { verdict: 'overdue', declined_because: null },
      ]);
      const { awards, messages } = await makegood.order('hammered');
      expect(awards).toMatchObject([{ kind: 'membership_extension', months: 1, status: 'applied' }]);
      expect(messages).toHaveLength(1);
    });
  });

  describe('when an order is looked at again by itself', () => {
    test.each([
      // A date ends when its local day does; the instant is the first of the next day.
      ['New York, winter', { on: '2026-11-05', timeZone: NEW_YORK }, '2026-11-06T05:00:00.000Z'],
      ['New York, the day the clocks go back', { on: '2026-11-01', timeZone: NEW_YORK }, '2026-11-02T05:00:00.000Z'],
      ['Tokyo', { on: '2026-11-05', timeZone: 'Asia/Tokyo' }, '2026-11-05T15:00:00.000Z'],
      ['Kolkata', { on: '2026-11-05', timeZone: 'Asia/Kolkata' }, '2026-11-05T18:30:00.000Z'],
      ['Kiritimati', { on: '2026-11-05', timeZone: 'Pacific/Kiritimati' }, '2026-11-05T10:00:00.000Z'],
      ['Pago Pago', { on: '2026-11-05', timeZone: 'Pacific/Pago_Pago' }, '2026-11-06T11:00:00.000Z'],
      ['Santiago', { on: '2026-11-05', timeZone: 'America/Santiago' }, '2026-11-06T03:00:00.000Z'],
      // An instant keeps the promise itself: only the next millisecond is too late.
      ['an instant', { at: '2026-11-05T17:00:00Z', timeZone: NEW_YORK }, '2026-11-05T17:00:00.001Z'],
    ])('while it is pending: when the promise ends, in %s', async (name, promise, due) => {
      at('2026-10-28T12:00:00Z');
      await register(idOf('pending', name), { trackingNumber: newNumber(), promise });
      expect((await dueAt(idOf('pending', name)))?.toISOString()).toBe(due);
    });

    test.each([
      ['New York', NEW_YORK, '2026-11-08T05:00:00.000Z'],
      ['Berlin', 'Europe/Berlin', '2026-11-07T23:00:00.000Z'],
      ['Auckland', 'Pacific/Auckland', '2026-11-08T11:00:00.000Z'],
    ])('while it is overdue: at the next midnight in %s', async (name, timeZone, due) => {
      at('2026-11-01T12:00:00Z');
      await register(idOf('overdue', name), { trackingNumber: newNumber(), promise: { on: '2026-11-05', timeZone } });
      at('2026-11-07T12:00:00Z');
      await judgeAgain(idOf('overdue', name));
      expect((await dueAt(idOf('overdue', name)))?.toISOString()).toBe(due);
    });

    test('while a parcel is silent: when the silence makes it lost, if that is before midnight', async () => {
      at('2026-11-02T12:00:00Z');
      const number = newNumber();
      await register('silent', { trackingNumber: number, promise: { at: '2026-11-05T17:00:00Z', timeZone: NEW_YORK } });
      await report(number, DEPARTED);
      at('2026-11-12T12:00:00Z');
      await judgeAgain('silent');
      expect((await dueAt('silent'))?.toISOString()).toBe('2026-11-12T17:00:00.000Z');
      at('2026-11-12T17:00:00Z');
      await judgeAgain('silent');
      expect((await makegood.order('silent')).verdict).toMatchObject({ verdict: 'lost' });
      expect(await dueAt('silent')).toBeNull();
    });

    test('registered after its promise had ended: when it has been known for an hour', async () => {
      at('2026-11-07T12:00:00Z');
      await register('settling', { trackingNumber: newNumber() });
      const [row] = await database.query<{ registered_at: Date }>(
        `SELECT registered_at FROM orders WHERE id = 'settling'`,
      );
      const settled = new Date((row?.registered_at.getTime() ?? 0) + 60 * 60_000);
      expect(await dueAt('settling')).toEqual(settled);
    });

    test.each([
      ['on time', IN_TIME, 'on_time'],
      ['late', TOO_LATE, 'late'],
      ['returned', ['return_to_sender', 'return', '2026-11-05T19:00:00Z'] as const, 'returned'],
      ['cancelled', ['cancelled', 'cancelled', '2026-11-03T19:00:00Z'] as const, 'cancelled'],
    ])('once it is settled (%s): never', async (name, scan, verdict) => {
      at('2026-11-08T12:00:00Z');
      const number = newNumber();
      await register(idOf('settled', name), { trackingNumber: number });
      await report(number, scan);
      expect((await makegood.order(idOf('settled', name))).verdict).toMatchObject({ verdict });
      expect(await dueAt(idOf('settled', name))).toBeNull();
    });

    test('with a scan dated ahead of our clock: when that scan begins', async () => {
      at('2026-11-05T18:00:00Z');
      const number = newNumber();
      await register('ahead', { trackingNumber: number });
      await report(number, IN_TIME);
      expect((await makegood.order('ahead')).verdict).toMatchObject({ verdict: 'pending' });
      expect((await dueAt('ahead'))?.toISOString()).toBe('2026-11-05T19:00:00.000Z');
      at('2026-11-05T19:00:00Z');
      await judgeAgain('ahead');
      expect((await makegood.order('ahead')).verdict).toMatchObject({ verdict: 'on_time' });
    });
  });

  describe('orders and their shipments', () => {
    test('an order without shipments is pending, then overdue by the merchant, and made good', async () => {
      at('2026-11-04T12:00:00Z');
      await register('no-box', { shipments: [] });
      expect((await makegood.order('no-box')).verdict).toMatchObject({ verdict: 'pending' });
      expect((await dueAt('no-box'))?.toISOString()).toBe('2026-11-06T05:00:00.000Z');
      at('2026-11-06T05:00:00Z');
      await judgeAgain('no-box');
      await work();
      const { verdict, awards, messages } = await makegood.order('no-box');
      expect(verdict).toMatchObject({ verdict: 'overdue', fault: 'merchant', lateDays: 1 });
      expect(awards).toMatchObject([{ kind: 'membership_extension', status: 'applied' }]);
      expect(messages).toMatchObject([{ template: 'late-overdue', status: 'sent' }]);
    });

    test('each of several shipments is judged by its own promise, and the worst speaks for the order', async () => {
      at('2026-11-08T12:00:00Z');
      const [first, second] = [newNumber(), newNumber()];
      const shipments = [
        { carrier: 'usps', trackingNumber: first },
        { carrier: 'usps', trackingNumber: second, promise: { on: '2026-11-07', timeZone: NEW_YORK } },
      ];
      await register('own-promise', { shipments });
      await report(first, IN_TIME);
      // The day after the order's promise, within the shipment's own.
      await report(second, TOO_LATE);
      const kept = await makegood.order('own-promise');
      expect(kept.verdict).toMatchObject({ verdict: 'on_time' });
      expect(kept.awards).toEqual([]);

      const third = newNumber();
      const added = { carrier: 'usps', trackingNumber: third, promise: { on: '2026-11-03', timeZone: NEW_YORK } };
      await register('own-promise', { shipments: [...shipments, added] });
      // Within the order's promise, two days after the shipment's own.
      await report(third, IN_TIME);
      const broken = await makegood.order('own-promise');
      expect(broken.verdict).toMatchObject({ verdict: 'late', lateDays: 2 });
      expect(broken.awards).toMatchObject([{ kind: 'membership_extension', months: 1 }]);
    });

    test('an order is looked at again when the first of its shipments needs it', async () => {
      at('2026-11-01T12:00:00Z');
      const shipments = ['2026-11-09', '2026-11-04', '2026-11-07'].map((on) => ({
        carrier: 'usps',
        trackingNumber: newNumber(),
        promise: { on, timeZone: NEW_YORK },
      }));
      await register('staggered', { shipments });
      expect((await dueAt('staggered'))?.toISOString()).toBe('2026-11-05T05:00:00.000Z');
    });

    test('three boxes late are made good once, in one letter', async () => {
      at('2026-11-08T12:00:00Z');
      const boxes = [newNumber(), newNumber(), newNumber()];
      await register('three-late', { shipments: boxes.map((trackingNumber) => ({ carrier: 'usps', trackingNumber })) });
      for (const number of boxes) await report(number, TOO_LATE);
      const { awards, messages } = await makegood.order('three-late');
      expect(awards).toMatchObject([{ kind: 'membership_extension', months: 1, status: 'applied' }]);
      expect(messages).toHaveLength(1);
    });
  });

  describe('the limits of a customer, however many orders are judged at once', () => {
    /** Orders of one customer without a parcel, whose promise then ends. */
    async function overdueOrders(customerId: string, count: number, customer: Record<string, unknown> = {}) {
      at('2026-11-04T12:00:00Z');
      const ids = Array.from({ length: count }, (_, index) => `${customerId}-${String(index).padStart(2, '0')}`);
      await atOnce(ids, 8, (id) => makegood.put(id, orderDocument({ customerId, shipments: [], customer })));
      await database.query('DELETE FROM outbox');
      at('2026-11-06T12:00:00Z');
      return ids;
    }
    async function awardsOf(customerId: string) {
      return database.query(
        'SELECT kind, status, count(*)::int AS awards, count(DISTINCT order_id)::int AS orders FROM awards WHERE customer_id = $1 GROUP BY 1, 2 ORDER BY 1, 2',
        [customerId],
      );
    }

    test.each([
      ['50 tickets, eight at once', 8, 1],
      ['one ticket', 1, 50],
      ['five tickets at once', 5, 10],
    ])(
      '50 orders of a member in %s: 3 in 90 days granted, 12 months in a year decided, no more',
      async (name, width, size) => {
        const customerId = idOf('member', name);
        const ids = await overdueOrders(customerId, 50);
        const tickets: string[] = [];
        for (let from = 0; from < ids.length; from += size) {
          tickets.push(await issueTicket(makegood.deps, 'judge-promises', ids.slice(from, from + size)));
        }
        await atOnce(tickets, width, (id) => runByHand(makegood.deps, { id, stage: 'judge-promises' }));
        await work();

        expect(await awardsOf(customerId)).toEqual([
          { kind: 'membership_extension', status: 'applied', awards: 3, orders: 3 },
          { kind: 'membership_extension', status: 'held', awards: 9, orders: 9 },
        ]);
        const declined = await database.query(
          'SELECT v.declined_because, count(*)::int AS orders FROM orders o JOIN verdicts v ON v.id = o.verdict_id WHERE o.customer_id = $1 GROUP BY 1 ORDER BY 1',
          [customerId],
        );
        expect(declined).toEqual([
          { declined_because: 'limit_membership', orders: 38 },
          { declined_because: null, orders: 12 },
        ]);
        const [account] = await database.query('SELECT unit, balance FROM ledger_accounts WHERE owner_id = $1', [
          customerId,
        ]);
        expect(account).toEqual({ unit: 'membership_months', balance: '3' });
        expect(await database.query('SELECT id FROM messages WHERE customer_id = $1', [customerId])).toHaveLength(3);
      },
    );

    test('what another worker decided a moment later than this one judges counts as well', async () => {
      const ids = await overdueOrders('overtaken', 4);
      at('2026-11-06T12:00:10Z');
      await judgeAgain(...ids.slice(0, 3));
      at('2026-11-06T12:00:00Z');
      await judgeAgain(...ids.slice(3));
      await work();
      expect(await awardsOf('overtaken')).toEqual([
        { kind: 'membership_extension', status: 'applied', awards: 3, orders: 3 },
        { kind: 'membership_extension', status: 'held', awards: 1, orders: 1 },
      ]);
    });

    test('12 orders of a customer without membership: credit for 3, the rest is held', async () => {
      const customer = { membership: null };
      const ids = await overdueOrders('guest', 12, customer);
      await database.query(`UPDATE orders SET shipping_paid_minor = 0 WHERE customer_id = 'guest'`);
      const tickets = await Promise.all(ids.map((id) => issueTicket(makegood.deps, 'judge-promises', [id])));
      await atOnce(tickets, 6, (id) => runByHand(makegood.deps, { id, stage: 'judge-promises' }));
      await work();
      expect(await awardsOf('guest')).toEqual([
        { kind: 'store_credit', status: 'applied', awards: 3, orders: 3 },
        { kind: 'store_credit', status: 'held', awards: 9, orders: 9 },
      ]);
    });

    test('a member in trial gets one month, however many orders are late at once', async () => {
      const ids = await overdueOrders('trial', 8, { membership: { tier: 'prime', trial: true } });
      const tickets = await Promise.all(ids.map((id) => issueTicket(makegood.deps, 'judge-promises', [id])));
      await atOnce(tickets, 8, (id) => runByHand(makegood.deps, { id, stage: 'judge-promises' }));
      await work();
      expect(await awardsOf('trial')).toEqual([
        { kind: 'membership_extension', status: 'applied', awards: 1, orders: 1 },
      ]);
    });
  });
});
