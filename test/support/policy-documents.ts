import fc from 'fast-check';
import { AWARD_CLASSES, AWARD_KINDS, MONEY_KINDS, SHIPPING_SPEEDS } from '../../src/compensation/award.js';
import { AWARD_INCIDENTS, INCIDENTS } from '../../src/compensation/incident.js';
import { FAULTS, VERDICTS } from '../../src/promises/verdict.js';

/*
 * Policy documents of every shape that a shop could write, nearly all of them valid: every condition, amount, remedy and limit
 * comes up, in combinations that nobody would think of.
 */

const some = <T>(values: readonly T[]) =>
  fc.subarray([...values], { minLength: 1 }) as fc.Arbitrary<unknown> as fc.Arbitrary<T[]>;
const minor = (least: number) =>
  fc.oneof(
    fc.integer({ min: least, max: 9_000 }),
    fc.dictionary(fc.constantFrom('USD', 'GBP', 'JPY'), fc.integer({ min: least, max: 9_000 })),
  );
const range = (most: number) =>
  fc
    .tuple(fc.nat(most), fc.nat(most))
    .map(([one, other]) => ({ min: Math.min(one, other), max: Math.max(one, other) }));
const percent = fc.integer({ min: 1, max: 10_000 }).map((hundredths) => hundredths / 100);

const selection = fc.oneof(
  fc.record({ classes: some(AWARD_CLASSES) }),
  fc.record({ kinds: some(AWARD_KINDS), incidents: some(AWARD_INCIDENTS) }),
  fc.record({ goodwill: fc.constant(true) }),
);

const when = fc.record(
  {
    incident: some(INCIDENTS),
    verdict: some(VERDICTS),
    fault: some(FAULTS),
    member: fc.boolean(),
    tier: some(['prime', 'gold']),
    lateMinutes: range(20_000),
    lateDays: range(12),
    occasion: some(['x', 'christmas']),
    occasionMissed: fc.boolean(),
    orderValue: fc.record({ minMinor: minor(0) }),
    shippingPaid: fc.boolean(),
    destination: fc.oneof(
      fc.record({ countries: some(['US', 'CA']) }),
      fc.record({ regions: some(['ny', 'QC']), postalCodes: some(['1', '100-0']) }),
    ),
    carrier: some(['ups', 'USPS']),
    service: some(['ground', 'Express']),
    history: fc.record({
      for: selection,
      counts: fc.constantFrom('awards', 'orders'),
      days: fc.integer({ min: 1, max: 400 }),
      min: fc.nat(3),
    }),
    fact: fc.record({ id: fc.constantFrom('ups-ground-peak', 'gift-value'), applies: fc.boolean() }),
  },
  { requiredKeys: ['incident'] },
);

const amount = fc.oneof(
  fc.record({ of: fc.constant('fixed'), minor: minor(1) }),
  fc.record(
    { of: fc.constantFrom('total', 'shipping_paid'), percent, minMinor: minor(0) },
    { requiredKeys: ['of', 'percent'] },
  ),
  fc.record({ of: fc.constantFrom('total', 'shipping_paid'), percent, maxMinor: minor(0) }),
);
const gives = fc.oneof(
  fc.record({ kind: fc.constant('membership_extension'), months: fc.integer({ min: 1, max: 12 }) }),
  fc.record({ kind: fc.constantFrom(...MONEY_KINDS), amount }),
  fc.record({ kind: fc.constant('points'), points: fc.integer({ min: 1, max: 500 }) }),
  fc.record({ kind: fc.constant('replacement'), shipping: fc.constantFrom(...SHIPPING_SPEEDS) }),
  fc.constant({ kind: 'call' }),
);
const rules = fc
  .array(fc.record({ class: fc.constantFrom(...AWARD_CLASSES), when, gives }), { maxLength: 8 })
  .map((list) => list.map((rule, place) => ({ id: `rule-${place}`, ...rule })));

const past = { for: selection, days: fc.integer({ min: 1, max: 400 }), atMost: fc.nat(3) };
const limits = fc
  .array(
    fc.oneof(
      fc.record({
        counts: fc.constantFrom('awards', 'orders'),
        ...past,
        beyond: fc.constantFrom('held', 'awaiting_approval', 'limit_membership'),
      }),
      fc.record({
        counts: fc.constant('amount_of_order'),
        for: selection,
        atMostMinor: minor(0),
        beyond: fc.constantFrom('held', 'awaiting_approval'),
      }),
    ),
    { maxLength: 4 },
  )
  .map((list) => list.map((limit, place) => ({ id: `limit-${place}`, ...limit })));

const flags = fc.constantFrom(
  {},
  { goodwill: true },
  { goodwill: true, heldInOtherCurrencies: true },
  { owed: true },
  { heldInOtherCurrencies: true },
);

const FACT = { kind: 'carrier', says: 'x', source: 'y', seenOn: '2026-11-01' };
const FACTS = [
  {
    ...FACT,
    id: 'ups-ground-peak',
    carriers: ['U.P.S.'],
    services: ['ground'],
    validFrom: '2026-11-01',
    validTo: '2026-11-30',
  },
  { ...FACT, id: 'gift-value', countries: ['US'], validFrom: '2026-01-01', validTo: null },
];

export const policyDocuments = fc.record({
  name: fc.constant('Drawn'),
  description: fc.constant('drawn by lot'),
  judging: fc.constant({ graceMinutes: 0, attemptCounts: true, lostAfterDays: 7 }),
  overdueAfterDays: fc.nat(3),
  settleMinutes: fc.nat(120),
  notMembers: fc.constantFrom([], ['student-free']),
  currencies: fc.constantFrom({ USD: 100 }, { USD: 100, GBP: 80, BRL: 500 }, {}),
  classes: fc.record({ membership: flags, money: flags, fulfilment: flags, entitlement: flags, care: flags }),
  noAwardFor: fc.array(
    fc.record({
      incident: fc.constantFrom(...INCIDENTS),
      fault: fc.constantFrom(...FAULTS),
      code: fc.constantFrom('customer_fault', 'customs', 'force_majeure'),
    }),
    { maxLength: 2 },
  ),
  rules,
  limits,
  dailyBudget: fc.option(fc.record({ classes: some(AWARD_CLASSES), atMostMinor: minor(0) })),
  facts: fc.constant(FACTS),
});
