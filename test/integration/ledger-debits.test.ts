import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { expireCredits } from '../../src/awards/expire-credits.js';
import { grantAwards } from '../../src/awards/grant-awards.js';
import { loadLedger } from '../../src/awards/ledger-view-store.js';
import { reconcileLedger } from '../../src/awards/reconcile-ledger.js';
import { reverseAward } from '../../src/awards/reverse-award.js';
import { debitLedger, type LedgerDebit } from '../../src/awards/spend-ledger.js';
import { ensureFirstPolicy, PolicyBook } from '../../src/compensation/policy-store.js';
import { readConfig } from '../../src/config.js';
import type { Deps } from '../../src/deps.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { countRows, readDatabaseState } from '../support/database-state.js';
import { addCustomers, balancesOf, decideAwards, grantNow, type LedgerDeps, openLedger } from '../support/ledger.js';

/*
 * What customers have: granted, spent soonest-expiring first, ended, set right, taken back. On a real PostgreSQL, as the role that the
 * application works as.
 */

let database: TestDatabase;
let deps: LedgerDeps;
let customer: string;

const NOW = new Date('2026-03-01T12:00:00Z');
const inDays = (days: number) => new Date(NOW.getTime() + days * 86_400_000);
const spend = (amount: number, more: Partial<LedgerDebit> = {}): LedgerDebit => ({
  kind: 'spend',
  unit: 'USD',
  amount,
  reason: 'an order was paid with it',
  actor: 'key:shop',
  ...more,
});
const reversal = { actor: 'key:sue', reviewer: 'key:1', reason: 'given by mistake' };
const grant = async (amount: number, expiresAt: Date | null = null, unit = 'USD') => {
  const [id = ''] = await decideAwards(database, [{ customerId: customer, unit, amount, expiresAt }]);
  await grantNow(deps, [id]);
  return id;
};

beforeAll(async () => {
  database = await createTestDatabase();
  deps = openLedger(database, 24);
});
beforeEach(async () => {
  customer = `c-${randomUUID()}`;
  await addCustomers(database, [customer]);
  deps.clock.set(NOW);
});
afterAll(async () => {
  expect(await reconcileLedger(deps.db.pool)).toEqual([]);
  await deps.db.close();
  await database.drop();
});

describe('granting', () => {
  test('months, points and each currency are kept apart, and an award is booked once however often it is tried', async () => {
    const ids = await decideAwards(database, [
      { customerId: customer, unit: 'USD', amount: 2000 },
      { customerId: customer, unit: 'EUR', amount: 300 },
      { customerId: customer, unit: 'membership_months', amount: 1 },
      { customerId: customer, unit: 'points', amount: 250 },
    ]);
    await Promise.all([grantNow(deps, ids), grantNow(deps, ids), grantNow(deps, [...ids].reverse())]);
    await grantNow(deps, ids);
    expect(await balancesOf(database, customer)).toEqual({ USD: 2000, EUR: 300, membership_months: 1, points: 250 });
    const awards = await database.query('SELECT DISTINCT status, provider FROM awards WHERE customer_id = $1', [
      customer,
    ]);
    expect(awards).toEqual([{ status: 'applied', provider: 'ledger' }]);
  });

  test('what the configuration leaves to another provider, or another was asked for, the ledger does not touch', async () => {
    const [credit = '', points = '', asked = ''] = await decideAwards(database, [
      { customerId: customer, unit: 'USD', amount: 2000 },
      { customerId: customer, unit: 'points', amount: 5 },
      { customerId: customer, unit: 'points', amount: 6 },
    ]);
    await database.query(`UPDATE awards SET provider = 'webhook' WHERE id = $1`, [asked]);
    await ensureFirstPolicy(deps.db, null);
    const config = readConfig({
      REMEDY_PROVIDERS: 'store_credit=webhook',
      AWARD_WEBHOOK_URL: 'http://127.0.0.1:9/awards',
      AWARD_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
    });
    const all = { ...deps, config, policies: new PolicyBook() } as unknown as Deps;
    const ticket = { id: credit, stage: 'grant-awards', trigger: 'webhook', trace: 'test', attempts: 0 } as const;
    await deps.db.transaction((sql) =>
      grantAwards(all, { sql, ticket: { ...ticket, ids: [credit, points, asked] }, now: new Date() }),
    );
    const rows = await database.query('SELECT id, status, provider FROM awards WHERE id = ANY($1::uuid[])', [
      [credit, points, asked],
    ]);
    expect(new Map(rows.map(({ id, ...row }) => [id, row]))).toEqual(
      new Map([
        [credit, { status: 'pending', provider: 'webhook' }],
        [points, { status: 'applied', provider: 'ledger' }],
        [asked, { status: 'pending', provider: 'webhook' }],
      ]),
    );
  });
});

