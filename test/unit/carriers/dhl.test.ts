import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { dhl } from '../../../src/carriers/dhl/adapter.js';
import { meaningOf, STATUS_CODES, unrecognisedOf } from '../../../src/carriers/dhl/statuses.js';
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

describeSource(dhl, { secrets: TEXT_SECRETS, hasWindow: false });

const push = (...shipments: unknown[]) => ({ scope: 'subscription.push', self: 'https://dhl.example/7', shipments });

/** A push of one shipment with one event, whose parts a test may replace. */
function pushWith(parts: { shipment?: object; event?: object } = {}) {
  const event = { timestamp: '2026-04-08T03:12:00', statusCode: 'transit', status: 'IN TRANSIT', description: 'On' };
  return push({ id: '7000000001', events: [{ ...event, ...parts.event }], ...parts.shipment });
}

const scanOf = (parts: Parameters<typeof pushWith>[0]) => scanOfOutcome(dhl.parse(pushWith(parts)));
const wrongFields = (document: unknown) => wrongFieldsOf(dhl.parse(document));
const meaningAsText = (statusCode: string | null, description: string | null, status: string | null = null) =>
  asText(meaningOf({ statusCode, description, status }));

/** Written from the published list, not from the table under test. */
const expectedByCode: Record<string, string> = {
  'pre-transit': 'pre_transit',
  transit: 'in_transit',
  delivered: 'delivered',
  failure: 'exception other',
  unknown: 'unknown',
};

describe('statuses', () => {
  test('every documented code is a row, and no row is undocumented', () => {
    expect(Object.keys(STATUS_CODES).sort()).toEqual(Object.keys(expectedByCode).sort());
  });

  test.each(Object.entries(expectedByCode))('%s means %s, spelt as in a subscription too', (statusCode, expected) => {
    const [first, ...rest] = statusCode;
    for (const spelt of [statusCode, statusCode.toUpperCase(), `${first?.toUpperCase()}${rest.join('')}`]) {
      expect(meaningAsText(spelt, null)).toBe(expected);
      expect(meaningAsText(spelt, 'Sorted', 'IN TRANSIT')).toBe(expected);
      expect(unrecognisedOf({ statusCode: spelt })).toBeNull();
    }
  });

  test.each(['customs-hold', 'pre_transit', ' transit', '__proto__', 'constructor'])('%p is unknown', (statusCode) => {
    expect(meaningAsText(statusCode, 'Sorted')).toBe('unknown');
    expect(unrecognisedOf({ statusCode })).toBe(statusCode);
  });

  test('without a code a scan says nothing', () => {
    expect(meaningOf({ statusCode: null, description: 'Delivered', status: 'DELIVERED' })).toBeNull();
    expect(unrecognisedOf({ statusCode: null })).toBeNull();
  });

  test('the text counts where the code leaves it open, and beside no other', () => {
    const text = 'Out for delivery, available for pickup, notice left, attempted, weather, returned to sender';
    for (const statusCode of ['pre-transit', 'delivered']) {
      expect(meaningAsText(statusCode, text, text)).toBe(expectedByCode[statusCode]);
    }
    for (const statusCode of ['transit', 'unknown', 'customs-hold', null]) {
      expect(meaningAsText(statusCode, text)).toBe('out_for_delivery');
      expect(meaningAsText(statusCode, 'The recipient was not available')).toBe('attempted');
    }
  });

  test.each([
    ['The shipment is OUT FOR DELIVERY.', 'out_for_delivery'],
    ['The shipment is available for pickup', 'available_for_pickup'],
    ['Available for pick-up at the service point', 'available_for_pickup'],
    ['Ready for collection', 'available_for_pickup'],
    ['Not yet sorted, but available for pick up', 'available_for_pickup'],
    ['The shipment is not available for pickup', 'in_transit'],
    ['It will be available for pickup tomorrow', 'in_transit'],
    ['Will not be ready for pickup', 'in_transit'],
    ['Delivery attempted', 'attempted'],
    ['A notice left at the door', 'attempted'],
    ['Delivery attempt: nobody there', 'attempted'],
    ['The next delivery attempt is on Monday; delivery attempt today failed', 'attempted'],
    ['The next delivery attempt is on Monday', 'in_transit'],
    ['A delivery attempt will be made', 'in_transit'],
    ['Delivery will be attempted', 'in_transit'],
    ['Bad weather', 'in_transit'],
    ['Return address recorded', 'in_transit'],
    ['Details are not available', 'in_transit'],
    ['', 'in_transit'],
  ])('transit with %p: %s', (text, expected) => {
    expect(meaningAsText('transit', text)).toBe(expected);
    expect(meaningAsText('transit', null, text)).toBe(expected);
  });

  test.each([
    ['WEATHER', 'exception weather'],
    ['Bad weather; another attempt follows', 'exception weather'],
    ['Delivery Attempt failed', 'attempted'],
    ['Notice left', 'attempted'],
    ['The recipient was not available', 'attempted'],
    ['Not available, returned to the depot', 'attempted'],
    ['Returning', 'return_to_sender'],
    ['Returned to sender after two attempts', 'return_to_sender'],
    ['Bad weather: returned to the shipper', 'return_to_sender'],
    ['Handed to sender', 'exception other'],
    ['Out for delivery', 'exception other'],
    ['Label unreadable', 'exception other'],
  ])('failure with %p: %s', (text, expected) => {
    expect(meaningAsText('failure', text)).toBe(expected);
    expect(meaningAsText('failure', null, text)).toBe(expected);
  });

  test('the description goes before the status', () => {
    expect(meaningAsText('transit', 'Out for delivery', 'Delivery attempted')).toBe('out_for_delivery');
    expect(meaningAsText('transit', 'Sorted', 'OUT FOR DELIVERY')).toBe('out_for_delivery');
  });
});

