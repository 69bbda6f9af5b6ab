import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { decideCommand } from '../../src/cli/commands/decide.js';
import { decide, decideForOrder } from '../../src/compensation/decide.js';
import { decisionAnswer, parseDecisionCase } from '../../src/compensation/decision-case.js';
import type { DecisionCase } from '../../src/compensation/decision-input.js';
import { DEFAULT_POLICY } from '../../src/compensation/default-policy.js';
import type { Policy } from '../../src/compensation/policy.js';

interface Fixture {
  readonly name: string;
  /** `tasks` are named by their kind alone. */
  readonly expected: { readonly tasks: readonly string[] };
}

const FIXTURES = 'test/fixtures/decision-cases.json';
const fixtures = JSON.parse(readFileSync(FIXTURES, 'utf8')) as Fixture[];

const PROMISE = { on: '2026-11-05', timeZone: 'America/New_York' };
const ORDER = {
  id: 'o-1',
  total: { amountMinor: 10_000, currency: 'USD' },
  shippingPaid: { amountMinor: 599, currency: 'USD' },
};
const MOVING = { status: 'in_transit', at: '2026-11-03T13:00:00Z' };
const delivered = (days: number) => ({
  status: 'delivered',
  at: new Date(Date.UTC(2026, 10, 5 + days, 19)).toISOString(),
});
const late = (days: number) => ({ events: [MOVING, delivered(days)] });

/** A case of an order that nobody knows anything special of, not even when it came. */
function caseOf(fields: object, policy: Policy = DEFAULT_POLICY): DecisionCase {
  const json = { promise: PROMISE, asOf: '2026-11-20T12:00:00Z', events: [MOVING], order: ORDER, ...fields };
  const parsed = parseDecisionCase(json, policy);
  if (parsed.outcome !== 'ok') throw new Error(JSON.stringify(parsed.errors));
  return parsed.case;
}

const decideOne = (fields: object) => decide(caseOf(fields), DEFAULT_POLICY, 7);
const decideAll = (...shipments: object[]) =>
  decideForOrder(
    shipments.map((fields) => caseOf(fields)),
    DEFAULT_POLICY,
    7,
  );

describe('the default policy', () => {
  test.each(fixtures)('$name', (fixture) => {
    const { incident, awards, tasks, declinedBecause } = decisionAnswer(decide(caseOf(fixture), DEFAULT_POLICY, 1));
    expect({ incident, awards, tasks: tasks.map(({ kind }) => kind), declinedBecause }).toEqual(fixture.expected);
  });
});

