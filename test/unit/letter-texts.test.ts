import { describe, expect, test } from '@jest/globals';
import { type Letter, type LetterAward, TEMPLATE_NAMES } from '../../src/messages/letter.js';
import { letterLocale } from '../../src/messages/letter-texts.js';
import { loadLetterTexts } from '../../src/messages/load-letter-texts.js';
import { renderLetter } from '../../src/messages/render.js';
import { sampleLetter } from '../../src/messages/samples.js';
import type { Language } from '../../src/messages/text-rules.js';
import { formatMoney } from '../../src/money.js';

const TEXTS = await loadLetterTexts(null);
const LANGUAGES = [...TEXTS.keys()];
const EVERY = LANGUAGES.flatMap((language) => TEMPLATE_NAMES.map((template) => [language, template] as const));
const rendered = (letter: Letter) => renderLetter(letter, TEXTS);

const HOSTILE = '<b onclick="x(\'1\')">&amp; {{orderId}} "Ann"\r\n\r\nBcc: eve@evil.example\u202e\u0000';

/** What of an award must be in the letter to the character. */
function amountOf(award: LetterAward, locale: string): string | null {
  switch (award.kind) {
    case 'store_credit':
    case 'refund':
    case 'shipping_refund':
      return formatMoney(award.amount, locale);
    case 'points':
      return new Intl.NumberFormat(locale).format(award.points);
    case 'membership_extension':
      return award.months === 1 ? null : String(award.months);
    case 'replacement':
    case 'gift':
      return null;
  }
}

