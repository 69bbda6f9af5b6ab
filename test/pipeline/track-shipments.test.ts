import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { orderDocument, startMakegood, type TestMakegood, trackerEvent } from '../support/makegood.js';
import { atOnce, runByHand, ticketsOf, workByHand } from '../support/tickets.js';

type Scan = readonly [status: string, detail: string, datetime: string];

const LABEL: Scan = ['pre_transit', 'label_created', '2026-11-02T10:00:00Z'];
const DEPARTED: Scan = ['in_transit', 'departed_facility', '2026-11-03T13:00:00Z'];
const ARRIVED: Scan = ['in_transit', 'arrived_at_facility', '2026-11-04T08:00:00Z'];
const OUT: Scan = ['out_for_delivery', 'out_for_delivery', '2026-11-05T11:00:00Z'];
const DELIVERED: Scan = ['delivered', 'arrived_at_destination', '2026-11-05T19:00:00Z'];

// PostgreSQL alone, and tickets run by hand: what scans add up to does not depend on who brings the tickets.
describe('what scans add up to', () => {
  let database: TestDatabase;
  let makegood: TestMakegood;

  beforeAll(async () => {
    database = await createTestDatabase();
    makegood = await startMakegood({ databaseUrl: database.url, now: '2026-11-08T12:00:00Z', workers: [] });
  });
  afterAll(async () => {
    await makegood.stop();
    await database.drop();
  });

  let numbers = 0;
  const newNumber = () => `94001000000000000004${String(++numbers).padStart(2, '0')}`;
  const work = () => workByHand(makegood.deps, database);
  async function register(id: string, trackingNumber: string, changes: Record<string, unknown> = {}) {
    const answer = await makegood.put(id, orderDocument({ customerId: `c-${id}`, trackingNumber, ...changes }));
    expect(answer.status).toBe(201);
    await work();
  }
  async function report(trackingNumber: string, ...scans: Scan[]) {
    const answer = await makegood.webhook(trackerEvent(trackingNumber, scans));
    expect(answer.status).toBe(200);
    await work();
    return answer.body;
  }
  const shipmentOf = async (id: string) => (await makegood.order(id)).shipments[0];
  const statusesOf = async (id: string) => (await shipmentOf(id))?.events.map(({ status }) => status);

  test('the status is that of the latest scan by its own time, in whatever order the scans arrive', async () => {
    const number = newNumber();
    await register('shuffled', number);
    for (const scan of [OUT, LABEL, ARRIVED, DEPARTED]) {
      await report(number, scan);
      expect(await shipmentOf('shuffled')).toMatchObject({ status: 'out_for_delivery', deliveredAt: null });
    }
    await report(number, DELIVERED);
    expect(await shipmentOf('shuffled')).toMatchObject({
      status: 'delivered',
      deliveredAt: '2026-11-05T19:00:00.000Z',
    });
    expect(await statusesOf('shuffled')).toEqual([
      'pre_transit',
      'in_transit',
      'in_transit',
      'out_for_delivery',
      'delivered',
    ]);
  });

  test('an older snapshot that arrives after a newer one changes nothing', async () => {
    const number = newNumber();
    await register('snapshots', number);
    await report(number, LABEL, DEPARTED, ARRIVED, OUT, DELIVERED);
    const before = await makegood.order('snapshots');
    const verdicts = await database.query('SELECT id FROM verdicts WHERE order_id = $1', ['snapshots']);

    expect(await report(number, LABEL, DEPARTED)).toEqual({ accepted: 0, duplicates: 2 });

    expect(await makegood.order('snapshots')).toEqual(before);
    expect(await database.query('SELECT id FROM verdicts WHERE order_id = $1', ['snapshots'])).toEqual(verdicts);
    expect(await ticketsOf(database, 'track-shipments')).toEqual([]);
  });

  test('an older scan that nobody knew joins the history and leaves the status', async () => {
    const number = newNumber();
    await register('older', number);
    await report(number, DELIVERED);
    expect(await report(number, LABEL)).toEqual({ accepted: 1, duplicates: 0 });
    expect(await shipmentOf('older')).toMatchObject({ status: 'delivered', deliveredAt: '2026-11-05T19:00:00.000Z' });
    expect(await statusesOf('older')).toEqual(['pre_transit', 'delivered']);
  });

  test('two tickets for one number, run at the same time, end with the state of all scans', async () => {
    const parcels = Array.from({ length: 12 }, (_, index) => ({ id: `race-${index}`, number: newNumber() }));
    for (const { id, number } of parcels) await register(id, number);

    const ticketsFor = async (number: string) =>
      (await ticketsOf(database, 'track-shipments')).filter(({ ids }) => ids.includes(number));
    const runTickets = async (number: string) => {
      for (const ticket of await ticketsFor(number)) await runByHand(makegood.deps, ticket);
    };
    await atOnce(parcels, 4, async ({ number }) => {
      await makegood.webhook(trackerEvent(number, [DEPARTED]));
      // While the older news is added up, the newer comes in and is added up too; either may end last.
      const newer = async () => {
        await makegood.webhook(trackerEvent(number, [DELIVERED]));
        await runTickets(number);
      };
      await Promise.all([runTickets(number), newer()]);
    });
    await work();

    for (const { id } of parcels) {
      expect(await shipmentOf(id)).toMatchObject({ status: 'delivered', deliveredAt: '2026-11-05T19:00:00.000Z' });
      expect((await makegood.order(id)).verdict).toMatchObject({ verdict: 'on_time' });
    }
  });

  test('scans of a number that no order has are kept, and attach when the order comes', async () => {
    const number = newNumber();
    expect(await report(number, DEPARTED, DELIVERED)).toEqual({ accepted: 2, duplicates: 0 });
    expect(await ticketsOf(database, 'track-shipments')).toEqual([]);
    expect(await ticketsOf(database, 'judge-promises')).toEqual([]);

    await register('early', number);

    expect(await shipmentOf('early')).toMatchObject({ status: 'delivered', deliveredAt: '2026-11-05T19:00:00.000Z' });
    expect((await makegood.order('early')).verdict).toMatchObject({ verdict: 'on_time' });
  });

  test('a parcel added to an order later finds the scans that came before it', async () => {
    const [first, second] = [newNumber(), newNumber()];
    await register('two-boxes', first);
    await report(first, DELIVERED);
    await report(second, OUT);
    const shipments = [first, second].map((trackingNumber) => ({ carrier: 'usps', trackingNumber }));
    const answer = await makegood.put('two-boxes', orderDocument({ customerId: 'c-two-boxes', shipments }));
    expect(answer.status).toBe(200);
    await work();
    const order = await makegood.order('two-boxes');
    expect(order.shipments.map(({ status }) => status)).toEqual(['delivered', 'out_for_delivery']);
    expect(order.verdict).toMatchObject({ verdict: 'overdue' });
  });

  test('a number that came back after months belongs to the order whose time a scan fits', async () => {
    const number = newNumber();
    const promise = (on: string) => ({ on, timeZone: 'America/New_York' });
    await register('june', number, { placedAt: '2026-06-01T09:00:00Z', promise: promise('2026-06-05') });
    await report(number, ['delivered', 'arrived_at_destination', '2026-06-04T15:00:00Z']);
    await register('october', number, { placedAt: '2026-10-28T09:00:00Z', promise: promise('2026-11-03') });

    expect(await shipmentOf('october')).toMatchObject({ status: 'unknown', deliveredAt: null, events: [] });
    await report(number, DEPARTED, DELIVERED);

    expect(await shipmentOf('june')).toMatchObject({ status: 'delivered', deliveredAt: '2026-06-04T15:00:00.000Z' });
    expect(await statusesOf('june')).toEqual(['delivered']);
    expect((await makegood.order('june')).verdict).toMatchObject({ verdict: 'on_time' });
    expect(await shipmentOf('october')).toMatchObject({ status: 'delivered', deliveredAt: '2026-11-05T19:00:00.000Z' });
    expect(await statusesOf('october')).toEqual(['in_transit', 'delivered']);
    expect((await makegood.order('october')).verdict).toMatchObject({ verdict: 'late', lateDays: 2 });
  });

  test('two orders that share a box are both judged by its scans, each by its own promise', async () => {
    const number = newNumber();
    await register('shared-a', number, { promise: { on: '2026-11-05', timeZone: 'America/New_York' } });
    await register('shared-b', number, {
      placedAt: '2026-11-02T15:00:00Z',
      promise: { on: '2026-11-04', timeZone: 'America/New_York' },
    });

    await report(number, DELIVERED);

    expect((await makegood.order('shared-a')).verdict).toMatchObject({ verdict: 'on_time' });
    expect((await makegood.order('shared-b')).verdict).toMatchObject({ verdict: 'late', lateDays: 1 });
    for (const id of ['shared-a', 'shared-b']) expect(await shipmentOf(id)).toMatchObject({ status: 'delivered' });
  });

  test('scans of another carrier with the same number stay away from a parcel where both are registered', async () => {
    const number = newNumber();
    await register('by-usps', number);
    await register('by-ups', number, { carrier: 'ups' });
    await report(number, DELIVERED);
    expect(await shipmentOf('by-usps')).toMatchObject({ status: 'delivered' });
    expect(await shipmentOf('by-ups')).toMatchObject({ status: 'unknown', events: [] });
  });

  test('a number is found however it is spelt', async () => {
    await register('spelt', 'ab-1234 5678');
    await report('AB12345678', DELIVERED);
    expect(await shipmentOf('spelt')).toMatchObject({ status: 'delivered', trackingNumber: 'ab-1234 5678' });
  });
});