describe('parse: the status of the shipment', () => {
  const event = { timestamp: '2026-04-08T03:12:00', statusCode: 'transit', description: 'On' };
  const scansOf = (status: unknown, events: unknown) =>
    parcelOf(dhl.parse(push({ id: '7', status, events }))).scans.map(({ status: is, time }) => [is, time]);
  const local = { local: '2026-04-08T03:12:00' };
  const instant = { at: new Date('2026-04-08T03:12:00Z') };

  test.each<[string, object, object, unknown[]]>([
    ['the same time', {}, {}, [['in_transit', local]]],
    ['a false Z', { timestamp: '2026-04-08T03:12:00Z' }, {}, [['in_transit', local]]],
    ['a false Z and no seconds', { timestamp: '2026-04-08T03:12Z' }, {}, [['in_transit', local]]],
    ['other words', { description: 'on', location: {} }, {}, [['in_transit', local]]],
    ['no words', { statusCode: null }, {}, [['in_transit', local]]],
    [
      'no zone, of an instant',
      {},
      { timestamp: '2026-04-08T03:12:00+02:00' },
      [['in_transit', { at: new Date('2026-04-08T01:12:00Z') }]],
    ],
    [
      'the same instant',
      { timestamp: '2026-04-08T03:12:00Z' },
      { timestamp: '2026-04-08T05:12:00+02:00' },
      [['in_transit', instant]],
    ],
    ['words that the latest scan lacks', { statusCode: 'delivered' }, { statusCode: '' }, [['delivered', local]]],
  ])('is one of the events, and no second scan: %s', (_name, status, scan, expected) => {
    expect(scansOf({ ...event, ...status }, [{ ...event, ...scan }])).toEqual(expected);
  });

  test.each<[string, object, object, unknown[]]>([
    [
      'another time',
      { timestamp: '2026-04-08T03:13:00Z' },
      {},
      ['in_transit', { at: new Date('2026-04-08T03:13:00Z') }],
    ],
    [
      'another instant',
      { timestamp: '2026-04-08T03:12:00Z' },
      { timestamp: '2026-04-08T03:12:00+02:00' },
      ['in_transit', instant],
    ],
    ['another meaning', { statusCode: 'delivered' }, {}, ['delivered', local]],
    [
      'another meaning and a false Z',
      { statusCode: 'delivered', timestamp: '2026-04-08T03:12:00Z' },
      {},
      ['delivered', local],
    ],
    [
      'another meaning and a real offset',
      { statusCode: 'delivered', timestamp: '2026-04-08T03:12:00+00:00' },
      {},
      ['delivered', instant],
    ],
  ])('is a scan of its own with %s', (_name, status, scan, expected) => {
    const scans = scansOf({ ...event, ...status }, [{ ...event, ...scan }]);
    expect(scans).toHaveLength(2);
    expect(scans[0]).toEqual(expected);
  });

  test('speaks for a scan without words only where that is the latest', () => {
    const later = { timestamp: '2026-04-08T04:00:00', description: 'Photo' };
    const bare = { ...event, statusCode: undefined };
    // With a time of its own it speaks for the scan at that time.
    expect(scansOf({ ...event, statusCode: 'delivered' }, [later, bare])).toEqual([
      ['unknown', { local: '2026-04-08T04:00:00' }],
      ['delivered', local],
    ]);
    expect(scansOf({ statusCode: 'delivered' }, [later, bare]).map(([status]) => status)).toEqual([
      'delivered',
      'unknown',
    ]);
    expect(scansOf({ statusCode: 'delivered' }, [event]).map(([status]) => status)).toEqual(['in_transit']);
    expect(scanOf({ event: { statusCode: '' }, shipment: { status: { statusCode: 'delivered' } } })).toMatchObject({
      status: 'delivered',
      code: '',
    });
  });

  test('is the only scan where there are no events, and none without a time', () => {
    for (const events of [[], null, undefined]) {
      expect(scansOf(event, events)).toEqual([['in_transit', local]]);
      for (const timestamp of ['', null, undefined]) expect(scansOf({ ...event, timestamp }, events)).toEqual([]);
    }
    for (const status of [null, 'delivered', [], 7]) expect(scansOf(status, [event])).toEqual([['in_transit', local]]);
  });
});

