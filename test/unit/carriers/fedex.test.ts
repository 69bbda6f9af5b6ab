import { createHmac } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fedex } from '../../../src/carriers/fedex/adapter.js';
import { CODES, meaningOf, unrecognisedOf } from '../../../src/carriers/fedex/statuses.js';
import { describeSource, TEXT_SECRETS } from '../../support/carrier-suite.js';
import {
  anyValue,
  meaningAsText as asText,
  checkOutcome,
  parcelOf,
  parcelsOf,
  scanOf as scanOfOutcome,
  seeded,
  wrongFields as wrongFieldsOf,
} from '../../support/carriers.js';

describeSource(fedex, { secrets: TEXT_SECRETS, hasWindow: false });

const DATE = '2026-04-08T03:12:00-04:00';

/** A push of one result with one scan, whose parts a test may replace. */
function pushOf({ result, scan }: { result?: object; scan?: object } = {}) {
  const scanEvents = [{ date: DATE, eventType: 'IT', eventDescription: 'On', derivedStatusCode: 'IT', ...scan }];
  const trackingNumberInfo = { trackingNumber: '7300', trackingNumberUniqueId: '1~7300~FDEG' };
  return { trackResults: [{ trackingNumber: '7300', trackingNumberInfo, scanEvents, ...result }] };
}

const scanOf = (parts: Parameters<typeof pushOf>[0]) => scanOfOutcome(fedex.parse(pushOf(parts)));
const meaningIn = (parts: Parameters<typeof pushOf>[0]) => asText(scanOf(parts));
const wrongFields = (document: unknown) => wrongFieldsOf(fedex.parse(document));

/** Written from the published list, not from the table under test. */
const codesByMeaning: Record<string, string> = {
  pre_transit: 'OC OX EP MD IN',
  in_transit: 'PU PX OF AP IT IX AA AC AF AR AE AO DP AX CC CP EA EO FD LO PF PL SF TR',
  out_for_delivery: 'AD ED OD',
  attempted: 'DE',
  available_for_pickup: 'HL HP',
  delivered: 'DL',
  'exception other': 'SE',
  'exception customs': 'CD',
  'exception held': 'HA',
  'exception delay': 'DY DD PY PD',
  return_to_sender: 'RS RT',
  cancelled: 'CA',
};
const expectedByCode = Object.entries(codesByMeaning).flatMap(([meaning, codes]) =>
  codes.split(' ').map((code): [string, string] => [code, meaning]),
);
const UNKNOWN_CODES = ['ZZ', 'dl', ' DL', '__proto__', 'constructor', 'toString'];

describe('statuses', () => {
  test('every documented code is a row, and no row is undocumented', () => {
    expect(Object.keys(CODES).sort()).toEqual(expectedByCode.map(([code]) => code).sort());
  });

  test.each(expectedByCode)('%s means %s', (code, expected) => {
    expect(asText(meaningOf(code))).toBe(expected);
    expect(unrecognisedOf(code)).toBeNull();
  });

  test.each(UNKNOWN_CODES)('%p is unknown, and reported', (code) => {
    expect(asText(meaningOf(code))).toBe('unknown');
    expect(unrecognisedOf(code)).toBe(code);
    expect(scanOf({ scan: { eventType: code, derivedStatusCode: 'DL' } })).toMatchObject({
      status: 'unknown',
      unrecognised: code,
      code,
    });
  });

  test('no code is no meaning, and nothing to report', () => {
    expect([meaningOf(null), unrecognisedOf(null)]).toEqual([null, null]);
  });
});

