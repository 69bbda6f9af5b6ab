import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { DEFAULT_POLICY } from '../../src/compensation/default-policy.js';
import type { Policy } from '../../src/compensation/policy.js';
import { type ChosenCalls, chooseCalls } from '../../src/promises/choose-calls.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { readDatabaseState } from '../support/database-state.js';
import { eventually } from '../support/eventually.js';
import { orderDocument, startMakegood, type TestMakegood, trackerEvent } from '../support/makegood.js';
import { putInForce } from '../support/policies.js';

/** Half past two in Berlin, where the shop is; in New York it is the evening before. */
const NIGHT = '2026-12-28T01:30:00Z';
const BERLIN = { SWEEP_TIME_ZONE: 'Europe/Berlin' };
const PHONE = { customer: { phone: '+1 555 0100' } };
const { personalCalls } = DEFAULT_POLICY;

interface Call {
  readonly id: string;
  readonly orderId: string;
  readonly incident: string;
  readonly dueAt: string;
  readonly timeZone: string;
  readonly talkingPoints: readonly string[];
}

async function callsOf(makegood: TestMakegood): Promise<Call[]> {
  const { body } = await makegood.request('GET', '/v1/tasks?kind=call&limit=200');
  return body.items.filter(({ rule }: { rule: string }) => rule === 'personal-call');
}

describe('a bad week of one customer, as it went through the product', () => {
  let database: TestDatabase;
  let makegood: TestMakegood;

  beforeAll(async () => {
    database = await createTestDatabase();
    makegood = await startMakegood({ databaseUrl: database.url, now: '2026-12-20T12:00:00Z', environment: BERLIN });
    const order = async (id: string, on: string, changes: Record<string, unknown> = {}) => {
      const promise = { on, timeZone: 'America/New_York' };
      const document = orderDocument({ customerId: 'ann', trackingNumber: `T-${id}`, promise, ...PHONE, ...changes });
      expect((await makegood.put(id, document)).status).toBe(201);
    };
    const scan = async (id: string, at: string) => {
      const scans = [
        ['in_transit', 'arrived_at_facility', '2026-12-20T09:00:00Z'],
        ['delivered', 'arrived_at_destination', at],
      ] as const;
      expect((await makegood.webhook(trackerEvent(`T-${id}`, scans))).status).toBe(200);
    };
    await order('o-1', '2026-12-22');
    await order('o-2', '2026-12-23');
    await order('mail-only', '2026-12-22', { customerId: 'bob', customer: { phone: null } });
    await order('in-time', '2026-12-26', { customerId: 'cid' });
    await makegood.quiet();
    makegood.clock.set(new Date('2026-12-27T12:00:00Z'));
    await scan('o-1', '2026-12-24T15:00:00Z');
    await scan('o-2', '2026-12-26T15:00:00Z');
    await scan('mail-only', '2026-12-24T15:00:00Z');
    await scan('in-time', '2026-12-24T15:00:00Z');
    await makegood.quiet();
    const contact = { orderId: 'o-1', channel: 'phone', reason: 'late' };
    expect((await makegood.request('POST', '/v1/contacts', contact)).status).toBe(201);
    await makegood.quiet();
    makegood.clock.set(new Date(NIGHT));
  });
  afterAll(async () => {
    await makegood.stop();
    await database.drop();
  });

  test('tried dry it says what it would do, and does nothing', async () => {
    const before = await readDatabaseState(database);
    expect(await chooseCalls(makegood.deps, { dryRun: true })).toEqual({
      proposed: 1,
      candidates: 1,
      proposedBefore: 0,
      perDay: 5,
    });
    expect(await readDatabaseState(database)).toEqual(before);
  });

  test('she is to be called in her own hours, by somebody who knows the whole of it', async () => {
    expect(await chooseCalls(makegood.deps, { dryRun: false })).toMatchObject({ proposed: 1, candidates: 1 });
    const [call, ...others] = await callsOf(makegood);
    expect(others).toEqual([]);
    expect(call).toMatchObject({
      kind: 'call',
      status: 'open',
      customerId: 'ann',
      phone: '+1 555 0100',
      incident: 'late',
    });
    // Ten in the morning in New York.
    expect(call).toMatchObject({ dueAt: '2026-12-28T15:00:00.000Z', timeZone: 'America/New_York', assignee: null });
    expect(call?.talkingPoints.map((point) => point.replaceAll('\u202f', ' '))).toEqual([
      'Chosen for a personal call: 2 broken promises within 7 days; the customer got in touch once.',
      'Order o-1 was promised for Tuesday, December 22.',
      'It was delivered on Thursday, December 24, 10:00 AM EST, 2 days late.',
      'We gave 1 month of membership.',
      'Order o-2 was promised for Wednesday, December 23.',
      'It was delivered on Saturday, December 26, 10:00 AM EST, 3 days late.',
      'We gave 1 month of membership.',
      'The customer got in touch on Sunday, December 27 (phone, late).',
      'Promise nothing that is not on this list.',
    ]);
    expect(await database.query(`SELECT actor, subject, details FROM audit WHERE action = 'task.propose'`)).toEqual([
      {
        actor: 'makegood',
        subject: call?.id,
        details: { orderId: call?.orderId, kind: 'call', rule: 'personal-call', incident: 'late', policyVersion: 1 },
      },
    ]);
  });

  test('and not again while the call is to come, nor lately after it, nor for the same incidents ever', async () => {
    const none = { proposed: 0, candidates: 0 };
    expect(await chooseCalls(makegood.deps, {})).toMatchObject(none);
    const [call] = await callsOf(makegood);
    const done = await makegood.request('POST', `/v1/tasks/${call?.id}/complete`, { outcome: 'reached' });
    expect(done.status).toBe(200);
    const patient = { ...personalCalls, lookBackDays: 365 };
    await putInForce(database, { personalCalls: patient });
    expect(await chooseCalls(makegood.deps, {})).toMatchObject(none);
    makegood.clock.set(new Date('2027-03-28T01:30:00Z'));
    expect(await chooseCalls(makegood.deps, {})).toMatchObject(none);
    expect(await database.query(`SELECT 1 FROM tasks WHERE rule = 'personal-call'`)).toHaveLength(1);
  });
});

