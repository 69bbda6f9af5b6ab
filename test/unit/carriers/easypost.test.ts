import { createHmac } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { easypost } from '../../../src/carriers/easypost/adapter.js';
import { meaningOf, STATUS_DETAILS, STATUSES } from '../../../src/carriers/easypost/statuses.js';
import { describeSource, TEXT_SECRETS } from '../../support/carrier-suite.js';
import {
  anyValue,
  meaningAsText as asText,
  checkOutcome,
  parcelOf,
  rawFixture,
  scanOf as scanOfOutcome,
  seeded,
  wrongFields as wrongFieldsOf,
} from '../../support/carriers.js';

describeSource(easypost, { secrets: TEXT_SECRETS, hasWindow: false });

/** A tracker event with one scan, whose parts a test may replace. */
function eventWith(parts: { event?: object; tracker?: object; scan?: object } = {}) {
  const scan = { status: 'in_transit', status_detail: 'in_transit', datetime: '2026-04-08T03:12:00Z', message: 'On' };
  const tracker = { tracking_code: '1Z1', carrier: 'UPS', status: 'in_transit', status_detail: 'unknown' };
  return {
    description: 'tracker.updated',
    id: 'evt_1',
    result: { ...tracker, tracking_details: [{ ...scan, ...parts.scan }], ...parts.tracker },
    ...parts.event,
  };
}

const scanOf = (parts: Parameters<typeof eventWith>[0]) => scanOfOutcome(easypost.parse(eventWith(parts)));
const wrongFields = (document: unknown) => wrongFieldsOf(easypost.parse(document));

/** Written from the published lists, not from the table under test. */
const expectedByStatus: Record<string, string> = {
  unknown: 'unknown',
  pre_transit: 'pre_transit',
  in_transit: 'in_transit',
  out_for_delivery: 'out_for_delivery',
  delivered: 'delivered',
  available_for_pickup: 'available_for_pickup',
  return_to_sender: 'return_to_sender',
  failure: 'exception other',
  cancelled: 'cancelled',
  canceled: 'cancelled',
  error: 'exception other',
};
const addsNothing = [
  ['arrived_at_destination', 'arrived_at_facility', 'departed_facility', 'departed_origin_facility', 'in_transit'],
  ['received_at_destination_facility', 'received_at_origin_facility', 'status_update', 'unknown'],
  ['transferred_to_destination_carrier', 'never_heard_of', '__proto__', 'constructor', null],
].flat();
const expectedByDetail: Record<string, string> = {
  address_correction: 'exception address',
  arrived_at_pickup_location: 'available_for_pickup',
  awaiting_information: 'pre_transit',
  cancelled: 'cancelled',
  canceled: 'cancelled',
  damaged: 'exception damaged',
  delayed: 'exception delay',
  delivery_exception: 'attempted',
  expired: 'unknown',
  failure: 'exception other',
  held: 'exception held',
  label_created: 'pre_transit',
  lost: 'exception lost',
  missorted: 'exception misrouted',
  out_for_delivery: 'out_for_delivery',
  refused: 'exception refused',
  return: 'return_to_sender',
  transit_exception: 'exception other',
  weather_delay: 'exception weather',
};

const meaningAsText = (status: string | null, detail: string | null, text: string | null = null) =>
  asText(meaningOf({ status, detail, text }));

