import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { orderDocument, startMakegood, type TestMakegood, trackerEvent } from '../support/makegood.js';

// What a scan belongs to is decided in the database's rows: one backend is enough.
describe('numbers and parcels that could be mistaken for each other', () => {
  let database: TestDatabase;
  let makegood: TestMakegood;
  beforeAll(async () => {
    database = await createTestDatabase();
    makegood = await startMakegood({ databaseUrl: database.url, now: '2026-11-02T12:00:00Z' });
  });
  afterAll(async () => {
    await makegood.stop();
    await database.drop();
  });

  test('a parcel keeps the scans it has when another order is registered with the same number', async () => {
    const number = 'SAME1';
    await makegood.put('first', orderDocument({ customerId: 'first', carrier: 'hermes', trackingNumber: number }));
    makegood.clock.set(new Date('2026-11-05T20:00:00Z'));
    const delivered = trackerEvent(number, [['delivered', 'arrived_at_destination', '2026-11-05T19:00:00Z']], 'Evri');
    await makegood.webhook(delivered);
    await makegood.quiet();
    expect((await makegood.order('first')).verdict).toMatchObject({ verdict: 'on_time' });

    makegood.clock.set(new Date('2026-11-08T12:00:00Z'));
    await makegood.put('second', orderDocument({ customerId: 'second', carrier: 'usps', trackingNumber: number }));
    await makegood.quiet();
    const first = await makegood.order('first');
    expect(first.verdict).toMatchObject({ verdict: 'on_time' });
    expect(first.awards).toEqual([]);
    expect((await makegood.order('second')).shipments[0]?.events).toEqual([]);
  });

  test('the letter tells of the parcel that was made good, not of one that is later for a reason of its own', async () => {
    makegood.clock.set(new Date('2026-11-11T20:00:00Z'));
    await makegood.webhook(
      trackerEvent('STORM', [
        ['in_transit', 'weather_delay', '2026-11-04T12:00:00Z'],
        ['delivered', 'arrived_at_destination', '2026-11-11T19:00:00Z'],
      ]),
    );
    await makegood.webhook(trackerEvent('PLAIN', [['delivered', 'arrived_at_destination', '2026-11-06T19:00:00Z']]));
    await makegood.put(
      'two-parcels',
      orderDocument({
        customerId: 'two-parcels',
        customer: { membership: null },
        shippingPaid: { amountMinor: 0, currency: 'USD' },
        shipments: [
          { carrier: 'usps', trackingNumber: 'STORM' },
          { carrier: 'usps', trackingNumber: 'PLAIN' },
        ],
      }),
    );
    await makegood.quiet();

    const order = await makegood.order('two-parcels');
    expect(order.verdict).toMatchObject({ verdict: 'late', lateDays: 6, fault: 'force_majeure' });
    const letters = await database.query(
      `SELECT letter->'lateDays' AS days, letter->>'metAt' AS met FROM messages WHERE order_id = 'two-parcels' ORDER BY created_at`,
    );
    expect(letters).toEqual([{ days: 1, met: '2026-11-06T19:00:00.000Z' }]);
  });
});

test('a lock that lasts too long is waited for, and sets nothing aside', async () => {
  const database = await createTestDatabase();
  const url = new URL(database.url);
  url.searchParams.set('options', '-c lock_timeout=200ms');
  const makegood = await startMakegood({ databaseUrl: url.toString(), now: '2026-11-08T12:00:00Z' });
  try {
    await makegood.put('locked', orderDocument({ customerId: 'locked', trackingNumber: 'LOCKED' }));
    await makegood.quiet();
    const holder = new pg.Client({ connectionString: database.url });
    await holder.connect();
    await holder.query(`BEGIN; SELECT 1 FROM orders WHERE id = 'locked' FOR UPDATE`);
    const { status } = await makegood.request('POST', '/v1/orders/locked/recheck', {});
    expect(status).toBe(503);
    await makegood.webhook(trackerEvent('LOCKED', [['delivered', 'arrived_at_destination', '2026-11-06T19:00:00Z']]));
    // The ticket of the judge has met the lock, and is still there.
    await eventually(
      async () => (await database.query(`SELECT 1 FROM outbox WHERE stage = 'judge-promises'`)).length > 0,
    );
    await holder.end();
    await makegood.quiet();
    expect((await makegood.order('locked')).awards).toMatchObject([
      { kind: 'membership_extension', status: 'applied' },
    ]);
    expect(await database.query('SELECT 1 FROM outbox')).toEqual([]);
  } finally {
    await makegood.stop();
    await database.drop();
  }
});
