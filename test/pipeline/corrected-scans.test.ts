import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { findCarrier } from '../../src/carriers/registry.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { orderDocument, startMakegood, type TestMakegood, trackerEvent } from '../support/makegood.js';
import { signedBy } from '../support/sources.js';

/** Every order of a few things. */
function permutations<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, index) =>
    permutations(items.filter((_, other) => other !== index)).map((rest) => [item, ...rest]),
  );
}

// What a source says later of what it said before. Decided in the database's rows: one backend is enough.
describe('snapshots that correct each other', () => {
  let database: TestDatabase;
  let makegood: TestMakegood;
  let orders = 0;
  beforeAll(async () => {
    database = await createTestDatabase();
    makegood = await startMakegood({ databaseUrl: database.url, now: '2026-11-09T12:00:00Z' });
  });
  afterAll(async () => {
    await makegood.stop();
    await database.drop();
  });

  type Scan = readonly [status: string, detail: string, datetime: string];
  const moving: Scan = ['in_transit', 'departed_facility', '2026-11-04T13:00:00Z'];
  const inTime: Scan = ['delivered', 'arrived_at_destination', '2026-11-05T19:00:00Z'];
  const late: Scan = ['delivered', 'arrived_at_destination', '2026-11-06T19:00:00Z'];
  const later: Scan = ['delivered', 'arrived_at_destination', '2026-11-06T20:00:00Z'];
  const out: Scan = ['out_for_delivery', 'out_for_delivery', '2026-11-05T19:00:00Z'];

  /** A snapshot that the source took at this time. */
  const snapshot = (number: string, takenAt: string, scans: readonly Scan[]) => {
    const event = trackerEvent(number, scans);
    return { ...event, result: { ...event.result, updated_at: takenAt } };
  };

  const newOrder = async () => {
    const id = `corrected-${++orders}`;
    const number = `CORRECTED${orders}`;
    await makegood.put(id, orderDocument({ customerId: id, trackingNumber: number }));
    return { id, number };
  };
  const send = async (event: object) => {
    expect((await makegood.webhook(event)).status).toBe(200);
    await makegood.quiet();
  };
  const eventsOf = async (id: string) =>
    (await makegood.order(id)).shipments[0]?.events.map(
      ({ status, at, superseded }) => `${status} ${at.slice(8, 10)}${superseded ? ' superseded' : ''}`,
    );

  test('a delivery told with another time counts as it is told last, and the old one is kept and marked', async () => {
    const { id, number } = await newOrder();
    await send(snapshot(number, '2026-11-06T20:00:00Z', [moving, late]));
    expect((await makegood.order(id)).verdict).toMatchObject({ verdict: 'late' });
    await send(snapshot(number, '2026-11-07T08:00:00Z', [moving, inTime]));
    const order = await makegood.order(id);
    expect(order.verdict).toMatchObject({ verdict: 'on_time', metAt: '2026-11-05T19:00:00.000Z' });
    expect(order.shipments[0]).toMatchObject({ deliveredAt: '2026-11-05T19:00:00.000Z' });
    expect(await eventsOf(id)).toEqual(['in_transit 04', 'delivered 05', 'delivered 06 superseded']);
    // What was given in good faith stays given.
    expect(order.awards).toMatchObject([{ kind: 'membership_extension', status: 'applied' }]);
  });

  test('a delivery that was none is taken back by the scan of the same time that replaces it', async () => {
    const { id, number } = await newOrder();
    await send(snapshot(number, '2026-11-05T20:00:00Z', [moving, inTime]));
    expect((await makegood.order(id)).verdict).toMatchObject({ verdict: 'on_time' });
    await send(snapshot(number, '2026-11-05T22:00:00Z', [moving, out]));
    expect((await makegood.order(id)).verdict).toMatchObject({ verdict: 'overdue' });
    expect(await eventsOf(id)).toContain('delivered 05 superseded');
  });

  test('a snapshot that leaves a delivery out and puts nothing in its place takes nothing back', async () => {
    const { id, number } = await newOrder();
    await send(snapshot(number, '2026-11-05T20:00:00Z', [moving, inTime]));
    await send(snapshot(number, '2026-11-07T22:00:00Z', [moving]));
    expect((await makegood.order(id)).verdict).toMatchObject({ verdict: 'on_time' });
    expect(await eventsOf(id)).toEqual(['in_transit 04', 'delivered 05']);
  });

  test('the same snapshots in any order of arrival, once or twice, come to the same', async () => {
    const taken = [
      ['2026-11-05T20:00:00Z', [moving, inTime]],
      ['2026-11-06T20:00:00Z', [moving, out, late]],
      ['2026-11-07T20:00:00Z', [moving, out, inTime, late]],
      ['2026-11-08T20:00:00Z', [moving, later]],
    ] as const;
    const seen = new Set<string>();
    for (const arrivals of permutations(taken)) {
      const { id, number } = await newOrder();
      for (const [at, scans] of [...arrivals, ...arrivals.slice(0, 2)]) await send(snapshot(number, at, scans));
      const { verdict } = await makegood.order(id);
      // Both are of the 5th, at the same time: which of them is named first says nothing.
      seen.add(JSON.stringify([verdict?.verdict, verdict?.metAt, (await eventsOf(id))?.sort()]));
    }
    expect([...seen].map((one) => JSON.parse(one))).toEqual([
      [
        'late',
        '2026-11-06T20:00:00.000Z',
        ['delivered 05 superseded', 'delivered 06', 'delivered 06 superseded', 'in_transit 04', 'out_for_delivery 05'],
      ],
    ]);
  });

  test('a scan that comes back in a newer snapshot counts again', async () => {
    const { id, number } = await newOrder();
    await send(snapshot(number, '2026-11-05T20:00:00Z', [moving, inTime]));
    await send(snapshot(number, '2026-11-06T20:00:00Z', [moving, late]));
    expect((await makegood.order(id)).verdict).toMatchObject({ verdict: 'late' });
    await send(snapshot(number, '2026-11-07T20:00:00Z', [moving, inTime, late]));
    expect((await makegood.order(id)).verdict).toMatchObject({ verdict: 'on_time' });
    expect(await eventsOf(id)).toEqual(['in_transit 04', 'delivered 05', 'delivered 06']);
  });

  test('snapshots of one instant that differ do not correct each other', async () => {
    const { id, number } = await newOrder();
    await send(snapshot(number, '2026-11-06T20:00:00Z', [moving, late]));
    await send(snapshot(number, '2026-11-06T20:00:00Z', [moving, inTime]));
    expect(await eventsOf(id)).toEqual(['in_transit 04', 'delivered 05', 'delivered 06']);
  });

  test('corrections that came before the order are seen when it comes', async () => {
    const number = 'BEFORE-THE-ORDER';
    await send(snapshot(number, '2026-11-05T20:00:00Z', [moving, inTime]));
    await send(snapshot(number, '2026-11-06T20:00:00Z', [moving, late]));
    await makegood.put('before', orderDocument({ customerId: 'before', trackingNumber: number }));
    await makegood.quiet();
    expect((await makegood.order('before')).verdict).toMatchObject({ verdict: 'late' });
    expect(await eventsOf('before')).toContain('delivered 05 superseded');
  });

  test('a scan without words takes the status that the newest report lends it, in whatever order they arrive', async () => {
    const bare = (number: string, takenAt: string, status: string) => {
      const event = snapshot(number, takenAt, [['', '', '2026-11-05T19:00:00Z']]);
      return { ...event, result: { ...event.result, status, status_detail: 'unknown' } };
    };
    const taken = [
      ['2026-11-05T20:00:00Z', 'out_for_delivery'],
      ['2026-11-05T21:00:00Z', 'delivered'],
      ['2026-11-05T22:00:00Z', 'delivered'],
    ] as const;
    for (const arrivals of permutations(taken)) {
      const { id, number } = await newOrder();
      const tracker = trackerEvent(number, []);
      expect(tracker.result.tracking_details).toEqual([]);
      for (const [at, status] of arrivals) await send(bare(number, at, status));
      expect(await eventsOf(id)).toEqual(['delivered 05']);
      expect((await makegood.order(id)).verdict).toMatchObject({ verdict: 'on_time' });
    }
  });

  describe('of a source that does not say as of when it speaks', () => {
    const karrio = findCarrier('karrio');
    const scan = (date: string, time: string | null, status: string | null) => ({
      ...{ date, time, status, code: 'X', description: 'Scan', location: 'Albany, NY' },
    });
    const sendKarrio = async (number: string, status: string, events: readonly object[]) => {
      if (!karrio) throw new Error('there is no Karrio');
      const data = { tracking_number: number, carrier_name: 'usps', status, events };
      const body = Buffer.from(JSON.stringify({ event: 'tracker_updated', data }));
      const answer = await makegood.request('POST', '/webhooks/karrio', body, signedBy(karrio, body));
      expect(answer.status).toBe(200);
      await makegood.quiet();
    };

    test('nothing is corrected: a delivery told twice, differently, is the earlier one, in whatever order', async () => {
      const told = [[scan('2026-11-06', '00:30', 'delivered')], [scan('2026-11-05', '23:30', 'delivered')]];
      for (const arrivals of permutations(told)) {
        const { id, number } = await newOrder();
        for (const events of arrivals) await sendKarrio(number, 'delivered', events);
        expect((await makegood.order(id)).verdict).toMatchObject({ verdict: 'on_time' });
        expect(await eventsOf(id)).toEqual(['delivered 06', 'delivered 06']);
      }
    });

    test('a scan without words takes the status that is further along, in whatever order they are lent', async () => {
      const bare = scan('2026-11-05', '14:00', null);
      for (const lent of permutations(['in_transit', 'out_for_delivery', 'delivered'])) {
        const { id, number } = await newOrder();
        for (const status of lent) await sendKarrio(number, status, [bare]);
        expect(await eventsOf(id)).toEqual(['delivered 05']);
        expect((await makegood.order(id)).verdict).toMatchObject({ verdict: 'on_time' });
      }
    });
  });
});