describe('a service that was reported to be poor', () => {
  const reports = [{ kind: 'poor_playback', title: 'A Night Out', at: '2026-11-19T12:00:00Z' }];

  test.each<[string, object]>([
    ['whatever came in time', late(0)],
    ['whatever is late', late(5)],
    [
      'whatever the customer says besides',
      { ...late(0), contacts: [{ reason: 'damaged', at: '2026-11-19T12:00:00Z' }] },
    ],
    ['whatever is lost', { events: [MOVING, { status: 'exception', exception: 'lost', at: '2026-11-10T12:00:00Z' }] }],
  ])('is refunded in full, %s', (_what, fields) => {
    expect(decideOne({ ...fields, reports })).toMatchObject({
      incident: 'service',
      awards: [
        { kind: 'refund', class: 'entitlement', amount: ORDER.total, status: 'pending', rule: 'service-refund' },
      ],
      declinedBecause: null,
    });
  });

  test('is looked at when what is reported begins', () => {
    expect(decideOne({ ...late(0), reports, asOf: '2026-11-19T11:59:59Z' })).toMatchObject({
      incident: null,
      declinedBecause: 'kept',
      decidesAgainAt: new Date('2026-11-19T12:00:00Z'),
    });
    expect(decideOne({ ...late(0), reports, asOf: '2026-11-19T12:00:00Z' }).incident).toBe('service');
  });

  test('is refunded once', () => {
    const { awards } = decideOne({ ...late(0), reports });
    const history = awards.map((award) => ({
      ...award,
      orderId: 'o-1',
      incident: 'service',
      at: '2026-11-19T12:01:00Z',
    }));
    const again = decideOne({ ...late(0), reports, history: history.map((past) => ({ ...past, status: 'applied' })) });
    expect(again).toMatchObject({ incident: 'service', awards: [], declinedBecause: 'already_compensated' });
    expect(again.overCompensation).toEqual([]);
  });

  const past = (incident: string, changes: object = {}) => ({
    orderId: 'o-1',
    incident,
    class: 'entitlement',
    kind: 'refund',
    amount: ORDER.total,
    at: '2026-11-19T12:01:00Z',
    status: 'applied',
    ...changes,
  });

  test('earns nothing under a policy that has no rule for it, and hides nothing', () => {
    const policy = { ...DEFAULT_POLICY, rules: DEFAULT_POLICY.rules.filter(({ id }) => id !== 'service-refund') };
    expect(decide(caseOf({ ...late(0), reports }), policy, 1)).toMatchObject({
      incident: 'service',
      awards: [],
      declinedBecause: 'no_rule',
    });
    const plainly = decide(caseOf(late(5)), policy, 1);
    const decision = decide(caseOf({ ...late(5), reports }), policy, 1);
    expect(decision).toMatchObject({ incident: 'late', awards: plainly.awards, declinedBecause: null });
    expect(decision.explanation).toContainEqual(expect.stringContaining('reported to be poor'));
  });

  test.each(['applied', 'held', 'declined', 'failed'])(
    'is looked at once: with its refund %s, what is late is made good next',
    (status) => {
      const history = [past('service', { status })];
      expect(decideOne({ ...late(5), reports, history })).toMatchObject({
        incident: 'late',
        awards: decideOne(late(5)).awards,
      });
      const both = [...history, past('late', { class: 'money', kind: 'store_credit' })];
      expect(decideOne({ ...late(5), reports, history: both })).toMatchObject({
        incident: 'late',
        awards: [],
        declinedBecause: 'already_compensated',
      });
    },
  );

  test('is refunded by what is left of the total, whatever was refunded of it before', () => {
    const some = { ...ORDER.total, amountMinor: 1_000 };
    const left = { ...ORDER.total, amountMinor: ORDER.total.amountMinor - 1_000 };
    for (const incident of ['damaged', 'manual']) {
      const { awards, explanation } = decideOne({ ...late(0), reports, history: [past(incident, { amount: some })] });
      expect(awards).toMatchObject([{ kind: 'refund', amount: left, rule: 'service-refund' }]);
      expect(explanation).toContainEqual(expect.stringMatching(/was given before, the difference is/));
    }
    const untouched = [
      past('damaged', { status: 'reversed' }),
      past('damaged', { orderId: 'o-2' }),
      past('late', { class: 'money', kind: 'store_credit' }),
    ];
    expect(decideOne({ ...late(0), reports, history: untouched }).awards).toMatchObject([{ amount: ORDER.total }]);
  });

  test('is not refunded when the total was refunded before, nor is the total after it', () => {
    expect(decideOne({ ...late(0), reports, history: [past('manual')] })).toMatchObject({
      incident: 'service',
      awards: [],
      declinedBecause: 'already_compensated',
    });
    const contacts = [{ reason: 'damaged', at: '2026-11-19T12:00:00Z' }];
    expect(decideOne({ ...late(0), reports, contacts, history: [past('service')] })).toMatchObject({
      incident: 'damaged',
      awards: [],
      declinedBecause: 'already_compensated',
    });
  });
});

test('a download that is said not to be there is no parcel to send again', () => {
  const contacts = [{ reason: 'not_received', at: '2026-11-19T12:00:00Z' }];
  expect(decideOne({ ...late(0), contacts }).incident).toBe('not_received');
  expect(decideOne({ ...late(0), contacts, digital: true })).toMatchObject({
    incident: null,
    awards: [],
    declinedBecause: 'kept',
  });
});

