import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { orderDocument, startMakegood, type TestMakegood, trackerEvent } from '../support/makegood.js';

/*
 * Orders that lack something, or are told of in other words than they were registered in, from HTTP to the letter with
 * real workers. Without an SMTP server: letters lie in the local mailbox.
 */

let database: TestDatabase;
let makegood: TestMakegood;

beforeAll(async () => {
  database = await createTestDatabase();
  makegood = await startMakegood({ databaseUrl: database.url, now: '2026-11-08T12:00:00Z' });
});
afterAll(async () => {
  await makegood.stop();
  await database.drop();
});

const DEPARTED = ['in_transit', 'departed_facility', '2026-11-03T13:00:00Z'] as const;
const IN_TIME = ['delivered', 'arrived_at_destination', '2026-11-05T19:00:00Z'] as const;
const deliveredOn = (day: string) => ['delivered', 'arrived_at_destination', `2026-11-${day}T19:00:00Z`] as const;

let numbers = 0;
const newNumber = () => `94001000000000000006${String(++numbers).padStart(2, '0')}`;
async function register(id: string, changes: Record<string, unknown>) {
  expect((await makegood.put(id, orderDocument({ customerId: `c-${id}`, ...changes }))).status).toBe(201);
}
async function report(number: string, scans: readonly (readonly [string, string, string])[], carrier = 'USPS') {
  expect((await makegood.webhook(trackerEvent(number, scans, carrier))).status).toBe(200);
}
/** What came of an order, when all work is done and none was set aside. */
async function outcomeOf(id: string) {
  await makegood.quiet();
  expect(await database.query('SELECT stage, error FROM outbox')).toEqual([]);
  const { verdict, awards, messages, explanation } = await makegood.order(id);
  return {
    verdict: verdict && `${verdict.verdict} ${verdict.lateDays}`,
    awards: awards.map(
      ({ kind, status, amount, months }) =>
        `${kind} ${amount ? `${amount.amountMinor} ${amount.currency}` : months} ${status}`,
    ),
    letters: messages.map(({ template, status }) => `${template} ${status}`),
    explanation: explanation.join('\n'),
  };
}
const mailsTo = (id: string) =>
  database.query('SELECT subject FROM mailbox WHERE to_address = $1', [`c-${id}@example.com`]);

describe('an order that lacks something', () => {
  test('shipments: it is overdue when its day is over, and the customer is told', async () => {
    makegood.clock.set(new Date('2026-11-04T12:00:00Z'));
    await register('unshipped', { shipments: [] });
    expect(await outcomeOf('unshipped')).toMatchObject({ verdict: 'pending null', awards: [] });
    makegood.clock.set(new Date('2026-11-08T12:00:00Z'));
    await makegood.watch();
    expect(await outcomeOf('unshipped')).toMatchObject({
      verdict: 'overdue 3',
      awards: ['membership_extension 1 applied'],
      letters: ['late-overdue sent'],
    });
    expect(await mailsTo('unshipped')).toHaveLength(1);
  });

  test('an address: the customer gets the month, and no letter', async () => {
    const number = newNumber();
    await register('mute', { trackingNumber: number, customer: { email: null } });
    await report(number, [DEPARTED, deliveredOn('06')]);
    expect(await outcomeOf('mute')).toMatchObject({
      verdict: 'late 1',
      awards: ['membership_extension 1 applied'],
      letters: [],
    });
  });

  test('money: what would be a credit is held in no currency, nothing is booked, and the explanation says so', async () => {
    const number = newNumber();
    const changes = { customer: { membership: null }, total: null, shippingPaid: null };
    await register('moneyless', { trackingNumber: number, ...changes });
    await report(number, [DEPARTED, deliveredOn('07')]);
    const outcome = await outcomeOf('moneyless');
    expect(outcome).toMatchObject({ verdict: 'late 2', awards: ['store_credit 0 XXX held'], letters: [] });
    expect(outcome.explanation).toMatch(/store_credit \(late-2\) is held/);
    expect(await database.query(`SELECT * FROM ledger_accounts WHERE owner_id = 'c-moneyless'`)).toEqual([]);
  });

  test('a currency that the policy knows: the credit is held, in that currency', async () => {
    const number = newNumber();
    const yen = (amountMinor: number) => ({ amountMinor, currency: 'JPY' });
    await register('yen', {
      trackingNumber: number,
      customer: { membership: null },
      total: yen(5990),
      shippingPaid: yen(0),
    });
    await report(number, [DEPARTED, deliveredOn('07')]);
    expect(await outcomeOf('yen')).toMatchObject({ awards: ['store_credit 0 JPY held'], letters: [] });
  });

  test('a name and a language: the letter is written all the same', async () => {
    const number = newNumber();
    await register('nameless', { trackingNumber: number, customer: { name: null, locale: null } });
    await report(number, [DEPARTED, deliveredOn('06')]);
    expect(await outcomeOf('nameless')).toMatchObject({ letters: ['late-delivered sent'] });
  });
});

