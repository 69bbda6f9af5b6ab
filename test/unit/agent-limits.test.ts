import { describe, expect, test } from '@jest/globals';
import { agentStops, type GivenAward } from '../../src/awards/agent-limits.js';
import { refuseBeyondOrder, remedyWith } from '../../src/awards/worth.js';
import { DEFAULT_POLICY } from '../../src/compensation/default-policy.js';

const money = (amountMinor: number, currency = 'USD') => ({ amountMinor, currency });
const credit = (amountMinor: number, currency = 'USD') =>
  ({ kind: 'store_credit', amount: money(amountMinor, currency) }) as const;
const given = (amountMinor: number, currency = 'USD', incident: GivenAward['incident'] = 'manual'): GivenAward => ({
  ...credit(amountMinor, currency),
  incident,
  months: null,
  points: null,
});
const stops = (
  role: string,
  remedy: Parameters<typeof agentStops>[1],
  { onOrder = [], today = [] }: { onOrder?: readonly GivenAward[]; today?: readonly GivenAward[] } = {},
) => agentStops({ role }, remedy, { onOrder, today }, DEFAULT_POLICY);

describe('agentStops: both edges of every bound', () => {
  test.each([
    ['agent', credit(2500), []],
    ['agent', credit(2501), ['agent-limit']],
    ['agent', credit(2000, 'GBP'), []],
    ['agent', credit(2001, 'GBP'), ['agent-limit']],
    ['agent', credit(1, 'JPY'), ['agent-limit', 'agent-day-limit']],
    ['supervisor', credit(25_000), []],
    ['supervisor', credit(25_001), ['agent-limit']],
    ['admin', credit(25_000), []],
    ['admin', credit(25_001), ['agent-limit']],
    ['agent', { kind: 'membership_extension', months: 1 }, []],
    ['agent', { kind: 'membership_extension', months: 2 }, ['agent-limit']],
    ['supervisor', { kind: 'membership_extension', months: 12 }, []],
    ['supervisor', { kind: 'membership_extension', months: 13 }, ['agent-limit']],
    ['admin', { kind: 'points', points: 1 }, ['agent-limit']],
  ] as const)('%s, %j: %j', (role, remedy, expected) => {
    expect(stops(role, remedy)).toEqual(expected);
  });

  test('what the policy gave counts for the order', () => {
    expect(stops('agent', credit(500), { onOrder: [given(2000, 'USD', 'late')] })).toEqual([]);
    expect(stops('agent', credit(501), { onOrder: [given(2000, 'USD', 'late')] })).toEqual(['agent-limit']);
  });

  test('a day counts over all currencies: nobody gives a day in each', () => {
    // 200 pounds are all of a day that has 250 dollars.
    expect(stops('agent', credit(1), { today: [given(20_000, 'GBP')] })).toEqual(['agent-day-limit']);
    expect(stops('agent', credit(1250), { today: [given(19_000, 'GBP')] })).toEqual([]);
    expect(stops('agent', credit(1251), { today: [given(19_000, 'GBP')] })).toEqual(['agent-day-limit']);
  });

  test('ten months and ten replacements a day, where a day has the money of ten orders', () => {
    const month: GivenAward = {
      kind: 'membership_extension',
      incident: 'manual',
      months: 1,
      points: null,
      amount: null,
    };
    const parcel: GivenAward = { kind: 'replacement', incident: 'manual', months: null, points: null, amount: null };
    const times = (award: GivenAward, count: number) => Array.from({ length: count }, () => award);
    const one = { kind: 'membership_extension', months: 1 } as const;
    const another = { kind: 'replacement', shipping: 'two_day' } as const;
    expect(stops('agent', one, { today: times(month, 9) })).toEqual([]);
    expect(stops('agent', one, { today: times(month, 10) })).toEqual(['agent-day-limit']);
    expect(stops('agent', another, { today: times(parcel, 9) })).toEqual([]);
    expect(stops('agent', another, { today: times(parcel, 10) })).toEqual(['agent-day-limit']);
    expect(stops('agent', one, { onOrder: [{ ...month, incident: 'late' }] })).toEqual([]);
  });
});

describe('what an award by hand may be worth', () => {
  test('never more back than was paid, over all refunds of the order', () => {
    const paid = { totalMinor: 5990, shippingPaidMinor: 599, given: [] };
    const refund = (amountMinor: number) => ({ kind: 'refund', amount: money(amountMinor) }) as const;
    expect(() => refuseBeyondOrder(refund(5990), paid)).not.toThrow();
    expect(() => refuseBeyondOrder(refund(5991), paid)).toThrow(/\$59\.90/);
    const before: GivenAward = { ...refund(5000), incident: 'damaged', months: null, points: null };
    expect(() => refuseBeyondOrder(refund(990), { ...paid, given: [before] })).not.toThrow();
    expect(() => refuseBeyondOrder(refund(991), { ...paid, given: [before] })).toThrow(/\$9\.90/);
    expect(() => refuseBeyondOrder(refund(1), { ...paid, totalMinor: null })).toThrow();
    expect(() => refuseBeyondOrder(credit(1_000_000), paid)).not.toThrow();
  });

  test('without a known currency no money can be named', () => {
    expect(() => remedyWith({ kind: 'gift' }, { amount: money(5) }, null)).toThrow(/currency/);
    expect(remedyWith({ kind: 'gift' }, { amount: money(5) }, 'USD')).toEqual({ kind: 'gift', amount: money(5) });
  });
});