describe('parse: time and estimate', () => {
  test.each([
    ['2026-04-08T03:12:00', { local: '2026-04-08T03:12:00' }],
    ['2026-04-08T00:00:00', { local: '2026-04-08T00:00:00' }],
    ['2026-04-08 23:59:59.999', { local: '2026-04-08T23:59:59.999' }],
    ['2026-04-08T03:12:00Z', { at: new Date('2026-04-08T03:12:00Z') }],
    ['2026-04-08T00:30:00+02:00', { at: new Date('2026-04-07T22:30:00Z') }],
    ['2028-02-29', { on: '2028-02-29' }],
  ])('%s', (timestamp, time) => {
    expect(scanOf({ event: { timestamp } }).time).toEqual(time);
  });

  test.each([
    '2026-02-30T10:00:00',
    '2026-04-08T24:00:00',
    '1970-01-01T00:00:00Z',
    'soon',
    '',
    1775617920,
    null,
    undefined,
    {},
  ])('%p is no time: the webhook is malformed', (timestamp) => {
    expect(wrongFields(pushWith({ event: { timestamp } }))).toEqual(['shipments[0].events[0].timestamp']);
  });

  test.each([
    ['2026-04-10T00:00:00Z', { on: '2026-04-10' }],
    ['2026-04-10T00:00:01Z', { at: new Date('2026-04-10T00:00:01Z') }],
    ['2026-04-10T00:00:00+02:00', { at: new Date('2026-04-09T22:00:00Z') }],
    ['2026-04-10T18:00:00', { on: '2026-04-10' }],
    ['2026-02-30', null],
    [{}, null],
    [undefined, null],
  ])('an estimate of %p', (estimatedTimeOfDelivery, expected) => {
    expect(parcelOf(dhl.parse(pushWith({ shipment: { estimatedTimeOfDelivery } }))).estimate).toEqual(expected);
  });
});

