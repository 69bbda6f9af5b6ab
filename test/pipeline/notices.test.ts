import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DEFAULT_POLICY } from '../../src/compensation/default-policy.js';
import { sweep } from '../../src/promises/sweep.js';
import { findUntoldDecisions } from '../../src/promises/sweep-store.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { orderDocument, startMakegood, type TestMakegood, trackerEvent } from '../support/makegood.js';
import { putInForce } from '../support/policies.js';
import { issueTicket, runByHand, ticketsOf, workByHand } from '../support/tickets.js';

type Scan = readonly [status: string, detail: string, datetime: string];
const LABEL: Scan = ['pre_transit', 'label_created', '2026-11-02T09:00:00Z'];
const MOVING: Scan = ['in_transit', 'departed_facility', '2026-11-03T13:00:00Z'];
const STORM: Scan = ['in_transit', 'weather_delay', '2026-11-04T15:00:00Z'];
const OUT: Scan = ['out_for_delivery', 'out_for_delivery', '2026-11-04T15:00:00Z'];
const IN_TIME: Scan = ['delivered', 'arrived_at_destination', '2026-11-05T19:00:00Z'];
const LATE: Scan = ['delivered', 'arrived_at_destination', '2026-11-07T19:00:00Z'];

// Tickets run by hand on PostgreSQL alone: what is noticed does not depend on who brings the tickets.
let database: TestDatabase;
let makegood: TestMakegood;
let numbers = 0;
const newNumber = () => `94001000000000000008${String(++numbers).padStart(2, '0')}`;

async function start(environment: Record<string, string> = {}) {
  database = await createTestDatabase();
  makegood = await startMakegood({ databaseUrl: database.url, workers: [], environment });
}
async function stop() {
  await makegood.stop();
  await database.drop();
}
let now = '';
function at(instant: string) {
  now = instant;
  makegood.clock.set(new Date(instant));
}
/** Up to what providers do: the letters of notices lie as tickets. */
const work = () => workByHand(makegood.deps, database, 'call-providers');
const send = () => workByHand(makegood.deps, database);

async function register(id: string, changes: Record<string, unknown> = {}) {
  const answer = await makegood.put(
    id,
    orderDocument({ customerId: `c-${id}`, trackingNumber: newNumber(), ...changes }),
  );
  expect(answer.status).toBe(201);
  await work();
}
/** What EasyPost tells of a parcel, with its guess, at the time of the makegood. */
async function report(number: string, scans: readonly Scan[], estimate: string | null = null, takenAt?: string) {
  const event = trackerEvent(number, scans);
  const updated_at = takenAt ?? now;
  await makegood.webhook({ ...event, result: { ...event.result, updated_at, est_delivery_date: estimate } });
  await work();
}
// biome-ignore lint/suspicious/noExplicitAny: rows as they come, the test says what they must be.
const noticesOf = (orderId: string): Promise<any[]> =>
  database.query('SELECT id, kind, part, tells, facts FROM notices WHERE order_id = $1 ORDER BY kind, id', [orderId]);
const kindsOf = async (orderId: string) => (await noticesOf(orderId)).map(({ kind }) => kind);
async function isTicketed(noticeId: string): Promise<boolean> {
  return (await ticketsOf(database, 'send-messages')).some(({ ids }) => ids.includes(noticeId));
}
async function judgeAgain(...ids: string[]) {
  await runByHand(makegood.deps, {
    id: await issueTicket(makegood.deps, 'judge-promises', ids),
    stage: 'judge-promises',
  });
  await work();
}

