import { describe, expect, test } from '@jest/globals';
import { type Letter, TEMPLATE_NAMES, templateFor } from '../../src/messages/letter.js';
import { loadLetterTexts } from '../../src/messages/load-letter-texts.js';
import { type RenderedLetter, renderLetter } from '../../src/messages/render.js';
import { sampleLetter } from '../../src/messages/samples.js';

const TEXTS = await loadLetterTexts(null);
const rendered = (letter: Letter): RenderedLetter => renderLetter(letter, TEXTS);

const NEW_YORK = 'America/New_York';
const MONTH = { kind: 'membership_extension', months: 1, endsOn: null } as const;
const credit = (amountMinor: number, currency: string) =>
  ({ kind: 'store_credit', amount: { amountMinor, currency }, expiresOn: null }) as const;

/** Promised for Thursday, came on Friday at 14:02 in New York: a member gets a month. */
function lateDelivered(changes: Partial<Letter> = {}): Letter {
  const came = new Date('2026-11-06T19:02:00Z');
  return {
    template: 'late-delivered',
    shopName: 'Lindgren & Sons',
    customer: { name: 'Ann Lee', locale: 'en-US' },
    orderId: '1042',
    asOf: new Date('2026-11-06T20:00:00Z'),
    promise: { on: '2026-11-05', timeZone: NEW_YORK },
    verdict: 'late',
    metAt: came,
    metBy: 'delivered',
    deliveredAt: came,
    lateDays: 1,
    lateMinutes: 842,
    lastScan: null,
    estimate: null,
    occasion: null,
    awards: [MONTH],
    isTopUp: false,
    callPlanned: false,
    ...changes,
  };
}

/** Promised for Thursday, and on Saturday still not there. */
function lateOverdue(changes: Partial<Letter> = {}): Letter {
  return lateDelivered({
    template: 'late-overdue',
    verdict: 'overdue',
    asOf: new Date('2026-11-07T20:00:00Z'),
    metAt: null,
    metBy: null,
    deliveredAt: null,
    lateDays: 2,
    lateMinutes: 2_340,
    lastScan: { status: 'in_transit', at: new Date('2026-11-06T02:00:00Z') },
    ...changes,
  });
}

/** One believable letter of each kind. */
const SAMPLES = {
  'late-delivered': lateDelivered(),
  'late-overdue': lateOverdue(),
  'occasion-missed': lateDelivered({
    template: 'occasion-missed',
    promise: { on: '2026-12-23', timeZone: NEW_YORK },
    asOf: new Date('2026-12-26T20:00:00Z'),
    metAt: new Date('2026-12-26T18:00:00Z'),
    deliveredAt: new Date('2026-12-26T18:00:00Z'),
    lateDays: 3,
    occasion: { name: 'christmas', on: '2026-12-24' },
    awards: [MONTH, credit(2000, 'USD')],
    callPlanned: true,
  }),
  'top-up': lateOverdue({
    template: 'top-up',
    asOf: new Date('2026-11-10T20:00:00Z'),
    lateDays: 5,
    awards: [credit(299, 'USD')],
    isTopUp: true,
  }),
  lost: lateOverdue({
    template: 'lost',
    verdict: 'lost',
    awards: [{ kind: 'replacement', twoDayShipping: true, arrivesOn: '2026-11-18' }],
  }),
  'not-received': lateDelivered({
    template: 'not-received',
    verdict: 'on_time',
    awards: [{ kind: 'replacement', twoDayShipping: true, arrivesOn: null }, { kind: 'gift' }],
  }),
  damaged: lateDelivered({
    template: 'damaged',
    verdict: 'damaged',
    awards: [{ kind: 'refund', amount: { amountMinor: 5990, currency: 'USD' }, arrivesOn: null }],
  }),
  returned: lateOverdue({
    template: 'returned',
    verdict: 'returned',
    awards: [{ kind: 'refund', amount: { amountMinor: 5990, currency: 'USD' }, arrivesOn: '2026-11-12' }],
  }),
  'award-approved': lateDelivered({ template: 'award-approved', awards: [credit(6_000, 'USD')] }),
  goodwill: lateDelivered({
    template: 'goodwill',
    awards: [{ kind: 'points', points: 1_200, expiresOn: '2027-11-05' }],
  }),
};

/** Locales write no-break spaces into dates and money; a reader sees spaces. */
const seen = (text: string) => text.replace(/[\u00a0\u202f]/g, ' ');
const textOf = (letter: Letter) => seen(rendered(letter).text);
const subjectOf = (letter: Letter) => seen(rendered(letter).subject);

