import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DEFAULT_POLICY } from '../../src/compensation/default-policy.js';
import type { Policy } from '../../src/compensation/policy.js';
import { isoWeekOf, isoWeeksBetween, startOfIsoWeek } from '../../src/simulation/iso-week.js';
import type { PastOrder } from '../../src/simulation/judge-past-order.js';
import { type Simulation, startSimulation } from '../../src/simulation/simulate.js';
import { simulationAnswer } from '../../src/simulation/simulation-answer.js';

const AS_OF = new Date('2026-06-30T12:00:00Z');
const NEW_YORK = 'America/New_York';

interface Story {
  readonly id: string;
  readonly customerId?: string;
  /** The promised date. */
  readonly on?: string;
  /** Scans: a status or an exception, and when. */
  readonly scans?: readonly (readonly [string, string])[];
  readonly tier?: string | null;
  readonly totalMinor?: number;
  readonly shippingMinor?: number;
  readonly currency?: string;
  readonly occasionOn?: string;
  readonly contacts?: PastOrder['contacts'];
  readonly reports?: PastOrder['reports'];
  /** Of an order without a parcel. */
  readonly digitalAt?: Date;
  readonly country?: string;
}

/** An order of 100 dollars without shipping, promised for 2 March, whose customer is no member. */
function order(story: Story): PastOrder {
  const { id, customerId = `c-${id}`, on = '2026-03-02', scans = [], currency = 'USD', tier = null } = story;
  return {
    order: {
      id,
      total: { amountMinor: story.totalMinor ?? 10_000, currency },
      shippingPaid: { amountMinor: story.shippingMinor ?? 0, currency },
    },
    customerId,
    promise: { on, timeZone: NEW_YORK },
    promisedUntil: new Date(`${on}T12:00:00Z`),
    shipBy: null,
    membership: tier === null ? null : { tier, trial: false },
    occasion: story.occasionOn === undefined ? null : { name: 'birthday', on: story.occasionOn },
    destination: { country: story.country ?? null, region: null, postalCode: null },
    contacts: story.contacts ?? [],
    reports: story.reports ?? [],
    digitalAt: story.digitalAt ?? null,
    parcels: story.digitalAt
      ? []
      : [
          {
            promise: null,
            carrier: 'usps',
            service: null,
            events: scans.map(([word, at]) => ({
              status: word === 'lost' || word === 'damaged' ? 'exception' : (word as 'delivered'),
              exception: word === 'lost' || word === 'damaged' ? word : null,
              time: { at: new Date(at) },
              disputed: false,
            })),
          },
        ],
  };
}

/** Delivered so many days after 2 March 2026, at noon in New York. */
const late = (days: number, story: Omit<Story, 'scans'>): PastOrder =>
  order({ ...story, scans: [['delivered', new Date(Date.UTC(2026, 2, 2 + days, 17)).toISOString()]] });

const PLAIN: Policy = DEFAULT_POLICY;
/** Another policy that differs from the default one in this. */
const policy = (changes: Partial<Policy>): Policy => ({ ...PLAIN, ...changes });

/** Every credit and refund of a percentage and every fixed amount twice as high. */
const DOUBLED = policy({
  name: 'Doubled',
  rules: PLAIN.rules.map((rule) => {
    if (!('amount' in rule.gives) || rule.class !== 'money') return rule;
    const { amount } = rule.gives;
    const doubled =
      amount.of === 'fixed'
        ? { ...amount, minor: twice(amount.minor) }
        : {
            ...amount,
            percent: Math.min(100, amount.percent * 2),
            ...(amount.maxMinor === undefined ? {} : { maxMinor: twice(amount.maxMinor) }),
          };
    return { ...rule, gives: { ...rule.gives, amount: doubled } } as typeof rule;
  }),
});
// biome-ignore lint/suspicious/noExplicitAny: an amount is a number here, and may be written by currency elsewhere.
function twice(amount: any): any {
  return typeof amount === 'number' ? amount * 2 : amount;
}