describe('what customers are told without anything being given', () => {
  beforeAll(() => start({ SERVICE_LETTERS: 'none' }));
  afterAll(stop);

  describe('nothing is given', () => {
    test('because of the weather: told once, with the cause and where the parcel is', async () => {
      at('2026-11-08T12:00:00Z');
      const trackingNumber = newNumber();
      await register('storm', { trackingNumber });
      await report(trackingNumber, [MOVING, STORM, LATE]);
      const [notice, ...others] = await noticesOf('storm');
      expect(others).toEqual([]);
      expect(notice).toMatchObject({
        kind: 'declined',
        part: '',
        tells: true,
        facts: {
          verdict: 'late',
          lateDays: 2,
          declinedBecause: 'force_majeure',
          cause: 'weather',
          isMember: true,
          parcels: [
            {
              carrier: 'USPS',
              trackingNumber,
              trackingUrl: `https://tools.usps.com/go/TrackConfirmAction?tLabels=${trackingNumber}`,
              status: 'delivered',
              deliveredAt: '2026-11-07T19:00:00.000Z',
              estimate: null,
            },
          ],
        },
      });
      expect(await isTicketed(notice.id)).toBe(true);
      await send();
      await judgeAgain('storm');
      expect(await noticesOf('storm')).toHaveLength(1);
      expect((await makegood.order('storm')).messages).toMatchObject([{ template: 'declined', status: 'sent' }]);
    });

    test('a customer without an address has a notice and no letter', async () => {
      at('2026-11-08T12:00:00Z');
      const trackingNumber = newNumber();
      await register('no-address', { trackingNumber, customer: { email: null } });
      await report(trackingNumber, [MOVING, STORM, LATE]);
      await send();
      expect(await kindsOf('no-address')).toEqual(['declined']);
      expect((await makegood.order('no-address')).messages).toEqual([]);
    });

    test('late by less than a day, or by the carrier, or for the record alone: no such notice', async () => {
      at('2026-11-08T12:00:00Z');
      const byMinutes = newNumber();
      await register('by-minutes', {
        trackingNumber: byMinutes,
        promise: { at: '2026-11-05T17:00:00Z', timeZone: 'America/New_York' },
      });
      await report(byMinutes, [MOVING, STORM, IN_TIME]);
      const byCarrier = newNumber();
      await register('by-carrier', { trackingNumber: byCarrier });
      await report(byCarrier, [MOVING, LATE]);
      const backfill = newNumber();
      await register('backfill', { trackingNumber: backfill });
      await database.query(`UPDATE orders SET backfill = true WHERE id = 'backfill'`);
      await report(backfill, [MOVING, STORM, LATE]);
      for (const id of ['by-minutes', 'by-carrier', 'backfill']) expect(await kindsOf(id)).toEqual([]);
      expect((await makegood.order('by-minutes')).verdict).toMatchObject({
        verdict: 'late',
        declinedBecause: 'force_majeure',
      });
    });

    test('who was given something for it before is not told that nothing is given', async () => {
      at('2026-11-08T12:00:00Z');
      const trackingNumber = newNumber();
      await register('given-before', { trackingNumber });
      await report(trackingNumber, [MOVING, LATE]);
      await send();
      at('2026-11-08T13:00:00Z');
      await report(trackingNumber, [MOVING, STORM, LATE]);
      expect((await makegood.order('given-before')).verdict).toMatchObject({ declinedBecause: 'force_majeure' });
      expect(await kindsOf('given-before')).toEqual([]);
    });

    test('what is over for more than 30 days is no news; what is a day younger is', async () => {
      at('2026-12-08T12:00:00Z');
      for (const [id, came] of [
        ['long-over', '2026-11-08T11:00:00Z'],
        ['just-over', '2026-11-08T13:00:00Z'],
      ] as const) {
        const trackingNumber = newNumber();
        await register(id, { trackingNumber });
        await report(trackingNumber, [MOVING, STORM, ['delivered', 'arrived_at_destination', came]]);
        expect((await makegood.order(id)).verdict).toMatchObject({ declinedBecause: 'force_majeure' });
      }
      expect(await kindsOf('long-over')).toEqual([]);
      expect(await kindsOf('just-over')).toEqual(['declined']);
      await send();
    });

    test('who is overdue since a day more is not told anew, nor is anybody whom the answer stood for before', async () => {
      at('2026-11-04T12:00:00Z');
      const trackingNumber = newNumber();
      await register('overdue', { trackingNumber });
      at('2026-11-07T12:00:00Z');
      await report(trackingNumber, [MOVING, STORM]);
      expect(await kindsOf('overdue')).toEqual(['declined']);
      // As of an order whose answer is older than such notices are.
      await database.query(`DELETE FROM notices WHERE order_id = 'overdue'`);
      await database.query(`DELETE FROM outbox`);
      at('2026-11-08T12:00:00Z');
      await judgeAgain('overdue');
      expect((await makegood.order('overdue')).verdict).toMatchObject({ lateDays: 3 });
      expect(await kindsOf('overdue')).toEqual([]);
    });

    test('a look back in time and a dry run tell nobody, the sweep then does', async () => {
      at('2026-11-08T12:00:00Z');
      const trackingNumber = newNumber();
      await register('looked-back', { trackingNumber });
      await makegood.webhook(trackerEvent(trackingNumber, [MOVING, STORM, LATE]));
      await workByHand(makegood.deps, database, 'track-shipments');
      await database.query(`DELETE FROM outbox WHERE stage = 'judge-promises'`);
      await sweep(makegood.deps, { dryRun: true });
      expect(await kindsOf('looked-back')).toEqual([]);
      // Before it was late by a day: what was found then is not yet what is to be told.
      await sweep(makegood.deps, { asOf: new Date('2026-11-05T11:00:00Z') });
      expect((await makegood.order('looked-back')).verdict).not.toBeNull();
      expect(await kindsOf('looked-back')).toEqual([]);
      await judgeAgain('looked-back');
      const [notice] = await noticesOf('looked-back');
      expect(notice).toMatchObject({ kind: 'declined' });
      // What a crash left without a ticket is found.
      await database.query(`DELETE FROM outbox WHERE stage = 'send-messages'`);
      expect(await findUntoldDecisions(makegood.deps.db.pool)).toContain(notice.id);
      await send();
    });

    test('a policy in shadow mode tells nobody', async () => {
      at('2026-11-08T12:00:00Z');
      await putInForce(database, { mode: 'shadow' });
      const trackingNumber = newNumber();
      await register('shadow', { trackingNumber });
      await report(trackingNumber, [MOVING, STORM, LATE]);
      expect((await makegood.order('shadow')).verdict).toMatchObject({
        mode: 'shadow',
        declinedBecause: 'force_majeure',
      });
      expect(await kindsOf('shadow')).toEqual([]);
      // Nor is everybody told at once when it comes into force: the answer is the one that stands.
      await putInForce(database, {});
      await judgeAgain('shadow');
      expect(await kindsOf('shadow')).toEqual([]);
    });
  });

  describe('a person declines', () => {
    /** Not a member, in a currency without amounts: its award waits for a person. */
    async function held(id: string) {
      at('2026-11-08T12:00:00Z');
      const trackingNumber = newNumber();
      const yen = (amountMinor: number) => ({ amountMinor, currency: 'JPY' });
      await register(id, { trackingNumber, customer: { membership: null }, total: yen(5990), shippingPaid: yen(0) });
      await report(trackingNumber, [MOVING, LATE]);
      const [award] = (await makegood.order(id)).awards;
      expect(award).toMatchObject({ status: 'held' });
      return award?.id ?? '';
    }
    const contact = (orderId: string) =>
      makegood.request('POST', '/v1/contacts', { orderId, channel: 'phone', reason: 'late' });
    const decline = (id: string) => makegood.request('POST', `/v1/awards/${id}/decline`, { reason: 'a test' });

    test('what a customer in touch had asked for, and nothing else is given: told once', async () => {
      const award = await held('in-touch');
      await contact('in-touch');
      expect((await decline(award)).status).toBe(200);
      const [notice, ...others] = await noticesOf('in-touch');
      expect(others).toEqual([]);
      expect(notice).toMatchObject({
        kind: 'declined',
        facts: { verdict: 'late', lateDays: 2, declinedBecause: null },
      });
      expect(notice.facts.asOf).toMatch(/^2026-11-08T12:00/);
      expect(await isTicketed(notice.id)).toBe(true);
      await send();
      await judgeAgain('in-touch');
      expect(await kindsOf('in-touch')).toEqual(['declined']);
    });

    test('of a customer who was not in touch: no notice', async () => {
      const award = await held('not-in-touch');
      expect((await decline(award)).status).toBe(200);
      expect(await noticesOf('not-in-touch')).toEqual([]);
    });

    test('and something else was given, by hand: nobody is told that nothing is', async () => {
      const award = await held('by-hand-too');
      await contact('by-hand-too');
      const given = await makegood.request('POST', '/v1/orders/by-hand-too/awards', {
        kind: 'membership_extension',
        months: 1,
        reason: 'a test',
      });
      expect(given.status).toBe(201);
      await work();
      expect((await decline(award)).status).toBe(200);
      expect(await noticesOf('by-hand-too')).toEqual([]);
      await send();
    });

    test('what another person gave by hand: no notice, as no rule had found that it is due', async () => {
      at('2026-11-04T12:00:00Z');
      await register('only-by-hand');
      await contact('only-by-hand');
      const given = await makegood.request('POST', '/v1/orders/only-by-hand/awards', {
        kind: 'membership_extension',
        months: 12,
        reason: 'a test',
      });
      expect(given.status).toBe(201);
      const [waiting] = (await makegood.order('only-by-hand')).awards;
      expect((await decline(waiting?.id ?? '')).status).toBe(200);
      expect(await noticesOf('only-by-hand')).toEqual([]);
      await send();
    });

    test('together with others: each order whose customer was in touch has one', async () => {
      const ids = ['batch-1', 'batch-2'];
      for (const id of ids) await held(id);
      await contact('batch-1');
      // After both, whenever each was decided.
      at('2026-11-08T12:05:00Z');
      const filter = { status: 'held' };
      const { body } = await makegood.request('POST', '/v1/approvals/preview', { filter, decision: 'decline' });
      expect(body).toMatchObject({ count: 2 });
      const answer = await makegood.request('POST', '/v1/approvals', { token: body.token, reason: 'a test' });
      expect(answer.body).toMatchObject({ decided: 2 });
      expect(await kindsOf('batch-1')).toEqual(['declined']);
      expect(await kindsOf('batch-2')).toEqual([]);
      await send();
    });
  });

  describe('a letter was not right', () => {
    test('an apology was sent, and the parcel came in time: told once, and what was given stays', async () => {
      at('2026-11-08T12:00:00Z');
      const trackingNumber = newNumber();
      await register('in-time', { trackingNumber });
      await report(trackingNumber, [MOVING, LATE]);
      await send();
      at('2026-11-09T12:00:00Z');
      await report(trackingNumber, [MOVING, IN_TIME]);
      const [notice, ...others] = await noticesOf('in-time');
      expect(others).toEqual([]);
      expect(notice).toMatchObject({
        kind: 'correction',
        part: '',
        facts: { correctionOf: 'came_in_time', verdict: 'on_time', metAt: '2026-11-05T19:00:00.000Z', cause: null },
      });
      expect(await isTicketed(notice.id)).toBe(true);
      await send();
      await judgeAgain('in-time');
      const { awards, messages } = await makegood.order('in-time');
      expect(awards).toMatchObject([{ status: 'applied' }]);
      expect(messages.map(({ template }) => template)).toEqual(['late-delivered', 'correction']);
      expect(await noticesOf('in-time')).toHaveLength(1);
    });

    test('an apology is just being sent: it is corrected too', async () => {
      at('2026-11-08T12:00:00Z');
      const trackingNumber = newNumber();
      await register('in-flight', { trackingNumber });
      await report(trackingNumber, [MOVING, LATE]);
      await send();
      await database.query(`UPDATE messages SET status = 'sending' WHERE order_id = 'in-flight'`);
      at('2026-11-09T12:00:00Z');
      await report(trackingNumber, [MOVING, IN_TIME]);
      expect(await kindsOf('in-flight')).toEqual(['correction']);
      const [award] = (await makegood.order('in-flight')).awards;
      await makegood.request('POST', `/v1/awards/${award?.id}/reverse`, { reason: 'a test' });
      expect((await noticesOf('in-flight')).map(({ part }) => part).sort()).toEqual(['', award?.id]);
      await database.query(`UPDATE messages SET status = 'sent' WHERE order_id = 'in-flight' AND status = 'sending'`);
      await send();
    });

    test('no apology was sent: nothing to correct', async () => {
      at('2026-11-08T12:00:00Z');
      const trackingNumber = newNumber();
      await register('never-told', { trackingNumber });
      await report(trackingNumber, [MOVING, LATE]);
      at('2026-11-09T12:00:00Z');
      await report(trackingNumber, [MOVING, IN_TIME]);
      expect((await makegood.order('never-told')).verdict).toMatchObject({ verdict: 'on_time' });
      expect(await noticesOf('never-told')).toEqual([]);
      await send();
    });

    test('what a letter told of is taken back: that is told too, with what was taken', async () => {
      at('2026-11-08T12:00:00Z');
      const trackingNumber = newNumber();
      await register('reversed', { trackingNumber });
      await report(trackingNumber, [MOVING, LATE]);
      await send();
      const [award] = (await makegood.order('reversed')).awards;
      const reverse = () => makegood.request('POST', `/v1/awards/${award?.id}/reverse`, { reason: 'a test' });
      expect((await reverse()).status).toBe(200);
      expect((await reverse()).status).toBe(409);
      const [notice, ...others] = await noticesOf('reversed');
      expect(others).toEqual([]);
      expect(notice).toMatchObject({
        kind: 'correction',
        part: award?.id,
        facts: { correctionOf: 'reversed', awards: [{ kind: 'membership_extension', months: 1 }], verdict: 'late' },
      });
      expect(await isTicketed(notice.id)).toBe(true);
      await send();
      expect((await makegood.order('reversed')).messages).toMatchObject([
        { template: 'late-delivered', status: 'sent' },
        { template: 'correction', status: 'sent' },
      ]);
    });

    test('what no letter has told of is taken back: nobody is told', async () => {
      at('2026-11-08T12:00:00Z');
      const trackingNumber = newNumber();
      await register('reversed-untold', { trackingNumber });
      await report(trackingNumber, [MOVING, LATE]);
      const [award] = (await makegood.order('reversed-untold')).awards;
      await makegood.request('POST', `/v1/awards/${award?.id}/reverse`, { reason: 'a test' });
      await send();
      expect(await noticesOf('reversed-untold')).toEqual([]);
    });
  });

  test('at risk, and the shop wants no such letter: noticed, and nobody writes', async () => {
    at('2026-11-04T12:00:00Z');
    const trackingNumber = newNumber();
    await register('silent-risk', { trackingNumber });
    await report(trackingNumber, [MOVING], '2026-11-07T12:00:00Z');
    const [notice] = await noticesOf('silent-risk');
    expect(notice).toMatchObject({ kind: 'at-risk', tells: false });
    expect(await isTicketed(notice.id)).toBe(false);
    expect(await findUntoldDecisions(makegood.deps.db.pool)).not.toContain(notice.id);
    await runByHand(makegood.deps, {
      id: await issueTicket(makegood.deps, 'send-messages', [notice.id]),
      stage: 'send-messages',
    });
    expect((await makegood.order('silent-risk')).messages).toEqual([]);
  });
});

