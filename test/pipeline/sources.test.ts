import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { CarrierAdapter } from '../../src/carriers/adapter.js';
import { CARRIERS } from '../../src/carriers/registry.js';
import { documentOf, fixtureNames, parcelsOf, rawFixture } from '../support/carriers.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type Answer, orderDocument, startMakegood, type TestMakegood } from '../support/makegood.js';
import { signedBy } from '../support/sources.js';

// From the bytes of each source to the month that was given. Queues make no difference to it: one backend is enough.
interface World {
  readonly database: TestDatabase;
  readonly makegood: TestMakegood;
}

let world: World;
/** Where the same things arrive in another order. */
let mirror: World;

beforeAll(async () => {
  [world, mirror] = await Promise.all([open(), open()]);
});
afterAll(async () => {
  for (const { makegood, database } of [world, mirror]) {
    await makegood.stop();
    await database.drop();
  }
});

async function open(): Promise<World> {
  const database = await createTestDatabase();
  return { database, makegood: await startMakegood({ databaseUrl: database.url, now: '2026-04-14T12:00:00Z' }) };
}

describe.each(CARRIERS.map((carrier) => [carrier.source, carrier] as const))('%s', (source, carrier) => {
  /** As the source signs it at the time that it is there. */
  const send = (name: string, to: World = world, headers?: Record<string, string>): Promise<Answer> => {
    const body = rawFixture(source, name);
    const signature = headers ?? signedBy(carrier, body, to.makegood.clock.read(new Date()));
    return to.makegood.request('POST', `/webhooks/${source}`, body, { authorization: '', ...signature });
  };
  const namesOf = (prefix: string) => fixtureNames(source).filter((name) => name.startsWith(prefix));

  test('late: one month, told once, however often it comes; in time: nothing', async () => {
    const { makegood, database } = world;
    const [lateId, inTimeId] = [`late-${source}`, `in-time-${source}`];
    await makegood.put(lateId, orderOf(carrier, lateId, 'delivered-late'));
    await makegood.put(inTimeId, orderOf(carrier, inTimeId, 'delivered-in-time'));
    for (const name of [...namesOf('delivered-late'), ...namesOf('delivered-in-time'), ...namesOf('delivered-late')]) {
      expect((await send(name)).status).toBe(200);
    }
    await makegood.quiet();

    const late = await makegood.order(lateId);
    expect(late.verdict).toMatchObject({ verdict: 'late', lateDays: 3 });
    expect(late.awards).toMatchObject([{ kind: 'membership_extension', months: 1, status: 'applied' }]);
    expect(late.messages).toMatchObject([{ template: 'late-delivered', status: 'sent' }]);
    expect(late.shipments[0]).toMatchObject({ status: 'delivered' });
    expect(new Set(late.shipments[0]?.events.map((event) => event.source))).toEqual(new Set([source]));

    const inTime = await makegood.order(inTimeId);
    expect(inTime.verdict).toMatchObject({ verdict: 'on_time', declinedBecause: 'kept' });
    expect([inTime.awards, inTime.messages]).toEqual([[], []]);
    const balances = await database.query(
      `SELECT owner_id, unit, balance::int FROM ledger_accounts WHERE owner_id = ANY($1)`,
      [[lateId, inTimeId]],
    );
    expect(balances).toEqual([{ owner_id: lateId, unit: 'membership_months', balance: 1 }]);
  });

  test('the order in which webhooks arrive does not matter, nor that they come twice', async () => {
    const names = namesOf('out-of-order');
    const id = `order-${source}`;
    const seen = [];
    for (const { to, arrivals } of [
      { to: world, arrivals: names },
      { to: mirror, arrivals: [...names, ...names].reverse() },
    ]) {
      await to.makegood.put(id, orderOf(carrier, id, 'out-of-order'));
      for (const name of arrivals) {
        expect((await send(name, to)).status).toBe(200);
        await to.makegood.quiet();
      }
      const { shipments, verdict } = await to.makegood.order(id);
      seen.push({ shipments, verdict: { ...verdict, judgedAt: null } });
    }
    expect(seen[0]?.shipments[0]?.events.length).toBeGreaterThan(1);
    expect(seen[1]).toEqual(seen[0]);
  });

  if (carrier.trust === 'hint') {
    test('nothing moves and nothing is paid until the static secret matched', async () => {
      const { makegood } = mirror;
      const id = `hint-${source}`;
      await makegood.put(id, orderOf(carrier, id, 'delivered-late'));
      for (const name of namesOf('delivered-late')) {
        const guess = { rawBody: rawFixture(source, name), secret: 'a-guess', now: makegood.clock.read(new Date()) };
        expect((await send(name, mirror, carrier.sign(guess))).status).toBe(401);
      }
      await makegood.quiet();
      const before = await makegood.order(id);
      expect(before.shipments[0]).toMatchObject({ status: 'unknown', events: [] });
      expect(before.awards).toEqual([]);
      for (const name of namesOf('delivered-late')) await send(name, mirror);
      await makegood.quiet();
      expect((await makegood.order(id)).awards).toMatchObject([{ status: 'applied' }]);
    });
  }
});

/** An order of the parcel in a fixture, promised for the tenth of April. An aggregator may call its carrier what it likes. */
function orderOf(carrier: CarrierAdapter, customerId: string, fixture: string): object {
  const { source } = carrier;
  const name = fixtureNames(source).find((known) => known.startsWith(fixture)) ?? '';
  const [parcel] = parcelsOf(carrier.parse(documentOf(source, name)));
  return orderDocument({
    customerId,
    carrier: carrier.carrier === null ? 'Some Carrier' : carrier.title,
    trackingNumber: parcel?.trackingNumber ?? '',
    placedAt: '2026-04-05T10:00:00Z',
    promise: { on: '2026-04-10', timeZone: 'America/New_York' },
  });
}
