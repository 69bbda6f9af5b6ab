import { describe, expect, test } from '@jest/globals';
import { type TalkingFacts, talkingPoints } from '../../src/promises/talking-points.js';

const facts: TalkingFacts = {
  orderId: 'o-7',
  letter: {
    asOf: new Date('2026-12-25T15:00:00Z'),
    promise: { on: '2026-12-23', timeZone: 'America/New_York' },
    verdict: 'overdue',
    metAt: null,
    metBy: null,
    lateDays: 2,
    lastScan: { status: 'in_transit', at: new Date('2026-12-22T12:00:00Z') },
    estimate: null,
    occasion: { name: 'christmas', on: '2026-12-24' },
  },
  given: [
    {
      kind: 'store_credit',
      amount: { amountMinor: 2000, currency: 'USD' },
      class: 'money',
      status: 'pending',
      rule: 'occasion-missed',
      reason: 'r',
      stoppedBy: [],
    },
  ],
  history: [],
};
const withLetter = (changes: Partial<TalkingFacts['letter']>) =>
  talkingPoints({ ...facts, letter: { ...facts.letter, ...changes } });

describe('talkingPoints', () => {
  test('what was promised, what happened, what is given, how often before, what not to promise', () => {
    expect(talkingPoints(facts)).toEqual([
      'Order o-7 was promised for Wednesday, December 23, and missed christmas on Thursday, December 24.',
      'It is not there yet, 2 days late. The carrier last told of it on Tuesday, December 22 (in_transit).',
      'We give $20.00 of store credit.',
      'Nothing was made good for this customer in the last 90 days.',
      'Promise no day: nobody knows when it comes.',
      'Promise nothing that is not on this list.',
    ]);
  });

  test('what still waits for a person is not to be mentioned', () => {
    const [award] = facts.given;
    if (!award) throw new Error('there is one');
    const given = [{ ...award, status: 'held' as const, stoppedBy: ['breaker'] }];
    expect(talkingPoints({ ...facts, given })).toContain(
      '$20.00 of store credit still waits for a person here: do not mention it.',
    );
  });

  test('a parcel that is there needs no day', () => {
    const points = withLetter({
      verdict: 'late',
      metAt: new Date('2026-12-25T01:30:00Z'),
      metBy: 'attempted',
      lateDays: 1,
    });
    expect(points[1]).toMatch(/^Its delivery was attempted on Thursday, December 24, 8:30.PM EST, 1 day late\.$/);
    expect(points.filter((point) => point.startsWith('Promise'))).toEqual([
      'Promise nothing that is not on this list.',
    ]);
  });

  test('an estimate is a guess, and one that is past is none', () => {
    expect(withLetter({ estimate: { on: '2026-12-28' } })).toContain(
      'Promise no day: the carrier expects Monday, December 28, and that is a guess.',
    );
    expect(withLetter({ estimate: { on: '2026-12-24' } })).toContain('Promise no day: nobody knows when it comes.');
  });

  test('counts other orders of the last 90 days that were made good, and not what was refused', () => {
    const past = (orderId: string, at: string, status: 'applied' | 'declined' = 'applied') => ({
      orderId,
      incident: 'late' as const,
      class: 'money' as const,
      kind: 'store_credit' as const,
      months: null,
      points: null,
      amount: { amountMinor: 300, currency: 'USD' },
      at: new Date(at),
      status,
    });
    const history = [
      past('a', '2026-12-01T00:00:00Z'),
      past('a', '2026-12-02T00:00:00Z'),
      past('b', '2026-12-03T00:00:00Z', 'declined'),
      past('o-7', '2026-12-04T00:00:00Z'),
      past('c', '2026-01-01T00:00:00Z'),
    ];
    expect(talkingPoints({ ...facts, history })).toContain(
      'In the last 90 days one other order of this customer had to be made good.',
    );
  });
});