describe('letters besides, where the shop wants them', () => {
  beforeAll(() => start({ SERVICE_LETTERS: 'order-confirmed, shipped, at-risk' }));
  afterAll(stop);

  test('an order is confirmed when it is registered, once, as long as its promise is to come', async () => {
    at('2026-11-02T12:00:00Z');
    await register('confirmed');
    const [notice, ...others] = await noticesOf('confirmed');
    expect(others).toEqual([]);
    expect(notice).toMatchObject({
      kind: 'order-confirmed',
      facts: { promise: { on: '2026-11-05', timeZone: 'America/New_York' }, verdict: 'pending', isMember: true },
    });
    expect(await isTicketed(notice.id)).toBe(true);
    await makegood.put('confirmed', orderDocument({ customerId: 'c-confirmed', shipBy: '2026-11-04T12:00:00Z' }));
    await work();
    expect(await kindsOf('confirmed')).toEqual(['order-confirmed']);
    at('2026-11-06T05:00:00Z');
    await register('over');
    expect(await kindsOf('over')).toEqual([]);
    at('2026-11-03T12:00:00Z');
    await register('placed-long-ago', { placedAt: '2026-10-31T11:59:59Z' });
    expect(await kindsOf('placed-long-ago')).toEqual([]);
    await register('placed-lately', { placedAt: '2026-10-31T12:05:00Z' });
    expect(await kindsOf('placed-lately')).toEqual(['order-confirmed']);
    await putInForce(database, { mode: 'shadow' });
    await register('in-shadow');
    expect(await kindsOf('in-shadow')).toEqual([]);
    await putInForce(database, {});
    await send();
  });

  test('a parcel has left with the first scan of its carrier, not with its label; each is told once', async () => {
    at('2026-11-03T14:00:00Z');
    const [first, second, third] = [newNumber(), newNumber(), newNumber()];
    const shipments = [first, second, third].map((trackingNumber) => ({ carrier: 'usps', trackingNumber }));
    await register('left', { shipments });
    const shipped = async () => (await noticesOf('left')).filter(({ kind }) => kind === 'shipped');
    await report(first, [LABEL]);
    expect(await shipped()).toEqual([]);
    await makegood.webhook(trackerEvent(first, [LABEL, MOVING]));
    await makegood.webhook(trackerEvent(second, [MOVING]));
    await workByHand(makegood.deps, database, 'track-shipments');
    const [judging] = await ticketsOf(database, 'judge-promises');
    expect(judging?.ids).toEqual(['left']);
    await work();
    expect(await shipped()).toMatchObject([{ tells: true }, { tells: false }]);
    await report(first, [LABEL, MOVING, ['in_transit', 'arrived_at_facility', '2026-11-03T13:30:00Z']]);
    expect(await shipped()).toHaveLength(2);
    await report(third, [MOVING]);
    const all = await shipped();
    expect(all.map(({ tells }) => tells)).toEqual([true, false, true]);
    expect(new Set(all.map(({ part }) => part)).size).toBe(3);
    await send();
    expect((await makegood.order('left')).messages.map(({ template }) => template)).toEqual([
      'order-confirmed',
      'shipped',
      'shipped',
    ]);
  });

  test('a parcel that left long ago, came already, or is late is no news', async () => {
    at('2026-11-05T20:00:00Z');
    const came = newNumber();
    await register('came', { trackingNumber: came });
    await report(came, [MOVING, IN_TIME]);
    at('2026-11-07T12:00:00Z');
    const late = newNumber();
    await register('late', { trackingNumber: late });
    await report(late, [['in_transit', 'departed_facility', '2026-11-07T10:00:00Z']]);
    at('2026-11-05T13:00:00Z');
    const old = newNumber();
    const promise = { on: '2026-11-12', timeZone: 'America/New_York' };
    await register('old', { trackingNumber: old, promise });
    await report(old, [['in_transit', 'departed_facility', '2026-11-02T12:00:00Z']]);
    for (const id of ['came', 'late', 'old']) expect(await kindsOf(id)).not.toContain('shipped');
    await send();
  });

  describe('at risk', () => {
    test('under way, and expected a day late: told once, with the day', async () => {
      at('2026-11-04T12:00:00Z');
      const trackingNumber = newNumber();
      await register('risk', { trackingNumber });
      await report(trackingNumber, [MOVING], '2026-11-06T12:00:00Z');
      const notice = (await noticesOf('risk')).find(({ kind }) => kind === 'at-risk');
      expect(notice).toMatchObject({
        tells: true,
        facts: { verdict: 'pending', estimate: { at: '2026-11-06T12:00:00.000Z' }, lastScan: { status: 'in_transit' } },
      });
      expect(await isTicketed(notice.id)).toBe(true);
      at('2026-11-04T18:00:00Z');
      await report(trackingNumber, [MOVING, STORM], '2026-11-07T12:00:00Z');
      expect((await kindsOf('risk')).filter((kind) => kind === 'at-risk')).toHaveLength(1);
    });

    test('a day more than promised is a day more, whatever minutes of grace a delivery has', async () => {
      await putInForce(database, { judging: { ...DEFAULT_POLICY.judging, graceMinutes: 120 } });
      at('2026-11-04T12:00:00Z');
      for (const [id, guess, promise] of [
        ['grace-day', '2026-11-06', { on: '2026-11-05', timeZone: 'America/New_York' }],
        ['grace-time', '2026-11-05T18:59:59Z', { at: '2026-11-05T17:00:00Z', timeZone: 'America/New_York' }],
      ] as const) {
        const trackingNumber = newNumber();
        await register(id, { trackingNumber, promise });
        await report(trackingNumber, [MOVING], guess);
      }
      expect(await kindsOf('grace-day')).toContain('at-risk');
      expect(await kindsOf('grace-time')).not.toContain('at-risk');
      await putInForce(database, {});
    });

    const NEW_YORK = 'America/New_York';
    const DAY = { on: '2026-11-05', timeZone: NEW_YORK };
    const TIME = { at: '2026-11-05T17:00:00Z', timeZone: NEW_YORK };
    // The promised day ends at 05:00Z. A day alone counts from its beginning at the destination.
    test.each<
      [
        string,
        { promise?: object; scans?: readonly Scan[]; estimate: string; takenAt?: string; when?: string },
        boolean,
      ]
    >([
      ['the last instant of the promised day', { estimate: '2026-11-06T04:59:59Z' }, false],
      ['the first of the next', { estimate: '2026-11-06T05:00:00Z' }, true],
      ['the promised day itself', { estimate: '2026-11-05' }, false],
      ['the next day', { estimate: '2026-11-06' }, true],
      ['of a promise with a time: that very time', { promise: TIME, estimate: '2026-11-05T17:00:00Z' }, false],
      ['of a promise with a time: a moment later', { promise: TIME, estimate: '2026-11-05T17:00:01Z' }, true],
      ['of a promise with a time: the day alone', { promise: TIME, estimate: '2026-11-05' }, false],
      ['a label alone', { scans: [LABEL], estimate: '2026-11-07T12:00:00Z' }, false],
      ['guessed before it moved', { estimate: '2026-11-07T12:00:00Z', takenAt: '2026-11-03T12:59:59Z' }, false],
      ['guessed when it moved', { estimate: '2026-11-07T12:00:00Z', takenAt: '2026-11-03T13:00:00Z' }, true],
      [
        'out for delivery',
        { scans: [MOVING, OUT], estimate: '2026-11-07T12:00:00Z', when: '2026-11-04T16:00:00Z' },
        false,
      ],
      ['there', { scans: [MOVING, IN_TIME], estimate: '2026-11-07T12:00:00Z', when: '2026-11-05T20:00:00Z' }, false],
      ['the promise is broken', { estimate: '2026-11-07T12:00:00Z', when: '2026-11-06T12:00:00Z' }, false],
    ])(
      '%s',
      async (what, { promise = DAY, scans = [MOVING], estimate, takenAt, when = '2026-11-04T12:00:00Z' }, told) => {
        const id = what.replaceAll(/\W+/g, '-').toLowerCase();
        at(when);
        const trackingNumber = newNumber();
        await register(id, { trackingNumber, promise });
        await report(trackingNumber, scans, estimate, takenAt);
        expect((await kindsOf(id)).includes('at-risk')).toBe(told);
        const [{ guesses } = { guesses: 0 }] = await database.query<{ guesses: number }>(
          'SELECT count(*)::int AS guesses FROM estimates WHERE tracking_key = $1',
          [trackingNumber],
        );
        expect(guesses).toBe(1);
      },
    );
  });
});
