import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { expireCredits } from '../../src/awards/expire-credits.js';
import { reconcileLedger } from '../../src/awards/reconcile-ledger.js';
import { reverseAward } from '../../src/awards/reverse-award.js';
import { debitLedger } from '../../src/awards/spend-ledger.js';
import { AppError } from '../../src/errors.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { addCustomers, balancesOf, decideAwards, grantNow, type LedgerDeps, openLedger } from '../support/ledger.js';

/*
 * Any sequence of grants, spends, expiries, corrections and reversals, beside a model that shares no code with the ledger: a list
 * of heaps.
 */

let database: TestDatabase;
let deps: LedgerDeps;

beforeAll(async () => {
  database = await createTestDatabase();
  deps = openLedger(database, 12);
});
afterAll(async () => {
  await deps.db.close();
  await database.drop();
});

const UNITS = ['USD', 'points'] as const;
type Unit = (typeof UNITS)[number];
type Step =
  | { readonly do: 'grant'; readonly unit: Unit; readonly amount: number; readonly endsAfter: number | null }
  | { readonly do: 'spend' | 'adjust' | 'forfeit'; readonly unit: Unit; readonly amount: number }
  | { readonly do: 'wait'; readonly days: number }
  | { readonly do: 'expire' }
  | { readonly do: 'reverse'; readonly which: number; readonly partial: boolean };

const unit = fc.constantFrom(...UNITS);
const amount = fc.integer({ min: 1, max: 60 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('grant' as const),
      unit,
      amount,
      endsAfter: fc.option(fc.integer({ min: 1, max: 4 })),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('spend' as const, 'adjust' as const, 'forfeit' as const),
      unit,
      amount,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), days: fc.integer({ min: 1, max: 2 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('expire' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('reverse' as const), which: fc.nat({ max: 5 }), partial: fc.boolean() }),
  },
);

const DAY_MS = 86_400_000;
const START = Date.UTC(2026, 2, 1);

/** What must be left, kept the simplest way there is. */
class Heaps {
  readonly heaps: { award: string; unit: Unit; size: number; left: number; ends: number; reversed: boolean }[] = [];
  day = 0;

  take(kind: 'spend' | 'adjust' | 'forfeit', ofUnit: Unit, wanted: number): number[] | null {
    const open = this.heaps
      .filter((heap) => heap.unit === ofUnit && heap.left > 0 && (kind !== 'spend' || heap.ends > this.day))
      .sort((one, other) => one.ends - other.ends || this.heaps.indexOf(one) - this.heaps.indexOf(other));
    if (open.reduce((sum, { left }) => sum + left, 0) < wanted) return null;
    const taken: number[] = [];
    let missing = wanted;
    for (const heap of open) {
      if (missing === 0) break;
      const share = Math.min(heap.left, missing);
      heap.left -= share;
      missing -= share;
      taken.push(share);
    }
    return taken;
  }
  expire(): void {
    for (const heap of this.heaps) if (heap.ends <= this.day) heap.left = 0;
  }
  reverse(which: number, partial: boolean): number | null {
    const heap = this.heaps[which];
    if (!heap || heap.reversed || heap.left === 0 || (heap.left < heap.size && !partial)) return null;
    const taken = heap.left;
    heap.left = 0;
    heap.reversed = true;
    return taken;
  }
  balance(ofUnit: Unit): number {
    return this.heaps.filter((heap) => heap.unit === ofUnit).reduce((sum, { left }) => sum + left, 0);
  }
}

const refusedOr = async <T>(work: Promise<T>): Promise<T | null> =>
  work.catch((error) => {
    if (error instanceof AppError) return null;
    throw error;
  });

const instantOf = (day: number, serial = 0) => new Date(START + day * DAY_MS + serial);

