import { describe, expect, test } from '@jest/globals';
import { sendcloud } from '../../../src/carriers/sendcloud/adapter.js';
import { meaningOf, STATUSES } from '../../../src/carriers/sendcloud/statuses.js';
import { describeSource, TEXT_SECRETS } from '../../support/carrier-suite.js';
import { meaningAsText, parcelOf, scanOf as scanOfOutcome, wrongFields } from '../../support/carriers.js';

describeSource(sendcloud, { secrets: TEXT_SECRETS, hasWindow: false });

/** 2026-04-09 15:05:00.120 and 15:06:30.500 UTC, in milliseconds. */
const CHANGED = 1_775_747_100_120;
const SENT = 1_775_747_190_500;

/** A change of status, whose parts a test may replace. */
function eventWith(parts: { event?: object; parcel?: object; status?: object } = {}) {
  return {
    action: 'parcel_status_changed',
    timestamp: SENT,
    carrier_status_change_timestamp: CHANGED,
    parcel: {
      id: 234184643,
      tracking_number: '3S0000000999',
      city: 'Lyon',
      status: { id: 91, message: 'Parcel en route', ...parts.status },
      carrier: { code: 'colissimo' },
      ...parts.parcel,
    },
    ...parts.event,
  };
}

const scanOf = (parts: Parameters<typeof eventWith>[0]) => scanOfOutcome(sendcloud.parse(eventWith(parts)));

/** Written from the published lists, not from the table under test. */
const documented: readonly (readonly [id: number, message: string, expected: string])[] = [
  [1, 'Announced', 'pre_transit'],
  [3, 'En route to sorting center', 'in_transit'],
  [4, 'Delivery delayed', 'exception delay'],
  [5, 'Sorted', 'in_transit'],
  [6, 'Not sorted', 'in_transit'],
  [7, 'Being sorted', 'in_transit'],
  [8, 'Delivery attempt failed', 'attempted'],
  [11, 'Delivered', 'delivered'],
  [12, 'Awaiting customer pickup', 'available_for_pickup'],
  [13, 'Announced: not collected', 'pre_transit'],
  [15, 'Error collecting', 'exception other'],
  [22, 'Shipment picked up by driver', 'in_transit'],
  [80, 'Unable to deliver', 'exception other'],
  [91, 'Parcel en route', 'in_transit'],
  [92, 'Driver en route', 'out_for_delivery'],
  [93, 'Shipment collected by customer', 'delivered'],
  [999, 'No label', 'pre_transit'],
  [1000, 'Ready to send', 'pre_transit'],
  [1001, 'Being announced', 'pre_transit'],
  [1002, 'Announcement failed', 'pre_transit'],
  [1337, 'Unknown status', 'unknown'],
  [1998, 'Cancelled upstream', 'cancelled'],
  [2000, 'Cancelled', 'cancelled'],
  [62989, 'At customs', 'in_transit'],
  [62990, 'At sorting centre', 'in_transit'],
  [62991, 'Refused by recipient', 'exception refused'],
  [62992, 'Returned to sender', 'return_to_sender'],
  [62996, 'Exception', 'exception other'],
];
const requests = [
  [1999, 'Cancellation requested'],
  [2001, 'Submitting cancellation request'],
] as const;

