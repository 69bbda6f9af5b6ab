import { describe, expect, test } from '@jest/globals';
import type { PastAward } from '../../src/compensation/award.js';
import type { ContactReason } from '../../src/compensation/decision-input.js';
import { contactAnswer } from '../../src/promises/contact-answer.js';
import type { OrderRecord, ParcelRecord, RecordedAnswer } from '../../src/promises/order-record.js';

const PARCEL: ParcelRecord = {
  carrier: 'usps',
  trackingNumber: '9400',
  promise: null,
  deliveredAt: null,
  lastScan: { status: 'in_transit', at: new Date('2027-11-04T23:00:00Z'), isExact: true },
  estimate: null,
};
/** Promised for Friday, 5 November 2027, in New York: over at 04:00 UTC of the 6th. */
const RECORD: OrderRecord = {
  orderId: 'o-1',
  locale: 'en-US',
  promise: { on: '2027-11-05', timeZone: 'America/New_York' },
  backfill: false,
  answer: null,
  parcels: [PARCEL],
  awards: [],
  contacts: [],
};
const ANSWER: RecordedAnswer = {
  verdict: 'pending',
  mode: 'active',
  metAt: null,
  lateDays: null,
  hasIncident: false,
  wording: [],
};
const LATE: RecordedAnswer = {
  ...ANSWER,
  verdict: 'late',
  lateDays: 1,
  hasIncident: true,
  wording: [
    'We promised this order for Friday, November 5.',
    'It was delivered on Saturday, November 6, a day late.',
    'We are sorry.',
    'For this you get $20.00 of credit in your account.',
  ],
};
const NOON_BEFORE = '2027-11-05T16:00:00Z';
const award = (status: PastAward['status'], changes: Partial<PastAward> = {}): PastAward => ({
  orderId: 'o-1',
  incident: 'late',
  class: 'money',
  kind: 'store_credit',
  months: null,
  points: null,
  amount: { amountMinor: 2000, currency: 'USD' },
  at: new Date('2027-11-06T20:00:00Z'),
  status,
  ...changes,
});

/** Locale data puts a narrow space before AM and PM. */
const answerOf = (changes: Partial<OrderRecord>, now = NOON_BEFORE, reason: ContactReason = 'late') =>
  contactAnswer({ ...RECORD, ...changes }, { reason, now: new Date(now) }).replaceAll('\u202f', ' ');

const PROMISED = 'We promised this order for Friday, November 5.';
const LAST_TOLD = 'The carrier last told us of it on Thursday, November 4, 7:00 PM EDT: it was on its way.';
const BY_ITSELF =
  'If it comes too late, we notice it by ourselves and see to what is due to you: you do not have to ask.';
const KEPT_EYE = 'We keep an eye on it by ourselves: you do not have to ask again.';
const OVERDUE = 'It should have reached you by then, and has not: it is late. We are sorry.';