describe('parse: detail before headline', () => {
  test.each(expectedByCode)('eventType %s beside any derived code: %s', (eventType, expected) => {
    for (const derivedStatusCode of ['IT', 'DL', 'ZZ', null]) {
      expect(meaningIn({ scan: { eventType, derivedStatusCode } })).toBe(expected);
    }
  });

  test('the derived code stands in for a missing one', () => {
    expect(scanOf({ scan: { eventType: '', derivedStatusCode: 'DL' } })).toMatchObject({
      status: 'delivered',
      code: 'DL',
    });
    expect(scanOf({ scan: { eventType: 7, derivedStatusCode: 'ZZ' } })).toMatchObject({ unrecognised: 'ZZ' });
  });

  test.each([
    [{ code: 'DL', derivedCode: 'IT' }, 'delivered'],
    [{ code: '', derivedCode: 'DL' }, 'delivered'],
    [{ code: 'DY', delayDetail: { type: 'WEATHER', status: 'DELAYED' } }, 'exception weather'],
    [{ code: 'IT', delayDetail: { type: 'WEATHER', status: 'DELAYED' } }, 'in_transit'],
    [{ code: 'ZZ' }, 'unknown'],
    [{ code: 7 }, 'unknown'],
    ['DL', 'unknown'],
    [null, 'unknown'],
  ])('the headline %j for a scan without words: %s', (latestStatusDetail, expected) => {
    const words = { eventType: null, derivedStatusCode: null };
    expect(scanOf({ scan: words, result: { latestStatusDetail } })).toMatchObject({
      code: '',
      isBorrowed: expected !== 'unknown',
      unrecognised: null,
    });
    expect(meaningIn({ scan: words, result: { latestStatusDetail } })).toBe(expected);
  });

  test('the headline outweighs no word of the scan, and goes to the first of two at the same time', () => {
    const latestStatusDetail = { code: 'DL', derivedCode: 'DL' };
    expect(meaningIn({ scan: { eventType: 'ZZ' }, result: { latestStatusDetail } })).toBe('unknown');
    const scanEvents = [
      { date: DATE, eventDescription: 'first' },
      { date: DATE, eventDescription: 'second' },
    ];
    const { scans } = parcelOf(fedex.parse(pushOf({ result: { latestStatusDetail, scanEvents } })));
    expect(scans.map((scan) => scan.status)).toEqual(['delivered', 'unknown']);
  });
});

describe('parse: the weather', () => {
  const keeps = 'DL CD HL HP RS RT CA'.split(' ');
  test.each(expectedByCode)('a delay detail of %s', (eventType, expected) => {
    const delayDetail = { type: 'WEATHER', subType: 'SNOW', status: 'DELAYED' };
    const weather = keeps.includes(eventType) ? expected : 'exception weather';
    expect(meaningIn({ scan: { eventType, delayDetail } })).toBe(weather);
    for (const other of [
      { type: 'WEATHER', status: 'ON_TIME' },
      { type: 'OPERATIONAL' },
      { status: 'DELAYED' },
      [],
      'WEATHER',
    ]) {
      expect(meaningIn({ scan: { eventType, delayDetail: other } })).toBe(expected);
    }
  });

  test.each(expectedByCode)('a text of %s', (eventType, expected) => {
    const weather = 'DE SE HA DY DD PY PD'.includes(eventType) ? 'exception weather' : expected;
    expect(meaningIn({ scan: { eventType, exceptionDescription: 'Adverse WEATHER' } })).toBe(weather);
    expect(meaningIn({ scan: { eventType, eventDescription: 'Delay by weather' } })).toBe(weather);
    expect(meaningIn({ scan: { eventType, exceptionDescription: 'Recipient not in' } })).toBe(expected);
  });

  test.each(expectedByCode)(
    'the delay detail of the parcel speaks for the latest scan if that is trouble: %s',
    (eventType, expected) => {
      const latestStatusDetail = { code: eventType, delayDetail: { type: 'WEATHER', status: 'DELAYED' } };
      const weather = 'DE SE HA DY DD PY PD'.includes(eventType) ? 'exception weather' : expected;
      const older = { date: '2026-04-08T03:11:59-04:00', eventType };
      const scanEvents = [older, { date: DATE, eventType }, { ...older, eventDescription: 'Once more' }];
      const { scans } = parcelOf(fedex.parse(pushOf({ result: { latestStatusDetail, scanEvents } })));
      expect(scans.map(asText)).toEqual([expected, weather, expected]);
      expect(scans.map((scan) => scan.code)).toEqual([eventType, eventType, eventType]);
    },
  );

  test('the text keeps both descriptions, and the code both codes', () => {
    const scan = { eventType: 'DY', exceptionCode: '71', eventDescription: 'Delay', exceptionDescription: 'Storm' };
    expect(scanOf({ scan })).toMatchObject({ code: 'DY/71', text: 'Delay: Storm' });
    expect(scanOf({ scan: { ...scan, eventDescription: '' } }).text).toBe('Storm');
    expect(scanOf({ scan: { ...scan, exceptionDescription: 'x'.repeat(494) } }).text).toBe('Delay');
    expect(scanOf({ scan: { ...scan, exceptionDescription: 'x'.repeat(493) } }).text).toHaveLength(500);
  });
});