function simulate(
  orders: readonly PastOrder[],
  candidate: Policy,
  options: { active?: Policy; since?: string; asOf?: Date; chunk?: number } = {},
): Simulation {
  const { active = PLAIN, since, asOf = AS_OF, chunk = orders.length || 1 } = options;
  const simulation = startSimulation(
    { active, candidate },
    { asOf, since: since === undefined ? null : new Date(since) },
  );
  for (let from = 0; from < orders.length; from += chunk) simulation.add(orders.slice(from, from + chunk));
  return simulation.finish();
}

describe('one past, counted by hand', () => {
  const PAST = [
    order({ id: 'kept', scans: [['delivered', '2026-03-02T20:00:00Z']] }),
    // 5 % of 100 dollars.
    late(2, { id: 'two-days' }),
    // The shipping that was paid.
    late(1, { id: 'one-day', shippingMinor: 599 }),
    late(5, { id: 'member', tier: 'prime' }),
    order({ id: 'lost', scans: [['lost', '2026-03-20T15:00:00Z']] }),
    order({ id: 'returned', scans: [['return_to_sender', '2026-03-09T15:00:00Z']], totalMinor: 4_200 }),
    late(3, { id: 'occasion', tier: 'prime', occasionOn: '2026-03-03' }),
    late(4, { id: 'yen', currency: 'JPY' }),
  ];

  test('awards by kind and status, tasks, incidents, verdicts, and cost by week and unit', () => {
    const { sides, weeks, totals, orders, customers } = simulate(PAST, PLAIN);
    const given = (pending: number, held = 0) => ({ pending, held, awaiting_approval: 0 });
    expect({ orders, customers }).toEqual({ orders: 8, customers: 8 });
    expect(sides.active).toMatchObject({
      awards: {
        store_credit: given(2, 1),
        shipping_refund: given(1),
        membership_extension: given(2),
        replacement: given(1),
        refund: given(1),
      },
      tasks: 1,
      ordersWithIncident: 7,
      awardsWithheld: 0,
      verdicts: { on_time: 1, late: 5, lost: 1, returned: 1, overdue: 0, pending: 0 },
    });
    const both = (quantity: number) => ({
      active: { given: quantity, waiting: 0 },
      candidate: { given: quantity, waiting: 0 },
    });
    // Monday 2 March 2026 begins week 10.
    expect(weeks).toEqual([
      { unit: 'USD', week: '2026-W10', ...both(500 + 599 + 2_000) },
      { unit: 'USD', week: '2026-W11', ...both(4_200) },
      { unit: 'months', week: '2026-W10', ...both(2) },
      { unit: 'replacement', week: '2026-W12', ...both(1) },
    ]);
    expect(totals).toContainEqual({ unit: 'USD', ...both(500 + 599 + 2_000 + 4_200) });
  });

  test('a policy beside itself differs in nothing', () => {
    const { sides, changes, mostDifferent } = simulate(PAST, policy({ name: 'The same by another name' }));
    expect(sides.candidate).toEqual(sides.active);
    expect(changes).toEqual({
      orders: { winner: 0, loser: 0, mixed: 0, same: 8 },
      customers: { winner: 0, loser: 0, mixed: 0, same: 8 },
    });
    expect(mostDifferent).toEqual([]);
  });

  test('who gets more is a winner, and first among those that differ most; the other way round a loser', () => {
    const more = simulate(PAST, DOUBLED);
    // 5 % became 10, 20 dollars became 40; shipping cannot be paid back twice.
    expect(more.changes.orders).toEqual({ winner: 2, loser: 0, mixed: 0, same: 6 });
    expect(more.mostDifferent.map(({ orderId }) => orderId)).toEqual(['occasion', 'two-days']);
    expect(more.mostDifferent[1]?.outcomes).toMatchObject({
      active: { awards: [{ kind: 'store_credit', quantity: 500, rule: 'late-2', status: 'pending' }] },
      candidate: { awards: [{ quantity: 1_000 }] },
    });
    const less = simulate(PAST, PLAIN, { active: DOUBLED });
    expect(less.changes.orders).toEqual({ winner: 0, loser: 2, mixed: 0, same: 6 });
  });

  test('more money and no more month is mixed', () => {
    const swapped = policy({
      rules: PLAIN.rules.map((rule) =>
        rule.id === 'prime-month'
          ? ({ ...rule, class: 'money', gives: { kind: 'store_credit', amount: { of: 'fixed', minor: 700 } } } as never)
          : rule,
      ),
    });
    const { changes } = simulate([late(2, { id: 'member', tier: 'prime' })], swapped);
    expect(changes.orders).toEqual({ winner: 0, loser: 0, mixed: 1, same: 0 });
  });

  test('what is only held is less than the same given at once', () => {
    const strict = policy({
      limits: PLAIN.limits.map((limit) => (limit.id === 'goodwill-quarter' ? { ...limit, atMost: 0 } : limit) as never),
    });
    const { changes, totals } = simulate([late(2, { id: 'o' })], strict);
    expect(changes.orders).toMatchObject({ loser: 1 });
    expect(totals).toEqual([
      { unit: 'USD', active: { given: 500, waiting: 0 }, candidate: { given: 0, waiting: 500 } },
    ]);
  });
});

