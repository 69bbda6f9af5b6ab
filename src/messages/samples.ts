import type { Letter, LetterAward, TemplateName } from './letter.js';
import type { Language } from './text-rules.js';

/** Who gets the samples of a language. All invented. */
const READERS = {
  en: {
    name: 'Ann Lee',
    locale: 'en-US',
    timeZone: 'America/New_York',
    currency: 'USD',
    carrier: 'USPS',
    occasion: 'christmas',
    care: 'Customer Care',
    head: 'Head of Customer Care',
  },
  de: {
    name: 'Jonas Behrend',
    locale: 'de-DE',
    timeZone: 'Europe/Berlin',
    currency: 'EUR',
    carrier: 'DHL',
    occasion: 'Weihnachten',
    care: 'Kundenservice',
    head: 'Leiterin Kundenservice',
  },
  es: {
    name: 'Lucía Robles',
    locale: 'es-ES',
    timeZone: 'Europe/Madrid',
    currency: 'EUR',
    carrier: 'Correos',
    occasion: 'nochebuena',
    care: 'Atención al cliente',
    head: 'Directora de Atención al cliente',
  },
  pt: {
    name: 'Marina Prado',
    locale: 'pt-BR',
    timeZone: 'America/Sao_Paulo',
    currency: 'BRL',
    carrier: 'Correios',
    occasion: 'véspera de Natal',
    care: 'Atendimento',
    head: 'Diretora de Atendimento',
  },
} as const;

const MONTH: LetterAward = { kind: 'membership_extension', months: 1, endsOn: '2027-06-30' };

/** A believable letter of each kind, always the same: to look at, and to hold texts against. */
export function sampleLetter(template: TemplateName, language: Language): Letter {
  return SAMPLES[template](language);
}

const SAMPLES: Readonly<Record<TemplateName, (language: Language) => Letter>> = {
  'order-confirmed': (language) =>
    waiting('order-confirmed', language, {
      asOf: new Date('2026-11-02T16:00:00Z'),
      unsubscribeUrl: 'https://shop.example/letters/off/tQ7c',
    }),
  shipped: (language) =>
    waiting('shipped', language, {
      parcels: [parcel(language, { status: 'in_transit', estimate: { on: '2026-11-05' } })],
      estimate: { on: '2026-11-05' },
      unsubscribeUrl: 'https://shop.example/letters/off/tQ7c',
    }),
  'at-risk': (language) =>
    waiting('at-risk', language, {
      asOf: new Date('2026-11-05T15:00:00Z'),
      cause: 'weather',
      estimate: { on: '2026-11-07' },
      parcels: [parcel(language, { status: 'exception', estimate: { on: '2026-11-07' } })],
      unsubscribeUrl: 'https://shop.example/letters/off/tQ7c',
    }),
  'late-delivered': (language) => late('late-delivered', language, { isMember: true }),
  'late-overdue': (language) =>
    overdue('late-overdue', language, {
      cause: 'misrouted',
      estimate: { on: '2026-11-09' },
      awards: [credit(language, 598)],
      parcels: [
        parcel(language, { status: 'delivered', deliveredAt: new Date('2026-11-05T18:20:00Z') }),
        parcel(language, {
          trackingNumber: '9400100000000000002041',
          status: 'in_transit',
          estimate: { on: '2026-11-09' },
        }),
      ],
    }),
  'second-failure': (language) =>
    late('second-failure', language, {
      isMember: true,
      signedBy: senior(language),
      awards: [MONTH, credit(language, 1_000)],
    }),
  'third-failure': (language) =>
    overdue('third-failure', language, {
      isMember: true,
      signedBy: senior(language),
      awards: [MONTH, credit(language, 2_500)],
    }),
  'occasion-missed': (language) =>
    late('occasion-missed', language, {
      promise: { on: '2026-12-23', timeZone: READERS[language].timeZone },
      asOf: new Date('2026-12-26T20:00:00Z'),
      metAt: new Date('2026-12-26T18:00:00Z'),
      deliveredAt: new Date('2026-12-26T18:00:00Z'),
      lateDays: 3,
      lateMinutes: 3_660,
      occasion: { name: READERS[language].occasion, on: '2026-12-24' },
      awards: [MONTH, credit(language, 2_000)],
      callPlanned: true,
      signedBy: senior(language),
    }),
  'top-up': (language) =>
    overdue('top-up', language, {
      asOf: new Date('2026-11-10T20:00:00Z'),
      lateDays: 5,
      lateMinutes: 6_660,
      awards: [credit(language, 299)],
      isTopUp: true,
    }),
  lost: (language) =>
    overdue('lost', language, {
      verdict: 'lost',
      asOf: new Date('2026-11-16T20:00:00Z'),
      lateDays: 11,
      awards: [{ kind: 'replacement', twoDayShipping: true, shipsOn: '2026-11-17', arrivesOn: '2026-11-19' }],
    }),
  'not-received': (language) =>
    late('not-received', language, {
      verdict: 'on_time',
      lateDays: 0,
      lateMinutes: 0,
      metAt: new Date('2026-11-05T18:20:00Z'),
      deliveredAt: new Date('2026-11-05T18:20:00Z'),
      awards: [{ kind: 'replacement', twoDayShipping: true, shipsOn: '2026-11-09', arrivesOn: null }, { kind: 'gift' }],
    }),
  damaged: (language) =>
    late('damaged', language, {
      verdict: 'damaged',
      lateDays: 0,
      lateMinutes: 0,
      awards: [{ kind: 'refund', amount: money(language, 5_990), arrivesOn: '2026-11-13' }],
    }),
  returned: (language) =>
    overdue('returned', language, {
      verdict: 'returned',
      lastScan: { status: 'return_to_sender', at: new Date('2026-11-06T15:00:00Z') },
      awards: [
        { kind: 'refund', amount: money(language, 5_990), arrivesOn: null },
        { kind: 'shipping_refund', amount: money(language, 599), arrivesOn: null },
      ],
    }),
  'service-refund': (language) =>
    late('service-refund', language, {
      service: { kind: 'film', title: 'The Lighthouse Keepers' },
      awards: [{ kind: 'refund', amount: money(language, 399), arrivesOn: null }],
    }),
  'award-approved': (language) => late('award-approved', language, { awards: [credit(language, 6_000)] }),
  goodwill: (language) =>
    late('goodwill', language, { awards: [{ kind: 'points', points: 1_200, expiresOn: '2027-11-05' }] }),
  declined: (language) =>
    late('declined', language, { awards: [], answerUrls: null, declinedBecause: 'customs', cause: 'customs' }),
  correction: (language) =>
    late('correction', language, { answerUrls: null, correctionOf: 'reversed', awards: [credit(language, 598)] }),
};

