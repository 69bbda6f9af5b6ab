import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  AWARD_CLASSES,
  AWARD_STATUSES,
  type DecidedAward,
  measureOf,
  type PastAward,
} from '../../src/compensation/award.js';
import { type Decision, decide } from '../../src/compensation/decide.js';
import { parseDecisionCase } from '../../src/compensation/decision-case.js';
import type { DecisionCase } from '../../src/compensation/decision-input.js';
import { DEFAULT_POLICY } from '../../src/compensation/default-policy.js';
import type { Policy } from '../../src/compensation/policy.js';
import { passTill, spentBy, type Till } from '../../src/compensation/till.js';

const EMPTY: Till = { breakerOpen: false, spentToday: {} };
const usd = (amountMinor: number) => ({ amountMinor, currency: 'USD' });

/** An order of 100 dollars, without shipping paid, that came so many days late: worth 3, 5, 10 or 15 dollars by the default policy. */
function lateCase(days: number, fields: object = {}): DecisionCase {
  const json = {
    promise: { on: '2026-11-05', timeZone: 'America/New_York' },
    asOf: '2026-11-25T12:00:00Z',
    events: [
      { status: 'in_transit', at: '2026-11-03T13:00:00Z' },
      { status: 'delivered', at: new Date(Date.UTC(2026, 10, 5 + days, 19)).toISOString() },
    ],
    order: { id: 'o-1', total: usd(10_000) },
    ...fields,
  };
  const parsed = parseDecisionCase(json, DEFAULT_POLICY);
  if (parsed.outcome !== 'ok') throw new Error(JSON.stringify(parsed.errors));
  return parsed.case;
}
const past = (amountMinor: number, status: string, at = '2026-11-08T12:00:00Z', more: object = {}) => ({
  orderId: 'o-1',
  incident: 'late',
  class: 'money',
  kind: 'store_credit',
  amount: usd(amountMinor),
  at,
  status,
  ...more,
});
function passed(input: DecisionCase, till: Partial<Till> = {}, policy: Policy = DEFAULT_POLICY): Decision {
  return passTill(decide(input, policy, 1), input, { ...EMPTY, ...till }, policy);
}
const short = ({ awards }: Decision) =>
  awards.map((award) => [award.kind, measureOf(award).quantity, award.status, ...award.stoppedBy]);

describe('an open breaker', () => {
  test('holds everything, what is owed too, and says so', () => {
    const damaged = lateCase(2, { contacts: [{ reason: 'damaged', at: '2026-11-09T12:00:00Z' }] });
    expect(short(passed(damaged, { breakerOpen: true }))).toEqual([['refund', 10_000, 'held', 'breaker']]);
    const late = passed(lateCase(2), { breakerOpen: true });
    expect(short(late)).toEqual([['store_credit', 500, 'held', 'breaker']]);
    expect(late.explanation.join('\n')).toMatch(/The breaker is open/);
    expect(late.explanation.at(-1)).toMatch(/^Given: .*\(held\)/);
  });

  test('adds to what stopped an award before, and takes nothing of the budget', () => {
    const many = ['p-1', 'p-2', 'p-3'].map((orderId) => past(300, 'applied', undefined, { orderId }));
    const decision = passed(lateCase(2, { history: many }), { breakerOpen: true });
    expect(short(decision)).toEqual([['store_credit', 500, 'held', 'goodwill-quarter', 'breaker']]);
    expect(spentBy(decision, DEFAULT_POLICY)).toEqual({});
  });
});

describe('the budget of the day', () => {
  test.each([
    ['nothing spent', {}, 'pending', []],
    ['room to the cent', { USD: 499_500 }, 'pending', []],
    ['a cent too little', { USD: 499_501 }, 'held', ['daily-budget']],
    ['all of it spent in another currency', { EUR: 500_000 }, 'pending', []],
  ])('with %s', (_how, spentToday, status, stoppedBy) => {
    const decision = passed(lateCase(2), { spentToday });
    expect(decision.awards).toMatchObject([{ status, stoppedBy }]);
    expect(spentBy(decision, DEFAULT_POLICY)).toEqual(status === 'pending' ? { USD: 500 } : {});
  });

  test('what is owed, and classes that it is not about, pass', () => {
    const spentToday = { USD: 10_000_000 };
    const damaged = lateCase(2, { contacts: [{ reason: 'damaged', at: '2026-11-09T12:00:00Z' }] });
    expect(short(passed(damaged, { spentToday }))).toEqual([['refund', 10_000, 'pending']]);
    const missing = lateCase(0, { contacts: [{ reason: 'not_received', at: '2026-11-09T12:00:00Z' }] });
    expect(passed(missing, { spentToday }).awards.map(({ status }) => status)).toEqual(['pending', 'pending']);
  });

  test('in a currency that it does not name, waits for a person', () => {
    const policy = { ...DEFAULT_POLICY, dailyBudget: { classes: ['money' as const], atMostMinor: { EUR: 100 } } };
    expect(short(passed(lateCase(2), {}, policy))).toEqual([['store_credit', 500, 'held', 'daily-budget']]);
  });

  test('without a budget there is no bound', () => {
    const policy = { ...DEFAULT_POLICY, dailyBudget: null };
    const decision = passed(lateCase(2), { spentToday: { USD: 1e12 } }, policy);
    expect(short(decision)).toEqual([['store_credit', 500, 'pending']]);
    expect(spentBy(decision, policy)).toEqual({});
  });
});

