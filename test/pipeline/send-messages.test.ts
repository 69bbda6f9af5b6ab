import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import PostalMime from 'postal-mime';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { orderDocument, startMakegood, type TestMakegood, trackerEvent } from '../support/makegood.js';
import { issueTicket, runByHand, ticketsOf, workByHand } from '../support/tickets.js';

// PostgreSQL alone, and tickets run by hand: what a letter tells, and when, does not depend on who brings the tickets.
describe('letters', () => {
  let database: TestDatabase;
  let makegood: TestMakegood;

  beforeAll(async () => {
    database = await createTestDatabase();
    makegood = await startMakegood({ databaseUrl: database.url, now: '2026-11-16T12:00:00Z', workers: [] });
  });
  afterAll(async () => {
    await makegood.stop();
    await database.drop();
  });

  const work = () => workByHand(makegood.deps, database);
  async function register(id: string, changes: Record<string, unknown> = {}) {
    const answer = await makegood.put(
      id,
      orderDocument({ customerId: id, trackingNumber: `letter-${id}`, ...changes }),
    );
    expect([200, 201]).toContain(answer.status);
  }
  /** Promised for 5 November in New York; the scan decides what became of it. */
  async function report(id: string, status: string, detail: string, datetime: string) {
    await makegood.webhook(trackerEvent(`letter-${id}`, [[status, detail, datetime]]));
  }
  async function lettersTo(address: string) {
    const rows = await database.query<{ source: Buffer }>(
      'SELECT source FROM mailbox WHERE to_address = $1 ORDER BY received_at',
      [address],
    );
    return Promise.all(rows.map(({ source }) => PostalMime.parse(source)));
  }

  describe('what was decided together is told together', () => {
    test('an occasion missed by a member: a month, 20 dollars and a call, in one letter', async () => {
      await register('christmas', { occasion: { name: 'christmas', on: '2026-11-05' } });
      await report('christmas', 'delivered', 'arrived_at_destination', '2026-11-07T15:00:00Z');
      await work();

      const order = await makegood.order('christmas');
      expect(order.awards.map(({ kind, months, amount, status }) => ({ kind, months, amount, status }))).toEqual([
        { kind: 'membership_extension', months: 1, amount: undefined, status: 'applied' },
        { kind: 'store_credit', months: undefined, amount: { amountMinor: 2_000, currency: 'USD' }, status: 'applied' },
      ]);
      expect(order.tasks).toMatchObject([{ kind: 'call', rule: 'occasion-call', status: 'open' }]);
      expect(order.messages).toMatchObject([{ template: 'occasion-missed', status: 'sent' }]);

      const letters = await lettersTo('christmas@example.com');
      expect(letters).toHaveLength(1);
      const [letter] = letters;
      for (const text of [letter?.text, letter?.html]) {
        expect(text).toContain('One free month');
        expect(text).toContain('$20.00');
        expect(text).toContain('telephone you');
      }
      expect(letter?.messageId).toBe(order.messages[0]?.messageId);
      expect(
        await database.query(`SELECT unit, balance FROM ledger_accounts WHERE owner_id = 'christmas' ORDER BY unit`),
      ).toEqual([
        { unit: 'USD', balance: '2000' },
        { unit: 'membership_months', balance: '1' },
      ]);
    });

    test('a letter waits until the last award of its decision is applied', async () => {
      await register('halves', { occasion: { name: 'birthday', on: '2026-11-05' } });
      await report('halves', 'delivered', 'arrived_at_destination', '2026-11-07T15:00:00Z');
      await workByHand(makegood.deps, database, 'judge-promises');
      await database.query(`DELETE FROM outbox WHERE stage = 'grant-awards'`);
      const awards = await database.query<{ id: string }>(
        `SELECT id FROM awards WHERE order_id = 'halves' ORDER BY id`,
      );
      expect(awards).toHaveLength(2);

      for (const [index, { id }] of awards.entries()) {
        const ticket = await issueTicket(makegood.deps, 'grant-awards', [id]);
        await runByHand(makegood.deps, { id: ticket, stage: 'grant-awards' });
        await work();
        expect(await lettersTo('halves@example.com')).toHaveLength(index);
      }
    });
  });

  describe('what is not given yet is not told', () => {
    test('an award that waits for approval: nothing booked, no letter, and the explanation says so', async () => {
      // 15 % of 600.00, at most 60.00: above the 50.00 that need no second person.
      await register('approval', {
        customer: { membership: null },
        total: { amountMinor: 60_000, currency: 'USD' },
        shippingPaid: { amountMinor: 0, currency: 'USD' },
      });
      await report('approval', 'delivered', 'arrived_at_destination', '2026-11-15T15:00:00Z');
      await work();
      const order = await makegood.order('approval');
      expect(order.awards).toMatchObject([
        { kind: 'store_credit', amount: { amountMinor: 6_000 }, status: 'awaiting_approval', appliedAt: null },
      ]);
      expect(order.messages).toEqual([]);
      expect(order.explanation.at(-1)).toBe('store_credit (late-8) waits for approval (stopped by money-of-order).');
      expect(await database.query(`SELECT 1 FROM ledger_accounts WHERE owner_id = 'approval'`)).toEqual([]);
      expect(await ticketsOf(database, 'grant-awards')).toEqual([]);
    });

    test('the fourth goodwill of a customer in 90 days is held: nothing booked, no letter, and the explanation says so', async () => {
      const boxes = ['a', 'b', 'c', 'd'].map((letter) => ({ id: `held-${letter}`, number: `letter-held-${letter}` }));
      for (const { id, number } of boxes) {
        await register(id, { customerId: 'often', trackingNumber: number });
        await report(id, 'delivered', 'arrived_at_destination', '2026-11-07T15:00:00Z');
        await work();
      }
      // The third is given like the first two; its letter would be one apology too many, and waits for a person.
      expect((await makegood.order('held-c')).messages).toMatchObject([{ template: 'third-failure', status: 'held' }]);
      const fourth = await makegood.order('held-d');
      expect(fourth.awards).toMatchObject([{ kind: 'membership_extension', status: 'held', appliedAt: null }]);
      expect(fourth.messages).toEqual([]);
      expect(fourth.explanation.at(-1)).toBe(
        'membership_extension (prime-month) is held for a look (stopped by goodwill-quarter).',
      );
      expect(await lettersTo('often@example.com')).toHaveLength(2);
      expect(await database.query(`SELECT unit, balance FROM ledger_accounts WHERE owner_id = 'often'`)).toEqual([
        { unit: 'membership_months', balance: '3' },
      ]);
    });

    test('a held credit does not hold back the letter about the month given with it, which does not mention it', async () => {
      const yen = (amountMinor: number) => ({ amountMinor, currency: 'JPY' });
      await register('yen', {
        total: yen(9_000),
        shippingPaid: yen(0),
        occasion: { name: 'christmas', on: '2026-11-05' },
      });
      await report('yen', 'delivered', 'arrived_at_destination', '2026-11-07T15:00:00Z');
      await work();
      const order = await makegood.order('yen');
      expect(order.awards.map(({ kind, status }) => [kind, status])).toEqual([
        ['membership_extension', 'applied'],
        ['store_credit', 'held'],
      ]);
      const [letter, ...others] = await lettersTo('yen@example.com');
      expect(others).toEqual([]);
      expect(letter?.text).toContain('One free month');
      expect(letter?.text).not.toMatch(/credit|¥/);
    });

    test('a replacement that nobody carries out yet: the month is booked, the letter waits, and the explanation says so', async () => {
      await register('lost');
      await report('lost', 'failure', 'lost', '2026-11-07T15:00:00Z');
      await work();
      const order = await makegood.order('lost');
      expect(order.verdict).toMatchObject({ verdict: 'lost', incident: 'lost' });
      expect(order.awards.map(({ kind, status }) => [kind, status]).sort()).toEqual([
        ['membership_extension', 'applied'],
        ['replacement', 'pending'],
      ]);
      expect(order.messages).toEqual([]);
      expect(order.explanation.at(-1)).toMatch(
        /^replacement \(lost-replace\) is decided and pending.*The letter waits/,
      );
      expect(await database.query(`SELECT unit, balance FROM ledger_accounts WHERE owner_id = 'lost'`)).toEqual([
        { unit: 'membership_months', balance: '1' },
      ]);
    });

    test('a promise that was kept is told to nobody, and one broken by the weather without a remedy', async () => {
      await register('kept');
      await report('kept', 'delivered', 'arrived_at_destination', '2026-11-05T15:00:00Z');
      await register('storm');
      await report('storm', 'failure', 'weather_delay', '2026-11-05T15:00:00Z');
      await report('storm', 'delivered', 'arrived_at_destination', '2026-11-07T15:00:00Z');
      await work();
      expect(await makegood.order('kept')).toMatchObject({ awards: [], messages: [] });
      expect(await makegood.order('storm')).toMatchObject({
        verdict: { verdict: 'late', fault: 'force_majeure', declinedBecause: 'force_majeure' },
        awards: [],
        messages: [{ template: 'declined', status: 'sent' }],
      });
    });

    test('a customer without an address is made good without a letter', async () => {
      await register('silent', { customer: { email: null } });
      await report('silent', 'delivered', 'arrived_at_destination', '2026-11-07T15:00:00Z');
      await work();
      expect(await makegood.order('silent')).toMatchObject({ awards: [{ status: 'applied' }], messages: [] });
    });
  });

  describe('to whom and in which form', () => {
    test('the letter goes to the address that is known when it is written, not to that of the order', async () => {
      await register('moved');
      await report('moved', 'delivered', 'arrived_at_destination', '2026-11-07T15:00:00Z');
      await workByHand(makegood.deps, database, 'grant-awards');

      await register('moved', { customer: { email: 'new.address@example.org', name: 'Ann Moved' } });
      await work();

      expect((await makegood.order('moved')).messages).toMatchObject([
        { to: 'new.address@example.org', status: 'sent' },
      ]);
      const [letter] = await lettersTo('new.address@example.org');
      expect(letter?.to).toEqual([expect.objectContaining({ address: 'new.address@example.org' })]);
      expect(letter?.text).toContain('Hello Ann Moved,');
      expect(await lettersTo('moved@example.com')).toEqual([]);
    });

    test('a letter that was written stays as it is when the address changes afterwards', async () => {
      await register('too-late');
      await report('too-late', 'delivered', 'arrived_at_destination', '2026-11-07T15:00:00Z');
      await work();
      await register('too-late', { customer: { email: 'later@example.org' } });
      await work();
      expect((await makegood.order('too-late')).messages).toMatchObject([{ to: 'too-late@example.com' }]);
      expect(await lettersTo('later@example.org')).toEqual([]);
    });

    test('a customer in Germany reads German, with German dates and money, in the text and in the HTML', async () => {
      const euro = (amountMinor: number) => ({ amountMinor, currency: 'EUR' });
      await register('berlin', {
        customer: { locale: 'de-DE', name: 'Jörg Müßig', membership: null },
        promise: { on: '2026-11-05', timeZone: 'Europe/Berlin' },
        total: euro(250_000),
        shippingPaid: euro(0),
      });
      // Half past midnight on the tenth in Berlin, still the ninth in UTC.
      await report('berlin', 'delivered', 'arrived_at_destination', '2026-11-09T23:30:00Z');
      await work();

      const [letter] = await lettersTo('berlin@example.com');
      const html = letter?.html?.replaceAll('&nbsp;', '\u00a0');
      for (const text of [letter?.text, html]) {
        expect(text).toContain('Jörg Müßig');
        expect(text).toContain('Donnerstag, 5. November 2026');
        expect(text).toContain('Dienstag, 10. November 2026');
        // 10 % of 2,500.00 is more than the most of this rule.
        expect(text).toMatch(/30,00\s€/);
        expect(text).not.toMatch(/€\s?30|30\.00|November 5/);
      }
      expect(letter?.text).toContain('wir hatten Ihnen die Bestellung berlin für Donnerstag, 5. November zugesagt.');
      expect(html).toMatch(/<html lang="de">/);
      expect(letter?.subject).toMatch(/30,00\s€/);
    });
  });
});