const senior = (language: Language) => ({ name: 'Elin Sandoval', role: READERS[language].head });

/** Promised for Thursday, which is still to come. */
function waiting(template: TemplateName, language: Language, changes: Partial<Letter>): Letter {
  const { name, locale, timeZone } = READERS[language];
  return {
    template,
    shopName: 'Lindgren & Sons',
    customer: { name, locale },
    orderId: '1042',
    asOf: new Date('2026-11-03T16:00:00Z'),
    promise: { on: '2026-11-05', timeZone },
    verdict: 'pending',
    metAt: null,
    metBy: null,
    deliveredAt: null,
    lateDays: null,
    lateMinutes: null,
    lastScan: null,
    estimate: null,
    occasion: null,
    callPlanned: false,
    awards: [],
    isTopUp: false,
    signedBy: { name: 'Jana Keller', role: READERS[language].care },
    ...changes,
  };
}

/** Promised for Thursday, came on Friday. */
function late(template: TemplateName, language: Language, changes: Partial<Letter>): Letter {
  const came = new Date('2026-11-06T17:02:00Z');
  return waiting(template, language, {
    asOf: new Date('2026-11-06T18:00:00Z'),
    verdict: 'late',
    metAt: came,
    metBy: 'delivered',
    deliveredAt: came,
    lateDays: 1,
    lateMinutes: 842,
    awards: [MONTH],
    answerUrls: { yes: 'https://shop.example/a/9fKx?answer=yes', no: 'https://shop.example/a/9fKx?answer=no' },
    ...changes,
  });
}

/** Promised for Thursday, and on Saturday still not there. */
function overdue(template: TemplateName, language: Language, changes: Partial<Letter>): Letter {
  return late(template, language, {
    asOf: new Date('2026-11-07T18:00:00Z'),
    verdict: 'overdue',
    metAt: null,
    metBy: null,
    deliveredAt: null,
    lateDays: 2,
    lateMinutes: 2_340,
    lastScan: { status: 'in_transit', at: new Date('2026-11-06T15:00:00Z') },
    ...changes,
  });
}

function parcel(language: Language, changes: Partial<NonNullable<Letter['parcels']>[number]>) {
  return {
    carrier: READERS[language].carrier,
    trackingNumber: '9400100000000000001042',
    trackingUrl: `https://tracking.example/${changes.trackingNumber ?? '9400100000000000001042'}`,
    status: 'in_transit',
    deliveredAt: null,
    estimate: null,
    ...changes,
  } as const;
}

function money(language: Language, amountMinor: number) {
  return { amountMinor, currency: READERS[language].currency };
}

function credit(language: Language, amountMinor: number): LetterAward {
  return { kind: 'store_credit', amount: money(language, amountMinor), expiresOn: '2027-11-06' };
}