/** Does one step in both, and asserts that they come to the same. */
async function take(model: Heaps, customerId: string, one: Step, serial: number): Promise<void> {
  // Each step is a moment later: what was granted first is spent first.
  deps.clock.set(instantOf(model.day, serial * 1000));
  switch (one.do) {
    case 'grant': {
      const ends = one.endsAfter === null ? Number.POSITIVE_INFINITY : model.day + one.endsAfter;
      const expiresAt = one.endsAfter === null ? null : instantOf(ends);
      const [id = ''] = await decideAwards(database, [{ customerId, unit: one.unit, amount: one.amount, expiresAt }]);
      await grantNow(deps, [id]);
      model.heaps.push({ award: id, unit: one.unit, size: one.amount, left: one.amount, ends, reversed: false });
      return;
    }
    case 'wait':
      model.day += one.days;
      return;
    case 'expire':
      await expireCredits(deps);
      model.expire();
      return;
    case 'reverse': {
      const award = model.heaps[one.which]?.award ?? randomUUID();
      const request = { actor: 'key:sue', reviewer: 'key:1', reason: 'test', partial: one.partial };
      const answer = await refusedOr(reverseAward(deps, award, request));
      expect(answer?.amount ?? null).toBe(model.reverse(one.which, one.partial));
      return;
    }
    default: {
      const kind = one.do === 'forfeit' ? 'expire' : one.do;
      const debit = { kind, unit: one.unit, amount: one.amount, reason: 'test', actor: 'key:shop' } as const;
      const answer = await refusedOr(debitLedger(deps, customerId, debit));
      const expected = model.take(one.do, one.unit, one.amount);
      expect(answer?.taken.map((taken) => taken.amount) ?? null).toEqual(expected);
    }
  }
}

/** Every unit is conserved, and each balance is the sum of its entries and of what is left of its grants. */
async function expectSound(): Promise<void> {
  expect(await reconcileLedger(deps.db.pool)).toEqual([]);
  const sums = await database.query(
    `SELECT a.unit, sum(e.amount) AS sum FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.account_id
     GROUP BY a.unit HAVING sum(e.amount) <> 0`,
  );
  expect(sums).toEqual([]);
  expect(await database.query(`SELECT 1 FROM ledger_accounts WHERE owner_kind = 'customer' AND balance < 0`)).toEqual(
    [],
  );
}

test('nothing is made or lost, nothing is less than nothing, and the soonest-expiring goes first, whatever happens in whatever order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 18 }), async (steps) => {
      const customerId = `c-${randomUUID()}`;
      await addCustomers(database, [customerId]);
      const model = new Heaps();
      for (const [serial, one] of steps.entries()) {
        await take(model, customerId, one, serial);
        const balances = await balancesOf(database, customerId);
        for (const one of UNITS) expect(balances[one] ?? 0).toBe(model.balance(one));
      }
      await expectSound();
    }),
    { numRuns: 40, interruptAfterTimeLimit: 15_000, markInterruptAsFailure: false },
  );
});

test('the same at once: whatever interleaves, what was refused moved nothing and what was taken was there', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: 20 }), async (steps) => {
      const customerId = `c-${randomUUID()}`;
      await addCustomers(database, [customerId]);
      deps.clock.set(instantOf(0));
      const grants = steps.flatMap((one) =>
        one.do === 'grant'
          ? [
              {
                customerId,
                unit: one.unit,
                amount: one.amount,
                expiresAt: one.endsAfter === null ? null : instantOf(one.endsAfter),
              },
            ]
          : [],
      );
      const awards = await decideAwards(database, grants);
      deps.clock.set(instantOf(2));
      const results = await Promise.all(
        steps.map(async (one, index) => {
          if (one.do === 'grant') return grantNow(deps, awards.slice(0, 1 + (index % awards.length)));
          if (one.do === 'wait') return grantNow(deps, awards);
          if (one.do === 'expire') return expireCredits(deps);
          if (one.do === 'reverse') {
            const request = { actor: 'key:sue', reviewer: 'key:1', reason: 'test', partial: one.partial };
            return refusedOr(reverseAward(deps, awards[one.which] ?? randomUUID(), request));
          }
          const kind = one.do === 'forfeit' ? 'expire' : one.do;
          const debit = { kind, unit: one.unit, amount: one.amount, reason: 'test', actor: 'key:shop' } as const;
          return refusedOr(debitLedger(deps, customerId, debit));
        }),
      );
      expect(results).toHaveLength(steps.length);
      await expectSound();
    }),
    { numRuns: 15, interruptAfterTimeLimit: 8_000, markInterruptAsFailure: false },
  );
});