describe('the whole letter', () => {
  test('late and delivered, to a member', () => {
    expect(subjectOf(SAMPLES['late-delivered'])).toBe('Order 1042 came a day late: one free month added');
    expect(textOf(SAMPLES['late-delivered'])).toBe(`Hello Ann Lee,

We promised you order 1042 for Thursday, November 5. It came on Friday, November 6, a day late.

We gave you that day and did not keep it. We are sorry that you waited that day and nothing came.

To make up for it, we have already done this for you. There is nothing you need to do.

- One free month, added to your membership.

Order: 1042
Promised: Thursday, November 5, 2026
Delivered: Friday, November 6, 2026

Is anything still not right? Just reply to this mail: a person on our team reads every answer.

The team at Lindgren & Sons
`);
  });

  test('not there yet: where it is, and honestly that the new day is not known', () => {
    expect(subjectOf(SAMPLES['late-overdue'])).toBe('Order 1042 is 2 days late: one free month added');
    expect(textOf(SAMPLES['late-overdue'])).toBe(`Hello Ann Lee,

We promised you order 1042 for Thursday, November 5. It is now Saturday, November 7, 2 days later, and it is still not with you.

We gave you that day and did not keep it. We are sorry that you are still waiting.

We do not know the new day yet. The last news of it is from Thursday, November 5: it was on its way.

To make up for it, we have already done this for you. There is nothing you need to do.

- One free month, added to your membership.

Order: 1042
Promised: Thursday, November 5, 2026

Is anything still not right? Just reply to this mail: a person on our team reads every answer.

The team at Lindgren & Sons
`);
  });

  test('a missed occasion, with a month, a credit and a call', () => {
    expect(subjectOf(SAMPLES['occasion-missed'])).toBe(
      'Order 1042 missed December 24: one free month and $20.00 credit added',
    );
    expect(textOf(SAMPLES['occasion-missed'])).toBe(`Hello Ann Lee,

We promised you order 1042 for Wednesday, December 23. It came on Saturday, December 26, 3 days late.

It was meant for Thursday, December 24 (Christmas), and on that day it was not there. We cannot give you the day back, and we are sorry that you spent it without what you had planned for it.

To make up for it, we have already done this for you. There is nothing you need to do.

- One free month, added to your membership.
- $20.00 of credit, in your account now.

We also want to tell you in person that we are sorry. One of us will telephone you and ask what would help.

Order: 1042
Promised: Wednesday, December 23, 2026
Needed for: Thursday, December 24, 2026 (Christmas)
Delivered: Saturday, December 26, 2026

Is anything still not right? Just reply to this mail: a person on our team reads every answer.

The team at Lindgren & Sons
`);
  });

  test('more than we gave at first', () => {
    expect(subjectOf(SAMPLES['top-up'])).toBe('Order 1042 is 5 days late: $2.99 more credit added');
    const text = textOf(SAMPLES['top-up']);
    expect(text).toContain(
      'We wrote to you before about order 1042, which we had promised you for Thursday, November 5.',
    );
    expect(text).toContain(
      'What we gave you then was meant for a shorter wait. We are sorry that yours is still going on.',
    );
    expect(text).toContain('We have added the difference already. There is nothing you need to do.');
    expect(text).toContain('- Another $2.99 of credit, in your account now.');
  });

  test('approved later: told as more, without telling what happened twice', () => {
    expect(subjectOf(SAMPLES['award-approved'])).toBe('Order 1042: we have added to it: $60.00 credit added');
    expect(textOf(SAMPLES['award-approved'])).toContain(
      'One of us has looked at it again since, and has done more for you.',
    );
    expect(textOf(SAMPLES['award-approved'])).toContain('- $60.00 of credit, in your account now.');
  });

  test('given by hand: what was done, and nothing of lateness, which may not be the reason', () => {
    expect(subjectOf(SAMPLES.goodwill)).toBe('Order 1042: 1,200 points added');
    expect(textOf(SAMPLES.goodwill)).toContain('One of us has looked at your order 1042.');
    expect(textOf(SAMPLES.goodwill)).toContain(
      '- 1,200 points, in your account now and good until Friday, November 5, 2027.',
    );
    expect(textOf(SAMPLES.goodwill)).not.toContain('late');
  });

  test('a replacement says on which day it leaves', () => {
    const letter = lateOverdue({
      template: 'lost',
      verdict: 'lost',
      awards: [{ kind: 'replacement', twoDayShipping: true, shipsOn: '2026-11-09', arrivesOn: null }],
    });
    expect(textOf(letter)).toContain(
      'sent to you by two-day shipping, at no cost to you. It leaves on Monday, November 9.',
    );
  });

  test('lost, not received, damaged, returned', () => {
    expect(subjectOf(SAMPLES.lost)).toBe('Order 1042 is lost: we are sending a replacement');
    expect(textOf(SAMPLES.lost)).toContain(
      'We have lost it on its way to you. The last news of it is from Thursday, November 5, and there has been none since.',
    );
    expect(textOf(SAMPLES.lost)).toContain(
      '- A replacement, sent to you by two-day shipping, at no cost to you. It should be with you on Wednesday, November 18.',
    );
    expect(subjectOf(SAMPLES['not-received'])).toBe('Order 1042 did not reach you: we are sending a replacement');
    expect(textOf(SAMPLES['not-received'])).toContain(
      'You told us that order 1042 is not with you, although it is shown as delivered on Friday, November 6. We take your word for it.',
    );
    expect(textOf(SAMPLES['not-received'])).not.toContain('Delivered:');
    expect(subjectOf(SAMPLES.damaged)).toBe('Order 1042 was damaged on its way to you: $59.90 refunded');
    expect(textOf(SAMPLES.damaged)).toContain(
      '- $59.90, refunded the way you paid. How soon you see it depends on your bank.',
    );
    expect(subjectOf(SAMPLES.returned)).toBe('Order 1042 is on its way back to us: $59.90 refunded');
    expect(textOf(SAMPLES.returned)).toContain('You should see it by Thursday, November 12.');
  });
});

