import { describe, expect, test } from '@jest/globals';
import { DECLINE_CODES, type DecidedAward, type DeclineCode, type PastAward } from '../../src/compensation/award.js';
import { type CustomerTold, customerWording } from '../../src/compensation/customer-wording.js';
import { INCIDENTS, type Incident } from '../../src/compensation/incident.js';
import { type Judgement, VERDICTS, type Verdict } from '../../src/promises/verdict.js';

const MET_AT = new Date('2026-11-07T15:30:00Z');
const ORDER = { id: 'o-1', total: usd(5_990), shippingPaid: usd(599) };

function usd(amountMinor: number) {
  return { amountMinor, currency: 'USD' };
}

function judgement(verdict: Verdict, changes: Partial<Judgement> = {}): Judgement {
  const isLate = verdict === 'late' || verdict === 'overdue';
  return {
    verdict,
    promisedUntil: new Date('2026-11-06T05:00:00Z'),
    metAt: verdict === 'late' ? MET_AT : verdict === 'on_time' ? new Date('2026-11-05T18:00:00Z') : null,
    lateMinutes: isLate ? 2_070 : null,
    lateDays: isLate ? 2 : null,
    fault: isLate ? 'carrier' : null,
    restsOnSilence: verdict === 'overdue',
    changesAt: null,
    ...changes,
  };
}

function told(
  verdict: Verdict,
  changes: {
    incident?: Incident | null;
    awards?: readonly DecidedAward[];
    calls?: boolean;
    declinedBecause?: DeclineCode | null;
    judgement?: Partial<Judgement>;
    leading?: Partial<CustomerTold['leading']>;
    mode?: CustomerTold['mode'];
    locale?: string | null;
  } = {},
): CustomerTold {
  const judged = judgement(verdict, changes.judgement);
  return {
    decision: {
      incident: changes.incident ?? null,
      awards: changes.awards ?? [],
      tasks: changes.calls ? [{ kind: 'call', rule: 'occasion-call' }] : [],
      declinedBecause: changes.declinedBecause ?? null,
    },
    leading: {
      judgement: judged,
      promise: { on: '2026-11-05', timeZone: 'America/New_York' },
      firstDeliveredAt: judged.metAt,
      asOf: new Date('2026-11-08T12:00:00Z'),
      order: ORDER,
      contacts: [],
      reports: [],
      history: [],
      ...changes.leading,
    },
    mode: changes.mode ?? 'active',
    locale: changes.locale ?? 'en-US',
  };
}

const common = { class: 'money', status: 'pending', rule: 'late-2', reason: 'late-2: 5 %', stoppedBy: [] } as const;
const credit: DecidedAward = { ...common, kind: 'store_credit', amount: usd(300) };
const REMEDIES: readonly (readonly [DecidedAward, string])[] = [
  [{ ...common, class: 'membership', kind: 'membership_extension', months: 1 }, 'one free month of your membership'],
  [{ ...common, class: 'membership', kind: 'membership_extension', months: 3 }, '3 free months of your membership'],
  [credit, '$3.00 of credit in your account'],
  [{ ...common, kind: 'refund', amount: usd(5_990) }, 'a refund of $59.90, the way you paid'],
  [{ ...common, kind: 'shipping_refund', amount: usd(599) }, 'your shipping costs of $5.99 back, the way you paid'],
  [{ ...common, kind: 'points', points: 1_500 }, '1,500 points in your account'],
  [
    { ...common, class: 'fulfilment', kind: 'replacement', shipping: 'two_day' },
    'a replacement by fast shipping, at no cost to you',
  ],
  [{ ...common, class: 'fulfilment', kind: 'replacement', shipping: 'standard' }, 'a replacement, at no cost to you'],
  [{ ...common, class: 'care', kind: 'gift', amount: usd(1_000) }, 'a small gift from us'],
];

const PROMISED = 'We promised this order for Thursday, November 5.';
const NOTHING = 'There is nothing further that we have to give for it.';