describe('statuses', () => {
  test('every documented word is a row, and no row is undocumented', () => {
    const documentedDetails = addsNothing.slice(0, 10).concat(Object.keys(expectedByDetail));
    expect(Object.keys(STATUSES).sort()).toEqual(Object.keys(expectedByStatus).sort());
    expect(Object.keys(STATUS_DETAILS).sort()).toEqual(documentedDetails.sort());
  });

  test.each(Object.entries(expectedByStatus))('%s means %s beside a detail that adds nothing', (status, expected) => {
    for (const detail of addsNothing) expect(meaningAsText(status, detail)).toBe(expected);
  });

  test.each(Object.entries(expectedByDetail))(
    'detail %s means %s whatever the status, unless delivered',
    (detail, expected) => {
      for (const status of [...Object.keys(expectedByStatus), 'never_heard_of', '__proto__', null]) {
        expect(meaningAsText(status, detail)).toBe(status === 'delivered' ? 'delivered' : expected);
      }
    },
  );

  test.each(['never_heard_of', '', 'IN_TRANSIT', '__proto__', 'toString'])(
    'status %p is unknown, and never a guess',
    (status) => {
      expect(meaningAsText(status, null)).toBe('unknown');
    },
  );

  test('without a status a scan says nothing, unless its detail does', () => {
    expect(meaningAsText(null, null)).toBeNull();
    expect(meaningAsText(null, 'departed_facility')).toBeNull();
    expect(meaningAsText(null, 'never_heard_of')).toBe('unknown');
    expect(meaningAsText(null, 'lost')).toBe('exception lost');
  });

  test('the text names the weather only where the codes name no kind of exception', () => {
    expect(meaningAsText('failure', null, 'Delay: WEATHER')).toBe('exception weather');
    expect(meaningAsText('in_transit', 'transit_exception', 'bad weather')).toBe('exception weather');
    expect(meaningAsText('in_transit', 'delayed', 'bad weather')).toBe('exception delay');
    expect(meaningAsText('in_transit', 'arrived_at_facility', 'Weatherford, TX')).toBe('in_transit');
    expect(meaningAsText('delivered', null, 'in bad weather')).toBe('delivered');
  });
});

describe('parse: the status of the tracker', () => {
  const bare = { status: null, status_detail: undefined };

  test('is the latest scan’s when that has none, with its detail', () => {
    expect(scanOf({ scan: bare, tracker: { status: 'delivered' } })).toMatchObject({ status: 'delivered', code: '' });
    expect(scanOf({ scan: bare, tracker: { status: 'in_transit', status_detail: 'weather_delay' } })).toMatchObject({
      status: 'exception',
      exception: 'weather',
      code: '',
    });
    expect(
      scanOf({ scan: { status: '', status_detail: 'arrived_at_destination' }, tracker: { status: 'delivered' } }),
    ).toMatchObject({ status: 'delivered', code: '/arrived_at_destination' });
  });

  test('never outweighs what the scan says itself', () => {
    const tracker = { status: 'delivered', status_detail: 'arrived_at_destination' };
    expect(scanOf({ tracker, scan: { status: 'unknown' } }).status).toBe('unknown');
    expect(scanOf({ tracker, scan: { status: 'airborne' } }).status).toBe('unknown');
    expect(scanOf({ tracker, scan: { status: null, status_detail: 'lost' } })).toMatchObject({ exception: 'lost' });
    expect(scanOf({ tracker, scan: { status: null, status_detail: 'airborne' } }).status).toBe('unknown');
    expect(scanOf({ tracker, scan: {} }).status).toBe('in_transit');
  });

  test('goes to the last in the list of scans at the same time, and to no other', () => {
    const at = '2026-04-08T03:12:00Z';
    const tracking_details = [
      { datetime: at, message: 'first' },
      { datetime: at, message: 'second' },
    ];
    const { scans } = parcelOf(easypost.parse(eventWith({ tracker: { status: 'delivered', tracking_details } })));
    expect(scans.map((scan) => scan.status)).toEqual(['unknown', 'delivered']);
  });

  test('makes no event without a scan', () => {
    for (const tracking_details of [[], null, undefined]) {
      expect(parcelOf(easypost.parse(eventWith({ tracker: { status: 'delivered', tracking_details } }))).scans).toEqual(
        [],
      );
    }
  });
});

