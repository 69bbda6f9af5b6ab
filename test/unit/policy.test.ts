import { describe, expect, test } from '@jest/globals';
import { DEFAULT_POLICY } from '../../src/compensation/default-policy.js';
import { parsePolicy } from '../../src/compensation/policy.js';

type Json = Record<string, unknown>;

/** The default policy as a document, with one thing changed. */
function changed(change: (policy: Json & { rules: Json[]; limits: Json[]; noAwardFor: Json[] }) => void): unknown {
  const document = structuredClone(DEFAULT_POLICY);
  change(document as never);
  return document;
}

function fieldsOf(document: unknown): string[] {
  const parsed = parsePolicy(document);
  return parsed.outcome === 'ok' ? [] : parsed.errors.map(({ field }) => field);
}

describe('a policy that is refused, with the path of what is wrong', () => {
  test.each<[string, unknown, string[]]>([
    ['no object', 'text', ['']],
    ['a field missing', changed((policy) => delete policy.settleMinutes), ['settleMinutes']],
    ['an unknown field', changed((policy) => Object.assign(policy, { surprise: 1 })), ['surprise']],
    [
      'an unknown condition, which would widen the rule',
      changed(({ rules }) => Object.assign(rules[0]?.when as Json, { lateDay: { min: 1 } })),
      ['rules[0].when.lateDay'],
    ],
    [
      'a rule without incidents',
      changed(({ rules }) => Object.assign(rules[0]?.when as Json, { incident: [] })),
      ['rules[0].when.incident'],
    ],
    [
      'an unknown incident',
      changed(({ rules }) => Object.assign(rules[0]?.when as Json, { incident: ['stolen'] })),
      ['rules[0].when.incident[0]'],
    ],
    ['two rules of one id', changed(({ rules }) => Object.assign(rules[4] as Json, { id: 'late-8' })), ['rules[7].id']],
    [
      'two limits of one id',
      changed(({ limits }) => Object.assign(limits[1] as Json, { id: 'membership-year' })),
      ['limits[1].id'],
    ],
    [
      'an id with a space',
      changed(({ rules }) => Object.assign(rules[0] as Json, { id: 'prime month' })),
      ['rules[0].id'],
    ],
    [
      'an unknown class',
      changed(({ rules }) => Object.assign(rules[0] as Json, { class: 'cash' })),
      ['rules[0].class'],
    ],
    [
      'a class that is not declared',
      changed((policy) => delete (policy.classes as Json).entitlement),
      ['rules[11].class', 'rules[12].class', 'rules[13].class'],
    ],
    [
      'a limit on a class that is not declared',
      changed((policy) => {
        policy.rules = [];
        delete (policy.classes as Json).money;
      }),
      ['limits[3].for.classes[0]', 'dailyBudget.classes[0]'],
    ],
    [
      'a class both owed and goodwill',
      changed((policy) => Object.assign(policy.classes as Json, { money: { goodwill: true, owed: true } })),
      ['classes.money'],
    ],
    [
      'a negative amount',
      changed(({ rules }) =>
        Object.assign(rules[1] as Json, { gives: { kind: 'store_credit', amount: { of: 'fixed', minor: -5 } } }),
      ),
      ['rules[1].gives.amount.minor'],
    ],
    [
      'part of a cent',
      changed(({ rules }) =>
        Object.assign(rules[1] as Json, { gives: { kind: 'store_credit', amount: { of: 'fixed', minor: 0.5 } } }),
      ),
      ['rules[1].gives.amount.minor'],
    ],
    [
      'a least above the most',
      changed(({ rules }) =>
        Object.assign(rules[5] as Json, {
          gives: { kind: 'store_credit', amount: { of: 'total', percent: 5, minMinor: 301, maxMinor: 300 } },
        }),
      ),
      ['rules[5].gives.amount.maxMinor'],
    ],
    [
      'more than all of it',
      changed(({ rules }) =>
        Object.assign(rules[5] as Json, { gives: { kind: 'store_credit', amount: { of: 'total', percent: 100.01 } } }),
      ),
      ['rules[5].gives.amount.percent'],
    ],
    [
      'a percentage finer than it is computed',
      changed(({ rules }) =>
        Object.assign(rules[5] as Json, { gives: { kind: 'store_credit', amount: { of: 'total', percent: 0.125 } } }),
      ),
      ['rules[5].gives.amount.percent'],
    ],
    [
      'an amount of something unknown',
      changed(({ rules }) =>
        Object.assign(rules[5] as Json, { gives: { kind: 'store_credit', amount: { of: 'profit', percent: 5 } } }),
      ),
      ['rules[5].gives.amount.of'],
    ],
    [
      'an unknown remedy',
      changed(({ rules }) => Object.assign(rules[5] as Json, { gives: { kind: 'kiss' } })),
      ['rules[5].gives.kind'],
    ],
    [
      'a band that ends before it begins',
      changed(({ rules }) => Object.assign(rules[5]?.when as Json, { lateDays: { min: 3, max: 2 } })),
      ['rules[5].when.lateDays.max'],
    ],
    [
      'a currency in small letters',
      changed((policy) => Object.assign(policy.currencies as Json, { usd: 100 })),
      ['currencies.usd'],
    ],
    [
      'a currency worth nothing',
      changed((policy) => Object.assign(policy.currencies as Json, { USD: 0 })),
      ['currencies.USD'],
    ],
    [
      'an unknown fault',
      changed(({ noAwardFor }) => Object.assign(noAwardFor[0] as Json, { fault: 'nobody' })),
      ['noAwardFor[0].fault'],
    ],
    ['a limit on nothing', changed(({ limits }) => Object.assign(limits[0] as Json, { for: {} })), ['limits[0].for']],
    [
      'a limit that leads nowhere',
      changed(({ limits }) => Object.assign(limits[0] as Json, { beyond: 'shrug' })),
      ['limits[0].beyond'],
    ],
    [
      'a limit that counts something unknown',
      changed(({ limits }) => Object.assign(limits[0] as Json, { counts: 'sheep' })),
      ['limits[0].counts'],
    ],
    ['a name that cannot be stored', changed((policy) => Object.assign(policy, { name: 'a\0b' })), ['name']],
    [
      'everything that is wrong at once',
      changed((policy) => Object.assign(policy, { settleMinutes: -1, overdueAfterDays: 1.5 })),
      ['overdueAfterDays', 'settleMinutes'],
    ],
  ])('%s', (_name, document, fields) => {
    expect(fieldsOf(document)).toEqual(fields);
  });
});