describe('days, times and money are the customer’s own', () => {
  const CASES = [
    ['en-US', 'USD', 'Thursday, November 5, 2026', '$20.00'],
    ['en-GB', 'GBP', 'Thursday, 5 November 2026', '£20.00'],
    // No language of letters: English, as it is written there.
    ['ja-JP', 'JPY', 'Thursday, November 5, 2026', '¥2,000'],
    ['fr-CH', 'CHF', 'Thursday, 5 November 2026', 'CHF 20.00'],
    ['sv_SE', 'SEK', 'Thursday, 5 November 2026', '20,00 kr'],
    ['th-TH-u-ca-buddhist', 'THB', 'Thursday, November 5, 2026', 'THB 20.00'],
    // Unusable tags fall to en-US, never to the language of the server.
    [null, 'USD', 'Thursday, November 5, 2026', '$20.00'],
    ['', 'USD', 'Thursday, November 5, 2026', '$20.00'],
    ['xx-YY', 'USD', 'Thursday, November 5, 2026', '$20.00'],
    ['<b>', 'USD', 'Thursday, November 5, 2026', '$20.00'],
    ['en-US-u-ca-hebrew', 'USD', 'Thursday, November 5, 2026', '$20.00'],
  ] as const;
  for (const [locale, currency, day, money] of CASES) {
    test(`${locale} reads ${day} and ${money}`, () => {
      const letter = lateDelivered({ customer: { name: 'Ann', locale }, awards: [credit(2000, currency)] });
      expect(textOf(letter)).toContain(`Promised: ${day}\n`);
      expect(textOf(letter)).toContain(`- ${money} of credit, in your account now.`);
      expect(subjectOf(letter)).toContain(`${money} credit added`);
    });
  }

  test('the local day is the one at the destination, not ours and not UTC', () => {
    // 03:30 UTC on the 7th is still the 6th in New York, and 01:30 on the 8th in Kiritimati is the 7th in UTC.
    const late = { metAt: new Date('2026-11-07T03:30:00Z'), deliveredAt: new Date('2026-11-07T03:30:00Z') };
    expect(textOf(lateDelivered(late))).toContain('Delivered: Friday, November 6, 2026');
    const kiritimati = lateDelivered({
      promise: { on: '2026-11-07', timeZone: 'Pacific/Kiritimati' },
      metAt: new Date('2026-11-07T11:30:00Z'),
      deliveredAt: new Date('2026-11-07T11:30:00Z'),
    });
    expect(textOf(kiritimati)).toContain('It came on Sunday, November 8, a day late.');
  });

  test('the year is told in the sentence when it is not the letter’s own', () => {
    const letter = lateDelivered({
      promise: { on: '2026-12-31', timeZone: NEW_YORK },
      asOf: new Date('2027-01-02T20:00:00Z'),
      metAt: new Date('2027-01-02T18:00:00Z'),
      lateDays: 2,
    });
    expect(textOf(letter)).toContain(
      'We promised you order 1042 for Thursday, December 31, 2026. It came on Saturday, January 2, 2 days late.',
    );
  });

  test('a zone that this system does not know is told in UTC, and says so', () => {
    const letter = lateDelivered({
      promise: { at: new Date('2026-11-05T18:00:00Z'), timeZone: 'Mars/Olympus' },
      metAt: new Date('2026-11-05T20:00:00Z'),
      lateDays: 0,
      lateMinutes: 120,
    });
    expect(textOf(letter)).toContain(
      'by 6:00 PM UTC on Thursday, November 5. It came at 8:00 PM UTC that day, 2 hours late.',
    );
  });
});