describe('what was promised and what happened', () => {
  test.each<[Verdict, Partial<Parameters<typeof told>[1]>, string]>([
    ['on_time', {}, 'It was delivered on Thursday, November 5, as promised.'],
    [
      'on_time',
      { leading: { firstDeliveredAt: null } },
      'It was first brought to you, or ready for you to collect, on Thursday, November 5, as promised.',
    ],
    ['late', {}, 'It was delivered on Saturday, November 7, 2 days late.'],
    ['late', { judgement: { lateDays: 1 } }, 'It was delivered on Saturday, November 7, a day late.'],
    ['overdue', {}, 'As of Sunday, November 8, 2 days later, it has not reached you.'],
    ['overdue', { judgement: { lateDays: 0 } }, 'As of Sunday, November 8, it has not reached you.'],
    ['pending', {}, 'That day is not over.'],
    ['uncertain', {}, 'What the carrier reported does not say clearly enough whether it came in time.'],
    ['lost', {}, 'It has been lost on its way to you.'],
    [
      'lost',
      { judgement: { restsOnSilence: true } },
      'There has been no news of it for so long that we take it for lost.',
    ],
    ['damaged', { incident: 'damaged' }, 'It was damaged on its way to you.'],
    ['returned', {}, 'It was sent back to us instead of reaching you.'],
    ['cancelled', {}, 'This shipment was cancelled.'],
    ['on_time', { incident: 'damaged' }, 'You told us that it was damaged when it reached you.'],
    [
      'on_time',
      { incident: 'not_received' },
      'It is shown as delivered on Thursday, November 5, and you told us that you have not received it.',
    ],
  ])('%s %j', (verdict, changes, sentence) => {
    expect(customerWording(told(verdict, changes)).slice(0, 2)).toEqual([PROMISED, sentence]);
  });

  test('the day is that of the destination, whatever day it is elsewhere', () => {
    const leading = {
      promise: { on: '2026-11-05', timeZone: 'Pacific/Auckland' },
      firstDeliveredAt: new Date('2026-11-06T23:30:00Z'),
    };
    const wording = customerWording(told('late', { judgement: { metAt: leading.firstDeliveredAt }, leading }));
    expect(wording[1]).toBe('It was delivered on Saturday, November 7, 2 days late.');
  });

  test('a promised time is told to the minute, and lateness within the day in hours', () => {
    const at = new Date('2026-11-05T23:00:00Z');
    const metAt = new Date('2026-11-06T01:15:00Z');
    const wording = customerWording(
      told('late', {
        judgement: { metAt, lateDays: 0, lateMinutes: 135 },
        leading: { promise: { at, timeZone: 'America/New_York' }, firstDeliveredAt: metAt },
      }),
    );
    expect(plainSpaces(wording.slice(0, 2))).toEqual([
      'We promised this order by 6:00 PM EST on Thursday, November 5.',
      'It was delivered at 8:15 PM EST on Thursday, November 5, 2 hours and 15 minutes late.',
    ]);
  });

  test('dates and money are written as the customer writes them', () => {
    const awards = [{ ...credit, amount: { amountMinor: 2_000, currency: 'EUR' } }];
    const wording = customerWording(told('late', { incident: 'late', awards, locale: 'de-DE' }));
    expect(plainSpaces(wording)).toEqual([
      'We promised this order for Donnerstag, 5. November.',
      'It was delivered on Samstag, 7. November, 2 days late.',
      'We are sorry.',
      'For this you get 20,00 € of credit in your account.',
    ]);
  });
});

describe('what is done about it', () => {
  test.each(REMEDIES.map(([award, words]) => ({ words, award })))('$words', ({ words, award }) => {
    expect(done(told('late', { incident: 'late', awards: [award] }))).toEqual([
      'We are sorry.',
      `For this you get ${words}.`,
    ]);
  });

  test('several remedies are one list, and a call that was asked for is told', () => {
    const [month, , , refund] = REMEDIES.map(([award]) => award);
    const awards = [month, credit, refund].filter((award) => award !== undefined);
    expect(done(told('late', { incident: 'late', awards, calls: true }))).toEqual([
      'We are sorry.',
      'For this you get one free month of your membership; $3.00 of credit in your account; and a refund of $59.90, the way you paid.',
      'One of us has been asked to telephone you about it.',
    ]);
  });

  test.each(['held', 'awaiting_approval'] as const)(
    'what is %s is looked at personally, without its amount',
    (status) => {
      const stopped = { ...credit, status, stoppedBy: ['goodwill-orders'] };
      expect(done(told('late', { incident: 'late', awards: [stopped] }))).toEqual([
        'We are sorry.',
        'We are looking at it personally.',
      ]);
      const [month] = REMEDIES.map(([award]) => award);
      expect(done(told('late', { incident: 'late', awards: month ? [month, stopped] : [] }))).toEqual([
        'We are sorry.',
        'For this you get one free month of your membership.',
        'We are looking at the rest of it personally.',
      ]);
    },
  );

  test('a difference is told as such', () => {
    expect(done(told('late', { incident: 'late', awards: [credit], leading: { history: [past()] } }))).toEqual([
      'We are sorry.',
      'On top of what you have had for it, you get $3.00 of credit in your account.',
    ]);
  });

  test.each(['shadow', 'backfill'] as const)('in %s mode nothing is said to be given', (mode) => {
    expect(done(told('late', { incident: 'late', awards: [credit], calls: true, mode }))).toEqual(['We are sorry.']);
  });
});