describe('an order of several parcels', () => {
  test('the worst speaks for all, made good once and told in one letter', async () => {
    const [first, second, third] = [newNumber(), newNumber(), newNumber()];
    const shipments = [first, second, third].map((trackingNumber) => ({ carrier: 'usps', trackingNumber }));
    await register('three', { shipments, customer: { membership: null }, shippingPaid: null });
    await Promise.all([
      report(first, [DEPARTED, IN_TIME]),
      report(second, [DEPARTED, deliveredOn('06')]),
      report(third, [DEPARTED, deliveredOn('07')]),
    ]);
    const outcome = await outcomeOf('three');
    expect(outcome.verdict).toBe('late 2');
    // Whatever of them was judged first: in the end it is what the worst of them deserves, and not the sum.
    const { awards } = await makegood.order('three');
    const given = awards
      .filter(({ kind }) => kind === 'store_credit')
      .reduce((sum, { amount }) => sum + (amount?.amountMinor ?? 0), 0);
    expect(given).toBe(300);
  });

  test('one of them lost: that is the verdict, whatever became of the others', async () => {
    const [first, second] = [newNumber(), newNumber()];
    const shipments = [first, second].map((trackingNumber) => ({ carrier: 'usps', trackingNumber }));
    await register('one-lost', { shipments });
    await report(second, [DEPARTED, ['failure', 'lost', '2026-11-05T10:00:00Z']]);
    await report(first, [DEPARTED, IN_TIME]);
    expect(await outcomeOf('one-lost')).toMatchObject({ verdict: 'lost null' });
  });

  test('all late at one time: one incident, one month, one letter', async () => {
    const boxes = [newNumber(), newNumber(), newNumber()];
    for (const number of boxes) await report(number, [DEPARTED, deliveredOn('06')]);
    await register('all-late', { shipments: boxes.map((trackingNumber) => ({ carrier: 'usps', trackingNumber })) });
    expect(await outcomeOf('all-late')).toMatchObject({
      verdict: 'late 1',
      awards: ['membership_extension 1 applied'],
      letters: ['late-delivered sent'],
    });
    expect(await mailsTo('all-late')).toHaveLength(1);
  });
});

describe('a parcel told of before its order comes, and in other words', () => {
  test.each([
    ['early', 'usps', 'USPS', '9400-EARLY-1', '9400-EARLY-1'],
    ['early-spaces', 'usps', 'USPS', '9400 early 2', '9400-EARLY-2'],
    ['early-case', 'Royal Mail', 'RoyalMail', 'rm123456785gb', 'RM 1234 5678 5 GB'],
    ['early-accents', 'La Poste', 'LaPoste', '8v-12345', '8V12345'],
    ['early-other-name', 'Deutsche Post', 'DHLGlobalmailInternational', 'LX123456789DE', 'LX 123 456 789 DE'],
  ])('%s: registered as %s, reported as %s', async (id, registered, reported, ours, theirs) => {
    await report(theirs, [DEPARTED, deliveredOn('06')], reported);
    await makegood.quiet();
    await register(id, { carrier: registered, trackingNumber: ours });
    expect(await outcomeOf(id)).toMatchObject({
      verdict: 'late 1',
      awards: ['membership_extension 1 applied'],
      letters: ['late-delivered sent'],
    });
    expect((await makegood.order(id)).shipments).toMatchObject([
      { carrier: registered, trackingNumber: ours, status: 'delivered', deliveredAt: '2026-11-06T19:00:00.000Z' },
    ]);
  });

  test('a carrier spelt in two ways by two webhooks is one history', async () => {
    const number = newNumber();
    await register('two-names', { carrier: 'fedex', trackingNumber: number });
    await report(number, [DEPARTED], 'FedEx');
    await report(number, [deliveredOn('06')], 'FedExSmartPost');
    expect(await outcomeOf('two-names')).toMatchObject({ verdict: 'late 1', letters: ['late-delivered sent'] });
    expect((await makegood.order('two-names')).shipments[0]?.events.map(({ status }) => status)).toEqual([
      'in_transit',
      'delivered',
    ]);
  });
});