describe('a promised time', () => {
  /** Promised by 18:00 in Berlin on Thursday. */
  const byEvening = (changes: Partial<Letter>) =>
    lateDelivered({
      promise: { at: new Date('2026-11-05T17:00:00Z'), timeZone: 'Europe/Berlin' },
      lateDays: 0,
      ...changes,
    });
  const came = (iso: string) => ({ metAt: new Date(iso), deliveredAt: new Date(iso) });

  const SAME_DAY = [
    ['2026-11-05T17:00:30Z', 0, 'at 6:00 PM GMT+1 that day, less than a minute late.'],
    ['2026-11-05T17:01:00Z', 1, 'at 6:01 PM GMT+1 that day, a minute late.'],
    ['2026-11-05T17:35:00Z', 35, 'at 6:35 PM GMT+1 that day, 35 minutes late.'],
    ['2026-11-05T18:00:00Z', 60, 'at 7:00 PM GMT+1 that day, an hour late.'],
    ['2026-11-05T19:15:00Z', 135, 'at 8:15 PM GMT+1 that day, 2 hours and 15 minutes late.'],
  ] as const;
  for (const [at, lateMinutes, words] of SAME_DAY) {
    test(`missed by ${lateMinutes} minutes reads "${words}"`, () => {
      const text = textOf(byEvening({ ...came(at), lateMinutes }));
      expect(text).toContain(`We promised you order 1042 by 6:00 PM GMT+1 on Thursday, November 5. It came ${words}`);
      expect(text).toContain(
        'We gave you that time and did not keep it. We are sorry for the time you spent waiting for us.',
      );
    });
  }

  test('across midnight by a few hours: told in hours, with the day', () => {
    const letter = byEvening({ ...came('2026-11-05T23:30:00Z'), lateDays: 1, lateMinutes: 390 });
    expect(textOf(letter)).toContain('It came at 12:30 AM GMT+1 on Friday, November 6, 6 hours and 30 minutes late.');
    expect(textOf(letter)).toContain('Delivered: Friday, November 6, 2026, 12:30 AM GMT+1');
  });

  test('a scan that knows only the date is not given a time', () => {
    const letter = byEvening({ ...came('2026-11-05T23:00:00Z'), lateDays: 1, lateMinutes: 360 });
    expect(textOf(letter)).toContain('It came on Friday, November 6, a day late.');
    expect(textOf(letter)).toContain('Delivered: Friday, November 6, 2026\n');
  });

  test('missed by more than half a day: told in days', () => {
    const letter = byEvening({ ...came('2026-11-06T10:00:00Z'), lateDays: 1, lateMinutes: 1_020 });
    expect(textOf(letter)).toContain('It came on Friday, November 6, a day late.');
  });

  test('in the customer’s own clock', () => {
    const letter = byEvening({
      ...came('2026-11-05T19:15:00Z'),
      lateMinutes: 135,
      customer: { name: null, locale: 'en-GB' },
    });
    expect(textOf(letter)).toContain('by 18:00 CET on Thursday 5 November. It came at 20:15 CET that day');
  });

  test('not there yet, on the same evening', () => {
    const letter = lateOverdue({
      promise: { at: new Date('2026-11-05T17:00:00Z'), timeZone: 'Europe/Berlin' },
      asOf: new Date('2026-11-05T20:00:00Z'),
      lateDays: 0,
      lateMinutes: 180,
    });
    expect(textOf(letter)).toContain(
      'It is now 9:00 PM GMT+1 on Thursday, November 5, 3 hours later, and it is still not with you.',
    );
    expect(subjectOf(letter)).toBe('Order 1042 is 3 hours late: one free month added');
  });
});