describe('limits over the orders of one customer', () => {
  /** Five late orders of one customer, a week apart. */
  const five = [1, 2, 3, 4, 5].map((week) =>
    order({
      id: `o-${week}`,
      customerId: 'c',
      on: `2026-0${3 + Math.floor(week / 5)}-0${week}`,
      scans: [['delivered', `2026-0${3 + Math.floor(week / 5)}-0${week + 2}T17:00:00Z`]],
    }),
  );

  test('each policy counts what it gave itself: three are given, the rest are held', () => {
    const { sides } = simulate(five, DOUBLED);
    const three = { store_credit: { pending: 3, held: 2, awaiting_approval: 0 } };
    expect(sides.active.awards).toEqual(three);
    expect(sides.candidate.awards).toEqual(three);
  });

  test('a customer is the sum of their orders', () => {
    expect(simulate(five, DOUBLED).changes).toEqual({
      orders: { winner: 5, loser: 0, mixed: 0, same: 0 },
      customers: { winner: 1, loser: 0, mixed: 0, same: 0 },
    });
  });

  test('orders before --since are not counted, and still use up limits', () => {
    const { orders, sides } = simulate(five, PLAIN, { since: '2026-03-04T00:00:00Z' });
    expect(orders).toBe(2);
    expect(sides.active.awards).toEqual({ store_credit: { pending: 0, held: 2, awaiting_approval: 0 } });
    expect(simulate(five, PLAIN, { since: '2026-03-03T12:00:00Z' }).orders).toBe(3);
  });
});

describe('the till and the arms', () => {
  test('the daily budget holds what goes beyond it, and begins anew each day by UTC', () => {
    const tight = policy({ dailyBudget: { classes: ['money'], atMostMinor: 1_000 } });
    const past = ['a', 'b', 'c'].map((id) => late(2, { id }));
    const { sides, totals } = simulate([...past, late(3, { id: 'd' })], tight);
    expect(sides.active.awards).toEqual({ store_credit: { pending: 4, held: 0, awaiting_approval: 0 } });
    expect(sides.candidate.awards).toEqual({ store_credit: { pending: 3, held: 1, awaiting_approval: 0 } });
    expect(totals[0]?.candidate).toEqual({ given: 1_500, waiting: 500 });
  });

  test('the holdout arm gets no goodwill, and what is owed all the same', () => {
    const everybody = policy({ holdout: { percent: 100, salt: 's' } });
    const past = [late(2, { id: 'a' }), order({ id: 'b', scans: [['return_to_sender', '2026-03-09T15:00:00Z']] })];
    const { sides } = simulate(past, everybody);
    expect(sides.candidate.awards).toEqual({ refund: { pending: 1, held: 0, awaiting_approval: 0 } });
    expect(sides.candidate.awardsWithheld).toBe(1);
    expect(sides.candidate.ordersWithIncident).toBe(2);
  });

  test('a shadow policy is simulated as if it gave', () => {
    const { sides } = simulate([late(2, { id: 'a' })], policy({ mode: 'shadow' }));
    expect(sides.candidate).toEqual(sides.active);
    expect(sides.candidate.awards).toHaveProperty('store_credit');
  });
});

