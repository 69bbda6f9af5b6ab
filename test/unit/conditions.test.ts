import { describe, expect, test } from '@jest/globals';
import { decide, decideForOrder } from '../../src/compensation/decide.js';
import { decisionAnswer, parseDecisionCase } from '../../src/compensation/decision-case.js';
import type { DecisionCase } from '../../src/compensation/decision-input.js';
import { DEFAULT_POLICY } from '../../src/compensation/default-policy.js';
import { historyDaysOf, judgingFor, type Policy, parsePolicy } from '../../src/compensation/policy.js';

type Json = Record<string, unknown>;

/** The default policy with these rules instead of its own. */
function policyOf(rules: Json[], more: Json = {}): Policy {
  const parsed = parsePolicy({ ...structuredClone(DEFAULT_POLICY), rules, ...more });
  if (parsed.outcome !== 'ok') throw new Error(JSON.stringify(parsed.errors));
  return parsed.policy;
}
const ruleOf = (when: Json, more: Json = {}): Json => ({
  id: 'tried',
  class: 'money',
  when: { incident: ['late'], ...when },
  gives: { kind: 'store_credit', amount: { of: 'fixed', minor: 100 } },
  ...more,
});

/** Two days and 14 hours (3720 minutes past the bound) late, through nobody's fault but the carrier's. */
const CASE = {
  promise: { on: '2026-11-05', timeZone: 'America/New_York' },
  asOf: '2026-11-25T12:00:00Z',
  events: [
    { status: 'in_transit', at: '2026-11-03T13:00:00Z' },
    { status: 'delivered', at: '2026-11-08T19:00:00Z' },
  ],
  order: { id: 'o-1', total: { amountMinor: 10_000, currency: 'USD' } },
  membership: { tier: 'prime' },
  occasion: { name: 'Christmas', on: '2026-12-24' },
  destination: { country: 'US', region: 'NY', postalCode: '10001-1234' },
  carrier: 'Royal Mail',
  service: '2nd Day Air A.M.',
};
function caseOf(fields: Json, policy: Policy): DecisionCase {
  const parsed = parseDecisionCase({ ...CASE, ...fields }, policy);
  if (parsed.outcome !== 'ok') throw new Error(JSON.stringify(parsed.errors));
  return parsed.case;
}
function tried(when: Json, fields: Json = {}, more: Json = {}): { applies: boolean; line: string } {
  const policy = policyOf([ruleOf(when)], more);
  const { awards, explanation } = decide(caseOf(fields, policy), policy, 1);
  return { applies: awards.length === 1, line: explanation.find((line) => line.startsWith('Rule tried')) ?? '' };
}

const award = (orderId: string, at: string, more: Json = {}): Json => ({
  orderId,
  incident: 'late',
  class: 'money',
  kind: 'store_credit',
  amount: { amountMinor: 300, currency: 'USD' },
  at,
  status: 'applied',
  ...more,
});