describe('parse: the subscription', () => {
  const self = 'https://api-eu.dhl.com/tracking/push/v1/subscription/7';
  const handshakeOf = (document: object) => dhl.parse({ scope: 'subscription.validate', ...document });

  test.each(['validate', 'ready', 'failure'])('%s is a handshake', (state) => {
    for (const shipments of [undefined, 7, [{ id: '7' }]]) {
      const document = { scope: `subscription.${state}`, self, secret: 'abc', shipments };
      expect(dhl.parse(document)).toEqual({
        outcome: 'handshake',
        handshake: { subscription: self, state, secret: 'abc' },
      });
    }
  });

  test('a secret or a name is whole or not there', () => {
    const nothing = { outcome: 'handshake', handshake: { subscription: '', state: 'validate', secret: null } };
    for (const value of [undefined, null, '', 7, {}, 'x'.repeat(501)]) {
      expect(handshakeOf({ self: value, secret: value })).toEqual(nothing);
    }
    expect(wrongFieldsOf(handshakeOf({ self: '\0', secret: 'a\0' }))).toEqual(['self', 'secret']);
  });

  test.each([
    'subscription.expired',
    'subscription.',
    'subscription',
    'Subscription.Push',
    'shipment',
    '__proto__',
    'x\0',
  ])('%p is ignored, whatever it holds', (scope) => {
    for (const shipments of [undefined, 7, [{}]]) expect(dhl.parse({ scope, shipments }).outcome).toBe('ignored');
  });
});