describe('where it is now', () => {
  test('a new day is told; one that has passed is not', () => {
    expect(textOf(lateOverdue({ estimate: { on: '2026-11-09' } }))).toContain(
      'We now expect it on Monday, November 9.',
    );
    expect(textOf(lateOverdue({ estimate: { on: '2026-11-07' } }))).toContain(
      'We now expect it on Saturday, November 7.',
    );
    const at = { at: new Date('2026-11-10T03:00:00Z') };
    expect(textOf(lateOverdue({ estimate: at }))).toContain('Expected now: Monday, November 9, 2026');
    const passed = textOf(lateOverdue({ estimate: { on: '2026-11-06' } }));
    expect(passed).toContain('We do not know the new day yet.');
    expect(passed).not.toContain('expect it');
  });

  test('an attempt is not called a delivery', () => {
    const tried = textOf(lateDelivered({ metBy: 'attempted', deliveredAt: null }));
    expect(tried).toContain(
      'We first tried to hand it over on Friday, November 6, a day late. It is not with you yet.',
    );
    expect(tried).toContain('First attempt: Friday, November 6, 2026');
    expect(tried).not.toContain('Delivered');
    const then = textOf(lateDelivered({ metBy: 'attempted', deliveredAt: new Date('2026-11-07T15:00:00Z') }));
    expect(then).toContain('It was handed over on Saturday, November 7.');
    const waiting = textOf(lateDelivered({ metBy: 'available_for_pickup', deliveredAt: null }));
    expect(waiting).toContain(
      'It was ready for you at the pickup point on Friday, November 6, a day late. It is waiting for you there.',
    );
  });
});

describe('what was given', () => {
  const line = (award: Letter['awards'][number], changes: Partial<Letter> = {}) =>
    textOf(lateDelivered({ awards: [award], ...changes }))
      .split('\n')
      .find((one) => one.startsWith('- '));

  test('each kind, with its exact amount', () => {
    expect(line({ kind: 'membership_extension', months: 2, endsOn: '2027-05-01' })).toBe(
      '- 2 free months, added to your membership, which now runs until Saturday, May 1, 2027.',
    );
    expect(line({ ...credit(305, 'USD'), expiresOn: '2027-11-06' })).toBe(
      '- $3.05 of credit, in your account now and good until Saturday, November 6, 2027.',
    );
    expect(line({ kind: 'shipping_refund', amount: { amountMinor: 599, currency: 'USD' }, arrivesOn: null })).toBe(
      '- Your shipping costs of $5.99, refunded the way you paid. How soon you see it depends on your bank.',
    );
    expect(line({ kind: 'points', points: 1500, expiresOn: null })).toBe('- 1,500 points, in your account now.');
    expect(line({ kind: 'replacement', twoDayShipping: false, arrivesOn: null })).toBe(
      '- A replacement, sent to you, at no cost to you.',
    );
    expect(line({ kind: 'gift' })).toBe('- A small gift from us, sent to you as well.');
    expect(line(MONTH, { isTopUp: true })).toBe('- One more free month, added to your membership.');
  });

  test('with nothing given and nobody calling, the letter claims nothing', () => {
    const letter = lateDelivered({ awards: [] });
    expect(subjectOf(letter)).toBe('Order 1042 came a day late');
    expect(textOf(letter)).not.toMatch(/make up|already|- /);
  });

  test('a call alone is told', () => {
    const letter = lateDelivered({ awards: [], callPlanned: true });
    expect(subjectOf(letter)).toBe('Order 1042 came a day late: we will call you');
    expect(textOf(letter)).toContain('One of us will telephone you');
  });

  test('a long order number and many awards keep the fact and lose the list', () => {
    const letter = lateDelivered({
      orderId: 'e481f51cbdc54678b7cc49136f2d6af7',
      awards: [
        MONTH,
        credit(2000, 'USD'),
        { kind: 'shipping_refund', amount: { amountMinor: 599, currency: 'USD' }, arrivesOn: null },
      ],
    });
    expect(subjectOf(letter)).toBe('Order e481f51cbdc54678b7cc49136f2d6af7 came a day late: already made good');
  });
});