describe('a policy that is accepted', () => {
  test('the default one, unchanged by reading it again', () => {
    expect(parsePolicy(structuredClone(DEFAULT_POLICY))).toEqual({ outcome: 'ok', policy: DEFAULT_POLICY });
  });

  test('a band open at its end, a least equal to the most, a percentage of two decimals', () => {
    const amount = { of: 'total', percent: 16.67, minMinor: 300, maxMinor: 300 };
    const when = { incident: ['late'], lateDays: { min: 2, max: 2 } };
    const document = changed(({ rules }) => Object.assign(rules[5] as Json, { when, gives: { kind: 'gift', amount } }));
    expect(fieldsOf(document)).toEqual([]);
  });

  test('one without any rule: it tells, and gives nothing', () => {
    expect(fieldsOf(changed((policy) => Object.assign(policy, { rules: [], limits: [], noAwardFor: [] })))).toEqual([]);
  });
});

describe('personal calls', () => {
  const withCalls = (personalCalls: unknown) => changed((policy) => Object.assign(policy, { personalCalls }));

  test('a policy of before there were any means none, and the default policy has a handful', () => {
    const parsed = parsePolicy(changed((policy) => delete policy.personalCalls));
    expect(parsed).toMatchObject({ outcome: 'ok', policy: { personalCalls: { perDay: 0 } } });
    expect(DEFAULT_POLICY.personalCalls.perDay).toBe(5);
  });

  test.each<[string, unknown, string[]]>([
    ['more than a hundred a day', { perDay: 101 }, ['personalCalls.perDay']],
    ['less than none', { perDay: -1 }, ['personalCalls.perDay']],
    ['half a call', { perDay: 0.5 }, ['personalCalls.perDay']],
    ['no time to look back on', { lookBackDays: 0 }, ['personalCalls.lookBackDays']],
    ['more than a year to look back on', { lookBackDays: 366 }, ['personalCalls.lookBackDays']],
    ['customers without any incident', { minimumIncidents: 0 }, ['personalCalls.minimumIncidents']],
    ['again on the same day', { notAgainWithinDays: 0 }, ['personalCalls.notAgainWithinDays']],
    ['a misspelt setting', { aDay: 5 }, ['personalCalls.aDay']],
    ['nothing wrong at the bounds', { perDay: 100, lookBackDays: 365, minimumIncidents: 1, notAgainWithinDays: 1 }, []],
    ['nothing wrong with none', { perDay: 0, lookBackDays: 1, minimumIncidents: 100, notAgainWithinDays: 3_650 }, []],
  ])('%s', (_name, personalCalls, fields) => {
    expect(fieldsOf(withCalls(personalCalls))).toEqual(fields);
  });
});