describe('why nothing is due', () => {
  test.each<[DeclineCode, Verdict, Incident | null, readonly string[]]>([
    ['kept', 'on_time', null, ['So the promise was kept, and there is nothing to make up for.']],
    ['not_due', 'pending', null, ['So nothing is due at this point.']],
    ['not_due', 'overdue', null, ['Reports about it are still coming in, so nothing is decided at this point.']],
    [
      'uncertain',
      'uncertain',
      null,
      ['So we cannot say that the promise was broken. If you tell us when it reached you, we know more.'],
    ],
    ['cancelled', 'cancelled', null, ['So there is no delivery to make up for.']],
    [
      'customer_fault',
      'late',
      'late',
      [
        'We are sorry.',
        'The carrier had to have something settled before it could hand the parcel over, such as the address or a payment.',
        'Nothing is given for a wait of that kind.',
      ],
    ],
    [
      'customs',
      'late',
      'late',
      ['We are sorry.', 'It was held by customs on the way.', 'Nothing is given for a wait of that kind.'],
    ],
    [
      'force_majeure',
      'late',
      'late',
      [
        'We are sorry.',
        'Weather, or something like it, held it up on the way.',
        'Nothing is given for a wait of that kind.',
      ],
    ],
    ['no_rule', 'late', 'late', ['We are sorry.', NOTHING]],
    ['limit_membership', 'late', 'late', ['We are sorry.', NOTHING]],
    ['holdout', 'late', 'late', ['We are sorry.', NOTHING]],
  ])('%s, %s', (declinedBecause, verdict, incident, sentences) => {
    expect(done(told(verdict, { incident, declinedBecause }))).toEqual(sentences);
  });

  test.each<[string, readonly PastAward[], readonly string[]]>([
    ['given', [past()], ['For this you have had $3.00 of credit in your account before.', 'Nothing more is due.']],
    ['waiting for a person', [past({ status: 'held' })], ['We are looking at it personally.']],
    [
      'refused by a person',
      [past({ status: 'declined' })],
      ['One of us has looked at it personally, and nothing more is due.'],
    ],
    [
      'for another order',
      [past({ orderId: 'o-2' })],
      ['One of us has looked at it personally, and nothing more is due.'],
    ],
  ])('already compensated: %s', (_what, history, sentences) => {
    const wording = told('late', { incident: 'late', declinedBecause: 'already_compensated', leading: { history } });
    expect(done(wording)).toEqual(['We are sorry.', ...sentences]);
  });
});

/** Words that no customer is to hear: ours, of blame, of suspicion, of the future. */
const NEVER =
  /[_{}]|undefined|null|NaN|\b(will|shall|going to|soon|polic\w+|rule\w*|limit\w*|holdout|arm|tier|held for|approv\w+|suspic\w+|fraud\w*|abuse\w*|fault|blame|failed to|breaker|budget|verdict|incident|overdue|goodwill|step|class)\b/i;

test('whatever was decided, every sentence is whole, and free of our words, of blame and of the future', () => {
  const statuses = ['pending', 'held', 'awaiting_approval'] as const;
  const modes = ['active', 'shadow', 'backfill'] as const;
  const all = VERDICTS.flatMap((verdict) =>
    [null, ...INCIDENTS].flatMap((incident) =>
      modes.flatMap((mode) => [
        ...DECLINE_CODES.map((declinedBecause) => told(verdict, { incident, mode, declinedBecause })),
        ...REMEDIES.flatMap(([award]) =>
          statuses.map((status) => told(verdict, { incident, mode, awards: [{ ...award, status }], calls: true })),
        ),
      ]),
    ),
  );
  expect(all).toHaveLength(VERDICTS.length * 7 * 3 * (DECLINE_CODES.length + REMEDIES.length * 3));
  const wordings = all.map(customerWording);
  expect(wordings.filter((wording) => wording.length < 3)).toEqual([]);
  const bad = wordings.flat().filter((sentence) => !/^[A-Z].*\.$/u.test(sentence) || NEVER.test(sentence));
  expect([...new Set(bad)]).toEqual([]);
});

function done(one: CustomerTold): string[] {
  return customerWording(one).slice(2);
}

function past(changes: Partial<PastAward> = {}): PastAward {
  return {
    orderId: 'o-1',
    incident: 'late',
    class: 'money',
    kind: 'store_credit',
    months: null,
    points: null,
    amount: usd(300),
    at: MET_AT,
    status: 'applied',
    ...changes,
  };
}

/** Locales separate with spaces of all widths. */
function plainSpaces(sentences: readonly string[]): string[] {
  return sentences.map((sentence) => sentence.replace(/[\u00a0\u202f]/g, ' '));
}
