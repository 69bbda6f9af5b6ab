import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type CallCandidate, type CandidateIncident, rankCalls } from '../../src/promises/rank-calls.js';

const ASOF = { asOf: new Date('2026-12-28T02:30:00Z'), lookBackDays: 7 };

const late = (changes: Partial<CandidateIncident> = {}): CandidateIncident => ({
  orderId: 'o-1',
  incident: 'late',
  openedAt: new Date('2026-12-26T05:00:00Z'),
  promise: { on: '2026-12-23', timeZone: 'America/New_York' },
  occasion: null,
  verdict: 'late',
  metAt: new Date('2026-12-26T15:00:00Z'),
  ...changes,
});
const christmas = { occasion: { name: 'christmas', on: '2026-12-24' } };
const customer = (
  customerId: string,
  incidents: readonly CandidateIncident[],
  changes: Partial<CallCandidate> = {},
): CallCandidate => ({ customerId, incidents, contacts: 0, ...changes });
const ranked = (candidates: readonly CallCandidate[]) =>
  rankCalls(candidates, ASOF).map(({ customerId }) => customerId);

describe('rankCalls', () => {
  test.each<[string, CallCandidate, CallCandidate]>([
    [
      'more broken promises come before anything else',
      customer('z', [late(), late()], { contacts: 9 }),
      customer('a', [late({ ...christmas, incident: 'lost', verdict: 'late' })]),
    ],
    [
      'a missed occasion comes before a lost parcel',
      customer('z', [late(christmas)], { contacts: 1 }),
      customer('a', [late({ incident: 'lost', verdict: 'lost', metAt: null })]),
    ],
    ...(['lost', 'damaged', 'not_received', 'returned'] as const).map(
      (incident): [string, CallCandidate, CallCandidate] => [
        `${incident} comes before late`,
        customer('z', [late({ incident, verdict: 'on_time' })], { contacts: 1 }),
        customer('a', [late()]),
      ],
    ),
    [
      'of as many, two that are worse than late come before one',
      customer('z', [late({ incident: 'damaged' }), late({ incident: 'lost' })]),
      customer('a', [late({ incident: 'damaged' }), late()]),
    ],
    [
      'who never got in touch comes before who was talked to',
      customer('z', [late()]),
      customer('a', [late()], { contacts: 1 }),
    ],
    [
      'the latest incident comes first',
      customer('z', [late({ openedAt: new Date('2026-12-26T05:00:01Z') })]),
      customer('a', [late()]),
    ],
    ['and then the id decides', customer('a', [late()]), customer('b', [late()])],
  ])('%s', (_name, first, second) => {
    expect(ranked([first, second])).toEqual([first.customerId, second.customerId]);
    expect(ranked([second, first])).toEqual([first.customerId, second.customerId]);
  });

  test('an occasion counts only where it was missed: not when it came in time for it, nor when nothing is late', () => {
    const reasonsOf = (incident: CandidateIncident) => rankCalls([customer('a', [incident])], ASOF)[0]?.reasons;
    const missed = expect.arrayContaining(['christmas was missed']);
    expect(reasonsOf(late(christmas))).toEqual(missed);
    expect(reasonsOf(late({ ...christmas, verdict: 'overdue', metAt: null }))).toEqual(missed);
    // In the evening of the day itself, and promised only for the day after it.
    expect(reasonsOf(late({ ...christmas, metAt: new Date('2026-12-25T04:59:59Z') }))).not.toEqual(missed);
    expect(reasonsOf(late({ ...christmas, promise: { on: '2026-12-25', timeZone: 'America/New_York' } }))).not.toEqual(
      missed,
    );
    expect(reasonsOf(late({ ...christmas, verdict: 'on_time' }))).not.toEqual(missed);
  });

  test('says why, each reason once', () => {
    const two = [late(christmas), late({ orderId: 'o-2', ...christmas, incident: 'lost' }), late({ incident: 'lost' })];
    const candidates = [
      customer('a', two),
      customer('b', [late()], { contacts: 1 }),
      customer('c', [late()], { contacts: 2 }),
    ];
    expect(rankCalls(candidates, ASOF).map(({ reasons }) => reasons)).toEqual([
      [
        '3 broken promises within 7 days',
        'christmas was missed',
        'a parcel was lost',
        'the customer has not got in touch',
      ],
      ['a broken promise within 7 days', 'the customer got in touch once'],
      ['a broken promise within 7 days', 'the customer got in touch 2 times'],
    ]);
    expect(rankCalls([customer('a', [late()])], { ...ASOF, lookBackDays: 1 })[0]?.reasons[0]).toBe(
      'a broken promise within 1 day',
    );
  });

  test('in whatever order they come, the answer is the same, and nobody is lost', () => {
    const incident = fc.record({
      incident: fc.constantFrom('late', 'lost', 'damaged', 'not_received', 'returned'),
      occasion: fc.constantFrom(null, christmas.occasion),
      openedAt: fc.constantFrom('2026-12-22', '2026-12-25').map((on) => new Date(`${on}T00:00:00Z`)),
    });
    const candidates = fc
      .array(fc.tuple(fc.array(incident, { minLength: 1, maxLength: 3 }), fc.nat(2)), { maxLength: 12 })
      .map((some) =>
        some.map(([incidents, contacts], place) =>
          customer(
            `c-${place}`,
            incidents.map((one) => late(one)),
            { contacts },
          ),
        ),
      );
    const shuffled = candidates.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length })),
    );
    fc.assert(
      fc.property(shuffled, ([all, mixed]) => {
        expect(ranked(mixed)).toEqual(ranked(all));
        expect([...ranked(all)].sort()).toEqual(all.map(({ customerId }) => customerId).sort());
      }),
    );
  });
});