describe('a parcel that is not late', () => {
  test.each<[string, Partial<OrderRecord>, string, readonly string[]]>([
    [
      'on the promised day',
      {},
      NOON_BEFORE,
      [PROMISED, 'That day is not over where it goes to, so it is not late.', LAST_TOLD, BY_ITSELF],
    ],
    [
      'judged pending, and its wording of then no news',
      { answer: { ...ANSWER, wording: [PROMISED, 'That day is not over.', 'So nothing is due at this point.'] } },
      NOON_BEFORE,
      [PROMISED, 'That day is not over where it goes to, so it is not late.', LAST_TOLD, BY_ITSELF],
    ],
    [
      'the day before, at the destination',
      {},
      '2027-11-05T03:59:59Z',
      [PROMISED, 'That day is still to come, so it is not late.', LAST_TOLD, BY_ITSELF],
    ],
    [
      'the last millisecond of the day at the destination, when it is over in UTC',
      {},
      '2027-11-06T03:59:59.999Z',
      [PROMISED, 'That day is not over where it goes to, so it is not late.', LAST_TOLD, BY_ITSELF],
    ],
    [
      'never scanned',
      { parcels: [{ ...PARCEL, lastScan: null }] },
      NOON_BEFORE,
      [
        PROMISED,
        'That day is not over where it goes to, so it is not late.',
        'The carrier has not told us anything of it yet.',
        BY_ITSELF,
      ],
    ],
    [
      'not handed over',
      { parcels: [] },
      NOON_BEFORE,
      [
        PROMISED,
        'That day is not over where it goes to, so it is not late.',
        'By our record it has not been handed to a carrier yet.',
        BY_ITSELF,
      ],
    ],
    [
      'with an estimate that breaks the promise: a guess, and no promise',
      { parcels: [{ ...PARCEL, estimate: { on: '2027-11-06' } }] },
      NOON_BEFORE,
      [
        PROMISED,
        'That day is not over where it goes to, so it is not late.',
        LAST_TOLD,
        'The carrier expects to deliver it on Saturday, November 6: that is a guess, and no promise.',
        BY_ITSELF,
      ],
    ],
    [
      'with an estimate that lies behind us: known to be wrong, and not told',
      { parcels: [{ ...PARCEL, estimate: { on: '2027-11-04' } }] },
      NOON_BEFORE,
      [PROMISED, 'That day is not over where it goes to, so it is not late.', LAST_TOLD, BY_ITSELF],
    ],
    [
      'promised by an instant, which still counts',
      { promise: { at: new Date('2027-11-05T22:00:00Z'), timeZone: 'America/New_York' } },
      '2027-11-05T22:00:00Z',
      [
        'We promised this order by 6:00 PM EDT on Friday, November 5.',
        'That time has not passed, so it is not late.',
        LAST_TOLD,
        BY_ITSELF,
      ],
    ],
    [
      'of a past that is for the record alone: nothing is announced',
      { backfill: true },
      NOON_BEFORE,
      [
        PROMISED,
        'That day is not over where it goes to, so it is not late.',
        LAST_TOLD,
        'If it comes too late, we notice it by ourselves.',
      ],
    ],
    [
      'scanned on a day without a time: no time is made up',
      {
        parcels: [
          { ...PARCEL, lastScan: { status: 'out_for_delivery', at: new Date('2027-11-05T04:00:00Z'), isExact: false } },
        ],
      },
      NOON_BEFORE,
      [
        PROMISED,
        'That day is not over where it goes to, so it is not late.',
        'The carrier last told us of it on Friday, November 5: it was out for delivery.',
        BY_ITSELF,
      ],
    ],
  ])('%s', (_name, changes, now, sentences) => {
    expect(answerOf(changes, now)).toBe(sentences.join(' '));
  });

  test('of several parcels the count, and the news of those that are not there, against the promise that ends first', () => {
    const there = { ...PARCEL, deliveredAt: new Date('2027-11-04T20:00:00Z') };
    const sooner = { ...PARCEL, promise: { on: '2027-11-04', timeZone: 'America/New_York' }, lastScan: null };
    expect(answerOf({ parcels: [there, sooner] }, '2027-11-04T16:00:00Z')).toBe(
      [
        'We promised this order for Thursday, November 4.',
        'That day is not over where it goes to, so it is not late.',
        'It comes in 2 parcels; delivered so far: 1.',
        'The carrier has not told us anything of parcel 2 yet.',
        BY_ITSELF,
      ].join(' '),
    );
  });

  test("in the customer's locale", () => {
    expect(answerOf({ locale: 'de-DE' })).toContain('Freitag, 5. November');
  });
});

