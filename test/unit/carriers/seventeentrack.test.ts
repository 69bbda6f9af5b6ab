import { createHash, createHmac } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { seventeentrack } from '../../../src/carriers/seventeentrack/adapter.js';
import { describeSource, TEXT_SECRETS } from '../../support/carrier-suite.js';
import {
  anyValue,
  checkOutcome,
  parcelOf,
  rawFixture,
  scanOf as scanOfOutcome,
  seeded,
  wrongFields as wrongFieldsOf,
} from '../../support/carriers.js';

describeSource(seventeentrack, { secrets: TEXT_SECRETS, hasWindow: false });

const EVENT = {
  time_utc: '2026-04-08T03:12:00Z',
  description: 'On',
  stage: 'InTransit',
  sub_status: 'InTransit_Other',
};

/** An update of one provider with one scan, whose parts a test may replace. */
function updateWith(parts: { data?: object; info?: object; provider?: object; scan?: object } = {}) {
  const provider = { events: [{ ...EVENT, ...parts.scan }], ...parts.provider };
  const info = { latest_status: { status: 'InTransit' }, tracking: { providers: [provider] }, ...parts.info };
  return { event: 'TRACKING_UPDATED', data: { number: 'LB1CN', carrier: 3011, track_info: info, ...parts.data } };
}

const parse = (parts: Parameters<typeof updateWith>[0]) => seventeentrack.parse(updateWith(parts));
const scanOf = (parts: Parameters<typeof updateWith>[0]) => scanOfOutcome(parse(parts));
const wrongFields = (document: unknown) => wrongFieldsOf(seventeentrack.parse(document));

describe('parse: the status of the parcel', () => {
  const bare = { stage: null, sub_status: undefined };
  const headline = (status: unknown, sub_status?: unknown) => ({ latest_status: { status, sub_status } });
  const withHeadline = (scan: object, ...words: [unknown, unknown?]) => {
    const tracking = { providers: [{ events: [{ ...EVENT, ...scan }] }] };
    return scanOf({ info: { ...headline(...words), tracking } });
  };

  test('is the latest scan’s when that has none, the sub-status first, and no part of its code', () => {
    expect(withHeadline(bare, 'Delivered')).toMatchObject({ status: 'delivered', code: '' });
    expect(withHeadline(bare, 'Delivered', 'Exception_Lost')).toMatchObject({ status: 'delivered', exception: null });
    expect(withHeadline(bare, 'Exception', 'Exception_Lost')).toMatchObject({
      exception: 'lost',
      isBorrowed: true,
      unrecognised: null,
    });
    expect(withHeadline(bare, null, 'InTransit_Arrival')).toMatchObject({ status: 'in_transit', code: '' });
    expect(withHeadline({ stage: '', sub_status: ' ' }, 'OutForDelivery')).toMatchObject({
      status: 'out_for_delivery',
    });
    expect(withHeadline(bare, 'Airborne')).toMatchObject({ status: 'unknown', isBorrowed: false, unrecognised: null });
    expect(withHeadline(bare, null)).toMatchObject({ status: 'unknown' });
  });

  test('never outweighs what the scan says itself', () => {
    expect(withHeadline({ sub_status: null, stage: 'NotFound' }, 'Delivered').status).toBe('unknown');
    expect(withHeadline({ sub_status: null, stage: 'Airborne' }, 'Delivered').status).toBe('unknown');
    expect(withHeadline({ sub_status: 'Airborne', stage: null }, 'Delivered').status).toBe('unknown');
    expect(withHeadline({ sub_status: null, stage: 'AvailableForPickup' }, 'Exception').status).toBe(
      'available_for_pickup',
    );
  });

  test('goes to the first in the lists of scans at the same time, newest first, and to no other', () => {
    const { time_utc } = EVENT;
    const providers = [
      { events: [{ time_utc, description: 'first' }] },
      { events: [{ time_utc, description: 'second' }] },
    ];
    const { scans } = parcelOf(parse({ info: { ...headline('Delivered'), tracking: { providers } } }));
    expect(scans.map(({ text, status }) => [text, status])).toEqual([
      ['first', 'delivered'],
      ['second', 'unknown'],
    ]);
  });

  test('makes no event without a scan', () => {
    const infos = [
      headline('Delivered'),
      { ...headline('Delivered'), tracking: { providers: [] } },
      { ...headline('Delivered'), tracking: { providers: [{ events: null }, {}] } },
    ];
    for (const track_info of [...infos, null, [], 'none'])
      expect(parcelOf(parse({ data: { track_info } })).scans).toEqual([]);
  });

  test('is never the tag, which is the user’s own', () => {
    expect(scanOf({ data: { tag: 'Delivered' }, scan: bare }).status).toBe('in_transit');
  });
});