describe('parse: time', () => {
  test.each([
    ['2026-04-08T03:12:00Z', { at: new Date('2026-04-08T03:12:00Z') }],
    ['2026-04-08T03:12Z', { at: new Date('2026-04-08T03:12:00Z') }],
    ['2026-04-08T03:12:00.9999999Z', { at: new Date('2026-04-08T03:12:00.999Z') }],
    ['2026-04-08T03:12:00.5Z', { at: new Date('2026-04-08T03:12:00.500Z') }],
    ['2026-04-08T03:12:00-04:00', { at: new Date('2026-04-08T07:12:00Z') }],
    ['2026-04-08T03:12:00+1400', { at: new Date('2026-04-07T13:12:00Z') }],
    ['2028-02-29T23:59:59Z', { at: new Date('2028-02-29T23:59:59Z') }],
    ['2000-01-01T00:00:00Z', { at: new Date('2000-01-01T00:00:00Z') }],
    ['2026-04-08T03:12:00', { local: '2026-04-08T03:12:00' }],
    ['2026-04-08T03:12', { local: '2026-04-08T03:12:00' }],
    ['2026-04-08T00:00:00.010', { local: '2026-04-08T00:00:00.010' }],
    ['2026-04-08', { on: '2026-04-08' }],
  ])('%s', (datetime, time) => {
    expect(scanOf({ scan: { datetime } }).time).toEqual(time);
  });

  test.each(
    [
      [
        '2026-02-30T10:00:00Z',
        '2026-02-29',
        '2100-02-29T00:00:00Z',
        '2026-04-31T10:00:00Z',
        '2026-13-01',
        '2026-00-10',
      ],
      [
        '2026-04-00',
        '2026-04-08T24:00:00Z',
        '2026-04-08T03:60:00Z',
        '2026-04-08T03:12:60Z',
        '2026-04-08T03:12:00+15:00',
      ],
      [
        '2026-04-08T03:12:00+01:60',
        '2026-04-08T03:12:00-4:00',
        '2026-04-08T',
        '2026-04-08T03Z',
        '2026-04-08Z',
        '04/08/2026',
      ],
      [
        '1999-12-31T23:59:59Z',
        '1970-01-01T00:00:00Z',
        '0001-01-01T00:00:00Z',
        '+012026-04-08T03:12:00Z',
        'yesterday',
        '',
      ],
      [' 2026-04-08', '2026-04-08\n', `2026-04-08T03:12:00.${'0'.repeat(60)}Z`, 1775617920, null, undefined, {}, []],
    ].flat(),
  )('%p is no time: the webhook is malformed', (datetime) => {
    expect(wrongFields(eventWith({ scan: { datetime } }))).toEqual(['result.tracking_details[0].datetime']);
  });
});

describe('parse: the estimate', () => {
  test.each([
    ['2026-04-10T00:00:00Z', '2026-04-09', { on: '2026-04-09' }],
    ['2026-04-10T17:30:00Z', '2026-04-09T00:00:00', { on: '2026-04-09' }],
    ['2026-04-10T00:00:00Z', null, { on: '2026-04-10' }],
    ['2026-04-10T00:00:00.000Z', '2026-02-30', { on: '2026-04-10' }],
    ['2026-04-10T00:00:01Z', null, { at: new Date('2026-04-10T00:00:01Z') }],
    ['2026-04-09T20:00:00-04:00', null, { at: new Date('2026-04-10T00:00:00Z') }],
    ['2026-04-10T18:00:00', null, { on: '2026-04-10' }],
    ['2026-04-10', undefined, { on: '2026-04-10' }],
    ['2026-02-30T00:00:00Z', 'soon', null],
    [1775617920, {}, null],
    [null, null, null],
  ])('%p beside the local %p', (est_delivery_date, est_delivery_date_local, expected) => {
    const tracker = { est_delivery_date, carrier_detail: { est_delivery_date_local } };
    expect(parcelOf(easypost.parse(eventWith({ tracker }))).estimate).toEqual(expected);
  });

  test.each([null, 'none', [], 7])('carrier_detail %p says nothing', (carrier_detail) => {
    expect(parcelOf(easypost.parse(eventWith({ tracker: { carrier_detail } }))).estimate).toBeNull();
  });
});

