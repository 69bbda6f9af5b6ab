import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { DEFAULT_POLICY } from '../../src/compensation/default-policy.js';
import { openDatabase } from '../../src/db/database.js';
import { watchDeadlines } from '../../src/promises/watch-deadlines.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { orderDocument, startMakegood, type TestMakegood, trackerEvent } from '../support/makegood.js';
import { putInForce } from '../support/policies.js';
import { issueTicket, runByHand, workByHand } from '../support/tickets.js';

// What is decided beside the rules: limits under concurrency, the budget of the day, the breaker, shadow, holdout, contacts.
describe('judging with till, breaker and arms', () => {
  let database: TestDatabase;
  let makegood: TestMakegood;

  beforeEach(async () => {
    database = await createTestDatabase();
    makegood = await startMakegood({ databaseUrl: database.url, workers: [], now: '2026-11-04T12:00:00Z' });
  });
  afterEach(async () => {
    await makegood.stop();
    await database.drop();
  });

  const numberOf = (id: string) => `94001000000000${id.replaceAll(/\D/g, '').padStart(6, '0')}`;
  const work = () => workByHand(makegood.deps, database);
  const at = (instant: string) => makegood.clock.set(new Date(instant));
  /** An order that is registered and of which nothing is known yet. */
  async function register(id: string, changes: Record<string, unknown> = {}) {
    const document = orderDocument({
      customerId: `c-${id}`,
      trackingNumber: numberOf(id),
      customer: { membership: null },
      shippingPaid: { amountMinor: 0, currency: 'USD' },
      ...changes,
    });
    expect((await makegood.put(id, document)).status).toBe(201);
  }
  /** Stores that it came on this day; nothing is judged yet. */
  const came = (id: string, instant = '2026-11-10T19:00:00Z') =>
    makegood.webhook(trackerEvent(numberOf(id), [['delivered', 'arrived_at_destination', instant]]));
  const awards = () =>
    database.query<{ order_id: string; status: string; amount: number; stopped_by: string[] }>(
      'SELECT order_id, status, amount_minor::int AS amount, stopped_by FROM awards ORDER BY order_id, step',
    );
  const ids = (count: number) => Array.from({ length: count }, (_, index) => `o-${String(index + 1).padStart(3, '0')}`);

  test('fifty judgements at once of a customer’s orders never give goodwill on more orders than the limit', async () => {
    const orders = ids(50);
    for (const id of orders) await register(id, { customerId: 'c-many' });
    await work();
    at('2026-11-11T12:00:00Z');
    for (const id of orders) await came(id);
    await workByHand(makegood.deps, database, 'track-shipments');
    await database.query(`DELETE FROM outbox`);
    const tickets = await Promise.all(orders.map((id) => issueTicket(makegood.deps, 'judge-promises', [id])));

    // A connection for each, so that all of them really are at it at once.
    const db = openDatabase(database.url, { poolSize: 50, onError: () => {} });
    await Promise.all(tickets.map((id) => runByHand({ ...makegood.deps, db }, { id, stage: 'judge-promises' })));
    await db.close();

    const given = await awards();
    expect(given).toHaveLength(50);
    expect(given.filter(({ status }) => status === 'pending')).toHaveLength(3);
    expect(given.filter(({ stopped_by }) => stopped_by.includes('goodwill-quarter'))).toHaveLength(47);
  });

  test('the budget of a day is never exceeded by judgements at once; what is beyond it is held', async () => {
    await putInForce(database, { dailyBudget: { classes: ['money'], atMostMinor: 6_000 } });
    const orders = ids(20);
    for (const id of orders) await register(id);
    await work();
    at('2026-11-11T12:00:00Z');
    for (const id of orders) await came(id);
    await workByHand(makegood.deps, database, 'track-shipments');
    await database.query(`DELETE FROM outbox`);
    const tickets = await Promise.all(orders.map((id) => issueTicket(makegood.deps, 'judge-promises', [id])));
    await Promise.all(tickets.map((id) => runByHand(makegood.deps, { id, stage: 'judge-promises' })));

    // Five days late: 10 % of 59.90 each, so ten of them fit into 60.00.
    const given = await awards();
    expect(given.filter(({ status }) => status === 'pending').map(({ amount }) => amount)).toEqual(Array(10).fill(599));
    expect(given.filter(({ stopped_by }) => stopped_by.includes('daily-budget'))).toHaveLength(10);
    expect(await database.query('SELECT day::text, currency, spent_minor::int FROM budget_days')).toEqual([
      { day: '2026-11-11', currency: 'USD', spent_minor: 5_990 },
    ]);

    at('2026-11-12T12:00:00Z');
    await register('o-900', { customerId: 'c-next' });
    await came('o-900');
    await work();
    expect((await makegood.order('o-900')).awards).toMatchObject([{ status: 'applied' }]);
  });

  describe('the breaker', () => {
    /** Three weeks in which eight of a hundred orders were late. */
    async function usualHistory() {
      await database.query(
        `INSERT INTO verdict_minutes (minute, settled, late)
         SELECT '2026-10-20T12:00:00Z'::timestamptz + make_interval(days => d), 50, 4 FROM generate_series(0, 20) AS d`,
      );
    }

    test('stops all money at the fiftieth late order of an hour, with one alarm that says why', async () => {
      await usualHistory();
      const orders = ids(60);
      for (const id of orders) await register(id);
      await work();
      at('2026-11-11T12:00:00Z');
      for (const id of orders) {
        await came(id);
        await work();
      }
      const given = await awards();
      expect(given.filter(({ status }) => status === 'applied')).toHaveLength(49);
      expect(given.filter(({ stopped_by }) => stopped_by.includes('breaker'))).toHaveLength(11);
      expect(
        await database.query('SELECT settled, late, usual_settled::int, usual_late::int, reset_at FROM breaker_trips'),
      ).toEqual([{ settled: 50, late: 50, usual_settled: 1_050, usual_late: 84, reset_at: null }]);
      expect(await database.query(`SELECT kind, message FROM alarms WHERE cleared_at IS NULL`)).toEqual([
        { kind: 'breaker', message: expect.stringMatching(/50 of 50 orders late.*usual is 8 %/) },
      ]);
    });

    const film = (id: string) =>
      register(id, {
        digital: true,
        shipments: [],
        trackingNumber: undefined,
        promise: { at: '2026-11-11T12:00:00Z', timeZone: 'America/New_York' },
        placedAt: '2026-11-03T18:00:00Z',
      });
    const poor = (orderId: string) =>
      makegood.request('POST', '/v1/incidents', { orderId, kind: 'poor_playback', evidence: {} });
    const counted = () =>
      database.query(
        `SELECT coalesce(sum(settled), 0)::int AS settled, coalesce(sum(late), 0)::int AS late FROM verdict_minutes
         WHERE minute >= '2026-11-11T00:00:00Z'`,
      );

    test('a flood of reports of a poor service trips it as late parcels do; downloads that are there count as nothing', async () => {
      await usualHistory();
      at('2026-11-11T11:00:00Z');
      const orders = ids(60);
      for (const id of orders) await film(id);
      await work();
      expect(await counted()).toEqual([{ settled: 0, late: 0 }]);
      at('2026-11-11T12:00:00Z');
      for (const id of orders) {
        expect((await poor(id)).status).toBe(201);
        await work();
      }
      const given = await awards();
      expect(given).toHaveLength(60);
      expect(given.filter(({ stopped_by }) => stopped_by.includes('breaker'))).toHaveLength(11);
      expect(await database.query('SELECT settled, late FROM breaker_trips')).toEqual([{ settled: 50, late: 50 }]);
      // Judged again, or reported by another name, it is no news.
      await makegood.request('POST', '/v1/incidents', { orderId: 'o-001', kind: 'no_sound', evidence: {} });
      await work();
      expect(await counted()).toEqual([{ settled: 60, late: 60 }]);
    });

    test('a parcel that is late and whose service was poor is made good for both, one after the other, and for each once', async () => {
      await register('o-1');
      await work();
      at('2026-11-11T12:00:00Z');
      await came('o-1');
      await workByHand(makegood.deps, database, 'track-shipments');
      await database.query('DELETE FROM outbox');
      await poor('o-1');
      await work();
      const given = () =>
        database.query(`SELECT incident, kind, amount_minor::int AS amount FROM awards ORDER BY decided_at, id`);
      const refund = { incident: 'service', kind: 'refund', amount: 5_990 };
      expect(await given()).toEqual([refund]);
      // No scan comes any more: the clock alone brings it up again, and then no more.
      expect(await watchDeadlines(makegood.deps)).toBe(1);
      await work();
      expect(await given()).toEqual([refund, { incident: 'late', kind: 'store_credit', amount: 599 }]);
      expect(await watchDeadlines(makegood.deps)).toBe(0);
    });

    test('under a policy that makes nothing good for a poor service, reports are no news', async () => {
      await putInForce(database, { rules: DEFAULT_POLICY.rules.filter(({ id }) => id !== 'service-refund') });
      at('2026-11-11T12:00:00Z');
      await film('o-1');
      await poor('o-1');
      await work();
      expect(await counted()).toEqual([{ settled: 0, late: 0 }]);
    });

    test('holds what was decided before and not granted yet, but not what a person has approved', async () => {
      await register('o-1');
      await register('o-2');
      await work();
      at('2026-11-11T12:00:00Z');
      await came('o-1');
      await came('o-2');
      await workByHand(makegood.deps, database, 'judge-promises');
      await database.query(`UPDATE awards SET reviewed_by = 'somebody', reviewed_at = now() WHERE order_id = 'o-2'`);
      await database.query(
        `INSERT INTO breaker_trips (id, tripped_at, policy_version, settled, late, usual_settled, usual_late)
         VALUES (gen_random_uuid(), now(), 1, 50, 50, 1000, 80)`,
      );

      await work();

      expect(await awards()).toMatchObject([
        { order_id: 'o-1', status: 'held', stopped_by: ['breaker'] },
        { order_id: 'o-2', status: 'applied', stopped_by: [] },
      ]);
    });

    test('stops what a provider was not asked for yet, and lets go on what it was asked for', async () => {
      for (const id of ['o-1', 'o-2']) await register(id);
      await work();
      at('2026-11-11T12:00:00Z');
      for (const id of ['o-1', 'o-2']) {
        await makegood.webhook(trackerEvent(numberOf(id), [['return_to_sender', 'return', '2026-11-10T19:00:00Z']]));
      }
      await workByHand(makegood.deps, database, 'judge-promises');
      await database.query(`DELETE FROM outbox`);
      // Handed to a provider that nobody set up: it is asked again and again, and never answers.
      await database.query(`UPDATE awards SET provider = 'webhook'`);
      await database.query(
        `INSERT INTO provider_calls (award_id, provider, idempotency_key, status, attempts, first_called_at, last_called_at)
         SELECT id, 'webhook', id::text, 'calling', 1, now(), now() FROM awards WHERE order_id = 'o-2'`,
      );
      await database.query(
        `INSERT INTO breaker_trips (id, tripped_at, policy_version, settled, late, usual_settled, usual_late)
         VALUES (gen_random_uuid(), now(), 1, 50, 50, 1000, 80)`,
      );
      const rows = await database.query<{ id: string }>('SELECT id FROM awards ORDER BY order_id');
      const ids = rows.map(({ id }) => id);
      const ticket = await issueTicket(makegood.deps, 'call-providers', ids);
      await runByHand(makegood.deps, { id: ticket, stage: 'call-providers' });
      expect(await awards()).toMatchObject([
        { order_id: 'o-1', status: 'held', stopped_by: ['breaker'] },
        { order_id: 'o-2', status: 'pending', stopped_by: [] },
      ]);
    });

    test('is not armed before there is a history, and an import of old orders is no news', async () => {
      const orders = ids(55);
      for (const id of orders) await register(id);
      await database.query(`UPDATE orders SET backfill = true WHERE id > 'o-050'`);
      await work();
      at('2026-11-11T12:00:00Z');
      for (const id of orders) await came(id);
      await work();
      expect(await database.query('SELECT count(*)::int AS trips FROM breaker_trips')).toEqual([{ trips: 0 }]);
      expect(
        await database.query('SELECT sum(settled)::int AS settled, sum(late)::int AS late FROM verdict_minutes'),
      ).toEqual([{ settled: 50, late: 50 }]);
    });
  });

  test('a policy in shadow records what it would give, once, and gives nothing', async () => {
    await putInForce(database, { mode: 'shadow' });
    await register('o-1');
    await work();
    at('2026-11-11T12:00:00Z');
    await came('o-1');
    await work();
    for (const _again of [1, 2]) {
      const ticket = await issueTicket(makegood.deps, 'judge-promises', ['o-1']);
      await runByHand(makegood.deps, { id: ticket, stage: 'judge-promises' });
    }

    expect(await awards()).toEqual([]);
    expect(await database.query('SELECT 1 FROM messages')).toEqual([]);
    const rows = await database.query(
      `SELECT mode, decision -> 'answer' -> 'awards' -> 0 ->> 'rule' AS rule FROM verdicts WHERE verdict = 'late'`,
    );
    expect(rows).toEqual([{ mode: 'shadow', rule: 'late-4' }]);
    const view = await makegood.order('o-1');
    expect(view.verdict).toMatchObject({ verdict: 'late', mode: 'shadow' });
    expect(view.explanation.at(-1)).toContain('shadow mode');
  });

  test('an order registered long after its promise is judged and neither paid nor written to', async () => {
    await register('o-1');
    await database.query(`UPDATE orders SET backfill = true`);
    at('2026-11-11T12:00:00Z');
    await came('o-1');
    await work();
    expect(await awards()).toEqual([]);
    expect((await makegood.order('o-1')).verdict).toMatchObject({ verdict: 'late', mode: 'backfill' });
    expect(await database.query('SELECT 1 FROM messages')).toEqual([]);
  });

  test('the holdout gets no goodwill, and what is owed all the same; the arm stands on the record', async () => {
    await putInForce(database, { holdout: { percent: 10, salt: 'a test' } });
    const orders = ids(60);
    for (const id of orders) await register(id);
    await register('o-999', { customerId: 'c-held-out' });
    await work();
    // The arm of the last is set as if it had been drawn before: it stays.
    await database.query(`UPDATE orders SET arm = 'holdout' WHERE id = 'o-999'`);
    at('2026-11-11T12:00:00Z');
    for (const id of orders) await came(id);
    await makegood.webhook(trackerEvent(numberOf('o-999'), [['return_to_sender', 'return', '2026-11-10T19:00:00Z']]));
    await work();

    const arms = await database.query<{ arm: string; orders: number; given: number }>(
      `SELECT o.arm, count(*)::int AS orders, count(a.id)::int AS given FROM orders o LEFT JOIN awards a ON a.order_id = o.id
       WHERE o.id <> 'o-999' GROUP BY o.arm ORDER BY o.arm`,
    );
    expect(arms.map(({ arm }) => arm)).toEqual(['holdout', 'treated']);
    expect(arms[0]).toMatchObject({ given: 0 });
    expect(arms[1]?.given).toBe(arms[1]?.orders);
    const [out] = await database.query<{ id: string }>(`SELECT id FROM orders WHERE arm = 'holdout' AND id <> 'o-999'`);
    expect((await makegood.order(String(out?.id))).verdict).toMatchObject({
      declinedBecause: 'holdout',
      arm: 'holdout',
    });
    expect((await makegood.order('o-999')).awards).toMatchObject([{ kind: 'refund', rule: 'returned-refund' }]);
  });

  test('a correction of tracking takes nothing back, and shows what was given beyond what is earned', async () => {
    await register('o-1');
    await work();
    at('2026-11-11T12:00:00Z');
    await came('o-1');
    await work();
    await came('o-1', '2026-11-05T19:00:00Z');
    await work();

    const view = await makegood.order('o-1');
    expect(view.verdict).toMatchObject({ verdict: 'on_time' });
    expect(view.awards).toMatchObject([{ kind: 'store_credit', status: 'applied' }]);
    expect(view.overCompensation).toEqual([{ class: 'money', unit: 'USD', quantity: 599 }]);
    expect(await database.query(`SELECT balance::int FROM ledger_accounts WHERE owner_kind = 'customer'`)).toEqual([
      { balance: 599 },
    ]);
  });

  test('"it is not here" after a delivered scan is made good by a replacement and a gift', async () => {
    await register('o-1');
    await work();
    at('2026-11-06T12:00:00Z');
    await came('o-1', '2026-11-05T15:00:00Z');
    await work();
    expect((await makegood.order('o-1')).awards).toEqual([]);
    await database.query(
      `INSERT INTO contacts (id, customer_id, order_id, channel, reason, at, recorded_at, recorded_by)
       VALUES (gen_random_uuid(), 'c-o-1', 'o-1', 'phone', 'not_received', '2026-11-06T11:00:00Z', '2026-11-06T11:00:00Z', 'test')`,
    );
    const ticket = await issueTicket(makegood.deps, 'judge-promises', ['o-1']);
    await runByHand(makegood.deps, { id: ticket, stage: 'judge-promises' });
    await work();

    const view = await makegood.order('o-1');
    expect(view.verdict).toMatchObject({ verdict: 'on_time', incident: 'not_received' });
    expect(view.awards.map(({ kind, status }) => [kind, status])).toEqual([
      ['replacement', 'pending'],
      ['gift', 'pending'],
    ]);
    expect(view.awards[0]).toMatchObject({ shipOn: '2026-11-06' });
    expect(view.explanation.at(-1)).toContain('REMEDY_PROVIDERS');
  });

  test('what a person declined is not proposed again by the next look, and more of it waits for a person', async () => {
    await register('o-1');
    await work();
    at('2026-11-08T12:00:00Z');
    await workByHand(makegood.deps, database);
    const look = async () => {
      const ticket = await issueTicket(makegood.deps, 'judge-promises', ['o-1']);
      await runByHand(makegood.deps, { id: ticket, stage: 'judge-promises' });
    };
    await look();
    await database.query(`UPDATE awards SET status = 'declined'`);
    await look();
    expect((await awards()).map(({ status }) => status)).toEqual(['declined']);
    at('2026-11-10T12:00:00Z');
    await look();
    expect(await awards()).toMatchObject([
      { status: 'declined', amount: 300 },
      { status: 'held', amount: 599, stopped_by: ['refused-before'] },
    ]);
  });
});