describe('parse: time', () => {
  const UTC = '2026-04-08T03:12:00Z';
  test.each([
    ['time_utc before all', { time_utc: UTC, time_iso: '2026-04-09T00:00:00Z' }, { at: new Date(UTC) }],
    [
      'time_iso',
      { time_utc: null, time_iso: '2026-04-08T00:00:00+14:00', time_raw: '2026-04-01' },
      { at: new Date('2026-04-07T10:00:00Z') },
    ],
    ['time_iso without offset', { time_utc: '', time_iso: '2026-04-08T00:00:00' }, { local: '2026-04-08T00:00:00' }],
    [
      'time_utc that is none',
      { time_utc: '2026-04-08T03:12:00', time_iso: '2026-04-08T05:12:00+02:00' },
      { at: new Date(UTC) },
    ],
    ['an impossible time_utc', { time_utc: '2026-02-30T03:12:00Z', time_iso: UTC }, { at: new Date(UTC) }],
    ['a raw text', { time_raw: '2026-04-08 23:59:59' }, { local: '2026-04-08T23:59:59' }],
    ['a raw date', { time_raw: '2026-04-08' }, { on: '2026-04-08' }],
    ['raw date and time', { time_raw: { date: '2026-04-08', time: '00:00:00' } }, { local: '2026-04-08T00:00:00' }],
    [
      'raw minutes',
      { time_raw: { date: '2026-04-08', time: '03:12', timezone: '' } },
      { local: '2026-04-08T03:12:00' },
    ],
    [
      'a raw offset',
      { time_raw: { date: '2026-04-08', time: '22:12:00', timezone: '-05:00' } },
      { at: new Date('2026-04-09T03:12:00Z') },
    ],
    [
      'a raw zone that is no offset',
      { time_raw: { date: '2026-04-08', time: '03:12:00', timezone: 'CET' } },
      { local: '2026-04-08T03:12:00' },
    ],
    [
      'a raw date without time',
      { time_raw: { date: '2026-04-08', time: null, timezone: '+02:00' } },
      { on: '2026-04-08' },
    ],
    ['a raw date with an empty time', { time_raw: { date: '2028-02-29', time: '' } }, { on: '2028-02-29' }],
  ])('%s', (_name, fields, time) => {
    expect(scanOf({ scan: { time_utc: null, ...fields } }).time).toEqual(time);
  });

  test.each([
    ['none', {}],
    ['impossible dates', { time_utc: '2026-02-30T00:00:00Z', time_iso: '2026-04-31T00:00:00+02:00' }],
    ['an impossible hour', { time_raw: { date: '2026-04-08', time: '24:00:00' } }],
    ['an unreadable hour', { time_raw: { date: '2026-04-08', time: 'noon' } }],
    ['an hour without a date', { time_raw: { time: '03:12:00' } }],
    ['a placeholder', { time_utc: '0001-01-01T00:00:00Z', time_raw: '1970-01-01 00:00:00' }],
    ['numbers', { time_utc: 1775617920, time_iso: 1775617920, time_raw: 20260408 }],
    ['an object in an object', { time_raw: { date: {}, time: [], timezone: 7 } }],
  ])('%s is no time: the webhook is malformed', (_name, fields) => {
    expect(wrongFields(updateWith({ scan: { time_utc: null, ...fields } }))).toEqual([
      'data.track_info.tracking.providers[0].events[0].time_utc',
    ]);
  });

  test('the report is as of the newest sync of any provider, if that is an instant, else of its newest scan', () => {
    const reportedAt = (...times: unknown[]) => {
      const [first, ...others] = times.map((latest_sync_time) => ({ latest_sync_time, events: [] }));
      const providers = [{ ...first, events: [EVENT] }, ...others];
      return parcelOf(parse({ info: { tracking: { providers } } })).reportedAt.toISOString();
    };
    expect(reportedAt('2026-04-08T09:00:00Z', '2026-04-08T10:00:00Z')).toBe('2026-04-08T10:00:00.000Z');
    expect(reportedAt('2026-04-08T12:00:00+02:00', '2026-04-08T09:00:00Z')).toBe('2026-04-08T10:00:00.000Z');
    expect(reportedAt('2026-04-08T09:00:00', null)).toBe('2026-04-08T03:12:00.000Z');
    expect(reportedAt('2026-04-07T09:00:00Z')).toBe('2026-04-07T09:00:00.000Z');
    expect(reportedAt(7, undefined)).toBe('2026-04-08T03:12:00.000Z');
  });
});