describe('several shipments of one order', () => {
  test('three boxes late are made good once, by the most generous of the three', () => {
    const decision = decideAll(late(1), late(5), late(3));
    expect(decision).toMatchObject({ verdict: 'late', worst: 1, incident: 'late', declinedBecause: null });
    expect(decisionAnswer(decision).awards).toEqual([
      {
        kind: 'store_credit',
        class: 'money',
        amount: { amountMinor: 1000, currency: 'USD' },
        rule: 'late-4',
        status: 'pending',
      },
    ]);
  });

  test('what was given for one box is taken off what the next one adds', () => {
    const history = [
      {
        orderId: 'o-1',
        incident: 'late',
        class: 'money',
        kind: 'store_credit',
        amount: { amountMinor: 500, currency: 'USD' },
        at: '2026-11-09T12:00:00Z',
        status: 'applied',
      },
    ];
    const decision = decideAll({ ...late(2), history }, { ...late(8), history });
    expect(decision.awards).toMatchObject([{ amount: { amountMinor: 1000 }, rule: 'late-8' }]);
  });

  test('limits are counted once for the order, not once a box', () => {
    const history = ['p-1', 'p-2'].map((orderId) => ({
      orderId,
      incident: 'late',
      class: 'money',
      kind: 'store_credit',
      amount: { amountMinor: 300, currency: 'USD' },
      at: '2026-11-01T00:00:00Z',
      status: 'applied',
    }));
    const decision = decideAll({ ...late(2), history }, { ...late(3), history }, { ...late(4), history });
    expect(decision.awards).toMatchObject([{ rule: 'late-4', status: 'pending' }]);
  });

  const wrongAddress = { status: 'exception', exception: 'address', at: '2026-11-04T13:00:00Z' };

  test('a box late through the customer takes nothing from one late through the carrier', () => {
    const decision = decideAll({ events: [MOVING, wrongAddress, delivered(9)] }, late(2));
    expect(decision).toMatchObject({ verdict: 'late', worst: 0, incident: 'late', declinedBecause: null });
    expect(decision.awards).toMatchObject([{ rule: 'late-2', amount: { amountMinor: 500 } }]);
  });

  test('all boxes late through the customer: told, not paid', () => {
    const box = { events: [MOVING, wrongAddress, delivered(9)] };
    expect(decideAll(box, box)).toMatchObject({ incident: 'late', awards: [], declinedBecause: 'customer_fault' });
  });

  test('a box late through the customer takes nothing from one that was not received', () => {
    const contacts = [{ reason: 'not_received', at: '2026-11-10T12:00:00Z' }];
    const decision = decideAll({ events: [MOVING, wrongAddress, delivered(9)], contacts }, { ...late(0), contacts });
    expect(decision).toMatchObject({ verdict: 'late', worst: 0, incident: 'not_received' });
    expect(decision.awards.map(({ rule }) => rule)).toEqual(['missing-replace', 'missing-gift']);
  });

  test('the worst shipment says which incident the order has', () => {
    const lost = { status: 'exception', exception: 'lost', at: '2026-11-04T13:00:00Z' };
    const decision = decideAll(late(9), { events: [MOVING, lost] }, late(0));
    expect(decision).toMatchObject({ verdict: 'lost', worst: 1, incident: 'lost' });
    expect(decision.awards.map(({ rule }) => rule)).toEqual(['lost-replace']);
  });

  test('a silence that must settle first does not delay what a scan proves', () => {
    const registeredAt = '2026-11-20T11:50:00Z';
    const decision = decideAll({ registeredAt }, { ...late(2), registeredAt });
    expect(decision).toMatchObject({ verdict: 'lost', worst: 0, incident: 'late' });
    expect(decision.awards).toMatchObject([{ rule: 'late-2' }]);
    expect(decision.decidesAgainAt).toEqual(new Date('2026-11-20T12:50:00Z'));
  });

  test('cancelled shipments do not count unless all are', () => {
    const cancelled = { events: [MOVING, { status: 'cancelled', at: '2026-11-04T13:00:00Z' }] };
    expect(decideAll(cancelled, late(0))).toMatchObject({ verdict: 'on_time', declinedBecause: 'kept' });
    expect(decideAll(cancelled, late(2))).toMatchObject({ verdict: 'late', incident: 'late' });
    expect(decideAll(cancelled, cancelled)).toMatchObject({ verdict: 'cancelled', declinedBecause: 'cancelled' });
  });

  test('an occasion missed by three boxes is one call', () => {
    const box = { ...late(2), occasion: { name: 'wedding', on: '2026-11-05' } };
    expect(decideAll(box, box, box).tasks).toEqual([{ kind: 'call', rule: 'occasion-call' }]);
  });

  test('shipments of two orders are never decided together', () => {
    expect(() => decideAll(late(1), { ...late(1), order: { ...ORDER, id: 'o-2' } })).toThrow('one order');
    expect(() => decideForOrder([], DEFAULT_POLICY, 7)).toThrow('at least one shipment');
  });
});

describe('the first delivered scan', () => {
  const at = (...events: object[]) => caseOf({ events }).firstDeliveredAt?.toISOString() ?? null;

  test('is the earliest, in whatever order they came, disputed or not', () => {
    expect(at(delivered(3), { ...delivered(1), disputed: true }, delivered(2))).toBe('2026-11-06T19:00:00.000Z');
  });

  test('without a clock time may have been at the start of the local day', () => {
    expect(at({ status: 'delivered', on: '2026-11-06' })).toBe('2026-11-06T05:00:00.000Z');
  });

  test('after the decision is not there yet, and an attempt is none', () => {
    expect(at(MOVING, { status: 'attempted', at: '2026-11-05T19:00:00Z' }, delivered(30))).toBeNull();
  });
});

