import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { watchDeadlines } from '../../src/promises/watch-deadlines.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { orderDocument, startMakegood, type TestMakegood, trackerEvent } from '../support/makegood.js';
import { workByHand } from '../support/tickets.js';

const USD = (amountMinor: number) => ({ amountMinor, currency: 'USD' });

// PostgreSQL alone, and tickets run by hand: what is added to an award does not depend on who brings the tickets.
describe('more is due than was given', () => {
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

  const at = (instant: string) => makegood.clock.set(new Date(instant));
  const work = () => workByHand(makegood.deps, database);
  /** Promised for 5 November in New York, to somebody without membership, with nothing paid for shipping. */
  async function register(id: string, changes: Record<string, unknown> = {}) {
    at('2026-11-04T12:00:00Z');
    const order = orderDocument({
      customerId: id,
      trackingNumber: `top-up-${id}`,
      customer: { membership: null },
      total: USD(20_000),
      shippingPaid: USD(0),
      ...changes,
    });
    expect((await makegood.put(id, order)).status).toBe(201);
    await work();
  }
  async function watchAt(instant: string) {
    at(instant);
    await watchDeadlines(makegood.deps);
    await work();
  }
  async function delivered(id: string, instant: string) {
    at(instant);
    await makegood.webhook(trackerEvent(`top-up-${id}`, [['delivered', 'arrived_at_destination', instant]]));
    await work();
  }
  const stepsOf = (id: string) =>
    database.query('SELECT rule, step, amount_minor::int, status FROM awards WHERE order_id = $1 ORDER BY step', [id]);
  async function creditOf(id: string): Promise<number> {
    const [row] = await database.query<{ balance: string }>(
      `SELECT balance FROM ledger_accounts WHERE owner_id = $1 AND unit = 'USD'`,
      [id],
    );
    return Number(row?.balance ?? 0);
  }

  test('paid as a day late, delivered four days late: the difference, told as such in a second letter', async () => {
    await register('four-days');
    await watchAt('2026-11-06T05:00:01Z');
    expect(await stepsOf('four-days')).toEqual([{ rule: 'late-small', step: 1, amount_minor: 300, status: 'applied' }]);

    await delivered('four-days', '2026-11-09T19:00:00Z');

    expect(await stepsOf('four-days')).toEqual([
      { rule: 'late-small', step: 1, amount_minor: 300, status: 'applied' },
      { rule: 'late-4', step: 2, amount_minor: 1_700, status: 'applied' },
    ]);
    expect(await creditOf('four-days')).toBe(2_000);
    const { messages, verdict } = await makegood.order('four-days');
    expect(verdict).toMatchObject({ verdict: 'late', lateDays: 4, declinedBecause: null });
    expect(messages.map(({ template }) => template)).toEqual(['late-overdue', 'top-up']);
    const mails = await database.query<{ source: Buffer }>(
      `SELECT source FROM mailbox WHERE to_address = 'four-days@example.com' ORDER BY received_at`,
    );
    expect(mails).toHaveLength(2);
    expect(mails[0]?.source.toString()).toContain('$3.00');
    expect(mails[1]?.source.toString()).toContain('$17.00');
  });

  test('a parcel that stays away climbs from band to band, and all steps add up to the highest', async () => {
    await register('ladder');
    for (let day = 6; day <= 16; day++) await watchAt(`2026-11-${String(day).padStart(2, '0')}T05:00:01Z`);
    expect(await stepsOf('ladder')).toEqual([
      { rule: 'late-small', step: 1, amount_minor: 300, status: 'applied' },
      { rule: 'late-2', step: 2, amount_minor: 700, status: 'applied' },
      { rule: 'late-4', step: 3, amount_minor: 1_000, status: 'applied' },
      { rule: 'late-8', step: 4, amount_minor: 1_000, status: 'applied' },
    ]);
    expect(await creditOf('ladder')).toBe(3_000);

    await delivered('ladder', '2026-11-17T19:00:00Z');
    expect(await creditOf('ladder')).toBe(3_000);
    const { messages, verdict } = await makegood.order('ladder');
    expect(verdict).toMatchObject({ verdict: 'late', lateDays: 12, declinedBecause: 'already_compensated' });
    expect(messages.map(({ template }) => template)).toEqual(['late-overdue', 'top-up', 'top-up', 'top-up']);
  });

  test('what is due now is not more than was given: nothing, and no letter', async () => {
    // 5 % of 50.00 is less than the 3.00 that were given.
    await register('no-more', { total: USD(5_000) });
    await watchAt('2026-11-06T05:00:01Z');
    await delivered('no-more', '2026-11-08T19:00:00Z');
    expect(await creditOf('no-more')).toBe(300);
    const { messages, verdict, awards } = await makegood.order('no-more');
    expect(verdict).toMatchObject({ verdict: 'late', lateDays: 3, declinedBecause: 'already_compensated' });
    expect(awards).toHaveLength(1);
    expect(messages).toHaveLength(1);
  });

  test('late news that make it less late take nothing back', async () => {
    await register('less-late');
    for (const day of ['06', '07', '08', '09']) await watchAt(`2026-11-${day}T05:00:01Z`);
    expect(await creditOf('less-late')).toBe(2_000);
    at('2026-11-09T12:00:00Z');
    await makegood.webhook(
      trackerEvent('top-up-less-late', [['delivered', 'arrived_at_destination', '2026-11-06T19:00:00Z']]),
    );
    await work();
    const { verdict, messages } = await makegood.order('less-late');
    expect(verdict).toMatchObject({ verdict: 'late', lateDays: 1, declinedBecause: 'already_compensated' });
    expect(await creditOf('less-late')).toBe(2_000);
    expect(messages.map(({ template }) => template)).toEqual(['late-overdue', 'top-up', 'top-up']);
  });

  test('a month given while overdue, and the occasion missed afterwards: the credit comes as a second letter', async () => {
    await register('birthday', {
      customer: { membership: { tier: 'prime', trial: false } },
      occasion: { name: 'birthday', on: '2026-11-07' },
    });
    await watchAt('2026-11-06T05:00:01Z');
    const early = await makegood.order('birthday');
    expect(early.awards).toMatchObject([{ kind: 'membership_extension' }]);
    expect(early.messages).toMatchObject([{ template: 'late-overdue' }]);

    await watchAt('2026-11-08T05:00:01Z');
    const order = await makegood.order('birthday');
    expect(order.awards.map(({ kind, status }) => [kind, status])).toEqual([
      ['membership_extension', 'applied'],
      ['store_credit', 'applied'],
    ]);
    expect(order.tasks).toMatchObject([{ kind: 'call', rule: 'occasion-call', status: 'open' }]);
    expect(order.messages.map(({ template }) => template)).toEqual(['late-overdue', 'occasion-missed']);
    const [, second] = await database.query<{ text: string }>(
      `SELECT rendered ->> 'text' AS text FROM messages WHERE order_id = 'birthday' ORDER BY created_at, id`,
    );
    expect(second?.text).toContain('It was meant for Saturday, November 7 (Birthday)');
    expect(second?.text).toContain('- $20.00 of credit, in your account now');
    expect(await creditOf('birthday')).toBe(2_000);
  });
});