describe('parse: the estimate is the end of the range', () => {
  test.each([
    ['2026-04-08', '2026-04-10', { on: '2026-04-10' }],
    ['2026-04-08', null, { on: '2026-04-08' }],
    ['2026-04-08', 'soon', { on: '2026-04-08' }],
    [null, '2026-04-10T00:00:00Z', { on: '2026-04-10' }],
    [null, '2026-04-10T20:00:00-04:00', { at: new Date('2026-04-11T00:00:00Z') }],
    [null, '2026-04-10T20:00:00', { on: '2026-04-10' }],
    ['2026-02-30', '2026-04-31', null],
    [7, {}, null],
    [null, null, null],
  ])('from %p to %p', (from, to, expected) => {
    const time_metrics = { estimated_delivery_date: { source: 'Official', from, to } };
    expect(parcelOf(parse({ info: { time_metrics } })).estimate).toEqual(expected);
  });

  test.each([null, [], 'none', { estimated_delivery_date: [] }])('time_metrics %p say nothing', (time_metrics) => {
    expect(parcelOf(parse({ info: { time_metrics } })).estimate).toBeNull();
  });
});

describe('parse: what it needs, and what it does without', () => {
  const PROVIDERS = 'data.track_info.tracking.providers';
  test.each([
    ['null', null, 'body'],
    ['an empty object', {}, 'event'],
    ['an event of another type', { event: 7, data: {} }, 'event'],
    ['no data', { event: 'TRACKING_UPDATED' }, 'data'],
    ['data of another type', { event: 'TRACKING_UPDATED', data: [] }, 'data'],
    ['no number', updateWith({ data: { number: undefined } }), 'data.number'],
    ['a number that is one', updateWith({ data: { number: 940010 } }), 'data.number'],
    ['101 characters of number', updateWith({ data: { number: '9'.repeat(101) } }), 'data.number'],
    ['NUL in the number', updateWith({ data: { number: 'LB\0' } }), 'data.number'],
    ['NUL in the carrier', updateWith({ data: { carrier: '\0' } }), 'data.carrier'],
    ['providers that are no list', updateWith({ info: { tracking: { providers: {} } } }), PROVIDERS],
    ['51 providers', updateWith({ info: { tracking: { providers: Array(51).fill({}) } } }), PROVIDERS],
    ['a provider that is null', updateWith({ info: { tracking: { providers: [null] } } }), `${PROVIDERS}[0]`],
    ['events that are no list', updateWith({ provider: { events: 'none' } }), `${PROVIDERS}[0].events`],
    ['1,001 events', updateWith({ provider: { events: Array(1001).fill({}) } }), `${PROVIDERS}[0].events`],
    ['an event that is a list', updateWith({ provider: { events: [[]] } }), `${PROVIDERS}[0].events[0]`],
    ['NUL in a stage', updateWith({ scan: { stage: '\0' } }), `${PROVIDERS}[0].events[0].stage`],
    ['NUL in a sub-status', updateWith({ scan: { sub_status: '\0' } }), `${PROVIDERS}[0].events[0].sub_status`],
    ['NUL in a text', updateWith({ scan: { description: '\0' } }), `${PROVIDERS}[0].events[0].description`],
    ['NUL in a place', updateWith({ scan: { location: '\0' } }), `${PROVIDERS}[0].events[0].location`],
    ['NUL in a city', updateWith({ scan: { address: { city: '\0' } } }), `${PROVIDERS}[0].events[0].address.city`],
    [
      'NUL in the status',
      updateWith({ info: { latest_status: { status: '\0' } } }),
      'data.track_info.latest_status.status',
    ],
  ])('%s is malformed, and the field is named', (_name, document, field) => {
    expect(wrongFields(document)).toEqual([field]);
  });

  test.each(['TRACKING_STOPPED', 'TRACKING_DELETED', 'tracking_updated', '__proto__'])('%p is ignored', (event) => {
    for (const data of [undefined, null, { number: 7 }]) {
      expect(seventeentrack.parse({ event, data }).outcome).toBe('ignored');
    }
  });

  test('all else that is missing or of another type counts as not said', () => {
    const scan = { stage: 7, sub_status: [], description: {}, location: 7, address: 'here' };
    const data = {
      number: ' lb 1-cn ',
      carrier: null,
      track_info: { latest_status: 7, tracking: { providers: [{ events: [{ ...EVENT, ...scan }] }] } },
    };
    const outcome = parse({ data });
    expect(outcome).toMatchObject({ deliveryId: null, parcels: [{ carrier: '', trackingNumber: ' lb 1-cn ' }] });
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

  test.each([
    [3011, '3011'],
    [0, '0'],
    ['china-post', 'china-post'],
    [1.5, ''],
    [1e300, ''],
    [[3011], ''],
    [undefined, ''],
  ])('carrier %p is %p', (carrier, expected) => {
    expect(parcelOf(parse({ data: { carrier } })).carrier).toBe(expected);
  });

  test('the place is the location as sent, else what the address has', () => {
    const address = { country: 'DE', state: 'Hessen', city: 'Kassel', postal_code: '34117' };
    expect(scanOf({ scan: { location: 'Kassel, DE', address } }).place).toBe('Kassel, DE');
    expect(scanOf({ scan: { location: null, address } }).place).toBe('Kassel, Hessen, DE 34117');
    expect(scanOf({ scan: { location: '', address: { country: null } } }).place).toBeNull();
  });

  test('__proto__ keys and deep nesting are harmless', () => {
    const deep = `${'['.repeat(5000)}${']'.repeat(5000)}`;
    const json = `{"__proto__":{"event":"TRACKING_STOPPED"},"event":"TRACKING_UPDATED","data":{"__proto__":{"number":"evil"},
      "number":"LB1CN","param":${deep},"track_info":{"tracking":{"providers":[{"provider":${deep},"events":[{"__proto__":
      {"stage":"Delivered"},"time_utc":"2026-04-08T03:12:00Z","stage":${deep}}]}]}}}}`;
    const parcel = parcelOf(seventeentrack.parse(JSON.parse(json)));
    expect(parcel).toMatchObject({ trackingNumber: 'LB1CN', scans: [{ status: 'unknown', code: '' }] });
    expect(wrongFields(JSON.parse('{"__proto__":{"event":"TRACKING_UPDATED"}}'))).toEqual(['event']);
  });

  test('any value in any of the fields that are read', () => {
    const record = (keys: string[]) =>
      fc.record(Object.fromEntries(keys.map((key) => [key, anyValue])), { requiredKeys: [] });
    const time = fc.oneof({ weight: 5, arbitrary: fc.constant('2026-04-08T03:12:00Z') }, anyValue);
    const scan = fc
      .tuple(record(['stage', 'sub_status', 'description', 'location', 'address', 'time_iso', 'time_raw']), time)
      .map(([words, time_utc]) => ({ ...words, time_utc }));
    const events = fc.array(scan, { maxLength: 4 });
    fc.assert(
      fc.property(
        record(['carrier']),
        record(['latest_status', 'time_metrics']),
        anyValue,
        events,
        (data, info, at, list) => {
          const tracking = { providers: [{ latest_sync_time: at, events: list }] };
          checkOutcome(parse({ data: { ...data, track_info: { ...info, tracking } } }));
        },
      ),
      { numRuns: 1000, ...seeded },
    );
  });
});

describe('verify', () => {
  const rawBody = rawFixture('seventeentrack', 'delivered-in-time');
  const now = new Date('2026-04-10T00:00:00Z');
  const secret = 'a-kéy';
  const hex = createHash('sha256')
    .update(`${rawBody.toString('utf8')}/${secret}`, 'utf8')
    .digest('hex');
  const verify = (sign: string) =>
    seventeentrack.verifier.over === 'bytes' &&
    seventeentrack.verifier.verify({ rawBody, headers: { sign }, secrets: [secret], now });

  test('the digest of body, slash and key, as UTF-8', () => {
    expect(verify(hex)).toBe('verified');
    expect(seventeentrack.sign({ rawBody, secret, now })).toEqual({ sign: hex });
  });

  test.each([
    ['an HMAC', createHmac('sha256', secret).update(rawBody).digest('hex')],
    [
      'without the slash',
      createHash('sha256')
        .update(`${rawBody.toString('utf8')}${secret}`)
        .digest('hex'),
    ],
    ['upper case', hex.toUpperCase()],
    ['in base64', Buffer.from(hex, 'hex').toString('base64')],
    ['prefixed', `sha256=${hex}`],
    ['sent twice and joined', `${hex}, ${hex}`],
  ])('a signature that is %s does not hold', (_name, signature) => {
    expect(verify(signature)).toBe('refused');
  });
});