describe('spending', () => {
  test('the soonest-expiring is spent first, what never ends last, and what was granted earlier before what came later', async () => {
    const never = await grant(100);
    const late = await grant(200, inDays(90));
    const soon = await grant(300, inDays(30));
    const soonToo = await grant(50, inDays(30));
    const answer = await debitLedger(deps, customer, spend(560));
    const grants = await database.query<{ id: string; award_id: string }>(
      'SELECT id, award_id FROM ledger_transfers WHERE award_id = ANY($1::uuid[])',
      [[never, late, soon, soonToo]],
    );
    const awardOf = new Map(grants.map((row) => [row.id, row.award_id]));
    expect(answer).toMatchObject({ unit: 'USD', amount: 560, balance: 90 });
    expect(answer.taken.map((taken) => [awardOf.get(taken.grant), taken.amount, taken.expiresAt])).toEqual([
      [soon, 300, inDays(30)],
      [soonToo, 50, inDays(30)],
      [late, 200, inDays(90)],
      [never, 10, null],
    ]);
  });

  test('more than there is, an unknown customer and another unit are refused, and nothing moves', async () => {
    await grant(500);
    await grant(100, inDays(1));
    deps.clock.set(inDays(1));
    const before = await readDatabaseState(database);
    await expect(debitLedger(deps, customer, spend(501))).rejects.toMatchObject({
      code: 'insufficient_funds',
      message: '$5.01 is wanted, and there is $5.00.',
    });
    await expect(debitLedger(deps, customer, spend(1, { unit: 'EUR' }))).rejects.toMatchObject({
      code: 'insufficient_funds',
    });
    await expect(debitLedger(deps, 'nobody', spend(1))).rejects.toMatchObject({ code: 'not_found' });
    expect(await readDatabaseState(database)).toEqual(before);
    // What has ended is no money any more, though it is still there: a person can set it right, a shop cannot spend it.
    expect(await debitLedger(deps, customer, spend(600, { kind: 'adjust' }))).toMatchObject({ balance: 0 });
  });

  test('twenty at once never spend more than there is, however they interleave', async () => {
    await grant(400, inDays(2));
    await grant(350);
    const tries = await Promise.allSettled(Array.from({ length: 20 }, () => debitLedger(deps, customer, spend(100))));
    const refused = tries.filter(({ status }) => status === 'rejected');
    expect(tries.length - refused.length).toBe(7);
    for (const one of refused) expect(one).toMatchObject({ reason: { code: 'insufficient_funds' } });
    expect(await balancesOf(database, customer)).toEqual({ USD: 50 });
  });

  test('the same reference is the same debit: twenty at once take it once, and each hears the same', async () => {
    await grant(1000);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => debitLedger(deps, customer, spend(300, { reference: 'order-7' }))),
    );
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]).toMatchObject({ amount: 300, balance: 700, taken: [{ amount: 300 }] });
    await expect(debitLedger(deps, customer, spend(299, { reference: 'order-7' }))).rejects.toMatchObject({
      code: 'idempotency_conflict',
    });
    expect(await balancesOf(database, customer)).toEqual({ USD: 700 });
  });

  test("a reference is the customer's own: another customer may use the same", async () => {
    await grant(1000);
    const first = await debitLedger(deps, customer, spend(300, { reference: 'order-8' }));
    customer = `c-${randomUUID()}`;
    await addCustomers(database, [customer]);
    await grant(1000);
    const other = await debitLedger(deps, customer, spend(300, { reference: 'order-8' }));
    expect(other.transferId).not.toBe(first.transferId);
  });

  test('what a person sets right is audited, what a customer spends is not', async () => {
    await grant(1000);
    const before = await countRows(database, 'audit');
    await debitLedger(deps, customer, spend(10));
    expect(await countRows(database, 'audit')).toBe(before);
    const { transferId } = await debitLedger(deps, customer, spend(10, { kind: 'adjust', reason: 'booked twice' }));
    const [audit] = await database.query('SELECT * FROM audit ORDER BY seq DESC LIMIT 1');
    expect(audit).toMatchObject({
      actor: 'key:shop',
      action: 'ledger.adjust',
      subject: customer,
      reason: 'booked twice',
      details: { transferId, unit: 'USD', amount: 10 },
    });
  });
});