describe('statuses', () => {
  test('every documented id is a row, and no row is undocumented', () => {
    const ids = [...documented, ...requests].map(([id]) => String(id));
    expect(Object.keys(STATUSES).sort()).toEqual(ids.sort());
  });

  test.each(documented)('%p (%s) means %s, whatever the message says', (id, message, expected) => {
    for (const said of [message, 'Delivered', 'Returned to sender', '', null, 7, undefined]) {
      const scan = scanOf({ status: { id, message: said } });
      expect(meaningAsText(scan)).toBe(expected);
      expect(scan).toMatchObject({
        code: String(id),
        text: said === 7 || !said ? null : said,
        isBorrowed: false,
        unrecognised: null,
      });
    }
  });

  test.each(requests)('%p (%s) is ignored: nothing has happened yet', (id, message) => {
    expect(sendcloud.parse(eventWith({ status: { id, message } })).outcome).toBe('ignored');
    expect(sendcloud.parse(eventWith({ status: { id }, parcel: {}, event: { timestamp: null } })).outcome).toBe(
      'ignored',
    );
  });

  test.each([
    [2, '2'],
    [62999, '62999'],
    [0, '0'],
    [-11, '-11'],
    [11.5, '11.5'],
    [1e300, '1e+300'],
    ['011', '011'],
    ['Delivered', 'Delivered'],
    ['__proto__', '__proto__'],
    ['constructor', 'constructor'],
  ])('id %p is unknown, never a guess, and reported', (id, code) => {
    expect(scanOf({ status: { id, message: 'Delivered' } })).toMatchObject({
      status: 'unknown',
      exception: null,
      code,
      text: 'Delivered',
      unrecognised: code,
    });
  });

  test('an id that is written as a text is the same id', () => {
    expect(scanOf({ status: { id: '11' } })).toMatchObject({
      status: 'delivered',
      code: '11',
      isBorrowed: false,
      unrecognised: null,
    });
  });

  test.each([null, undefined, '', ' ', true, {}, [], Number.NaN])('id %p says nothing', (id) => {
    expect(scanOf({ status: { id, message: 'Delivered' } })).toMatchObject({
      status: 'unknown',
      code: '',
      text: 'Delivered',
      isBorrowed: false,
      unrecognised: null,
    });
  });

  test('the message names the weather only where the id names no kind of exception', () => {
    const meaning = (id: string, text: string) => meaningAsText(meaningOf({ id, text }));
    expect(meaning('62996', 'Exception: WEATHER')).toBe('exception weather');
    expect(meaning('80', 'bad weather')).toBe('exception weather');
    expect(meaning('4', 'bad weather')).toBe('exception delay');
    expect(meaning('91', 'bad weather')).toBe('in_transit');
    expect(meaning('62999', 'bad weather')).toBe('unknown');
  });
});

describe('parse: time', () => {
  const changed = { at: new Date(CHANGED) };
  const sent = { at: new Date(SENT) };

  test.each([
    ['milliseconds', CHANGED, changed],
    ['seconds', 1_775_747_100, { at: new Date('2026-04-09T15:05:00Z') }],
    ['seconds with a fraction', 1_775_747_100.12, changed],
    ['the first millisecond of 2000', 946_684_800_000, { at: new Date('2000-01-01T00:00:00Z') }],
    ['the first second of 2000', 946_684_800, { at: new Date('2000-01-01T00:00:00Z') }],
    ['the last second of 2200', 7_289_654_399, { at: new Date('2200-12-31T23:59:59Z') }],
    ['a second before 2000', 946_684_799, sent],
    ['10^11, as seconds too late', 100_000_000_000, sent],
    ['above 10^11, as milliseconds too early', 100_000_000_001, sent],
    ['zero', 0, sent],
    ['less than zero', -CHANGED, sent],
    ['microseconds', CHANGED * 1000, sent],
    ['beyond any clock', 1e300, sent],
    ['a text', String(CHANGED), sent],
    ['null', null, sent],
    ['nothing', undefined, sent],
  ])('of the carrier, in %s', (_name, carrier_status_change_timestamp, time) => {
    expect(scanOf({ event: { carrier_status_change_timestamp } }).time).toEqual(time);
  });

  test.each([
    ['in milliseconds', SENT, new Date(SENT)],
    ['in seconds', 1_775_747_190, new Date('2026-04-09T15:06:30Z')],
    ['missing', undefined, new Date(CHANGED)],
    ['before the scan’s', CHANGED - 1, new Date(CHANGED - 1)],
  ])('of the report: its timestamp, %s', (_name, timestamp, reportedAt) => {
    expect(parcelOf(sendcloud.parse(eventWith({ event: { timestamp } })))).toMatchObject({
      reportedAt,
      snapshot: null,
    });
  });

  test.each([undefined, null, 0, 'soon', '2026-04-09T15:05:00Z', -1, 1e300, {}, []])(
    'neither %p nor a time of the carrier: malformed',
    (timestamp) => {
      const event = { timestamp, carrier_status_change_timestamp: null };
      expect(wrongFields(sendcloud.parse(eventWith({ event })))).toEqual(['timestamp']);
    },
  );
});