describe('when time alone changes the decision', () => {
  const registeredAt = '2026-11-20T11:50:00Z';

  test('a silence that is too young is looked at again once it has settled', () => {
    const decision = decideOne({ registeredAt });
    expect(decision).toMatchObject({ declinedBecause: 'not_due', decidesAgainAt: new Date('2026-11-20T12:50:00Z') });
    const then = decideOne({ registeredAt, asOf: '2026-11-20T12:50:00Z' });
    expect(then).toMatchObject({ incident: 'lost', decidesAgainAt: null });
  });

  test('a contact dated after the decision is looked at when it begins', () => {
    const contacts = [{ reason: 'damaged', at: '2026-11-20T12:01:00Z' }];
    expect(decideOne({ ...late(0), contacts }).decidesAgainAt).toEqual(new Date('2026-11-20T12:01:00Z'));
  });

  test('otherwise it does not', () => {
    expect(decideOne({ ...late(1), registeredAt }).decidesAgainAt).toBeNull();
    expect(decideOne({ asOf: '2026-11-04T12:00:00Z', registeredAt: '2026-11-04T11:59:00Z' }).decidesAgainAt).toBeNull();
  });
});

describe('the explanation', () => {
  test('tells the policy, each rule tried, the arithmetic and the limits', () => {
    const { explanation } = decideOne(late(2));
    expect(explanation[0]).toBe('Policy "Default", version 7, as of 2026-11-20T12:00:00.000Z.');
    for (const { id } of DEFAULT_POLICY.rules) {
      expect(explanation.filter((line) => line.startsWith(`Rule ${id} `))).toHaveLength(1);
    }
    expect(explanation).toEqual(
      expect.arrayContaining([
        'Rule late-2 applies (incident late; not a member; 2 days late): store_credit, 5 % of the total $100.00 is $5.00.',
        'Rule late-4 does not apply: 2 days late, the rule is for 4 to 7 days.',
        'Limit goodwill-quarter: 0 other orders with one in the last 90 days, this one included at most 3; within it.',
        'Limit money-of-order: $0.00 before and $5.00 now on this order, at most $50.00; within it.',
      ]),
    );
    expect(explanation.at(-1)).toBe('Given: store_credit by late-2: 5 % of the total $100.00 is $5.00 (pending).');
  });

  test('also says why nothing is given', () => {
    const { explanation } = decideOne({ registeredAt: '2026-11-20T11:50:00Z' });
    expect(explanation.join(' ')).toContain('known only since 2026-11-20T11:50:00.000Z: wait 60 minutes');
    expect(explanation.at(-1)).toBe('Nothing is given: not_due.');
  });

  test('tells shipments apart, and names each stop of an award', () => {
    const { explanation } = decideAll(late(1), late(2));
    expect(explanation.some((line) => line.startsWith('Shipment 2 of 2: Rule late-2 applies'))).toBe(true);
    const history = ['p-1', 'p-2', 'p-3'].map((orderId) => ({
      orderId,
      incident: 'late',
      class: 'membership',
      kind: 'membership_extension',
      months: 1,
      at: '2026-11-01T00:00:00Z',
      status: 'applied',
    }));
    const order = { ...ORDER, total: { amountMinor: 100_000, currency: 'USD' } };
    expect(decideOne({ ...late(9), order, history }).awards).toMatchObject([
      { status: 'held', stoppedBy: ['goodwill-quarter', 'money-of-order'] },
    ]);
  });
});