describe('parse: what it needs, and what it does without', () => {
  test.each([
    ['an array', [], 'body'],
    ['a string', '{}', 'body'],
    ['null', null, 'body'],
    ['an empty object', {}, 'description'],
    ['a description of another type', { description: 7, result: {} }, 'description'],
    ['a result of another type', { description: 'tracker.updated', result: [] }, 'result'],
    ['no tracking code', eventWith({ tracker: { tracking_code: undefined } }), 'result.tracking_code'],
    ['a tracking code that is a number', eventWith({ tracker: { tracking_code: 940010 } }), 'result.tracking_code'],
    [
      'a tracking code of nothing but hyphens',
      eventWith({ tracker: { tracking_code: ' - ' } }),
      'result.tracking_code',
    ],
    [
      '101 characters of tracking code',
      eventWith({ tracker: { tracking_code: '9'.repeat(101) } }),
      'result.tracking_code',
    ],
    ['scans that are no list', eventWith({ tracker: { tracking_details: {} } }), 'result.tracking_details'],
    ['1,001 scans', eventWith({ tracker: { tracking_details: Array(1001).fill({}) } }), 'result.tracking_details'],
    ['a scan that is null', eventWith({ tracker: { tracking_details: [null] } }), 'result.tracking_details[0]'],
    ['NUL in the id', eventWith({ event: { id: 'evt\0' } }), 'id'],
    ['NUL in the tracking code', eventWith({ tracker: { tracking_code: '1Z\0' } }), 'result.tracking_code'],
    ['NUL in the carrier', eventWith({ tracker: { carrier: '\0' } }), 'result.carrier'],
    ['NUL in a status', eventWith({ scan: { status: 'a\0' } }), 'result.tracking_details[0].status'],
    ['NUL in a detail', eventWith({ scan: { status_detail: '\0' } }), 'result.tracking_details[0].status_detail'],
    ['NUL in a text', eventWith({ scan: { message: '\0' } }), 'result.tracking_details[0].message'],
    [
      'NUL in a place',
      eventWith({ scan: { tracking_location: { zip: '\0' } } }),
      'result.tracking_details[0].tracking_location.zip',
    ],
  ])('%s is malformed, and the field is named', (_name, document, field) => {
    expect(wrongFields(document)).toEqual([field]);
  });

  test('a thousand faults are answered with a few', () => {
    const fields = wrongFields(eventWith({ tracker: { tracking_details: Array(1000).fill({}) } }));
    expect(fields).toHaveLength(20);
    expect(fields[19]).toBe('result.tracking_details[19].datetime');
  });

  test.each(['batch.created', 'batch.updated', 'scan_form.created', 'insurance.cancelled', 'trackers', 'x\0'])(
    '%p is ignored, whatever it holds',
    (description) => {
      for (const result of [undefined, null, 'text', { tracking_code: 7 }]) {
        expect(easypost.parse({ description, result }).outcome).toBe('ignored');
      }
    },
  );

  test('an event without result is ignored', () => {
    for (const result of [undefined, null]) {
      expect(easypost.parse({ description: 'tracker.updated', result }).outcome).toBe('ignored');
    }
  });

  test('any tracker event is read, in test mode too', () => {
    expect(easypost.parse(eventWith({ event: { description: 'tracker.anything', mode: 'test' } })).outcome).toBe(
      'parsed',
    );
  });

  test('all else that is missing or of another type counts as not said', () => {
    const scan = { status: 7, status_detail: [], message: {}, tracking_location: 'here' };
    const outcome = easypost.parse(eventWith({ event: { id: 7 }, tracker: { carrier: null, status: {} }, scan }));
    expect(outcome).toMatchObject({ deliveryId: null, parcels: [{ carrier: '' }] });
    expect(parcelOf(outcome).scans).toEqual([
      {
        status: 'unknown',
        time: { at: new Date('2026-04-08T03:12:00Z') },
        exception: null,
        disputed: false,
        code: '',
        text: null,
        place: null,
        isBorrowed: false,
        unrecognised: null,
      },
    ]);
  });

  test('numbers and carriers are kept as sent', () => {
    const tracker = { tracking_code: ' 1z 99-x ', carrier: 'Royal_Mail' };
    expect(parcelOf(easypost.parse(eventWith({ tracker })))).toMatchObject({
      trackingNumber: ' 1z 99-x ',
      carrier: 'Royal_Mail',
    });
  });

  test('an id too long to be one is no id, so that the body serves', () => {
    expect(easypost.parse(eventWith({ event: { id: 'e'.repeat(501) } }))).toMatchObject({ deliveryId: null });
  });

  test('texts are cut at 500 characters, and half characters replaced', () => {
    const message = `${'x'.repeat(499)}😀`;
    const city = 'y'.repeat(700);
    const { text, place } = scanOf({ scan: { message, tracking_location: { city, state: '\ud800', country: 'US' } } });
    expect(text).toBe(`${'x'.repeat(499)}\ufffd`);
    expect(place).toHaveLength(500);
    expect(scanOf({ scan: { message: 'a\udc00b 😀' } }).text).toBe('a\ufffdb 😀');
  });

  test('__proto__, duplicate keys and deep nesting are harmless', () => {
    const deep = `${'['.repeat(5000)}${']'.repeat(5000)}`;
    const json = `{"__proto__":{"description":"batch.created"},"description":"batch.created","description":"tracker.updated",
      "pending_urls":${deep},"result":{"__proto__":{"tracking_code":"evil"},"constructor":null,"tracking_code":"1Z1",
      "fees":${deep},"tracking_details":[{"__proto__":{"status":"delivered"},"datetime":"2026-04-08","status":${deep}}]}}`;
    const parcel = parcelOf(easypost.parse(JSON.parse(json)));
    expect(parcel.trackingNumber).toBe('1Z1');
    expect(parcel.scans).toMatchObject([{ status: 'unknown', code: '' }]);
    expect(wrongFields(JSON.parse('{"__proto__":{"description":"tracker.updated"}}'))).toEqual(['description']);
    expect(wrongFields(JSON.parse(deep))).toEqual(['body']);
    expect(({} as { status?: string }).status).toBeUndefined();
  });
});