describe.each(EVERY)('%s, %s', (language, template) => {
  const letter = sampleLetter(template, language);
  const { subject, text, html } = rendered(letter);

  test('is whole, short and quiet', () => {
    for (const part of [subject, text, html]) {
      expect(part).not.toMatch(/\{\{|\}\}|\bundefined\b|\bnull\b|NaN|Invalid Date|\[object/);
    }
    expect(`${subject}\n${text}`).not.toMatch(/[!¡]|\S {2,}| $/m);
    expect(html.replace('<!doctype html>', '')).not.toMatch(/[!¡]/);
    expect(subject.length).toBeLessThan(90);
    expect(subject).toContain('1042');
    expect(html).toContain(`<html lang="${language}">`);
    expect(html).toContain(`<div role="article" lang="${language}"`);
  });

  test('says the amount of every award, in text and HTML', () => {
    for (const award of letter.awards) {
      const amount = amountOf(award, letter.customer.locale ?? '');
      if (amount === null) continue;
      expect(text).toContain(amount);
      expect(html).toContain(amount);
    }
  });

  test('takes whatever comes from outside for text', () => {
    const hostile = rendered({
      ...letter,
      shopName: HOSTILE,
      orderId: HOSTILE,
      customer: { name: HOSTILE, locale: language },
      occasion: { name: HOSTILE, on: '2026-12-24' },
      service: { kind: HOSTILE, title: HOSTILE },
      signedBy: { name: HOSTILE, role: HOSTILE },
      promise: { ...letter.promise, timeZone: 'Atlantis/Capital' },
    });
    expect(hostile.subject).not.toMatch(/[\p{Cc}\u202e]/u);
    expect(hostile.subject.length).toBeLessThan(90);
    expect(hostile.text).not.toMatch(/\u202e|\p{Cc}(?<!\n)|^Bcc/mu);
    expect(hostile.html).not.toMatch(/<b[ >]|onclick="|\u202e|\p{Cc}(?<!\n)/u);
  });

  test('cuts names that have no end, between characters', () => {
    const long = '😀'.repeat(300);
    const { subject: cut, text: body } = rendered({
      ...letter,
      shopName: long,
      orderId: long,
      customer: { name: long, locale: language },
      signedBy: { name: long, role: long },
    });
    expect(cut.length).toBeLessThan(90);
    for (const part of [cut, body]) expect(part).not.toMatch(/[\ud800-\udbff](?![\udc00-\udfff])|😀{61}/u);
  });
});

/** Another form of the same facts must not lead to other phrases than those that were looked at. */
describe.each(LANGUAGES)('%s: what the samples do not show', (language) => {
  test('one and many of everything', () => {
    for (const count of [1, 2, 5, 21, 1_000]) {
      const awards = [
        { kind: 'membership_extension', months: count, endsOn: null },
        { kind: 'points', points: count, expiresOn: null },
      ] as const;
      for (const isTopUp of [true, false]) {
        const { text } = rendered({ ...sampleLetter('goodwill', language), awards, isTopUp });
        expect(text.match(/^- .+\.$/gm)).toHaveLength(2);
      }
      const { text } = rendered({ ...sampleLetter('late-delivered', language), lateDays: count });
      expect(text).not.toMatch(/ {2}|, ,|\. \./);
    }
  });

  test('a correction of what came in time', () => {
    const { subject, text } = rendered({
      ...sampleLetter('correction', language),
      verdict: 'on_time',
      correctionOf: 'came_in_time',
      awards: [],
      lateDays: 0,
      lateMinutes: 0,
    });
    expect(subject).not.toBe(rendered(sampleLetter('correction', language)).subject);
    expect(text.split('\n\n').length).toBeGreaterThan(4);
  });
});

describe('which language', () => {
  const CASES: readonly (readonly [string | null, Language, string])[] = [
    ['en-US', 'en', 'en-US'],
    ['en-GB', 'en', 'en-GB'],
    ['en', 'en', 'en'],
    ['de-AT', 'de', 'de-AT'],
    ['de_CH', 'de', 'de-CH'],
    ['DE-de', 'de', 'de-DE'],
    ['de-Latn-DE-u-ca-buddhist', 'de', 'de-DE'],
    ['fr-FR', 'en', 'en-FR'],
    ['ja', 'en', 'en-US'],
    ['', 'en', 'en-US'],
    [null, 'en', 'en-US'],
    ['<b>', 'en', 'en-US'],
    ['constructor', 'en', 'en-US'],
  ];
  test.each(CASES)('%s gets letters in %s, written as in %s', (given, language, locale) => {
    expect(letterLocale(given, TEXTS)).toEqual({ language, locale });
  });
});

describe('German', () => {
  /** No-break spaces are spaces to a reader. */
  const seen = (text: string) => text.replace(/[\u00a0\u202f]/g, ' ');

  test('a whole letter', () => {
    const { subject, text } = rendered(sampleLetter('second-failure', 'de'));
    expect(seen(subject)).toBe(
      'Bestellung 1042 kam wieder einen Tag zu spät: ein Gratismonat und 10,00 € gutgeschrieben',
    );
    expect(seen(text)).toBe(`Guten Tag Jonas Behrend,

wir hatten Ihnen die Bestellung 1042 für Donnerstag, 5. November zugesagt. Angekommen ist sie am Freitag, 6. November, einen Tag zu spät.

Es ist Ihnen wieder passiert, und es liegt an uns. Es tut uns leid, dass Sie sich ein zweites Mal nicht auf uns verlassen konnten.

Um das gutzumachen, haben wir dies bereits für Sie getan. Sie müssen nichts weiter tun.

- Ein Gratismonat, Ihrer Mitgliedschaft gutgeschrieben, die jetzt bis Mittwoch, 30. Juni 2027 läuft.
- 10,00 € Guthaben, ab sofort in Ihrem Konto und gültig bis Samstag, 6. November 2027.

Möchten Sie lieber darüber sprechen? Antworten Sie mit einer Zeit, die Ihnen passt, und jemand von uns ruft an.

Bestellung: 1042
Zugesagt: Donnerstag, 5. November 2026
Zugestellt: Freitag, 6. November 2026

Ist es damit für Sie wieder in Ordnung?

Ja, in Ordnung:
https://shop.example/a/9fKx?answer=yes
Nein, noch nicht:
https://shop.example/a/9fKx?answer=no

Stimmt noch etwas nicht? Antworten Sie einfach auf diese Mail: Ein Mensch aus unserem Team liest jede Antwort.

Elin Sandoval, Leiterin Kundenservice, Lindgren & Sons
`);
  });

  test('a promised time, in Swiss and Austrian money', () => {
    const letter: Letter = {
      ...sampleLetter('late-delivered', 'de'),
      promise: { at: new Date('2026-11-05T17:00:00Z'), timeZone: 'Europe/Zurich' },
      metAt: new Date('2026-11-05T19:15:00Z'),
      lateDays: 0,
      lateMinutes: 135,
      isMember: false,
      awards: [{ kind: 'store_credit', amount: { amountMinor: 123_450, currency: 'CHF' }, expiresOn: null }],
    };
    const swiss = seen(rendered({ ...letter, customer: { name: null, locale: 'de-CH' } }).text);
    expect(swiss).toContain('bis 18:00 MEZ am Donnerstag, 5. November zugesagt. Angekommen ist sie am selben Tag um');
    expect(swiss).toContain('20:15 MEZ, 2 Stunden und 15 Minuten zu spät.\n');
    expect(swiss).toContain('Diese Uhrzeit haben wir Ihnen genannt und nicht eingehalten. Es tut uns leid um die Zeit');
    expect(swiss).toMatch(/^- CHF 1['’]234\.50 Guthaben, ab sofort in Ihrem Konto\.$/m);
    expect(seen(rendered({ ...letter, customer: { name: null, locale: 'de-AT' } }).text)).toMatch(/CHF 1[. ]234,50/);
  });
});