describe('the JSON form of a case', () => {
  const errorsOf = (fields: object) => {
    const json = { promise: PROMISE, asOf: '2026-11-20T12:00:00Z', events: [], order: ORDER, ...fields };
    const parsed = parseDecisionCase(json, DEFAULT_POLICY);
    return parsed.outcome === 'invalid' ? parsed.errors.map(({ field }) => field) : [];
  };
  const past = { orderId: 'p', incident: 'late', at: '2026-11-01T00:00:00Z', status: 'applied' };

  test.each([
    ['an order is wanted', { order: undefined }, ['order']],
    [
      'a negative amount',
      { order: { ...ORDER, total: { amountMinor: -1, currency: 'USD' } } },
      ['order.total.amountMinor'],
    ],
    ['a fraction', { order: { ...ORDER, total: { amountMinor: 1.5, currency: 'USD' } } }, ['order.total.amountMinor']],
    ['no currency', { order: { ...ORDER, total: { amountMinor: 1, currency: 'usd' } } }, ['order.total.currency']],
    [
      'two currencies',
      { order: { ...ORDER, shippingPaid: { amountMinor: 1, currency: 'EUR' } } },
      ['order.shippingPaid.currency'],
    ],
    ['a contact for an unknown reason', { contacts: [{ reason: 'bored', at: past.at }] }, ['contacts[0].reason']],
    ['an instant without offset', { registeredAt: '2026-11-20T11:50:00' }, ['registeredAt']],
    ['an impossible date', { occasion: { name: 'x', on: '2026-02-30' } }, ['occasion.on']],
    [
      'months without a number',
      { history: [{ ...past, class: 'membership', kind: 'membership_extension' }] },
      ['history[0].months'],
    ],
    [
      'money without an amount',
      { history: [{ ...past, class: 'money', kind: 'store_credit' }] },
      ['history[0].amount'],
    ],
    [
      'faults of both halves',
      { promise: { on: 'soon', timeZone: 'UTC' }, membership: {} },
      ['promise.on', 'membership.tier'],
    ],
  ])('%s is refused with its path', (_name, fields, expected) => {
    expect(errorsOf(fields)).toEqual(expected);
  });

  test('what is no object is refused', () => {
    for (const json of [null, [], 'text', 3]) expect(parseDecisionCase(json, DEFAULT_POLICY).outcome).toBe('invalid');
  });

  test('without shipping paid it was free', () => {
    expect(caseOf({ order: { id: 'o', total: ORDER.total } }).order.shippingPaid).toEqual({
      amountMinor: 0,
      currency: 'USD',
    });
  });

  test('settings that the case leaves out are those of the policy', () => {
    const patient = {
      ...DEFAULT_POLICY,
      judging: { graceMinutes: 1440, attemptCounts: false, lostAfterDays: 30, shipsFrom: [] },
    };
    expect(caseOf(late(1), patient).judgement.verdict).toBe('on_time');
    expect(caseOf({ ...late(1), graceMinutes: 0 }, patient).judgement.verdict).toBe('late');
    expect(caseOf({}, patient).judgement.verdict).toBe('overdue');
    expect(caseOf({ lostAfterDays: 7 }, patient).judgement.verdict).toBe('lost');
  });
});

describe('makegood decide', () => {
  const folder = mkdtempSync(join(tmpdir(), 'makegood-decide-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const write = (name: string, document: unknown) => {
    writeFileSync(join(folder, name), JSON.stringify(document));
    return join(folder, name);
  };
  const one = { promise: PROMISE, asOf: '2026-11-20T12:00:00Z', order: ORDER, ...late(2) };

  test('one case gives one answer, a list gives a list', async () => {
    const answer = await decideCommand({ file: write('one.json', one) });
    expect(answer).toMatchObject({
      verdict: 'late',
      incident: 'late',
      awards: [{ kind: 'store_credit', class: 'money', rule: 'late-2', status: 'pending' }],
      tasks: [],
      declinedBecause: null,
    });
    expect(await decideCommand({ file: write('list.json', [one, one]) })).toEqual([answer, answer]);
    expect(await decideCommand({ file: FIXTURES })).toHaveLength(fixtures.length);
  });

  test('another policy decides otherwise', async () => {
    const mean = { ...DEFAULT_POLICY, name: 'Mean', rules: [] };
    const answer = await decideCommand({ file: write('one.json', one), policy: write('mean.json', mean) });
    expect(answer).toMatchObject({ incident: 'late', awards: [], declinedBecause: 'no_rule' });
  });

  test('a bad case in a list is named by its place, a bad policy by its field', async () => {
    const bad = { ...one, order: { ...ORDER, id: 3 } };
    await expect(decideCommand({ file: write('bad.json', [one, bad]) })).rejects.toMatchObject({
      code: 'invalid_request',
      errors: [{ field: '[1].order.id' }],
    });
    const policy = write('policy.json', { ...DEFAULT_POLICY, settleMinutes: -1 });
    await expect(decideCommand({ file: write('one.json', one), policy })).rejects.toMatchObject({
      code: 'invalid_request',
      errors: [{ field: 'settleMinutes' }],
    });
  });
});