describe('ending', () => {
  test('what has ended ends once, also with three at once and beside spending; what is left stays', async () => {
    for (const days of [1, 2, 3, 40]) await grant(100, inDays(days));
    await grant(70);
    await debitLedger(deps, customer, spend(30));
    deps.clock.set(inDays(3));
    const spends = Array.from({ length: 5 }, () => debitLedger(deps, customer, spend(20)));
    const reports = await Promise.all([
      ...[1, 2, 3].map(() => expireCredits(deps, { batchSize: 2 })),
      Promise.all(spends).then(() => null),
    ]);
    const ended = reports.reduce((sum, report) => sum + (report?.amounts.USD ?? 0), 0);
    expect(ended).toBe(70 + 100 + 100);
    expect(await balancesOf(database, customer)).toEqual({ USD: 70 });
    expect(await expireCredits(deps)).toEqual({ grants: 0, amounts: {} });
  });

  test('what ends in the next moment is still money, in that moment no more', async () => {
    await grant(100, new Date(NOW.getTime() + 60_000));
    expect(await expireCredits(deps)).toEqual({ grants: 0, amounts: {} });
    expect(await debitLedger(deps, customer, spend(1))).toMatchObject({ balance: 99 });
    deps.clock.set(new Date(NOW.getTime() + 60_000));
    await expect(debitLedger(deps, customer, spend(1))).rejects.toMatchObject({ code: 'insufficient_funds' });
    expect(await expireCredits(deps)).toEqual({ grants: 1, amounts: { USD: 99 } });
  });
});

