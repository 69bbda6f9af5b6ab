import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { AWARD_STATUSES, type DecidedAward, type PastAward } from '../../src/compensation/award.js';
import { type Decision, decideForOrder } from '../../src/compensation/decide.js';
import { CONTACT_REASONS, type DecisionCase, type DecisionMode } from '../../src/compensation/decision-input.js';
import { DEFAULT_POLICY } from '../../src/compensation/default-policy.js';
import { firstDeliveredAt } from '../../src/compensation/first-delivered-at.js';
import { AWARD_INCIDENTS } from '../../src/compensation/incident.js';
import { passTill, type Till } from '../../src/compensation/till.js';
import { dueAndNotPaid, paidAndNotDue, type StandingAward } from '../../src/promises/compare-standing.js';
import {
  compareReplay,
  type RecordedAnswer,
  type Replayable,
  readRecordedDecision,
  replayDecision,
  replayWith,
} from '../../src/promises/replay-decision.js';
import { type Judgement, judge, type VerdictCase, worstIndex } from '../../src/promises/verdict.js';
import { EXCEPTION_KINDS, TRACKING_STATUSES } from '../../src/shipments/tracking-event.js';

/** SEED repeats a run: fast-check prints the seed of the one that failed. */
const seed = process.env.SEED;
const RUNS = { numRuns: 500, ...(seed === undefined ? {} : { seed: Number(seed) }) };

const HOUR_MS = 3_600_000;
const AS_OF = new Date('2026-11-12T17:03:21.907Z');
const VERSION = 3;

const hoursAgo = (most: number) =>
  fc.integer({ min: -most * 60, max: 60 }).map((minutes) => new Date(AS_OF.getTime() + minutes * 60_000));
const days = fc.integer({ min: 1, max: 12 }).map((day) => `2026-11-${String(day).padStart(2, '0')}`);
const times = fc.oneof(
  hoursAgo(260).map((at) => ({ at })),
  days.map((on) => ({ on })),
  days.map((on) => ({ on, timeZone: 'America/Los_Angeles' })),
  days.map((on) => ({ local: `${on}T14:30:00`, timeZone: 'America/Chicago' })),
  days.map((on) => ({ local: `${on}T23:59:59.999` })),
);
const events = fc.array(
  fc.record({
    status: fc.constantFrom(...TRACKING_STATUSES),
    time: times,
    exception: fc.option(fc.constantFrom(...EXCEPTION_KINDS), { freq: 2 }),
    disputed: fc.boolean(),
  }),
  { maxLength: 6 },
);
const promises = fc.oneof(
  days.map((on) => ({ on, timeZone: 'America/New_York' })),
  hoursAgo(260).map((at) => ({ at, timeZone: 'America/Sao_Paulo' })),
);
const shipments = fc.record({
  promise: promises,
  shipBy: fc.option(hoursAgo(300)),
  events,
  carrier: fc.option(fc.constantFrom('usps', 'DHL Express')),
  service: fc.option(fc.constantFrom('priority', 'ground')),
});

const usd = (amountMinor: number) => ({ amountMinor, currency: 'USD' });
const pastAwards: fc.Arbitrary<PastAward> = fc
  .tuple(
    fc.oneof(
      fc.constant({
        class: 'membership',
        kind: 'membership_extension',
        months: 1,
        points: null,
        amount: null,
      } as const),
      fc.constant({ class: 'fulfilment', kind: 'replacement', months: null, points: null, amount: null } as const),
      fc.nat(4_000).map((minor) => ({
        class: 'money' as const,
        kind: 'store_credit' as const,
        months: null,
        points: null,
        amount: usd(minor),
      })),
    ),
    fc.record({
      orderId: fc.constantFrom('o-1', 'o-2', 'o-3', 'o-4'),
      incident: fc.constantFrom(...AWARD_INCIDENTS),
      at: hoursAgo(24 * 100),
      status: fc.constantFrom(...AWARD_STATUSES),
      step: fc.constant(1),
    }),
  )
  .map(([what, when]) => ({ ...what, ...when }));