describe('parse: time', () => {
  test.each([
    ['2026-04-08T03:12:00-04:00', { at: new Date('2026-04-08T07:12:00Z') }],
    ['2026-04-08T03:12:00Z', { at: new Date('2026-04-08T03:12:00Z') }],
    ['2026-04-08T23:59:59-04:00', { at: new Date('2026-04-09T03:59:59Z') }],
    ['2026-04-08T00:00:01-04:00', { at: new Date('2026-04-08T04:00:01Z') }],
    ['2026-04-08T00:00:00-04:00', { on: '2026-04-08' }],
    ['2026-04-08T00:00:00+14:00', { on: '2026-04-08' }],
    ['2026-04-08T00:00:00Z', { on: '2026-04-08' }],
    ['2026-04-08T00:00:00', { on: '2026-04-08' }],
    ['2026-04-08', { on: '2026-04-08' }],
    ['2026-04-08T03:12:00', { local: '2026-04-08T03:12:00' }],
    ['2028-02-29T12:00', { local: '2028-02-29T12:00:00' }],
  ])('%s', (date, time) => {
    expect(scanOf({ scan: { date } }).time).toEqual(time);
  });

  test.each([
    ...['2026-02-30T10:00:00-05:00', '2026-02-29T00:00:00', '2026-04-08T24:00:00Z', '2026-04-08T03:12:00-15:00'],
    ...['1970-01-01T00:00:00Z', '0001-01-01T00:00:00', 'yesterday', '', 1775617920, null, undefined, {}, []],
  ])('%p is no time: the webhook is malformed', (date) => {
    expect(wrongFields(pushOf({ scan: { date } }))).toEqual(['trackResults[0].scanEvents[0].date']);
  });

  test('the newest scan says as of when FedEx speaks, and the log of its test tool nothing', () => {
    const outcome = fedex.parse({ ...pushOf(), outputMetaData: [{ attempt: 1, sentAt: '2026-05-01T00:00:00Z' }] });
    expect(parcelOf(outcome)).toMatchObject({ reportedAt: new Date('2026-04-08T07:12:00Z') });
  });
});

describe('parse: the estimate', () => {
  const listed = (dateTime: unknown) => [
    { type: 'SHIP', dateTime: '2026-04-01' },
    null,
    { type: 'ESTIMATED_DELIVERY', dateTime },
  ];
  test.each([
    ['2026-04-10T17:00:00-04:00', '2026-04-11T00:00:00-04:00', { at: new Date('2026-04-10T21:00:00Z') }],
    ['2026-04-10T00:00:00-06:00', null, { on: '2026-04-10' }],
    ['2026-04-10T00:00:00', null, { on: '2026-04-10' }],
    ['2026-04-10T17:00:00', null, { on: '2026-04-10' }],
    ['2026-02-30T17:00:00', '2026-04-11T00:00:00-04:00', { on: '2026-04-11' }],
    [undefined, '2026-04-11T20:00:00-04:00', { at: new Date('2026-04-12T00:00:00Z') }],
    ['soon', 'later', null],
    [null, 7, null],
  ])('a window that ends %p beside the date %p', (ends, dateTime, expected) => {
    const result = { estimatedDeliveryTimeWindow: { window: { ends } }, dateAndTimes: listed(dateTime) };
    expect(parcelOf(fedex.parse(pushOf({ result }))).estimate).toEqual(expected);
  });

  test('what is of another type, and the day of shipping or delivery, is no estimate', () => {
    for (const dateAndTimes of [null, {}, 'x', [{ type: 'ACTUAL_DELIVERY', dateTime: '2026-04-10' }]]) {
      for (const estimatedDeliveryTimeWindow of [null, [], { window: null }]) {
        const outcome = fedex.parse(pushOf({ result: { dateAndTimes, estimatedDeliveryTimeWindow } }));
        expect(parcelOf(outcome).estimate).toBeNull();
      }
    }
  });
});