describe('parse under arbitrary input', () => {
  test('a tracker event with any value in any of the fields that are read', () => {
    const record = (keys: string[]) =>
      fc.record(Object.fromEntries(keys.map((key) => [key, anyValue])), { requiredKeys: [] });
    const datetime = fc.oneof({ weight: 5, arbitrary: fc.constant('2026-04-08T03:12:00Z') }, anyValue);
    const scan = fc
      .tuple(record(['status', 'status_detail', 'message']), record(['city', 'state', 'country', 'zip']), datetime)
      .map(([words, tracking_location, when]) => ({ ...words, tracking_location, datetime: when }));
    const tracker = record(['status', 'status_detail', 'carrier', 'carrier_detail', 'est_delivery_date']);
    fc.assert(
      fc.property(tracker, fc.array(scan, { maxLength: 4 }), (fields, tracking_details) => {
        checkOutcome(easypost.parse(eventWith({ tracker: { ...fields, tracking_details } })));
      }),
      { numRuns: 1000, ...seeded },
    );
  });
});

describe('verify', () => {
  const rawBody = rawFixture('easypost', 'delivered-in-time');
  const secret = 'whsec-tést-1234567890';
  const now = new Date('2026-04-10T00:00:00Z');
  const hexOf = (key: string) => createHmac('sha256', Buffer.from(key, 'utf8')).update(rawBody).digest('hex');
  const verify = (signature: string, secrets: readonly string[]) =>
    easypost.verifier.over === 'bytes' &&
    easypost.verifier.verify({ rawBody, headers: { 'x-hmac-signature': signature }, secrets, now });

  test('the secret is used in Unicode form NFKD, however it was typed', () => {
    const right = `hmac-sha256-hex=${hexOf(secret.normalize('NFKD'))}`;
    for (const form of ['NFC', 'NFD', 'NFKD']) expect(verify(right, [secret.normalize(form)])).toBe('verified');
    expect(verify(`hmac-sha256-hex=${hexOf(secret.normalize('NFC'))}`, [secret])).toBe('refused');
    expect(easypost.sign({ rawBody, secret, now })).toEqual({ 'x-hmac-signature': right });
  });

  const hex = hexOf('secret');
  test.each([
    ['upper case', `hmac-sha256-hex=${hex.toUpperCase()}`],
    ['without prefix', hex],
    ['prefix only', 'hmac-sha256-hex='],
    ['another prefix', `sha256=${hex}`],
    ['in base64', `hmac-sha256-hex=${Buffer.from(hex, 'hex').toString('base64')}`],
    ['sent twice and joined', `hmac-sha256-hex=${hex}, hmac-sha256-hex=${hex}`],
  ])('a signature that is %s does not hold', (_name, signature) => {
    expect(verify(signature, ['secret'])).toBe('refused');
  });
});