describe('a parcel whose time is over', () => {
  test.each<[string, Partial<OrderRecord>, readonly string[]]>([
    [
      'and not judged since: nobody says late or in time',
      {},
      [PROMISED, 'That day is over, and whether it came in time is being looked at.', LAST_TOLD],
    ],
    [
      'delivered, and not judged since',
      {
        answer: { ...ANSWER, verdict: 'overdue' },
        parcels: [
          {
            ...PARCEL,
            deliveredAt: new Date('2027-11-06T20:00:00Z'),
            lastScan: { status: 'delivered', at: new Date('2027-11-06T20:00:00Z'), isExact: true },
          },
        ],
      },
      [
        PROMISED,
        'The carrier last told us of it on Saturday, November 6, 4:00 PM EDT: it had been delivered.',
        'Whether it came in time is being looked at.',
      ],
    ],
    [
      'delivered in time by what the scans say',
      {
        answer: {
          ...ANSWER,
          verdict: 'on_time',
          wording: [PROMISED, 'It was delivered on Friday, November 5, as promised.', 'So the promise was kept.'],
        },
      },
      [
        PROMISED,
        'It was delivered on Friday, November 5, as promised.',
        'That is what the carrier reports. If it is not with you, tell us so, and one of us looks for it.',
      ],
    ],
    [
      'overdue, and nothing decided yet',
      { answer: { ...ANSWER, verdict: 'overdue' } },
      [PROMISED, OVERDUE, LAST_TOLD, KEPT_EYE],
    ],
    [
      'late and made good: what was given',
      {
        answer: LATE,
        awards: [award('applied'), award('applied', { kind: 'membership_extension', months: 1, amount: null })],
      },
      [
        PROMISED,
        'It was delivered on Saturday, November 6, a day late.',
        'We are sorry.',
        'For it you have been given $20.00 of credit in your account and one free month of your membership.',
      ],
    ],
    [
      'uncertain',
      {
        answer: {
          ...ANSWER,
          verdict: 'uncertain',
          wording: [PROMISED, 'What the carrier reported does not say.', 'So we cannot say.'],
        },
      },
      [PROMISED, 'What the carrier reported does not say.', 'So we cannot say.'],
    ],
    [
      'late by the weather, and nothing given: why',
      {
        answer: {
          ...LATE,
          wording: [...LATE.wording.slice(0, 3), 'Weather held it up.', 'Nothing is given for that.'],
        },
      },
      [...LATE.wording.slice(0, 3), 'Weather held it up.', 'Nothing is given for that.'],
    ],
  ])('%s', (_name, changes, sentences) => {
    expect(answerOf(changes, '2027-11-06T21:00:00Z')).toBe(sentences.join(' '));
  });

  test.each<[PastAward['status'], string]>([
    ['pending', 'Making good for it is under way.'],
    ['held', 'One of us is looking at it personally.'],
    ['awaiting_approval', 'One of us is looking at it personally.'],
    ['failed', 'One of us is looking at it personally.'],
    ['declined', 'One of us has looked at it personally.'],
    ['reversed', 'One of us has looked at it personally.'],
  ])('an award that is %s is not named', (status, sentence) => {
    const answer = answerOf({ answer: LATE, awards: [award(status)] }, '2027-11-07T12:00:00Z');
    expect(answer).toBe([...LATE.wording.slice(0, 3), sentence].join(' '));
  });

  test('beside what was given, the rest is not named either; and nothing of other orders', () => {
    const other = award('applied', { orderId: 'o-2', amount: { amountMinor: 777, currency: 'USD' } });
    const awards = [award('applied'), award('held', { amount: { amountMinor: 999, currency: 'USD' } }), other];
    const answer = answerOf({ answer: LATE, awards }, '2027-11-07T12:00:00Z');
    expect(answer).toContain(
      'For it you have been given $20.00 of credit in your account. One of us is looking at the rest',
    );
    expect(answer).not.toMatch(/9\.99|7\.77/);
  });
});

test.each<[ContactReason, RegExp]>([
  ['not_received', /as promised\. You told us that you have not received it: one of us looks at that personally\.$/],
  ['damaged', /as promised\. You told us that it reached you damaged: one of us looks at that personally\.$/],
])('%s is taken at its word, whatever the scans say', (reason, ending) => {
  const answer = {
    ...ANSWER,
    verdict: 'on_time' as const,
    wording: [PROMISED, 'It was delivered, as promised.', 'Kept.'],
  };
  expect(answerOf({ answer }, '2027-11-06T21:00:00Z', reason)).toMatch(ending);
});