describe('what a person refused before', () => {
  test.each([
    ['declined', 500],
    ['reversed', 500],
    ['failed', 501],
  ])('is not proposed again when it was %s and comes to no more', (status, amount) => {
    const decision = passed(lateCase(2, { history: [past(amount, status)] }));
    expect(decision).toMatchObject({ awards: [], declinedBecause: 'already_compensated' });
    expect(decision.explanation.join('\n')).toMatch(new RegExp(`was ${status} before, and this comes to no more`));
    expect(decision.explanation.at(-1)).toBe('Nothing is given: already_compensated.');
  });

  test('is held when it comes to more', () => {
    const decision = passed(lateCase(2, { history: [past(499, 'declined')] }));
    expect(short(decision)).toEqual([['store_credit', 500, 'held', 'refused-before']]);
  });

  test('is compared by what the order would have had, not by the top-up alone', () => {
    // 3 dollars stand; a top-up to 10 was refused. Now it would be 15: 12 more than stand.
    const history = [past(300, 'applied'), past(700, 'declined', '2026-11-10T12:00:00Z')];
    expect(short(passed(lateCase(5, { history })))).toEqual([]);
    expect(short(passed(lateCase(9, { history })))).toEqual([['store_credit', 1200, 'held', 'refused-before']]);
    // 15 dollars were refused, 10 given later all the same. 15 are not asked for again by way of the 5 that are missing.
    const later = [past(1500, 'declined'), past(1000, 'applied', '2026-11-12T12:00:00Z')];
    expect(short(passed(lateCase(9, { history: later })))).toEqual([]);
  });

  test.each([
    ['of another order', { orderId: 'o-2' }],
    ['of another incident', { incident: 'lost' }],
    ['of another class', { class: 'care', kind: 'gift' }],
  ])('says nothing of an award when it was %s', (_what, more) => {
    const decision = passed(lateCase(2, { history: [past(9_000, 'declined', undefined, more)] }));
    expect(short(decision)).toEqual([['store_credit', 500, 'pending']]);
  });

  test('in another unit cannot be compared, and is held', () => {
    const points = past(0, 'declined', undefined, { kind: 'points', points: 5, amount: null });
    expect(short(passed(lateCase(2, { history: [points] })))).toEqual([
      ['store_credit', 500, 'held', 'refused-before'],
    ]);
  });
});

/* What the store would hold after a decision, with the status that a person or the ledger gave it. */
const remembered = (awards: readonly DecidedAward[], status: PastAward['status'], at: Date): PastAward[] =>
  awards.map((award) => ({
    orderId: 'o-1',
    incident: 'late',
    class: award.class,
    kind: award.kind,
    months: 'months' in award ? award.months : null,
    points: 'points' in award ? award.points : null,
    amount: 'amount' in award ? award.amount : null,
    at,
    status,
  }));

describe('whatever the till and the history are', () => {
  const tills = fc.record({
    breakerOpen: fc.boolean(),
    spentToday: fc.dictionary(fc.constantFrom('USD', 'EUR'), fc.nat(600_000)),
  });
  const histories = fc.array(
    fc.record({
      amount: fc.nat(3_000),
      status: fc.constantFrom(...AWARD_STATUSES),
      orderId: fc.constantFrom('o-1', 'o-2'),
      class: fc.constantFrom(...AWARD_CLASSES),
    }),
    { maxLength: 5 },
  );

  test('the till never raises an amount, adds an award or lets go what was stopped', () => {
    fc.assert(
      fc.property(fc.nat(12), tills, histories, (days, till, history) => {
        const input = lateCase(days, {
          history: history.map(({ amount, status, ...more }) => past(amount, status, undefined, more)),
        });
        const before = decide(input, DEFAULT_POLICY, 1);
        const after = passTill(before, input, till, DEFAULT_POLICY);
        for (const award of after.awards) {
          const { status, stoppedBy, ...gives } = award;
          const one = before.awards.find(({ rule }) => rule === award.rule);
          expect(one).toMatchObject(gives);
          expect(stoppedBy.slice(0, one?.stoppedBy.length)).toEqual(one?.stoppedBy);
          if (one?.status !== 'pending') expect(status).not.toBe('pending');
          expect(status === 'pending').toBe(stoppedBy.length === 0);
        }
        expect(after.awards.length > 0).toBe(after.declinedBecause === null);
        expect(after.earned).toEqual(before.earned);
        const { USD = 0 } = spentBy(after, DEFAULT_POLICY);
        if (USD > 0) expect(USD + (till.spentToday.USD ?? 0)).toBeLessThanOrEqual(500_000);
      }),
      { numRuns: 300 },
    );
  });

  test('however late it gets, and whatever is approved and refused on the way: what reached the customer is never beyond the highest band', () => {
    const steps = fc.array(fc.tuple(fc.nat(12), fc.constantFrom('applied', 'declined', 'failed'), tills), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(steps, (chain) => {
        let history: PastAward[] = [];
        let highest = 0;
        let refused = false;
        for (const [place, [days, answer, till]] of chain.entries()) {
          const input = { ...lateCase(days), history };
          const decision = passTill(decide(input, DEFAULT_POLICY, 1), input, till, DEFAULT_POLICY);
          highest = Math.max(
            highest,
            decision.earned.reduce((sum, { quantity }) => sum + quantity, 0),
          );
          // A person answers for what is held; what is pending is carried out.
          const [award] = decision.awards;
          const status = award?.status === 'pending' ? 'applied' : answer;
          refused ||= award !== undefined && status !== 'applied';
          history = [...history, ...remembered(decision.awards, status, new Date(Date.UTC(2026, 10, 20, place)))];
        }
        const reached = history.reduce(
          (sum, { amount, status }) => sum + (status === 'applied' ? (amount?.amountMinor ?? 0) : 0),
          0,
        );
        expect(reached).toBeLessThanOrEqual(highest);
        if (!refused) expect(reached).toBe(highest);
      }),
      { numRuns: 300 },
    );
  });
});
