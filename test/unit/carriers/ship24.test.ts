import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ship24 } from '../../../src/carriers/ship24/adapter.js';
import { describeSource, TEXT_SECRETS } from '../../support/carrier-suite.js';
import {
  anyValue,
  checkOutcome,
  parcelOf,
  parcelsOf,
  scanOf as scanOfOutcome,
  seeded,
  wrongFields as wrongFieldsOf,
} from '../../support/carriers.js';

describeSource(ship24, { secrets: TEXT_SECRETS, hasWindow: false });

const EVENT = {
  occurrenceDatetime: '2026-04-08T03:12:00',
  status: 'On',
  statusMilestone: 'in_transit',
  statusCode: 'transit_handover',
  courierCode: 'it-post',
};

interface Parts {
  tracking?: object;
  event?: object;
}

/** A tracking with one event, whose parts a test may replace. */
function trackingWith(parts: Parts = {}) {
  return {
    metadata: { generatedAt: '2026-04-08T03:20:00Z', messageId: 'm-1', topic: 'tracking/events' },
    tracker: { trackingNumber: 'S24A' },
    shipment: { statusMilestone: 'in_transit' },
    events: [{ ...EVENT, ...parts.event }],
    ...parts.tracking,
  };
}

const callWith = (...trackings: Parts[]) => ({ trackings: trackings.map(trackingWith) });
const parse = (parts: Parts) => ship24.parse(callWith(parts));
const scanOf = (parts: Parts) => scanOfOutcome(parse(parts));
const wrongFields = (document: unknown) => wrongFieldsOf(ship24.parse(document));

describe('parse: the status of the shipment', () => {
  const bare = { statusMilestone: null, statusCode: undefined };
  const withHeadline = (event: object, shipment: unknown) => scanOf({ event, tracking: { shipment } });

  test('is the latest event’s when that has none, the code first, and no part of its code', () => {
    expect(withHeadline(bare, { statusMilestone: 'delivered' })).toMatchObject({ status: 'delivered', code: '' });
    expect(withHeadline(bare, { statusMilestone: 'exception', statusCode: 'exception_lost' })).toMatchObject({
      exception: 'lost',
      code: '',
    });
    expect(withHeadline({ ...bare, status: 'Returning' }, { statusMilestone: 'exception' }).status).toBe(
      'return_to_sender',
    );
    expect(withHeadline(bare, { statusMilestone: 'airborne' })).toMatchObject({
      status: 'unknown',
      isBorrowed: false,
      unrecognised: null,
    });
    for (const shipment of [null, [], {}, 'delivered']) expect(withHeadline(bare, shipment).status).toBe('unknown');
  });

  test('never outweighs what the event says itself', () => {
    const shipment = { statusMilestone: 'delivered', statusCode: 'delivery_delivered' };
    expect(withHeadline({ statusMilestone: 'airborne', statusCode: null }, shipment).status).toBe('unknown');
    expect(withHeadline({ statusMilestone: null, statusCode: 'airborne' }, shipment).status).toBe('unknown');
    expect(withHeadline({}, shipment).status).toBe('in_transit');
  });

  test('goes to the first in the list of events at the same time, and to no other', () => {
    const events = ['first', 'second'].map((status) => ({ ...EVENT, ...bare, status }));
    const { scans } = parcelOf(parse({ tracking: { events, shipment: { statusMilestone: 'delivered' } } }));
    expect(scans.map(({ status }) => status)).toEqual(['delivered', 'unknown']);
  });

  test('makes no event without an event', () => {
    for (const events of [[], null, undefined]) {
      const parcel = parcelOf(parse({ tracking: { events, shipment: { statusMilestone: 'delivered' } } }));
      expect(parcel).toMatchObject({ scans: [], carrier: '', snapshot: null });
    }
  });
});