describe('whom the policy chooses', () => {
  let database: TestDatabase;
  let makegood: TestMakegood;
  let second: TestMakegood;

  beforeAll(async () => {
    database = await createTestDatabase();
    const options = { databaseUrl: database.url, now: NIGHT, workers: [], environment: BERLIN };
    makegood = await startMakegood(options);
    second = await startMakegood(options);
  });
  afterAll(async () => {
    await makegood.stop();
    await second.stop();
    await database.drop();
  });
  beforeEach(async () => {
    for (const one of [makegood, second]) one.clock.set(new Date(NIGHT));
    await putInForce(database, {});
  });
  // Nobody has an incident or a call any more.
  afterEach(() => database.query('DELETE FROM tasks; DELETE FROM incidents; DELETE FROM contacts'));

  /** A customer with an order whose promise was broken, as the stages write it. @returns the customer's id */
  async function unlucky(
    changes: {
      readonly customer?: string;
      readonly phone?: string | null;
      readonly kind?: string;
      readonly verdict?: string;
      readonly standing?: string | null;
      readonly openedAt?: string;
      readonly mode?: string;
      readonly declined?: string;
      readonly order?: Record<string, unknown>;
    } = {},
  ): Promise<string> {
    const id = `o-${randomUUID()}`;
    const { customer = `c-${id}`, phone = '555 0100', kind = 'late', verdict = 'late', standing = kind } = changes;
    const { openedAt = '2026-12-26T12:00:00Z', mode = 'active', declined = null } = changes;
    const row = {
      ...{ id, customer_id: customer, promise_on: '2026-12-23', promise_time_zone: 'America/New_York' },
      ...{ promised_until: '2026-12-24T05:00:00Z', registered_at: '2026-12-20T05:00:00Z', ...changes.order },
    };
    const names = Object.keys(row);
    const [first] = await database.query<{ id: string }>('SELECT gen_random_uuid() AS id');
    await database.query('INSERT INTO customers (id, phone) VALUES ($1, $2) ON CONFLICT DO NOTHING', [customer, phone]);
    await database.query(
      `INSERT INTO orders (${names.join(', ')}) VALUES (${names.map((_name, place) => `$${place + 1}`).join(', ')})`,
      Object.values(row),
    );
    await database.query(
      `INSERT INTO verdicts (id, order_id, verdict, promised_until, judged_at, policy_version, trigger, trace, incident, mode,
         declined_because, inputs, explanation)
       VALUES ($1, $2, $3, '2026-12-24T05:00:00Z', $4, 1, 'webhook', 't', $5, $6, $7, '{}', '{}')`,
      [first?.id, id, verdict, openedAt, standing, mode, declined],
    );
    await database.query('UPDATE orders SET verdict_id = $2, verdict = $3 WHERE id = $1', [id, first?.id, verdict]);
    await incident(id, kind, openedAt);
    return customer;
  }
  const incident = (orderId: string, kind: string, openedAt: string) =>
    database.query('INSERT INTO incidents (id, order_id, kind, opened_at) VALUES (gen_random_uuid(), $1, $2, $3)', [
      orderId,
      kind,
      openedAt,
    ]);
  const withTerms = (changes: Partial<Policy['personalCalls']>) =>
    putInForce(database, { personalCalls: { ...personalCalls, ...changes } });
  const choose = (who = makegood): Promise<ChosenCalls> => chooseCalls(who.deps, {});
  const called = async () =>
    (await database.query<{ id: string }>(`SELECT customer_id AS id FROM tasks WHERE rule = 'personal-call'`)).map(
      ({ id }) => id,
    );
  const task = (customer: string, columns: Record<string, unknown>) => {
    const row = {
      rule: 'occasion-call',
      kind: 'call',
      incident: 'damaged',
      created_at: '2026-12-20T00:00:00Z',
      ...columns,
    };
    const names = Object.keys(row);
    return database.query(
      `INSERT INTO tasks (id, order_id, customer_id, ${names.join(', ')})
       SELECT gen_random_uuid(), id, customer_id, ${names.map((_name, place) => `$${place + 2}`).join(', ')}
       FROM orders WHERE customer_id = $1 LIMIT 1`,
      [customer, ...Object.values(row)],
    );
  };
  const done = (at: string) => ({ status: 'done', outcome: 'reached', completed_by: 'key:x', completed_at: at });

  test('a day has so many calls and no more, however often and by however many processes they are chosen at once', async () => {
    await withTerms({ perDay: 3 });
    const customers: string[] = [];
    for (let i = 0; i < 8; i++) customers.push(await unlucky());
    const answers = await Promise.all(Array.from({ length: 10 }, (_one, i) => choose(i % 2 === 0 ? makegood : second)));
    expect(answers.reduce((sum, { proposed }) => sum + proposed, 0)).toBe(3);
    expect(await called()).toHaveLength(3);
    expect(await choose()).toEqual({ proposed: 0, candidates: 5, proposedBefore: 3, perDay: 3 });
    // A call that is done was one of this day all the same.
    await database.query(
      `UPDATE tasks SET status = 'done', outcome = 'x', completed_by = 'key:x', completed_at = '2026-12-28T05:00:00Z'`,
    );
    // The last moment of the day in Berlin, and the first of the next.
    makegood.clock.set(new Date('2026-12-28T22:50:00Z'));
    expect(await choose()).toMatchObject({ proposed: 0, proposedBefore: 3 });
    makegood.clock.set(new Date('2026-12-28T23:00:00Z'));
    expect(await choose()).toMatchObject({ proposed: 3, proposedBefore: 0 });
    expect(new Set(await called()).size).toBe(6);
  });

  test('the worst come first', async () => {
    await withTerms({ perDay: 2 });
    await unlucky();
    const lost = await unlucky({ kind: 'lost', verdict: 'lost' });
    const twice = await unlucky();
    await unlucky({ customer: twice });
    await unlucky();
    expect(await choose()).toMatchObject({ proposed: 2, candidates: 4 });
    expect((await called()).sort()).toEqual([lost, twice].sort());
  });

  test('who has talked to us comes after who has not', async () => {
    await withTerms({ perDay: 1 });
    const [talked, silent] = [await unlucky({ openedAt: '2026-12-26T13:00:00Z' }), await unlucky()];
    await database.query(
      `INSERT INTO contacts (id, customer_id, channel, reason, at, recorded_at, recorded_by)
       VALUES (gen_random_uuid(), $1, 'mail', 'late', '2026-12-27T12:00:00Z', now(), 'key:x')`,
      [talked],
    );
    await choose();
    expect(await called()).toEqual([silent]);
  });

  test.each<[string, Parameters<typeof unlucky>[0], boolean]>([
    ['a week ago', { openedAt: '2026-12-21T02:00:00Z' }, true],
    ['longer ago', { openedAt: '2026-12-21T01:00:00Z' }, false],
    ['a customer without telephone', { phone: null }, false],
    ['a telephone without a digit', { phone: 'none' }, false],
    ['an order that was registered for the record', { order: { backfill: true } }, false],
    ['decided without giving anything', { mode: 'shadow' }, false],
    ['a customer who is held out of goodwill', { order: { arm: 'holdout' } }, false],
    ['one who is treated', { order: { arm: 'treated' } }, true],
    ['the customer’s own fault', { declined: 'customer_fault' }, false],
    ['the weather’s fault', { declined: 'force_majeure' }, true],
    ['it was in time after all', { verdict: 'on_time', standing: null }, false],
    ['it was taken for lost, and came', { kind: 'lost', standing: 'late' }, false],
    ['it was late, and then lost', { verdict: 'lost', standing: 'lost' }, true],
    ['it came, and was not received', { kind: 'not_received', verdict: 'on_time' }, true],
  ])('%s', async (_name, changes, chosen) => {
    const customer = await unlucky(changes);
    expect(await choose()).toMatchObject({ candidates: chosen ? 1 : 0 });
    expect(await called()).toEqual(chosen ? [customer] : []);
  });

  test('as many incidents as the policy wants, of one order or of several', async () => {
    await withTerms({ minimumIncidents: 2 });
    await unlucky();
    const twice = await unlucky();
    await unlucky({ customer: twice });
    const both = await unlucky({ standing: 'not_received' });
    const [{ id } = { id: '' }] = await database.query<{ id: string }>('SELECT id FROM orders WHERE customer_id = $1', [
      both,
    ]);
    await incident(id, 'not_received', '2026-12-27T12:00:00Z');
    expect(await choose()).toMatchObject({ proposed: 2 });
    expect((await called()).sort()).toEqual([twice, both].sort());
    const [call] = (await callsOf(makegood)).filter(({ orderId }) => orderId === id);
    expect(call).toMatchObject({ incident: 'not_received' });
    expect(call?.talkingPoints).toContain('The customer has said that it did not arrive.');
  });

  test.each<[string, Record<string, unknown>, boolean]>([
    ['an open call of long ago', { created_at: '2026-01-01T00:00:00Z' }, false],
    [
      'a call that ended less than 30 days ago',
      { created_at: '2026-11-01T00:00:00Z', ...done('2026-11-28T02:00:00Z') },
      false,
    ],
    [
      'a call that ended more than 30 days ago',
      { created_at: '2026-11-01T00:00:00Z', ...done('2026-11-28T01:00:00Z') },
      true,
    ],
    ['a case', { kind: 'case' }, true],
  ])('whoever has %s', async (_name, columns, chosen) => {
    const customer = await unlucky();
    await task(customer, columns);
    expect(await choose()).toMatchObject({ candidates: chosen ? 1 : 0 });
    expect(await called()).toEqual(chosen ? [customer] : []);
  });

  test('whoever gets a call by another rule at the same moment gets no second one', async () => {
    const customer = await unlucky();
    const choosing = await second.deps.db.transaction(async (sql) => {
      // As whoever judges an order of this customer does.
      await sql.query('SELECT 1 FROM customers WHERE id = $1 FOR NO KEY UPDATE', [customer]);
      const chosen = choose();
      await eventually(async () => {
        const waiting = await database.query(
          `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        );
        return waiting.length > 0;
      });
      await sql.query(
        `INSERT INTO tasks (id, order_id, customer_id, incident, rule, kind, created_at)
         SELECT gen_random_uuid(), id, customer_id, 'late', 'occasion-call', 'call', $2 FROM orders WHERE customer_id = $1`,
        [customer, NIGHT],
      );
      return { chosen };
    });
    expect(await choosing.chosen).toMatchObject({ proposed: 0, candidates: 1 });
    expect(await called()).toEqual([]);
  });

  test('a new incident after the time is a reason to call again, and the caller hears what was learnt', async () => {
    await withTerms({ notAgainWithinDays: 1 });
    const customer = await unlucky({ openedAt: '2026-12-26T05:00:00Z' });
    await task(customer, { ...done('2026-12-26T12:00:00Z'), note: 'likes blue' });
    expect(await choose()).toMatchObject({ candidates: 0 });
    await unlucky({ customer, openedAt: '2026-12-27T12:00:00Z' });
    expect(await choose()).toMatchObject({ proposed: 1 });
    const [call] = await callsOf(makegood);
    expect(call?.talkingPoints).toContain('A call ended on Saturday, December 26: reached (likes blue).');
    expect(call?.talkingPoints[0]).toContain('2 broken promises');
  });

  test.each<[string, Partial<Policy>]>([
    ['whose policy has none a day', { personalCalls: { ...personalCalls, perDay: 0 } }],
    ['whose policy only decides for the record', { mode: 'shadow' }],
  ])('nobody is called of a shop %s', async (_name, changes) => {
    await unlucky();
    await putInForce(database, changes);
    expect(await choose()).toMatchObject({ proposed: 0, candidates: 0 });
    expect(await called()).toEqual([]);
  });

  test('nobody is called of a shop whose policy is of the time before there were such calls', async () => {
    await unlucky();
    const { personalCalls: _none, ...old } = DEFAULT_POLICY;
    await database.query(
      `INSERT INTO policy_versions (version, name, document, activated_by, reason)
       SELECT max(version) + 1, 'old', $1, 'test', 'test' FROM policy_versions`,
      [JSON.stringify(old)],
    );
    expect(await choose()).toEqual({ proposed: 0, candidates: 0, proposedBefore: 0, perDay: 0 });
  });

  test('of many broken promises the latest are told', async () => {
    const customer = await unlucky();
    for (let i = 0; i < 11; i++)
      await unlucky({ customer, openedAt: `2026-12-27T${String(i).padStart(2, '0')}:00:00Z` });
    expect(await choose()).toMatchObject({ proposed: 1 });
    const [call] = await callsOf(makegood);
    expect(call?.talkingPoints[0]).toContain('12 broken promises');
    const told = call?.talkingPoints.filter((point) => point.startsWith('Order ')) ?? [];
    expect(told).toHaveLength(8);
    expect(told.at(-1)).toContain(call?.orderId);
  });
});