describe('parse: the envelopes', () => {
  const [one] = pushOf().trackResults;
  const nested = (...trackResults: unknown[]) => ({
    output: { completeTrackResults: [{ trackingNumber: '7399', trackResults }] },
  });

  test('both hold the same', () => {
    expect(fedex.parse(nested(one))).toEqual(fedex.parse(pushOf()));
  });

  test('the number is the result’s, else that of the envelope', () => {
    const numbers = (...results: unknown[]) =>
      parcelsOf(fedex.parse(nested(...results))).map((each) => each.trackingNumber);
    const bare = { ...one, trackingNumber: undefined };
    expect(
      numbers(one, { ...bare, trackingNumberInfo: {} }, { ...one, trackingNumberInfo: { trackingNumber: 7 } }),
    ).toEqual([...['7300', '7399', '7300']]);
  });

  test('several histories of one number are several reports, and none of them corrects another', () => {
    const second = { ...one, trackingNumberInfo: { trackingNumber: '7300', trackingNumberUniqueId: '2~7300~FDEG' } };
    const reports = parcelsOf(fedex.parse(nested(one, second)));
    expect(reports.map(({ trackingNumber, snapshot }) => [trackingNumber, snapshot])).toEqual([
      ['7300', null],
      ['7300', null],
    ]);
  });

  test('a result with an error and no scan is left out', () => {
    const failed = {
      trackingNumberInfo: { trackingNumber: '7301' },
      error: { code: 'TRACKING.TRACKINGNUMBER.NOTFOUND' },
    };
    expect(parcelsOf(fedex.parse(nested(failed, one)))).toHaveLength(1);
    for (const none of [nested(failed), nested({ ...failed, scanEvents: [] }), nested(), { trackResults: [] }]) {
      expect(fedex.parse(none).outcome).toBe('ignored');
    }
    expect(parcelOf(fedex.parse(nested({ ...one, error: {} }))).scans).toHaveLength(1);
  });

  test.each([
    ['an array', [], 'body'],
    ['null', null, 'body'],
    ['an empty object', {}, 'trackResults'],
    ['results that are no list', { trackResults: {} }, 'trackResults'],
    ['an output of another type', { output: [] }, 'trackResults'],
    ['an empty output', { output: {} }, 'output.completeTrackResults'],
    ['an envelope that is null', { output: { completeTrackResults: [null] } }, 'output.completeTrackResults[0]'],
    [
      'results of an envelope that are no list',
      { output: { completeTrackResults: [{ trackResults: 7 }] } },
      'output.completeTrackResults[0].trackResults',
    ],
    ['201 results', { trackResults: Array(201).fill(one) }, 'trackResults'],
    ['a result that is null', { trackResults: [null] }, 'trackResults[0]'],
    ['no number anywhere', { trackResults: [{ scanEvents: [] }] }, 'trackResults[0].trackingNumberInfo.trackingNumber'],
    [
      'a number of hyphens',
      pushOf({ result: { trackingNumberInfo: { trackingNumber: '-' } } }),
      'trackResults[0].trackingNumberInfo.trackingNumber',
    ],
    ['scans that are no list', pushOf({ result: { scanEvents: {} } }), 'trackResults[0].scanEvents'],
    [
      'scans that are no list beside an error',
      pushOf({ result: { scanEvents: 'x', error: {} } }),
      'trackResults[0].scanEvents',
    ],
    ['a scan that is a text', pushOf({ result: { scanEvents: ['x'] } }), 'trackResults[0].scanEvents[0]'],
    ['NUL in a code', pushOf({ scan: { eventType: '\0' } }), 'trackResults[0].scanEvents[0].eventType'],
    [
      'NUL in a text',
      pushOf({ scan: { exceptionDescription: '\0' } }),
      'trackResults[0].scanEvents[0].exceptionDescription',
    ],
    [
      'NUL in a place',
      pushOf({ scan: { scanLocation: { city: '\0' } } }),
      'trackResults[0].scanEvents[0].scanLocation.city',
    ],
  ])('%s is malformed, and the field is named', (_name, document, field) => {
    expect(wrongFields(document)).toEqual([field]);
  });

  test('all else that is missing or of another type counts as not said', () => {
    const scan = {
      eventType: 7,
      eventDescription: [],
      exceptionCode: {},
      scanLocation: 'here',
      derivedStatusCode: 1,
      delayDetail: 7,
    };
    expect(scanOf({ scan, result: { latestStatusDetail: 7, dateAndTimes: 7 } })).toEqual({
      ...{ status: 'unknown', time: { at: new Date('2026-04-08T07:12:00Z') }, exception: null, disputed: false },
      ...{ code: '', text: null, place: null, isBorrowed: false, unrecognised: null },
    });
  });

  test('__proto__ and deep nesting are harmless', () => {
    const deep = `${'['.repeat(5000)}${']'.repeat(5000)}`;
    const json = `{"__proto__":{"trackResults":[]},"outputMetaData":${deep},"trackResults":[{"__proto__":{"error":{}},
      "trackingNumber":"7300","scanEvents":[{"__proto__":{"eventType":"DL"},"date":"2026-04-08","eventType":${deep}}]}]}`;
    expect(parcelOf(fedex.parse(JSON.parse(json)))).toMatchObject({
      trackingNumber: '7300',
      scans: [{ status: 'unknown' }],
    });
  });
});