describe('parse: a batch', () => {
  test('is a report for each tracking, of one number twice too, and nothing when empty', () => {
    expect(ship24.parse({ trackings: [] })).toEqual({ outcome: 'parsed', deliveryId: null, parcels: [] });
    const other = { tracking: { tracker: { trackingNumber: 'S24B' } } };
    expect(parcelsOf(ship24.parse(callWith({}, other, {}))).map((parcel) => parcel.trackingNumber)).toEqual([
      'S24A',
      'S24B',
      'S24A',
    ]);
  });

  test('has no id of its own: the message’s counts only where it is the only one', () => {
    expect(ship24.parse(callWith({}))).toMatchObject({ deliveryId: 'm-1' });
    expect(ship24.parse(callWith({}, {}))).toMatchObject({ deliveryId: null });
    for (const metadata of [null, [], {}, { messageId: 7 }, { messageId: 'm'.repeat(501) }]) {
      expect(parse({ tracking: { metadata } })).toMatchObject({ deliveryId: null });
    }
  });

  test('is ignored when it is of another topic throughout', () => {
    const pod = { tracking: { metadata: { topic: 'tracking/pod', messageId: 'm-2' }, tracker: null, events: 7 } };
    expect(ship24.parse(callWith(pod))).toEqual({ outcome: 'ignored', reason: 'not a tracking event' });
    expect(parcelsOf(ship24.parse(callWith(pod, {})))).toHaveLength(1);
  });

  test('makes a report for each courier that its events name: a scan is the same in whatever company', () => {
    const carriersOf = (...couriers: [string, unknown][]) =>
      parcelsOf(
        parse({
          tracking: {
            events: couriers.map(([occurrenceDatetime, courierCode]) => ({
              ...EVENT,
              occurrenceDatetime,
              courierCode,
            })),
          },
        }),
      ).map(({ carrier, scans }) => `${carrier} ${scans.length}`);
    expect(carriersOf(['2026-04-08', 'a'], ['2026-04-09', 'b'])).toEqual(['b 1', 'a 1']);
    expect(carriersOf(['2026-04-09', 'a'], ['2026-04-08', 'a'])).toEqual(['a 2']);
    expect(carriersOf(['2026-04-09', null], ['2026-04-08', 'b'])).toEqual([' 1', 'b 1']);
    expect(carriersOf(['2026-04-09', ['a']], ['2026-04-08', ''])).toEqual([' 2']);
    expect(carriersOf()).toEqual([' 0']);
  });

  test('is as of when it was generated, if that is an instant, else of its newest event', () => {
    const reportedAt = (generatedAt: unknown) =>
      parcelOf(parse({ tracking: { metadata: { generatedAt } } })).reportedAt.toISOString();
    expect(reportedAt('2026-04-08T05:20:00+02:00')).toBe('2026-04-08T03:20:00.000Z');
    for (const none of ['2026-04-08T09:20:00', '2026-04-08', 'now', 7, null]) {
      expect(reportedAt(none)).toBe('2026-04-08T03:12:00.000Z');
    }
  });
});

describe('parse: time', () => {
  test.each([
    ['2026-04-08T00:00:00', { local: '2026-04-08T00:00:00' }],
    ['2026-04-08T23:59:59', { local: '2026-04-08T23:59:59' }],
    ['2026-04-08T03:12', { local: '2026-04-08T03:12:00' }],
    ['2026-04-08T23:59:59Z', { at: new Date('2026-04-08T23:59:59Z') }],
    ['2026-04-08T00:00:00+02:00', { at: new Date('2026-04-07T22:00:00Z') }],
    ['2028-02-29', { on: '2028-02-29' }],
  ])('%s', (occurrenceDatetime, time) => {
    expect(scanOf({ event: { occurrenceDatetime } }).time).toEqual(time);
  });

  test('hasNoTime makes a midnight a date, and nothing else', () => {
    const timeOf = (occurrenceDatetime: string, hasNoTime: unknown) =>
      scanOf({ event: { occurrenceDatetime, hasNoTime } }).time;
    expect(timeOf('2026-04-08T00:00:00', true)).toEqual({ on: '2026-04-08' });
    expect(timeOf('2026-04-08', true)).toEqual({ on: '2026-04-08' });
    expect(timeOf('2026-04-08T03:12:00', true)).toEqual({ local: '2026-04-08T03:12:00' });
    expect(timeOf('2026-04-08T00:00:00', 'true')).toEqual({ local: '2026-04-08T00:00:00' });
  });

  test.each([
    '2026-02-30',
    '2026-04-08T24:00:00',
    '1970-01-01T00:00:00Z',
    'yesterday',
    '',
    1775617920,
    null,
    undefined,
    {},
  ])('%p is no time: the webhook is malformed', (occurrenceDatetime) => {
    const event = { occurrenceDatetime, datetime: '2026-04-08T03:12:00.000Z' };
    expect(wrongFields(callWith({ event }))).toEqual(['trackings[0].events[0].occurrenceDatetime']);
  });
});