describe('when an order is decided', () => {
  const decidedAt = (past: PastOrder, asOf = AS_OF) => {
    const { mostDifferent } = simulate([past], policy({ rules: [], name: 'Nothing' }), { asOf });
    return mostDifferent[0]?.outcomes.active?.awards.map(({ kind, at }) => `${kind} ${new Date(at).toISOString()}`);
  };

  test.each<[string, PastOrder, string[]]>([
    ['late: when it arrived', late(2, { id: 'o' }), ['store_credit 2026-03-04T17:00:00.000Z']],
    [
      'lost: at the scan that says so',
      order({
        id: 'o',
        scans: [
          ['in_transit', '2026-03-01T12:00:00Z'],
          ['lost', '2026-03-20T15:00:00Z'],
        ],
      }),
      ['replacement 2026-03-20T15:00:00.000Z'],
    ],
    [
      'silent: seven days after the promise had ended',
      order({ id: 'o', scans: [['in_transit', '2026-03-01T12:00:00Z']] }),
      ['replacement 2026-03-10T05:00:00.000Z'],
    ],
    ['overdue: as things stand', order({ id: 'o' }), [`store_credit ${AS_OF.toISOString()}`]],
    [
      'late, and then reported as damaged: at both',
      late(2, { id: 'o', contacts: [{ reason: 'damaged', at: new Date('2026-03-06T10:00:00Z') }] }),
      ['store_credit 2026-03-04T17:00:00.000Z', 'refund 2026-03-06T10:00:00.000Z'],
    ],
    [
      'kept, and then reported as missing: when the customer said so',
      late(0, { id: 'o', contacts: [{ reason: 'not_received', at: new Date('2026-03-06T10:00:00Z') }] }),
      ['replacement 2026-03-06T10:00:00.000Z', 'gift 2026-03-06T10:00:00.000Z'],
    ],
    [
      'digital, and then reported to be poor: at what was reported',
      order({
        id: 'o',
        digitalAt: new Date('2026-03-01T20:00:00Z'),
        reports: [{ kind: 'poor_playback', title: null, at: new Date('2026-03-01T21:00:00Z') }],
      }),
      ['refund 2026-03-01T21:00:00.000Z'],
    ],
  ])('%s', (_name, past, wanted) => {
    expect(decidedAt(past)).toEqual(wanted);
  });

  test('digital, and nothing was reported: kept', () => {
    expect(decidedAt(order({ id: 'o', digitalAt: new Date('2026-03-01T20:00:00Z') }))).toBeUndefined();
  });

  test('with what was known then: a delivery that came later is not there yet', () => {
    const overdue = new Date('2026-03-03T12:00:00Z');
    expect(decidedAt(late(2, { id: 'o' }), overdue)).toEqual([`store_credit ${overdue.toISOString()}`]);
    expect(decidedAt(late(2, { id: 'o' }), new Date('2026-03-02T12:00:00Z'))).toBeUndefined();
    const { sides } = simulate([late(2, { id: 'o' })], PLAIN, { asOf: new Date('2026-03-02T12:00:00Z') });
    expect(sides.active.verdicts.pending).toBe(1);
  });

  test('other judging gives other verdicts: a day of grace keeps what was late by an hour', () => {
    const lenient = policy({ judging: { ...PLAIN.judging, graceMinutes: 1_440 } });
    const past = order({ id: 'o', scans: [['delivered', '2026-03-03T06:00:00Z']] });
    const { sides, changes, mostDifferent } = simulate([past], lenient);
    expect(sides.active.verdicts).toMatchObject({ late: 1, on_time: 0 });
    expect(sides.candidate.verdicts).toMatchObject({ late: 0, on_time: 1 });
    expect(changes.orders).toMatchObject({ loser: 1 });
    expect(mostDifferent[0]?.answers).toEqual({
      active: { verdict: 'late', lateDays: 1 },
      candidate: { verdict: 'on_time', lateDays: null },
    });
  });

  test('a lost window abroad of its own', () => {
    const abroad = policy({ judging: { ...PLAIN.judging, shipsFrom: ['US'], lostAfterDaysAbroad: 300 } });
    const past = ['US', 'BR'].map((country) =>
      order({ id: country, country, scans: [['in_transit', '2026-03-01T12:00:00Z']] }),
    );
    expect(simulate(past, abroad).sides).toMatchObject({
      active: { verdicts: { lost: 2, overdue: 0 } },
      candidate: { verdicts: { lost: 1, overdue: 1 } },
    });
  });
});