describe('parse: what it needs, and what it does without', () => {
  test.each([
    ['an array', [], 'body'],
    ['null', null, 'body'],
    ['an empty object', {}, 'action'],
    ['an action of another type', { action: 7, parcel: {} }, 'action'],
    ['no parcel', eventWith({ event: { parcel: undefined } }), 'parcel'],
    ['a parcel of another type', eventWith({ event: { parcel: [] } }), 'parcel'],
    ['no tracking number', eventWith({ parcel: { tracking_number: undefined } }), 'parcel.tracking_number'],
    ['an empty one', eventWith({ parcel: { tracking_number: '' } }), 'parcel.tracking_number'],
    ['one that is a number', eventWith({ parcel: { tracking_number: 3 } }), 'parcel.tracking_number'],
    ['101 characters of it', eventWith({ parcel: { tracking_number: '9'.repeat(101) } }), 'parcel.tracking_number'],
    ['NUL in it', eventWith({ parcel: { tracking_number: '3S\0' } }), 'parcel.tracking_number'],
    ['NUL in the carrier', eventWith({ parcel: { carrier: { code: '\0' } } }), 'parcel.carrier.code'],
    ['NUL in the message', eventWith({ status: { message: '\0' } }), 'parcel.status.message'],
    ['NUL in an id', eventWith({ status: { id: '\0' } }), 'parcel.status.id'],
  ])('%s is malformed, and the field is named', (_name, document, field) => {
    expect(wrongFields(sendcloud.parse(document))).toEqual([field]);
  });

  test.each(['integration_connected', 'integration_updated', 'integration_deleted', 'test_webhook', 'return_created'])(
    'action %s is ignored, whatever it holds',
    (action) => {
      for (const parcel of [undefined, null, 'text', { tracking_number: 7 }]) {
        expect(sendcloud.parse({ action, parcel }).outcome).toBe('ignored');
      }
    },
  );

  test.each([
    [999, '', 'ignored'],
    [1001, null, 'ignored'],
    [1002, '', 'ignored'],
    [999, undefined, 'malformed'],
    [999, 7, 'malformed'],
    [999, '3S1', 'parsed'],
    [1000, '', 'malformed'],
    [11, '', 'malformed'],
    [1337, '', 'malformed'],
  ])('id %p with the tracking number %p is %s: only a label makes a number', (id, tracking_number, outcome) => {
    expect(sendcloud.parse(eventWith({ status: { id }, parcel: { tracking_number } })).outcome).toBe(outcome);
  });

  test('all else that is missing or of another type counts as not said', () => {
    for (const parcel of [
      { status: undefined, carrier: undefined },
      { status: 11, carrier: 'colissimo' },
      { status: [], carrier: { code: 7 } },
    ]) {
      expect(sendcloud.parse(eventWith({ parcel }))).toEqual({
        outcome: 'parsed',
        deliveryId: null,
        parcels: [
          {
            carrier: '',
            trackingNumber: '3S0000000999',
            estimate: null,
            reportedAt: new Date(SENT),
            scans: [
              {
                status: 'unknown',
                time: { at: new Date(CHANGED) },
                exception: null,
                disputed: false,
                code: '',
                text: null,
                place: null,
                isBorrowed: false,
                unrecognised: null,
              },
            ],
            snapshot: null,
          },
        ],
      });
    }
  });

  test('the same change, sent again, is the same scan: the time of sending is no part of it', () => {
    const scans = [SENT, SENT + 600_000].map((timestamp) => scanOf({ event: { timestamp } }));
    expect(scans[0]).toEqual(scans[1]);
  });
});