/** The words of a page as a reader gets them: without markup, entities resolved. */
function wordsOf(html: string): string {
  return html
    .replace(/<(head|style)[\s\S]*?<\/\1>/g, ' ')
    .replace(/<\/th>/g, ': ')
    .replace(/<a href="([^"]*)"[^>]*>([^<]*)<\/a>/g, '$2: $1 ')
    .replace(/<[^>]*>/g, ' ')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');
}
const words = (text: string) => text.replace(/\s+/g, ' ').replace(/ :/g, ':').trim();

describe('every letter', () => {
  for (const template of TEMPLATE_NAMES) {
    const letter = sampleLetter(template, 'en');
    const { subject, text, html } = rendered(letter);
    const givesSomething = letter.awards.length > 0 && template !== 'correction';

    test(`${template}: text and HTML say the same, links and all`, () => {
      expect(words(wordsOf(html))).toBe(words(text.replace(/^- /gm, '')));
    });

    test(`${template}: the tone`, () => {
      for (const part of [subject, text, wordsOf(html)]) {
        expect(part).not.toMatch(/[!‽]/);
        expect(part).not.toMatch(
          /never again|inconvenience|unfortunately|valued customer|carrier|\bif\b|shop now|discount|waive/i,
        );
        expect(part).not.toMatch(/undefined|null|NaN|Invalid|\[object|\{\{/);
      }
      if (!['order-confirmed', 'shipped'].includes(template)) expect(text).toMatch(/\bsorry\b/);
      if (givesSomething) expect(text).toContain('nothing you need to do');
      expect(text).toContain('a person on our team reads every answer');
      expect(subject.length).toBeLessThan(90);
      expect(subject).toContain('1042');
    });

    test(`${template}: HTML without images, scripts or outside styles, in any colour scheme, and no address but the letter’s own`, () => {
      expect(html).toMatch(/^<!doctype html>\n<html lang="en">/);
      expect(html).toContain('<meta name="color-scheme" content="light dark">');
      expect(html).not.toMatch(/<(img|script|link|style|iframe)\b|url\(|background|[^-;"]color:(?!inherit)/i);
      const own = [
        letter.unsubscribeUrl,
        letter.answerUrls?.yes,
        letter.answerUrls?.no,
        ...(letter.parcels ?? []).map(({ trackingUrl }) => trackingUrl),
      ].filter((url) => url);
      const links = [...html.matchAll(/https?:[^"]*/g)].map(([url]) => url.replaceAll('&amp;', '&'));
      expect(links.sort()).toEqual(own.sort());
      expect(html).toContain('<th scope="row"');
    });

    test(`${template}: the same facts give the same letter`, () => {
      expect(rendered(structuredClone(letter))).toEqual({ subject, text, html });
    });
  }
});

describe('the frame', () => {
  test('a named person signs, else the team does', () => {
    const signed = (signedBy: Letter['signedBy']) =>
      textOf(lateDelivered(signedBy === undefined ? {} : { signedBy }))
        .trimEnd()
        .split('\n')
        .at(-1);
    expect(signed({ name: 'Jana Keller', role: 'Customer Care' })).toBe('Jana Keller, Customer Care, Lindgren & Sons');
    expect(signed({ name: 'Jana Keller', role: null })).toBe('Jana Keller, Lindgren & Sons');
    for (const nobody of [undefined, null, { name: ' \n', role: 'Customer Care' }]) {
      expect(signed(nobody)).toBe('The team at Lindgren & Sons');
    }
  });

  test('asks whether it made things right only where both answers lead somewhere', () => {
    const asked = textOf(lateDelivered({ answerUrls: { yes: 'https://a.example/y', no: 'http://a.example/n' } }));
    expect(asked).toContain(`Did this make it right?

Yes, it did:
https://a.example/y
No, it did not:
http://a.example/n

Is anything still not right?`);
    for (const no of ['javascript:alert(1)', 'data:text/html,x', '/relative', 'mailto:a@b.example', '']) {
      const { text, html } = rendered(lateDelivered({ answerUrls: { yes: 'https://a.example/y', no } }));
      expect(text).not.toContain('Did this make it right?');
      expect(html).not.toContain('<a ');
    }
  });

  test('an address keeps its meaning in HTML, whatever is in it', () => {
    const url = 'https://a.example/x?a=1&b="><script>\'\n2';
    const { text, html } = rendered(lateDelivered({ unsubscribeUrl: url }));
    expect(html).toContain('<a href="https://a.example/x?a=1&amp;b=%22%3E%3Cscript%3E%272"');
    expect(text.trimEnd().split('\n').at(-1)).toBe('https://a.example/x?a=1&b=%22%3E%3Cscript%3E%272');
  });
});

describe('parcels', () => {
  const parcel = (changes: Partial<NonNullable<Letter['parcels']>[number]> = {}) => ({
    carrier: 'USPS',
    trackingNumber: '9400',
    trackingUrl: null,
    status: 'in_transit' as const,
    deliveredAt: null,
    estimate: null,
    ...changes,
  });

  test('several: each with its state, and its way where one is known', () => {
    const parcels = [
      parcel({ status: 'delivered', deliveredAt: new Date('2026-11-06T03:00:00Z') }),
      parcel({ trackingNumber: '9401', trackingUrl: 'https://t.example/9401', estimate: { on: '2026-11-09' } }),
      parcel({ trackingNumber: '9402', trackingUrl: 'ftp://t.example/9402', estimate: { on: '2026-11-06' } }),
    ];
    const text = textOf(lateOverdue({ parcels }));
    expect(text).toContain('2 days later, and not all of it is with you.');
    expect(text).toContain(`It travels in 3 parcels. Where each of them is:

- USPS 9400: delivered on Thursday, November 5.
- USPS 9401: on its way, expected on Monday, November 9.
  Follow this parcel:
  https://t.example/9401
- USPS 9402: on its way.
`);
  });

  test('a single one that has come is not told of twice', () => {
    expect(textOf(lateDelivered({ parcels: [parcel({ status: 'delivered' })] }))).not.toContain('USPS');
    expect(textOf(lateOverdue({ parcels: [parcel()] }))).toContain('Where it is:\n\n- USPS 9400: on its way.\n');
  });
});

describe('what is not in every letter', () => {
  test('the cause is told only where it is known and blames nobody', () => {
    const told = (cause: Letter['cause']) => textOf(lateOverdue({ cause: cause ?? null }));
    expect(told('weather')).toContain('it was on its way. The weather held it up on the way.');
    for (const cause of ['address', 'refused', 'payment', 'unclaimed', 'other', 'lost', null] as const) {
      expect(told(cause)).toBe(textOf(lateOverdue()));
    }
  });

  test('a correction of what came in time lets stand what was given; one of a reversal says exactly what is gone', () => {
    const base = sampleLetter('correction', 'en');
    const inTime = { ...base, verdict: 'on_time', correctionOf: 'came_in_time', awards: [], lateMinutes: 0 } as const;
    expect(subjectOf(inTime)).toBe('Order 1042: it came in time, and what we gave you stays yours');
    expect(textOf(inTime)).toContain('We were wrong. It came on Friday, November 6. That was in time.');
    expect(textOf(inTime)).toContain('What we gave you for it stays yours.');
    const gone = {
      ...base,
      awards: [MONTH, credit(598, 'USD'), { kind: 'points', points: 1, expiresOn: null }],
    } as const;
    expect(textOf(gone)).toContain(
      '- One free month of your membership.\n- $5.98 of credit in your account.\n- 1 point in your account.\n',
    );
    expect(textOf(gone)).not.toMatch(/already done|make up for it/);
  });

  test('declined: the one reason that it was, and how to object', () => {
    const told = (declinedBecause: Letter['declinedBecause']) =>
      textOf({ ...sampleLetter('declined', 'en'), declinedBecause: declinedBecause ?? null });
    const REASONS = [
      ['customer_fault', 'something had to be settled from your side'],
      ['customs', 'Customs held it on the way.'],
      ['force_majeure', 'Weather, or something as far out of reach'],
      ['holdout', 'One of us has looked at everything we know about it'],
      [null, 'One of us has looked at everything we know about it'],
    ] as const;
    for (const [code, words] of REASONS) {
      const text = told(code);
      expect(REASONS.filter(([, others]) => text.includes(others)).map(([, others]) => others)).toEqual(
        REASONS.filter(([, others]) => others === words).map(([, others]) => others),
      );
      expect(text).toContain('a person who has not decided on it before looks at it again');
    }
  });

  test('a member is told what membership is for, anybody else is not', () => {
    expect(textOf(lateDelivered({ isMember: true }))).toContain('what you are a member for');
    expect(textOf(lateDelivered({ isMember: false }))).not.toContain('member for');
  });
});

describe('bad input', () => {
  const HOSTILE = '<img src=x onerror="alert(\'1\')"> & {{x}}"Ann"\r\nBcc: eve@evil.example\u202e\u0000';
  for (const template of TEMPLATE_NAMES) {
    test(`${template}: markup, line ends, tags and direction overrides from outside are only text`, () => {
      const sample = sampleLetter(template, 'en');
      const { subject, text, html } = rendered({
        ...sample,
        shopName: HOSTILE,
        orderId: HOSTILE,
        customer: { name: HOSTILE, locale: HOSTILE },
        occasion: { name: HOSTILE, on: '2026-12-24' },
        service: { kind: HOSTILE, title: HOSTILE },
        signedBy: { name: HOSTILE, role: HOSTILE },
        parcels: (sample.parcels ?? []).map((one) => ({ ...one, carrier: HOSTILE, trackingNumber: HOSTILE })),
      });
      expect(html).not.toMatch(/<img|"alert|\u202e|\p{Cc}(?<!\n)/u);
      expect(html).toContain(
        '&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt; &amp; {{x}}&quot;Ann&quot; Bcc:',
      );
      expect(subject).not.toMatch(/[\p{Cc}\u202e]/u);
      expect(subject.length).toBeLessThan(90);
      expect(text).not.toMatch(/\u202e|\p{Cc}(?<!\n)|^Bcc/mu);
      expect(words(wordsOf(html))).toBe(words(text.replace(/^- /gm, '')));
    });

    test(`${template}: nothing from outside adds a paragraph, and a zone that is gone is no reason not to write`, () => {
      const sample = sampleLetter(template, 'en');
      const paragraphs = (letter: Letter) => rendered(letter).text.split('\n\n').length;
      const promise = { ...sample.promise, timeZone: 'Mars/Olympus' };
      const name = `${'A'.repeat(300)}\n\n{{> facts}}\n\n`;
      const changed = { ...sample, promise, orderId: name, customer: { name, locale: 'xx-XX' } };
      expect(paragraphs(changed)).toBe(paragraphs(sample));
    });
  }

  test('a name of nothing is left out; a long one is cut between characters', () => {
    expect(textOf(lateDelivered({ customer: { name: ' \n', locale: null } }))).toMatch(/^Hello,\n/);
    const long = textOf(lateDelivered({ customer: { name: '😀'.repeat(300), locale: null } }));
    expect(long.split('\n')[0]).toBe(`Hello ${'😀'.repeat(59)}…,`);
    const { subject } = rendered(lateDelivered({ orderId: '😀'.repeat(300) }));
    expect(subject.length).toBeLessThan(90);
    expect(subject).not.toMatch(/[\ud800-\udbff](?![\udc00-\udfff])/);
  });
});

describe('templateFor', () => {
  const CASES = [
    ['late', 'late', false, false, 'late-delivered'],
    ['late', 'overdue', false, false, 'late-overdue'],
    ['late', 'late', false, true, 'top-up'],
    ['late', 'overdue', false, true, 'top-up'],
    ['late', 'late', true, false, 'occasion-missed'],
    ['late', 'overdue', true, true, 'occasion-missed'],
    ['lost', 'lost', false, false, 'lost'],
    ['lost', 'lost', false, true, 'lost'],
    ['not_received', 'on_time', false, false, 'not-received'],
    ['damaged', 'damaged', false, false, 'damaged'],
    ['returned', 'returned', false, false, 'returned'],
  ] as const;
  for (const [incident, verdict, occasionMissed, isTopUp, expected] of CASES) {
    test(`${incident}, ${verdict}${occasionMissed ? ', occasion missed' : ''}${isTopUp ? ', top-up' : ''}: ${expected}`, () => {
      const plain = { incident, verdict, occasionMissed, isTopUp, isAddition: false };
      expect(templateFor({ ...plain, earlierFailures: 0 })).toBe(expected);
      const isFirstOfLate = expected === 'late-delivered' || expected === 'late-overdue';
      expect(templateFor({ ...plain, earlierFailures: 1 })).toBe(isFirstOfLate ? 'second-failure' : expected);
      for (const earlierFailures of [2, 3, 12])
        expect(templateFor({ ...plain, earlierFailures })).toBe(isFirstOfLate ? 'third-failure' : expected);
    });
  }

  test('what a person gave by hand, and whatever was approved after a letter, have templates of their own', () => {
    const plain = { verdict: 'late', occasionMissed: true, isTopUp: true, earlierFailures: 2 } as const;
    expect(templateFor({ ...plain, incident: 'manual', isAddition: false })).toBe('goodwill');
    expect(templateFor({ ...plain, incident: 'late', isAddition: true })).toBe('award-approved');
  });
});