test('a push with any value in any of the fields that are read', () => {
  const record = (keys: string) =>
    fc.record(Object.fromEntries(keys.split(' ').map((key) => [key, anyValue])), { requiredKeys: [] });
  const scan = fc
    .tuple(
      record(
        'eventType eventDescription exceptionCode exceptionDescription derivedStatusCode delayDetail scanLocation date',
      ),
      fc.boolean(),
    )
    .map(([fields, dated]) => (dated ? { ...fields, date: DATE } : fields));
  const result = record('trackingNumberInfo latestStatusDetail estimatedDeliveryTimeWindow dateAndTimes error');
  fc.assert(
    fc.property(result, fc.array(scan, { maxLength: 4 }), (fields, scanEvents) => {
      checkOutcome(fedex.parse(pushOf({ result: { ...fields, scanEvents } })));
    }),
    { numRuns: 1000, ...seeded },
  );
});

describe('verify', () => {
  const rawBody = Buffer.from('{}');
  const hmac = createHmac('sha256', 'token').update(rawBody).digest();
  const base64 = hmac.toString('base64');
  const verify = (signature: string) =>
    fedex.verifier.over === 'bytes' &&
    fedex.verifier.verify({ rawBody, headers: { 'fdx-signature': signature }, secrets: ['token'], now: new Date(0) });

  test('takes base64 of the HMAC, and no other writing of it', () => {
    expect(verify(base64)).toBe('verified');
    expect(fedex.sign({ rawBody, secret: 'token', now: new Date(0) })).toEqual({ 'fdx-signature': base64 });
    for (const other of [
      hmac.toString('hex'),
      hmac.toString('base64url'),
      base64.replace('=', ''),
      ` ${base64}`,
      `sha256=${base64}`,
    ]) {
      expect(verify(other)).toBe('refused');
    }
  });
});