describe('reversing', () => {
  test('it takes from that very grant, marks the award, keeps history, and happens once', async () => {
    const first = await grant(300, inDays(10));
    const second = await grant(200);
    const answers = await Promise.allSettled(Array.from({ length: 5 }, () => reverseAward(deps, second, reversal)));
    expect(answers.filter(({ status }) => status === 'fulfilled')).toMatchObject([
      { value: { awardId: second, status: 'reversed', unit: 'USD', amount: 200, kept: 0 } },
    ]);
    for (const answer of answers) if (answer.status === 'rejected') expect(answer.reason.code).toBe('already_decided');
    expect(await balancesOf(database, customer)).toEqual({ USD: 300 });
    const awards = await database.query(
      'SELECT id, status, reviewed_by, review_reason FROM awards WHERE customer_id = $1 ORDER BY status',
      [customer],
    );
    expect(awards).toEqual([
      { id: first, status: 'applied', reviewed_by: null, review_reason: null },
      { id: second, status: 'reversed', reviewed_by: 'key:1', review_reason: 'given by mistake' },
    ]);
    const audits = await database.query(`SELECT 1 FROM audit WHERE action = 'award.reverse' AND subject = $1`, [
      second,
    ]);
    expect(audits).toHaveLength(1);
  });

  test('what is spent in part is taken back only when that is asked for, and what is spent stays spent', async () => {
    const id = await grant(300);
    await debitLedger(deps, customer, spend(120));
    await expect(reverseAward(deps, id, reversal)).rejects.toMatchObject({
      code: 'already_spent',
      message: '$1.80 is left of the $3.00. Repeat this with partial: true to take that back.',
    });
    expect(await reverseAward(deps, id, { ...reversal, partial: true })).toMatchObject({ amount: 180, kept: 120 });
    expect(await balancesOf(database, customer)).toEqual({ USD: 0 });
  });

  test('what is spent altogether cannot be taken back, though the customer has as much from elsewhere', async () => {
    const id = await grant(300, inDays(1));
    await grant(1000);
    await debitLedger(deps, customer, spend(300));
    const refused = reverseAward(deps, id, { ...reversal, partial: true });
    await expect(refused).rejects.toMatchObject({ code: 'already_spent', message: 'Nothing is left of the $3.00.' });
    expect(await balancesOf(database, customer)).toEqual({ USD: 1000 });
  });

  test('what another provider gave is reversed there, and here only noted when that is said', async () => {
    const [id = ''] = await decideAwards(database, [{ customerId: customer, unit: 'USD', amount: 300 }]);
    await expect(reverseAward(deps, id, reversal)).rejects.toMatchObject({ code: 'not_reversible' });
    await database.query(
      `UPDATE awards SET status = 'applied', applied_at = now(), provider = 'stripe' WHERE id = $1`,
      [id],
    );
    await expect(reverseAward(deps, id, reversal)).rejects.toMatchObject({
      code: 'not_reversible',
      message: expect.stringContaining('carried out by stripe'),
    });
    expect(await reverseAward(deps, id, { ...reversal, recordOnly: true })).toMatchObject({ transferId: null });
    expect(await balancesOf(database, customer)).toEqual({});
    const own = await grant(5);
    await expect(reverseAward(deps, own, { ...reversal, recordOnly: true })).rejects.toMatchObject({
      code: 'not_reversible',
    });
    await expect(reverseAward(deps, randomUUID(), reversal)).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('the ledger of a customer', () => {
  test('is shown newest first, page by page, with what is left of each grant and why', async () => {
    const expiring = await grant(300, inDays(30));
    await grant(1, null, 'membership_months');
    deps.clock.set(inDays(1));
    await debitLedger(deps, customer, spend(100, { reference: 'order-9' }));
    deps.clock.set(inDays(2));
    await reverseAward(deps, expiring, { ...reversal, partial: true });
    const first = await loadLedger(deps.db, customer, { limit: 2 });
    expect(first).toMatchObject({
      balances: { USD: 0, membership_months: 1 },
      entries: [
        { kind: 'reversal', unit: 'USD', amount: -200, remaining: null, awardId: expiring, reason: 'given by mistake' },
        { kind: 'spend', unit: 'USD', amount: -100, reference: 'order-9', awardId: null, orderId: null },
      ],
    });
    const rest = await loadLedger(deps.db, customer, { limit: 2, after: first?.next ?? null });
    expect(rest?.next).toBeNull();
    expect(rest?.entries).toHaveLength(2);
    expect(rest?.entries).toContainEqual(
      expect.objectContaining({
        kind: 'award',
        amount: 300,
        remaining: 0,
        expiresAt: inDays(30).toISOString(),
        orderId: `o-${customer}`,
        reason: 'late',
      }),
    );
  });

  test('is empty for a customer who was never given anything, and nothing for one whom nobody knows', async () => {
    expect(await loadLedger(deps.db, customer, { limit: 10 })).toEqual({ balances: {}, entries: [], next: null });
    expect(await loadLedger(deps.db, 'nobody', { limit: 10 })).toBeNull();
    await expect(loadLedger(deps.db, customer, { limit: 10, after: 'x' })).rejects.toMatchObject({
      code: 'invalid_request',
    });
  });
});