describe('ISO weeks', () => {
  test.each([
    ['2026-12-28T00:00:00Z', '2026-W53'],
    ['2027-01-03T23:59:59.999Z', '2026-W53'],
    ['2027-01-04T00:00:00Z', '2027-W01'],
    ['2024-12-29T23:59:59Z', '2024-W52'],
    ['2024-12-30T00:00:00Z', '2025-W01'],
    ['2023-01-01T12:00:00Z', '2022-W52'],
    ['2021-01-03T12:00:00Z', '2020-W53'],
    ['2021-01-04T00:00:00Z', '2021-W01'],
    ['1970-01-01T00:00:00Z', '1970-W01'],
    ['1969-12-28T12:00:00Z', '1969-W52'],
  ])('%s is in %s', (at, week) => {
    expect(isoWeekOf(Date.parse(at))).toBe(week);
  });

  test('each begins on the Monday it is said to begin on, and they follow one another without a gap', () => {
    const weeks = isoWeeksBetween(Date.parse('2020-12-20T00:00:00Z'), Date.parse('2027-01-10T00:00:00Z'));
    expect(weeks.map((week) => isoWeekOf(startOfIsoWeek(week)))).toEqual(weeks);
    const starts = weeks.map(startOfIsoWeek);
    expect(new Set(starts.slice(1).map((start, place) => start - (starts[place] ?? 0)))).toEqual(
      new Set([7 * 86_400_000]),
    );
    expect(new Date(startOfIsoWeek('2026-W53')).toISOString()).toBe('2026-12-28T00:00:00.000Z');
  });
});

test('neither the order of reading nor the size of chunks matters', () => {
  const stories = fc.array(
    fc.record({
      days: fc.integer({ min: 0, max: 9 }),
      customerId: fc.constantFrom('a', 'b', 'c'),
      tier: fc.constantFrom(null, 'prime'),
      totalMinor: fc.integer({ min: 100, max: 100_000 }),
    }),
    { maxLength: 14 },
  );
  const tight = policy({ ...DOUBLED, dailyBudget: { classes: ['money'], atMostMinor: 3_000 } });
  const about = { active: { name: 'a', version: 1 }, candidate: { name: 'b', version: null }, svg: null };
  fc.assert(
    fc.property(
      stories.chain((all) =>
        fc.tuple(
          fc.constant(all),
          fc.shuffledSubarray([...all.keys()], { minLength: all.length }),
          fc.integer({ min: 1, max: 5 }),
        ),
      ),
      ([all, places, chunk]) => {
        const past = all.map(({ days, ...story }, place) => late(days, { id: `o-${place}`, ...story }));
        const shuffled = places.flatMap((place) => past[place] ?? []);
        expect(simulationAnswer(simulate(shuffled, tight, { chunk }), about)).toEqual(
          simulationAnswer(simulate(past, tight), about),
        );
      },
    ),
    { numRuns: 100 },
  );
});