const shared = fc.record({
  order: fc.tuple(fc.nat(90_000), fc.nat(900)).map(([total, shipping]) => ({
    id: 'o-1',
    total: usd(total),
    shippingPaid: usd(shipping),
  })),
  membership: fc.option(fc.record({ tier: fc.constantFrom('prime', 'student-free'), trial: fc.boolean() })),
  occasion: fc.option(days.map((on) => ({ name: 'birthday', on }))),
  registeredAt: hoursAgo(300),
  contacts: fc.array(fc.record({ reason: fc.constantFrom(...CONTACT_REASONS), at: hoursAgo(100) }), { maxLength: 2 }),
  reports: fc.array(
    fc.record({ kind: fc.constant('poor_playback'), title: fc.constantFrom('A film', null), at: hoursAgo(100) }),
    {
      maxLength: 1,
    },
  ),
  history: fc.array(pastAwards, { maxLength: 8 }),
  arm: fc.option(fc.constantFrom('treated' as const, 'holdout' as const)),
  destination: fc.option(fc.constant({ country: 'US', region: 'NY', postalCode: null })),
});
const tills = fc.record({ breakerOpen: fc.boolean(), spentToday: fc.nat(510_000).map((USD) => ({ USD })) });
const modes = fc.constantFrom<DecisionMode>('active', 'shadow', 'backfill');
const orders = fc.record({
  shared,
  boxes: fc.array(shipments, { minLength: 1, maxLength: 3 }),
  till: tills,
  mode: modes,
});
type Order = typeof orders extends fc.Arbitrary<infer T> ? T : never;

/** Two days late, delivered, no member: 5 % of 100.00. */
const LATE: Order = {
  shared: {
    order: { id: 'o-1', total: usd(10_000), shippingPaid: usd(0) },
    membership: null,
    occasion: null,
    registeredAt: new Date(AS_OF.getTime() - 300 * HOUR_MS),
    contacts: [],
    reports: [],
    history: [],
    arm: null,
    destination: null,
  },
  boxes: [
    {
      promise: { on: '2026-11-05', timeZone: 'America/New_York' },
      shipBy: null,
      events: [
        { status: 'delivered', time: { at: new Date('2026-11-07T15:30:00Z') }, exception: null, disputed: false },
      ],
      carrier: 'usps',
      service: null,
    },
  ],
  till: { breakerOpen: false, spentToday: { USD: 0 } },
  mode: 'active',
};

/** Judges and decides from the facts themselves, and writes down what the store writes down: through JSON. */
function record({ shared: common, boxes, till, mode }: Order): { record: Replayable; answer: RecordedAnswer } {
  const { graceMinutes, attemptCounts, lostAfterDays } = DEFAULT_POLICY.judging;
  const looked = boxes.map(({ carrier, service, ...box }) => {
    const input: VerdictCase = { graceMinutes, attemptCounts, lostAfterDays, asOf: AS_OF, ...box };
    const judgement = judge(input);
    const decided: DecisionCase = {
      ...common,
      judgement,
      promise: box.promise,
      digital: false,
      asOf: AS_OF,
      firstDeliveredAt: firstDeliveredAt(input),
      carrier,
      service,
    };
    return { input: { ...input, carrier, service, trackingNumber: '1' }, judgement, decided };
  });
  const cases = looked.map(({ decided }) => decided);
  const ruled = decideForOrder(cases, DEFAULT_POLICY, VERSION);
  const leading = cases[ruled.leading];
  const judgement = looked[worstIndex(looked.map((one) => one.judgement))]?.judgement;
  if (!leading || !judgement) throw new Error('no shipment');
  const decision = mode === 'active' ? passTill(ruled, leading, till, DEFAULT_POLICY) : ruled;
  const inputs = {
    ...common,
    cases: looked.map(({ input: { events: scans, ...settings } }) => ({
      ...settings,
      events: scans.map(({ status, time, exception, disputed }) => ({ status, ...time, exception, disputed })),
    })),
  };
  return {
    record: {
      inputs: stored(inputs),
      policy: DEFAULT_POLICY,
      policyVersion: VERSION,
      till: stored(till) as Till,
      mode,
    },
    answer: answerOf(judgement, decision, till),
  };
}