describe('each condition', () => {
  const history = (change: Json) => ({
    history: { for: { classes: ['money'] }, counts: 'awards', days: 30, ...change },
  });
  const two = [award('p-1', '2026-11-01T00:00:00Z'), award('p-1', '2026-11-02T00:00:00Z', { incident: 'lost' })];

  test.each<[string, Json, Json, boolean]>([
    ['verdict: that of the scans', { verdict: ['late'] }, {}, true],
    ['verdict: another', { verdict: ['overdue'] }, {}, false],
    ['fault: the carrier', { fault: ['carrier', 'merchant'] }, {}, true],
    ['fault: another', { fault: ['merchant'] }, {}, false],
    ['tier: it', { tier: ['gold', 'prime'] }, {}, true],
    ['tier: another', { tier: ['gold'] }, {}, false],
    ['tier: without a membership', { tier: ['prime'] }, { membership: null }, false],
    ['lateMinutes: to the minute', { lateMinutes: { min: 3720, max: 3720 } }, { asOf: '2026-11-25T12:00:00Z' }, true],
    ['lateMinutes: a minute more', { lateMinutes: { min: 3721 } }, {}, false],
    ['lateMinutes: a minute less', { lateMinutes: { max: 3719 } }, {}, false],
    ['lateDays: to the day', { lateDays: { min: 3, max: 3 } }, {}, true],
    ['occasion: its name, in any case of letters', { occasion: ['christmas'] }, {}, true],
    ['occasion: another', { occasion: ['birthday'] }, {}, false],
    ['occasion: none', { occasion: ['christmas'] }, { occasion: null }, false],
    ['orderValue: both bounds', { orderValue: { minMinor: 10_000, maxMinor: 10_000 } }, {}, true],
    ['orderValue: a cent less', { orderValue: { maxMinor: 9_999 } }, {}, false],
    ['orderValue: a cent more', { orderValue: { minMinor: 10_001 } }, {}, false],
    ['orderValue: exact by currency', { orderValue: { minMinor: { USD: 9_000, EUR: 99_999 } } }, {}, true],
    ['orderValue: a currency without bounds', { orderValue: { minMinor: { EUR: 1 } } }, {}, false],
    ['country', { destination: { countries: ['CA', 'US'] } }, {}, true],
    ['another country', { destination: { countries: ['CA'] } }, {}, false],
    ['region, in any case of letters', { destination: { regions: ['ny'] } }, {}, true],
    ['beginning of the postal code', { destination: { postalCodes: ['1000'] } }, {}, true],
    ['spaces and hyphens of it do not matter', { destination: { postalCodes: ['10 00-11'] } }, {}, true],
    ['another beginning', { destination: { postalCodes: ['2'] } }, {}, false],
    ['all that is named must match', { destination: { countries: ['US'], regions: ['CA'] } }, {}, false],
    ['destination not known', { destination: { countries: ['US'] } }, { destination: null }, false],
    ['carrier, however it is written', { carrier: ['ROYAL_mail'] }, {}, true],
    ['another carrier', { carrier: ['Royal'] }, {}, false],
    ['carrier not known', { carrier: ['ups'] }, { carrier: null }, false],
    ['service, however it is written', { service: ['2nd day air am'] }, {}, true],
    ['service not known', { service: ['priority'] }, { service: null }, false],
    ['history: two awards', history({ min: 2, max: 2 }), { history: two }, true],
    ['history: of one order', history({ min: 2, counts: 'orders' }), { history: two }, false],
    ['history: none, where none is wanted', history({ max: 0 }), { history: [] }, true],
    ['history: some, where none is wanted', history({ max: 0 }), { history: two }, false],
    ['history: too long ago', history({ min: 1, days: 22 }), { history: two }, false],
    [
      'history: what never reached the customer',
      history({ min: 1 }),
      { history: [award('p-1', '2026-11-20T00:00:00Z', { status: 'declined' })] },
      false,
    ],
    [
      'history: given by hand',
      history({ min: 1, for: { incidents: ['manual'] } }),
      { history: [award('p-1', '2026-11-20T00:00:00Z', { incident: 'manual' })] },
      true,
    ],
  ])('%s', (_what, when, fields, applies) => {
    const { applies: applied, line } = tried(when, fields);
    expect(applied).toBe(applies);
    expect(line).toMatch(applies ? /^Rule tried applies \(/ : /^Rule tried does not apply: .+, the rule is for .+\.$/);
    expect(line).not.toMatch(/undefined|null|NaN|Infinity/);
  });
});

describe('a dated fact', () => {
  const fact = {
    id: 'waiver',
    kind: 'carrier',
    says: 'No guarantee at all',
    carriers: ['Royal Mail'],
    validFrom: '2026-11-05',
    validTo: '2026-11-05',
    source: 'royalmail.example/terms',
    seenOn: '2026-10-01',
  };
  const withFact = (change: Json, applies: boolean, fields: Json = {}) =>
    tried({ fact: { id: 'waiver', applies } }, fields, { facts: [{ ...fact, ...change }] });

  test.each<[string, Json, Json, boolean]>([
    ['on its only day', {}, {}, true],
    ['before it begins', { validFrom: '2026-11-06', validTo: null }, {}, false],
    ['after it ended', { validFrom: '2026-01-01', validTo: '2026-11-04' }, {}, false],
    ['of another carrier', { carriers: ['UPS'] }, {}, false],
    ['of this service', { services: ['2nd Day Air AM'] }, {}, true],
    ['of another service', { services: ['Ground'] }, {}, false],
    ['of this country', { countries: ['US'] }, {}, true],
    ['of another country', { countries: ['GB'] }, {}, false],
    ['when the country is not known', { countries: ['US'] }, { destination: null }, false],
    ['of any carrier', { carriers: undefined }, { carrier: null }, true],
    [
      'by the local date of a promised instant',
      {},
      { promise: { at: '2026-11-06T04:30:00Z', timeZone: 'America/New_York' } },
      true,
    ],
  ])('%s', (_when, change, fields, applies) => {
    expect(withFact(change, true, fields).applies).toBe(applies);
    expect(withFact(change, false, fields).applies).toBe(!applies);
  });

  test('is told with its source and the day it was seen, whether it applies or not', () => {
    for (const wanted of [true, false]) {
      expect(withFact({}, wanted).line).toMatch(
        /“No guarantee at all” \(royalmail\.example\/terms, seen on 2026-10-01\)/,
      );
    }
  });

  test('that is not there is refused where it is named', () => {
    const parsed = parsePolicy({ ...structuredClone(DEFAULT_POLICY), rules: [ruleOf({ fact: { id: 'rumour' } })] });
    expect(parsed).toMatchObject({ outcome: 'invalid', errors: [{ field: 'rules[0].when.fact.id' }] });
  });
});

describe('what a rule gives', () => {
  const given = (gives: Json, fields: Json = {}, more: Json = {}) => {
    const policy = policyOf([ruleOf({}, { gives, ...more })]);
    return decisionAnswer(decide(caseOf(fields, policy), policy, 1)).awards;
  };
  const total = (currency: string) => ({ order: { id: 'o-1', total: { amountMinor: 10_000, currency } } });

  test('amounts by currency are exact, numbers are scaled', () => {
    const exact = { kind: 'store_credit', amount: { of: 'fixed', minor: { USD: 300, GBP: 299, JPY: 500 } } };
    expect(given(exact, total('GBP'))).toMatchObject([{ amount: { amountMinor: 299 }, status: 'pending' }]);
    expect(given(exact, total('JPY'))).toMatchObject([{ amount: { amountMinor: 500, currency: 'JPY' } }]);
    expect(given(exact, total('EUR'))).toMatchObject([{ amount: { amountMinor: 0 }, status: 'held' }]);
    const scaled = { kind: 'store_credit', amount: { of: 'fixed', minor: 300 } };
    expect(given(scaled, total('GBP'))).toMatchObject([{ amount: { amountMinor: 240 } }]);
  });

  test('a percentage is kept within bounds by currency', () => {
    const amount = { of: 'total', percent: 5, minMinor: { USD: 600 }, maxMinor: { USD: 700, GBP: 400 } };
    expect(given({ kind: 'store_credit', amount }, total('USD'))).toMatchObject([{ amount: { amountMinor: 600 } }]);
    expect(given({ kind: 'store_credit', amount }, total('GBP'))).toMatchObject([
      { amount: { amountMinor: 0 }, status: 'held' },
    ]);
  });

  test('points, topped up by the difference', () => {
    const gives = { kind: 'points', points: 500 };
    const wanted = { kind: 'points', class: 'money', status: 'pending', rule: 'tried' };
    expect(given(gives)).toEqual([{ ...wanted, points: 500 }]);
    const history = [award('o-1', '2026-11-10T00:00:00Z', { kind: 'points', points: 200, amount: undefined })];
    expect(given(gives, { history })).toEqual([{ ...wanted, points: 300 }]);
  });

  test.each(['two_day', 'expedited', 'standard'])('a replacement by %s', (shipping) => {
    expect(given({ kind: 'replacement', shipping }, {}, { class: 'fulfilment' })).toMatchObject([{ shipping }]);
  });
});

describe('how a promise is judged', () => {
  const policy = policyOf([], {
    judging: {
      graceMinutes: 5,
      attemptCounts: false,
      lostAfterDays: 7,
      lostAfterDaysAbroad: 20,
      shipsFrom: ['US', 'PR'],
    },
  });
  test.each<[string, Json | null | undefined, number]>([
    ['at home', { country: 'US' }, 7],
    ['at home, in small letters', { country: 'pr' }, 7],
    ['abroad', { country: 'CA' }, 20],
    ['in an unknown country', { country: null }, 7],
    ['nobody knows where', null, 7],
    ['without a word of it', undefined, 7],
  ])('%s', (_where, destination, lostAfterDays) => {
    const country = destination as { country: string | null } | null | undefined;
    expect(judgingFor(policy, country)).toEqual({ graceMinutes: 5, attemptCounts: false, lostAfterDays });
  });

  test('a policy that does not say where it ships from knows no abroad, and one without a window there has that of home', () => {
    expect(judgingFor(DEFAULT_POLICY, { country: 'CN' }).lostAfterDays).toBe(7);
    const { lostAfterDaysAbroad: _none, ...judging } = policy.judging;
    expect(judgingFor({ judging }, { country: 'CN' }).lostAfterDays).toBe(7);
  });

  test('a case is judged by the window of its destination, unless it brings its own', () => {
    const silent = { events: [CASE.events[0]], asOf: '2026-11-16T12:00:00Z' };
    const verdict = (fields: Json) => caseOf({ ...silent, ...fields }, policy).judgement.verdict;
    expect(verdict({})).toBe('lost');
    expect(verdict({ destination: { country: 'CA' } })).toBe('overdue');
    expect(verdict({ destination: { country: 'CA' }, lostAfterDays: 7 })).toBe('lost');
  });

  test('history is needed as far back as the longest window of a limit or a condition', () => {
    expect(historyDaysOf(DEFAULT_POLICY)).toBe(365);
    const rule = ruleOf({ history: { for: { goodwill: true }, counts: 'orders', days: 400 } });
    expect(historyDaysOf(policyOf([rule]))).toBe(400);
    expect(historyDaysOf(policyOf([], { limits: [] }))).toBe(0);
  });
});

describe('the holdout arm', () => {
  const answer = (fields: Json) => decide(caseOf(fields, DEFAULT_POLICY), DEFAULT_POLICY, 1);
  const rest = { membership: null, occasion: null };

  test('gets no goodwill, and the record says what it would have got', () => {
    const treated = answer({ ...rest, arm: 'treated' });
    const held = answer({ ...rest, arm: 'holdout' });
    expect(held).toMatchObject({ awards: [], declinedBecause: 'holdout', earned: treated.earned });
    expect(held.withheld).toEqual(treated.awards);
    expect(held.explanation.join('\n')).toMatch(/held out of goodwill/);
    expect(treated.withheld).toEqual([]);
  });

  test('gets what is owed, and what is not goodwill', () => {
    const contacts = [{ reason: 'not_received', at: '2026-11-10T12:00:00Z' }];
    const missing = answer({ ...rest, contacts, arm: 'holdout' });
    expect(missing.awards.map(({ rule }) => rule)).toEqual(['missing-replace']);
    expect(missing.withheld.map(({ rule }) => rule)).toEqual(['missing-gift']);
    expect(missing.declinedBecause).toBeNull();
    const damaged = answer({ ...rest, contacts: [{ reason: 'damaged', at: '2026-11-10T12:00:00Z' }], arm: 'holdout' });
    expect(damaged.awards).toMatchObject([{ rule: 'damaged-refund', status: 'pending' }]);
  });

  test('is not telephoned', () => {
    const occasion = { name: 'birthday', on: '2026-11-06' };
    expect(answer({ ...rest, occasion, arm: 'treated' }).tasks).toEqual([{ kind: 'call', rule: 'occasion-call' }]);
    expect(answer({ ...rest, occasion, arm: 'holdout' })).toMatchObject({ tasks: [], declinedBecause: 'holdout' });
  });
});

describe('what was given beyond what is earned now', () => {
  const surplus = (fields: Json, policy = DEFAULT_POLICY) =>
    decide(caseOf({ membership: null, occasion: null, ...fields }, policy), policy, 1);
  const credit = (amountMinor: number, more: Json = {}) =>
    award('o-1', '2026-11-10T00:00:00Z', { amount: { amountMinor, currency: 'USD' }, ...more });
  const onTime = { events: [{ status: 'delivered', at: '2026-11-04T15:00:00Z' }] };
  const lost = { events: [CASE.events[0]] };

  test.each<[string, Json, unknown[]]>([
    ['as much as is earned', { history: [credit(500)] }, []],
    ['less', { history: [credit(300)] }, []],
    ['more, in two steps', { history: [credit(500), credit(700)] }, [{ class: 'money', unit: 'USD', quantity: 700 }]],
    [
      'all of it, when it came in time after all',
      { ...onTime, history: [credit(500)] },
      [{ class: 'money', unit: 'USD', quantity: 500 }],
    ],
    ['what was declined was not given', { ...onTime, history: [credit(500, { status: 'declined' })] }, []],
    ['what a person gave by hand', { ...onTime, history: [credit(500, { incident: 'manual' })] }, []],
    ['another order', { ...onTime, history: [credit(500, { orderId: 'o-2' })] }, []],
    ['for being late, and it was lost', { ...lost, history: [credit(500)] }, []],
    [
      'a replacement for what came after all',
      { history: [credit(0, { incident: 'lost', class: 'fulfilment', kind: 'replacement', amount: undefined })] },
      [{ class: 'fulfilment', unit: 'replacement', quantity: 1 }],
    ],
    [
      'late and then not received: both stand',
      { history: [credit(500)], contacts: [{ reason: 'not_received', at: '2026-11-10T12:00:00Z' }] },
      [],
    ],
  ])('%s', (_what, fields, wanted) => {
    const decision = surplus(fields);
    expect(decision.overCompensation).toEqual(wanted);
    expect(decision.explanation.some((line) => line.includes('Nothing is taken back'))).toBe(wanted.length > 0);
  });

  test('one box that is late keeps what was given for it, though the other came in time', () => {
    const boxes = [{ ...onTime, history: [credit(500)] }, { history: [credit(500)] }].map((fields) =>
      caseOf({ membership: null, occasion: null, ...fields }, DEFAULT_POLICY),
    );
    expect(decideForOrder(boxes, DEFAULT_POLICY, 1).overCompensation).toEqual([]);
  });
});
