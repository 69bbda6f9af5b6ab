import { describe, expect, test } from '@jest/globals';
import type { PastAward } from '../../src/compensation/award.js';
import { type CaseFacts, casePoints } from '../../src/promises/case-points.js';

const FACTS: CaseFacts = {
  contact: { reason: 'not_received', channel: 'phone', at: new Date('2026-11-07T15:00:00Z') },
  now: new Date('2026-11-07T15:01:00Z'),
  record: {
    orderId: 'o-7',
    locale: 'de-DE',
    promise: { on: '2026-11-05', timeZone: 'America/New_York' },
    backfill: false,
    answer: {
      verdict: 'late',
      mode: 'active',
      metAt: new Date('2026-11-06T19:00:00Z'),
      lateDays: 1,
      hasIncident: true,
      wording: [],
    },
    parcels: [
      {
        carrier: 'usps',
        trackingNumber: '9400',
        promise: null,
        deliveredAt: new Date('2026-11-06T19:00:00Z'),
        lastScan: { status: 'delivered', at: new Date('2026-11-06T19:00:00Z'), isExact: true },
        estimate: null,
      },
    ],
    awards: [],
    contacts: [],
  },
};
const award = (status: PastAward['status'], changes: Partial<PastAward> = {}): PastAward => ({
  orderId: 'o-7',
  incident: 'late',
  class: 'money',
  kind: 'store_credit',
  months: null,
  points: null,
  amount: { amountMinor: 2000, currency: 'USD' },
  at: new Date('2026-11-06T20:00:00Z'),
  status,
  ...changes,
});
const pointsOf = (changes: Partial<CaseFacts['record']>) =>
  casePoints({ ...FACTS, record: { ...FACTS.record, ...changes } }).map((point) => point.replaceAll('\u202f', ' '));

describe('casePoints', () => {
  test('what the customer says, and all that the record holds against it', () => {
    expect(pointsOf({})).toEqual([
      'The customer says that order o-7 was not received (phone, Saturday, November 7, 10:00 AM EST).',
      'It was promised for Thursday, November 5.',
      'Verdict before this contact: late, met on Friday, November 6, 2:00 PM EST, 1 day late.',
      'Parcel usps 9400: shown as delivered on Friday, November 6; last told of on Friday, November 6, 2:00 PM EST (delivered).',
      'Nothing was given for it so far.',
      'Nothing was made good for this customer in the last 90 days.',
      'The customer had not got in touch in the 90 days before.',
      'Promise nothing that is not on this list.',
    ]);
  });

  test('an order that nobody judged, shipped or scanned', () => {
    expect(pointsOf({ answer: null, parcels: [] }).slice(2, 4)).toEqual([
      'It has not been judged before.',
      'No parcel of it is known.',
    ]);
    const parcels = FACTS.record.parcels.map((parcel) => ({ ...parcel, deliveredAt: null, lastScan: null }));
    expect(pointsOf({ parcels })[3]).toBe('Parcel usps 9400: the carrier has told nothing of it.');
  });

  test('what was given, what waits, and what was refused are told apart', () => {
    const awards = [
      award('applied'),
      award('pending', { kind: 'membership_extension', months: 1, amount: null }),
      award('awaiting_approval', { kind: 'replacement', amount: null }),
      award('declined', { kind: 'points', points: 500, amount: null }),
      award('applied', { kind: 'call', amount: null }),
    ];
    expect(pointsOf({ awards }).slice(4, -3)).toEqual([
      'Given for it: $20.00 of store credit (late).',
      'Decided and being carried out: 1 month of membership (late).',
      'Waits for a person here, do not mention it: a replacement (late).',
      'Not given, declined: 500 points (late).',
    ]);
  });

  test('how often the customer was made good for other orders, and got in touch before', () => {
    const contacts = ['01', '02', '03', '04'].map((day) => ({
      reason: 'late' as const,
      channel: 'mail',
      at: new Date(`2026-11-${day}T15:00:00Z`),
    }));
    const points = pointsOf({ awards: [award('applied', { orderId: 'o-6' })], contacts });
    expect(points).toContain('In the last 90 days one other order of this customer had to be made good.');
    expect(points).toContain(
      'The customer got in touch 4 times in the 90 days before: last late on Monday, November 2, late on Tuesday, November 3, late on Wednesday, November 4.',
    );
    expect(pointsOf({ contacts: contacts.slice(0, 1) })).toContain(
      'The customer got in touch once in the 90 days before: late on Sunday, November 1.',
    );
  });

  test('of many parcels the first, and how many more there are', () => {
    const [parcel] = FACTS.record.parcels;
    if (!parcel) throw new Error('there is one');
    const points = pointsOf({ parcels: Array.from({ length: 7 }, () => parcel) });
    expect(points.filter((point) => point.startsWith('Parcel '))).toHaveLength(5);
    expect(points).toContain('And parcels besides: 2.');
  });
});
