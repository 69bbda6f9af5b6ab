import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { findCarrier } from '../../src/carriers/registry.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { orderDocument, startMakegood, type TestMakegood, trackerEvent } from '../support/makegood.js';
import { signedBy } from '../support/sources.js';

// Whose a scan is, is decided in the database's rows: one backend is enough.
describe('numbers that come back, and parcels that several sources tell of', () => {
  let database: TestDatabase;
  let makegood: TestMakegood;
  beforeAll(async () => {
    database = await createTestDatabase();
    makegood = await startMakegood({ databaseUrl: database.url, now: '2026-11-09T12:00:00Z' });
  });
  afterAll(async () => {
    await makegood.stop();
    await database.drop();
  });

  const NUMBER = '1Z999AA10123456784';
  const firstLife = [
    ['pre_transit', 'label_created', '2026-04-01T10:00:00Z'],
    ['in_transit', 'departed_facility', '2026-04-02T13:00:00Z'],
    ['delivered', 'arrived_at_destination', '2026-04-03T19:00:00Z'],
  ] as const;
  const secondLife = [
    ['pre_transit', 'label_created', '2026-11-02T10:00:00Z'],
    ['in_transit', 'departed_facility', '2026-11-04T13:00:00Z'],
    ['delivered', 'arrived_at_destination', '2026-11-06T19:00:00Z'],
  ] as const;
  const orderOf = (customerId: string, placedAt: string, on: string) =>
    orderDocument({
      customerId,
      trackingNumber: NUMBER,
      carrier: 'ups',
      placedAt,
      promise: { on, timeZone: 'America/New_York' },
    });
  const eventsOf = async (id: string) =>
    (await makegood.order(id)).shipments[0]?.events.map(({ at }) => at.slice(5, 10));

  test('the next parcel with the number is not that of an order that has its own already', async () => {
    await makegood.put('april', orderOf('april', '2026-03-31T12:00:00Z', '2026-04-04'));
    await makegood.webhook(trackerEvent(NUMBER, firstLife, 'UPS'));
    await makegood.quiet();
    const before = await makegood.order('april');
    expect(before.verdict).toMatchObject({ verdict: 'on_time' });

    await makegood.webhook(trackerEvent(NUMBER, secondLife.slice(0, 2), 'UPS'));
    await makegood.quiet();
    expect(await makegood.order('april')).toEqual(before);
  });

  test('it is that of the order whose time it fits, registered before it or after', async () => {
    await makegood.put('november', orderOf('november', '2026-11-01T12:00:00Z', '2026-11-05'));
    await makegood.quiet();
    expect(await eventsOf('november')).toEqual(['11-02', '11-04']);
    await makegood.webhook(trackerEvent(NUMBER, secondLife, 'UPS'));
    await makegood.quiet();
    expect(await eventsOf('november')).toEqual(['11-02', '11-04', '11-06']);
    expect((await makegood.order('november')).verdict).toMatchObject({ verdict: 'late', lateDays: 1 });
    expect(await eventsOf('april')).toEqual(['04-01', '04-02', '04-03']);
  });

  test('an aggregator with names of its own for carriers finds it too', async () => {
    const seventeentrack = findCarrier('seventeentrack');
    if (!seventeentrack) throw new Error('there is no 17TRACK');
    const scan = (time_utc: string, stage: string) => ({
      time_utc,
      stage,
      sub_status: null,
      description: stage,
      location: null,
    });
    const body = Buffer.from(
      JSON.stringify({
        event: 'TRACKING_UPDATED',
        data: {
          number: NUMBER,
          carrier: 100002,
          track_info: {
            latest_status: { status: 'Delivered', sub_status: 'Delivered_Other' },
            tracking: {
              providers: [
                { provider: { key: 100002, name: 'UPS' }, events: [scan('2026-11-06T19:00:00Z', 'Delivered')] },
                { provider: { key: 21051, name: 'USPS' }, events: [scan('2026-11-03T08:00:00Z', 'InTransit')] },
              ],
            },
          },
        },
      }),
    );
    const headers = signedBy(seventeentrack, body);
    const answer = await makegood.request('POST', '/webhooks/seventeentrack', body, headers);
    expect(answer).toMatchObject({ status: 200, body: { accepted: 2, duplicates: 0 } });
    await makegood.quiet();
    const { shipments } = await makegood.order('november');
    // Origin and last mile are one history, beside what EasyPost tells of the same parcel.
    expect(shipments[0]?.events.map(({ source, at }) => `${source} ${at.slice(5, 10)}`).sort()).toEqual([
      'easypost 11-02',
      'easypost 11-04',
      'easypost 11-06',
      'seventeentrack 11-03',
      'seventeentrack 11-06',
    ]);
    expect(await eventsOf('april')).toEqual(['04-01', '04-02', '04-03']);
  });

  test('a carrier speaks of a parcel of its own, also where the shop names its service, and never of another’s', async () => {
    const ups = findCarrier('ups');
    if (!ups) throw new Error('there is no UPS');
    const number = 'SHARED-BY-TWO';
    await makegood.put(
      'of-ups',
      orderDocument({ customerId: 'of-ups', carrier: 'UPS Ground', trackingNumber: number }),
    );
    await makegood.put('of-gls', orderDocument({ customerId: 'of-gls', carrier: 'GLS', trackingNumber: number }));
    const body = Buffer.from(
      JSON.stringify({
        trackingNumber: number,
        gmtActivityDate: '20261105',
        gmtActivityTime: '190000',
        activityStatus: { type: 'D', code: 'FS', description: 'Delivered' },
      }),
    );
    const answer = await makegood.request('POST', '/webhooks/ups', body, signedBy(ups, body));
    expect(answer).toMatchObject({ status: 200, body: { accepted: 1 } });
    await makegood.quiet();
    expect((await makegood.order('of-ups')).shipments[0]).toMatchObject({ status: 'delivered' });
    expect((await makegood.order('of-gls')).shipments[0]).toMatchObject({ status: 'unknown', events: [] });
  });
});