function answerOf(judgement: Judgement, decision: Decision, till: Till): RecordedAnswer {
  const { incident, awards, tasks, declinedBecause, earned, withheld, overCompensation } = decision;
  const { verdict, metAt, lateMinutes, lateDays, fault } = judgement;
  const answer = { incident, awards, tasks, declinedBecause };
  return {
    ...{ verdict, metAt, lateMinutes, lateDays, fault, incident, declinedBecause },
    decision: stored({ answer, earned, withheld, overCompensation, till }),
  };
}

function stored(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

describe('running stored inputs again', () => {
  test('what is stored gives the answer that was recorded, whatever the case', () => {
    fc.assert(
      fc.property(orders, (order) => {
        const { record: replayable, answer } = record(order);
        expect(compareReplay(answer, replayDecision(replayable))).toEqual([]);
      }),
      RUNS,
    );
  });

  test('the generated cases are of many kinds: each verdict of parcels, and awards in each status', () => {
    const sampled = fc.sample(orders, { numRuns: 2_000, seed: 7 }).map((order) => record(order).answer);
    const statuses = sampled.flatMap(({ decision }) =>
      (decision as { answer: { awards: DecidedAward[] } }).answer.awards.map(({ status }) => status),
    );
    expect([...new Set(sampled.map(({ verdict }) => verdict))].sort()).toEqual(
      ['cancelled', 'damaged', 'late', 'lost', 'on_time', 'overdue', 'pending', 'returned', 'uncertain'].sort(),
    );
    expect([...new Set(statuses)].sort()).toEqual(['awaiting_approval', 'held', 'pending']);
  });

  test('a till that was not recorded stops nothing', () => {
    const { record: replayable } = record(LATE);
    const closed = { ...replayable, till: { breakerOpen: true, spentToday: {} } };
    const statusOf = (one: Replayable) => {
      const replayed = replayDecision(one);
      return replayed.outcome === 'replayed' ? replayed.decision.awards.map(({ status }) => status) : [];
    };
    expect(statusOf(closed)).toEqual(['held']);
    expect(statusOf({ ...closed, till: null })).toEqual(['pending']);
    expect(statusOf({ ...closed, mode: 'shadow' })).toEqual(['pending']);
  });

  test.each<[string, Partial<RecordedAnswer>, readonly string[]]>([
    ['another verdict', { verdict: 'on_time' }, ['verdict']],
    ['another instant', { metAt: new Date('2026-11-07T15:30:00.001Z') }, ['metAt']],
    ['other figures', { lateDays: 3, lateMinutes: 1, fault: 'merchant' }, ['lateMinutes', 'lateDays', 'fault']],
    ['another outcome', { incident: 'lost', declinedBecause: 'no_rule' }, ['incident', 'declinedBecause']],
    ['an award more', { decision: { answer: { awards: [{}, {}] } } }, ['awards']],
    ['no decision, as in older records', { decision: null }, []],
  ])('%s in the record is found', (_what, changes, fields) => {
    const { record: replayable, answer } = record(LATE);
    const differences = compareReplay({ ...answer, ...changes }, replayDecision(replayable));
    expect(differences.map(({ field }) => field)).toEqual(fields);
  });

  test('the amount of an award is compared, its sentence is not', () => {
    const { record: replayable, answer } = record(LATE);
    const changed = (changes: object): RecordedAnswer => {
      const decision = stored(answer.decision) as { answer: { awards: object[] } };
      decision.answer.awards = decision.answer.awards.map((award) => ({ ...award, ...changes }));
      return { ...answer, decision };
    };
    const replayed = replayDecision(replayable);
    expect(compareReplay(changed({ reason: 'in other words' }), replayed)).toEqual([]);
    expect(compareReplay(changed({ amount: usd(1) }), replayed).map(({ field }) => field)).toEqual(['awards']);
  });

  test.each<[string, unknown, string]>([
    ['nothing', null, 'inputs.'],
    ['no shipment', { order: { id: 'o-1' }, cases: [] }, 'inputs.cases'],
    ['a scan without a time', spoilt(), 'inputs.cases[0].events[0]'],
  ])('inputs that are %s are a difference of their own', (_what, inputs, field) => {
    const { record: replayable, answer } = record(LATE);
    const differences = compareReplay(answer, replayDecision({ ...replayable, inputs }));
    expect(differences.map((one) => one.field)).toContain(field);
  });
});

function spoilt(): unknown {
  const { inputs } = record(LATE).record as { inputs: { cases: { events: object[] }[] } };
  for (const one of inputs.cases) one.events = [{ status: 'delivered' }];
  return inputs;
}

const CREDIT: StandingAward = {
  orderId: 'o-1',
  incident: 'late',
  class: 'money',
  kind: 'store_credit',
  months: null,
  points: null,
  amount: usd(500),
  at: AS_OF,
  status: 'applied',
  byPolicy: true,
  reviewed: false,
};

function scratch(order: Order): Decision {
  const replayed = replayWith(record(order).record, []);
  if (replayed.outcome !== 'replayed') throw new Error('the inputs can be read');
  return replayed.decision;
}

describe('what is due', () => {
  test('what the order itself was given before does not matter, what others were does', () => {
    const history = [...AWARD_STATUSES].map((status) => ({ ...CREDIT, status }));
    const before = { ...LATE, shared: { ...LATE.shared, history } };
    expect(scratch(before).awards).toMatchObject([{ kind: 'store_credit', amount: usd(500), status: 'pending' }]);
    const others = ['o-2', 'o-3', 'o-4'].map((orderId) => ({ ...CREDIT, orderId }));
    const often = { ...LATE, shared: { ...LATE.shared, history: others } };
    expect(scratch(often).awards).toMatchObject([{ kind: 'store_credit', status: 'held' }]);
  });

  test.each<[string, readonly Partial<StandingAward>[], number | null]>([
    ['nothing', [], 500],
    ['less', [{ amount: usd(300) }], 200],
    ['it in two steps', [{ amount: usd(300) }, { amount: usd(200), status: 'pending' }], null],
    ['it, and it waits', [{ status: 'held' }], null],
    ['more', [{ amount: usd(900) }], null],
    ['something of another unit', [{ kind: 'points', points: 10, amount: null }], null],
    ['a refusal', [{ status: 'declined' }], null],
    ['what a provider would not carry out', [{ status: 'failed' }], null],
    ['less, as a person decided', [{ amount: usd(100), reviewed: true }], null],
    ['it, for another incident', [{ incident: 'damaged' }], 500],
    ['it, of another class', [{ class: 'care' }], 500],
  ])('5.00 are due: who was given %s', (_what, awards, missing) => {
    const found = dueAndNotPaid(
      scratch(LATE),
      awards.map((changes) => ({ ...CREDIT, ...changes })),
    );
    expect(found).toEqual(missing === null ? [] : [{ class: 'money', unit: 'USD', quantity: missing, rule: 'late-2' }]);
  });
});

describe('what is not due', () => {
  const shown = (quantity: number) =>
    readRecordedDecision({ earned: [], withheld: [], overCompensation: [{ class: 'money', unit: 'USD', quantity }] });
  /** What of these is too much, for an order that earns 5.00. */
  const found = (changes: readonly Partial<StandingAward>[], recorded: ReturnType<typeof shown>) => {
    const awards = changes.map((one) => ({ ...CREDIT, ...one }));
    const replayed = replayWith(record(LATE).record, awards);
    if (replayed.outcome !== 'replayed') throw new Error('the inputs can be read');
    return paidAndNotDue(replayed.decision.overCompensation, awards, recorded);
  };

  test.each<[string, readonly Partial<StandingAward>[], ReturnType<typeof shown>, [number, boolean] | null]>([
    ['what is earned', [{}], null, null],
    ['less', [{ amount: usd(1) }], null, null],
    ['more', [{ amount: usd(700) }], null, [200, false]],
    ['more, and the record says so', [{ amount: usd(700) }], shown(200), [200, true]],
    ['more than the record says', [{ amount: usd(700) }], shown(199), [200, false]],
    ['it twice', [{}, {}], null, [500, false]],
    ['more, and a person let it through', [{ amount: usd(700), reviewed: true }], null, [200, true]],
    ['more, by hand', [{}, { incident: 'manual', byPolicy: false }], null, null],
    ['more, which was taken back', [{}, { status: 'reversed' }], null, null],
  ])('5.00 are earned: who was given %s', (_what, awards, recorded, surplus) => {
    expect(found(awards, recorded)).toEqual(
      surplus === null ? [] : [{ class: 'money', unit: 'USD', quantity: surplus[0], accountedFor: surplus[1] }],
    );
  });
});
