import { describe, expect, test } from '@jest/globals';
import { AWARD_STATUSES } from '../../src/compensation/award.js';
import { type PersonalCallFacts, personalCallPoints } from '../../src/promises/personal-call-points.js';

const credit = { kind: 'store_credit', amount: { amountMinor: 2000, currency: 'USD' } } as const;
const facts: PersonalCallFacts = {
  reasons: ['2 broken promises within 7 days', 'christmas was missed'],
  asOf: new Date('2026-12-28T02:30:00Z'),
  timeZone: 'America/New_York',
  orders: [
    {
      orderId: 'o-7',
      incidents: ['late'],
      letter: {
        asOf: new Date('2026-12-28T02:30:00Z'),
        promise: { on: '2026-12-23', timeZone: 'America/New_York' },
        verdict: 'overdue',
        metAt: null,
        metBy: null,
        lateDays: 4,
        lastScan: null,
        estimate: null,
        occasion: { name: 'christmas', on: '2026-12-24' },
      },
      awards: [{ remedy: credit, status: 'applied' }],
    },
    {
      orderId: 'o-8',
      incidents: ['not_received'],
      letter: {
        asOf: new Date('2026-12-28T02:30:00Z'),
        promise: { on: '2026-12-26', timeZone: 'America/New_York' },
        verdict: 'on_time',
        metAt: new Date('2026-12-26T15:00:00Z'),
        metBy: 'delivered',
        lateDays: null,
        lastScan: null,
        estimate: null,
        occasion: null,
      },
      awards: [],
    },
  ],
  contacts: [{ at: new Date('2026-12-27T03:00:00Z'), channel: 'phone', reason: 'not_received' }],
  done: [{ kind: 'call', at: new Date('2026-10-02T15:00:00Z'), outcome: 'reached', note: 'prefers the evening' }],
};

describe('personalCallPoints', () => {
  test('why, each broken promise with what happened and what was given, what was said before, what not to promise', () => {
    const points = personalCallPoints(facts);
    // The space before PM is a narrow one in some versions of the data.
    expect(points.map((point) => point.replaceAll('\u202f', ' '))).toEqual([
      'Chosen for a personal call: 2 broken promises within 7 days; christmas was missed.',
      'Order o-7 was promised for Wednesday, December 23, and missed christmas on Thursday, December 24.',
      'It is not there yet, 4 days late. The carrier has told nothing of it.',
      'We gave $20.00 of store credit.',
      'Promise no day: nobody knows when it comes.',
      'Order o-8 was promised for Saturday, December 26.',
      'It was delivered on Saturday, December 26, 10:00 AM EST.',
      'The customer has said that it did not arrive.',
      'Nothing was given for it.',
      'The customer got in touch on Saturday, December 26 (phone, not received).',
      'A call ended on Friday, October 2: reached (prefers the evening).',
      'Promise nothing that is not on this list.',
    ]);
  });

  test('of somebody who has said nothing it says so', () => {
    expect(personalCallPoints({ ...facts, contacts: [] })).toContain(
      'The customer has not got in touch, and does not expect the call.',
    );
  });

  test.each(AWARD_STATUSES)('only what the customer has, or surely gets, is to be mentioned: %s', (status) => {
    const [order] = facts.orders;
    if (!order) throw new Error('there is one');
    const said = personalCallPoints({ ...facts, orders: [{ ...order, awards: [{ remedy: credit, status }] }] });
    const wanted = {
      applied: 'We gave $20.00 of store credit.',
      pending: 'We give $20.00 of store credit: it is on its way.',
      held: '$20.00 of store credit still waits for a person here: do not mention it.',
      awaiting_approval: '$20.00 of store credit still waits for a person here: do not mention it.',
      failed: '$20.00 of store credit could not be carried out: see to it before you call.',
      declined: 'Nothing was given for it.',
      reversed: 'Nothing was given for it.',
    };
    expect(said[3]).toBe(wanted[status]);
    expect(said.filter((point) => /credit|Nothing was given/.test(point))).toHaveLength(1);
  });
});