describe('parse: the estimate', () => {
  test.each([
    ['2026-04-10', '2026-04-11', { on: '2026-04-10' }],
    ['2026-04-10T18:00:00', null, { on: '2026-04-10' }],
    ['2026-04-10T18:00:00+02:00', null, { at: new Date('2026-04-10T16:00:00Z') }],
    ['2026-04-10T00:00:00Z', null, { on: '2026-04-10' }],
    [null, '2026-04-11T18:00:00', { on: '2026-04-11' }],
    ['2026-02-30', 'soon', null],
    [7, {}, null],
  ])('%p, and the end of the carrier’s range %p', (estimatedDeliveryDate, to, expected) => {
    const delivery = { estimatedDeliveryDate, courierEstimatedDeliveryDate: { from: '2026-04-01', to } };
    expect(parcelOf(parse({ tracking: { shipment: { delivery } } })).estimate).toEqual(expected);
  });

  test.each([null, [], 'none', { courierEstimatedDeliveryDate: [] }])('delivery %p says nothing', (delivery) => {
    expect(parcelOf(parse({ tracking: { shipment: { delivery } } })).estimate).toBeNull();
  });
});

describe('parse: what it needs, and what it does without', () => {
  test.each([
    ['an array', [], 'body'],
    ['null', null, 'body'],
    ['an empty object', {}, 'trackings'],
    ['trackings that are no list', { trackings: {} }, 'trackings'],
    ['1,001 trackings', { trackings: Array(1001).fill({}) }, 'trackings'],
    ['a tracking that is null', { trackings: [null] }, 'trackings[0]'],
    ['no tracker', callWith({}, { tracking: { tracker: null } }), 'trackings[1].tracker.trackingNumber'],
    [
      'a number that is one',
      callWith({ tracking: { tracker: { trackingNumber: 7 } } }),
      'trackings[0].tracker.trackingNumber',
    ],
    [
      'a number of hyphens',
      callWith({ tracking: { tracker: { trackingNumber: '-' } } }),
      'trackings[0].tracker.trackingNumber',
    ],
    ['events that are no list', callWith({ tracking: { events: {} } }), 'trackings[0].events'],
    ['1,001 events', callWith({ tracking: { events: Array(1001).fill({}) } }), 'trackings[0].events'],
    ['an event that is a text', callWith({ tracking: { events: ['x'] } }), 'trackings[0].events[0]'],
    [
      'NUL in the message',
      callWith({ tracking: { metadata: { messageId: '\0' } } }),
      'trackings[0].metadata.messageId',
    ],
    [
      'NUL in the shipment',
      callWith({ tracking: { shipment: { statusCode: '\0' } } }),
      'trackings[0].shipment.statusCode',
    ],
    [
      'NUL in a milestone',
      callWith({}, { event: { statusMilestone: '\0' } }),
      'trackings[1].events[0].statusMilestone',
    ],
    ['NUL in a code', callWith({ event: { statusCode: '\0' } }), 'trackings[0].events[0].statusCode'],
    ['NUL in a text', callWith({ event: { status: '\0' } }), 'trackings[0].events[0].status'],
    ['NUL in a place', callWith({ event: { location: '\0' } }), 'trackings[0].events[0].location'],
    ['NUL in a courier', callWith({ event: { courierCode: '\0' } }), 'trackings[0].events[0].courierCode'],
  ])('%s is malformed, and the field is named', (_name, document, field) => {
    expect(wrongFields(document)).toEqual([field]);
  });

  test('all else that is missing or of another type counts as not said', () => {
    const event = { status: 7, statusMilestone: [], statusCode: {}, location: true, courierCode: null };
    const tracking = { metadata: 7, shipment: 'none', events: [{ ...EVENT, ...event }] };
    const outcome = parse({ tracking });
    expect(outcome).toMatchObject({ deliveryId: null, parcels: [{ carrier: '', estimate: null, snapshot: null }] });
    expect(parcelOf(outcome).scans).toEqual([
      {
        status: 'unknown',
        time: { local: '2026-04-08T03:12:00' },
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

  test('__proto__ keys and deep nesting are harmless', () => {
    const deep = `${'['.repeat(5000)}${']'.repeat(5000)}`;
    const json = `{"__proto__":{"trackings":[]},"trackings":[{"statistics":${deep},"tracker":{"__proto__":{"trackingNumber":"evil"},
      "trackingNumber":"S24A"},"events":[{"__proto__":{"statusMilestone":"delivered"},"order":${deep},
      "occurrenceDatetime":"2026-04-08","statusCode":${deep}}]}]}`;
    const parcel = parcelOf(ship24.parse(JSON.parse(json)));
    expect(parcel).toMatchObject({ trackingNumber: 'S24A', scans: [{ status: 'unknown', code: '' }] });
    expect(wrongFields(JSON.parse('{"__proto__":{"trackings":[]}}'))).toEqual(['trackings']);
  });

  test('any value in any of the fields that are read', () => {
    const record = (keys: string[]) =>
      fc.record(Object.fromEntries(keys.map((key) => [key, anyValue])), { requiredKeys: [] });
    const time = fc.oneof({ weight: 5, arbitrary: fc.constant('2026-04-08T03:12:00') }, anyValue);
    const event = fc
      .tuple(record(['status', 'statusMilestone', 'statusCode', 'location', 'courierCode', 'hasNoTime']), time)
      .map(([words, occurrenceDatetime]) => ({ ...words, occurrenceDatetime }));
    const tracking = fc.record({
      metadata: record(['generatedAt', 'messageId', 'topic']),
      shipment: record(['statusMilestone', 'statusCode', 'delivery']),
      events: fc.array(event, { maxLength: 4 }),
    });
    fc.assert(
      fc.property(fc.array(tracking, { maxLength: 3 }), (trackings) => {
        checkOutcome(ship24.parse(callWith(...trackings.map((parts) => ({ tracking: parts })))));
      }),
      { numRuns: 1000, ...seeded },
    );
  });
});

describe('the secret', () => {
  const rawBody = Buffer.from('{"trackings":[]}');
  const now = new Date('2026-04-10T00:00:00Z');
  const verify = (authorization: string) =>
    ship24.verifier.over === 'bytes' &&
    ship24.verifier.verify({ rawBody, headers: { authorization }, secrets: ['s3cret'], now });

  test('is sent as a bearer token, and the address answers HEAD', () => {
    expect(ship24.sign({ rawBody, secret: 's3cret', now })).toEqual({ authorization: 'Bearer s3cret' });
    expect(verify('Bearer s3cret')).toBe('verified');
    expect(ship24).toMatchObject({ answersHead: true, trust: 'hint' });
  });

  test.each(['s3cret', 'bearer s3cret', 'Bearer  s3cret', 'Bearer', 'Bearer ', 'Basic s3cret', 'Bearer S3CRET'])(
    '%p does not hold',
    (authorization) => {
      expect(verify(authorization)).toBe('refused');
    },
  );
});