describe('parse: what it needs, and what it does without', () => {
  test.each([
    ['an array', [], 'body'],
    ['null', null, 'body'],
    ['an empty object', {}, 'scope'],
    ['a scope of another type', { scope: 7, shipments: [] }, 'scope'],
    ['no shipments', { scope: 'subscription.push' }, 'shipments'],
    ['shipments that are no list', { scope: 'subscription.push', shipments: {} }, 'shipments'],
    ['1,001 shipments', push(...Array(1001).fill({ id: '7' })), 'shipments'],
    ['a shipment that is null', push({ id: '7' }, null), 'shipments[1]'],
    ['no id', pushWith({ shipment: { id: undefined } }), 'shipments[0].id'],
    ['a blank id', pushWith({ shipment: { id: ' - ' } }), 'shipments[0].id'],
    ['an id above 2^53', pushWith({ shipment: { id: 2 ** 53 } }), 'shipments[0].id'],
    ['an id with a fraction', pushWith({ shipment: { id: 7.5 } }), 'shipments[0].id'],
    ['a negative id', pushWith({ shipment: { id: -7 } }), 'shipments[0].id'],
    ['NaN', pushWith({ shipment: { id: Number.NaN } }), 'shipments[0].id'],
    ['events that are no list', pushWith({ shipment: { events: {} } }), 'shipments[0].events'],
    ['an event that is a text', pushWith({ shipment: { events: ['x'] } }), 'shipments[0].events[0]'],
    ['a status at no time', pushWith({ shipment: { status: { timestamp: 'soon' } } }), 'shipments[0].status.timestamp'],
    ['NUL in a code', pushWith({ event: { statusCode: '\0' } }), 'shipments[0].events[0].statusCode'],
    ['NUL in a status', pushWith({ shipment: { status: { status: '\0' } } }), 'shipments[0].status.status'],
    ['NUL in a text', pushWith({ event: { description: '\0' } }), 'shipments[0].events[0].description'],
    [
      'NUL in a place',
      pushWith({ event: { location: { address: { postalCode: '\0' } } } }),
      'shipments[0].events[0].location.address.postalCode',
    ],
  ])('%s is malformed, and the field is named', (_name, document, field) => {
    expect(wrongFields(document)).toEqual([field]);
  });

  test('one push tells of several parcels, or of none', () => {
    const numbers = parcelsOf(dhl.parse(push({ id: 7 }, { id: 2 ** 53 - 1 }, { id: '0034-1' })));
    expect(numbers.map(({ trackingNumber }) => trackingNumber)).toEqual(['7', '9007199254740991', '0034-1']);
    expect(dhl.parse(push())).toEqual({ outcome: 'parsed', deliveryId: null, parcels: [] });
  });

  test('all else that is missing or of another type counts as not said', () => {
    const event = { statusCode: 7, status: [], description: {}, location: 'here' };
    const outcome = dhl.parse(pushWith({ event, shipment: { service: 7, estimatedTimeOfDelivery: [] } }));
    expect(outcome).toMatchObject({ deliveryId: null, parcels: [{ carrier: 'dhl', estimate: null, snapshot: null }] });
    expect(scanOfOutcome(outcome)).toEqual({
      status: 'unknown',
      time: { local: '2026-04-08T03:12:00' },
      exception: null,
      disputed: false,
      code: '',
      text: null,
      place: null,
      isBorrowed: false,
      unrecognised: null,
    });
    expect(scanOf({ event: { description: '', location: { address: 'here' } } })).toMatchObject({
      text: 'IN TRANSIT',
      place: null,
    });
  });

  test('__proto__ and deep nesting are harmless', () => {
    const deep = `${'['.repeat(5000)}${']'.repeat(5000)}`;
    const json = `{"__proto__":{"scope":"x"},"scope":"subscription.push","shipments":[{"__proto__":{"id":"evil"},"id":"7","details":${deep},
      "status":{"__proto__":{"timestamp":"2026-04-08"}},"events":[{"__proto__":{"statusCode":"delivered"},"timestamp":"2026-04-08"}]}]}`;
    const outcome = dhl.parse(JSON.parse(json));
    expect(parcelOf(outcome).trackingNumber).toBe('7');
    expect(scanOfOutcome(outcome)).toMatchObject({ status: 'unknown', code: '' });
    expect(wrongFields(JSON.parse('{"__proto__":{"scope":"subscription.push"}}'))).toEqual(['scope']);
  });

  test('any value in any of the fields that are read', () => {
    const time = fc.oneof(fc.constantFrom('2026-04-08T03:12:00', '2026-04-08T03:12:00Z', '2026-04-08'), anyValue);
    const scan = fc.record(
      {
        timestamp: time,
        statusCode: fc.oneof(fc.constant('failure'), anyValue),
        status: anyValue,
        description: anyValue,
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(scan, fc.array(scan, { maxLength: 4 }), anyValue, (status, events, value) => {
        const address = { addressLocality: value, countryCode: value, postalCode: value };
        const shipment = {
          id: '7',
          status: { ...status, location: { address } },
          events,
          estimatedTimeOfDelivery: value,
        };
        checkOutcome(dhl.parse(push(shipment, { id: value })));
        checkOutcome(dhl.parse(push(shipment)));
      }),
      { numRuns: 1000, ...seeded },
    );
  });
});

describe('verify', () => {
  test('the token is sent in the header that this product names', () => {
    const request = { rawBody: Buffer.from('{}'), secret: 'a-token', now: new Date(0) };
    expect(dhl.sign(request)).toEqual({ 'x-dhl-webhook-token': 'a-token' });
    const verify = (headers: Record<string, string>) =>
      dhl.verifier.over === 'bytes' && dhl.verifier.verify({ ...request, secrets: ['a-token'], headers });
    expect(verify({ 'x-dhl-webhook-token': 'a-token' })).toBe('verified');
    expect(verify({ 'x-dhl-webhook-token': 'Bearer a-token' })).toBe('refused');
    expect(verify({ authorization: 'a-token' })).toBe('refused');
  });
});
