import { describe, expect, test } from '@jest/globals';
import { karrio } from '../../../src/carriers/karrio/adapter.js';
import { meaningOf, REASONS, STATUSES } from '../../../src/carriers/karrio/statuses.js';
import { describeSource, TEXT_SECRETS } from '../../support/carrier-suite.js';
import {
  meaningAsText as asText,
  parcelOf,
  scanOf as scanOfOutcome,
  wrongFields as wrongFieldsOf,
} from '../../support/carriers.js';

describeSource(karrio, { secrets: TEXT_SECRETS, hasWindow: false });

/** A tracker event with one scan, whose parts a test may replace. */
function eventWith(parts: { event?: object; tracker?: object; scan?: object } = {}) {
  const scan = { date: '2026-04-08', time: '03:12', description: 'On', code: 'AA', status: 'in_transit', reason: null };
  const tracker = { id: 'trk_1', tracking_number: '0034', carrier_name: 'ups', status: 'in_transit' };
  return {
    event: 'tracker_updated',
    data: { ...tracker, events: [{ ...scan, ...parts.scan }], ...parts.tracker },
    ...parts.event,
  };
}

const scanOf = (parts: Parameters<typeof eventWith>[0]) => scanOfOutcome(karrio.parse(eventWith(parts)));
const wrongFields = (document: unknown) => wrongFieldsOf(karrio.parse(document));

/** Written from the published lists, not from the table under test. */
const expectedByStatus: Record<string, string> = {
  pending: 'pre_transit',
  picked_up: 'in_transit',
  in_transit: 'in_transit',
  out_for_delivery: 'out_for_delivery',
  delivery_failed: 'attempted',
  ready_for_pickup: 'available_for_pickup',
  delivered: 'delivered',
  on_hold: 'exception held',
  delivery_delayed: 'exception delay',
  return_to_sender: 'return_to_sender',
  cancelled: 'cancelled',
  unknown: 'unknown',
};
const wordsByMeaning: Record<string, string> = {
  'exception damaged': 'carrier_damaged_parcel',
  'exception lost': 'carrier_parcel_lost',
  'exception misrouted': 'carrier_sorting_error',
  'exception delay': `carrier_not_enough_time carrier_vehicle_issue carrier_capacity_exceeded carrier_mechanical_delay
    carrier_delay`,
  'exception other': `carrier_address_not_found retailer_cancelled retailer_incorrect_data retailer_not_ready
    retailer_incorrect_parcel retailer_incorrect_dimensions retailer_packaging_issue parcel_being_researched`,
  attempted: `consignee_business_closed consignee_not_available consignee_not_home consignee_verification_failed
    consignee_access_restricted consignee_safe_place_unavailable`,
  'exception refused': 'consignee_refused',
  'exception customer_request': 'consignee_cancelled',
  'exception address': 'consignee_incorrect_address',
  'exception customs': `customs_delay customs_documentation customs_duties_unpaid customs_prohibited customs_inspection`,
  'exception weather': 'weather_delay natural_disaster force_majeure',
  'exception security': 'security_issue',
  'exception held': 'regulatory_hold delivery_exception_hold',
};
const expectedByReason = Object.entries(wordsByMeaning).flatMap(([expected, words]) =>
  words.split(/\s+/).map((reason): [string, string] => [reason, expected]),
);
const strangeWords = ['never_heard_of', 'IN_TRANSIT', '__proto__', 'constructor'];
/** Statuses that tell of trouble or of nothing: of these alone a reason is believed. */
const open = ['on_hold', 'delivery_delayed', 'delivery_failed', 'unknown'];

const meaningAsText = (status: string | null, reason: string | null) => asText(meaningOf({ status, reason }));

describe('statuses', () => {
  test('every documented word is a row, and no row is undocumented', () => {
    const documentedReasons = ['unknown', ...expectedByReason.map(([reason]) => reason)];
    expect(Object.keys(STATUSES).sort()).toEqual(Object.keys(expectedByStatus).sort());
    expect(Object.keys(REASONS).sort()).toEqual(documentedReasons.sort());
  });

  test.each(Object.entries(expectedByStatus))('%s means %s beside a reason that says nothing', (status, expected) => {
    for (const reason of [null, 'unknown', ...strangeWords]) expect(meaningAsText(status, reason)).toBe(expected);
  });

  test.each(expectedByReason)('%s means %s where the status tells of trouble or of nothing', (reason, expected) => {
    for (const status of [...open, ...strangeWords, null]) expect(meaningAsText(status, reason)).toBe(expected);
  });

  test.each(Object.entries(expectedByStatus).filter(([status]) => !open.includes(status)))(
    '%s means %s whatever the reason',
    (status, expected) => {
      for (const [reason] of expectedByReason) expect(meaningAsText(status, reason)).toBe(expected);
    },
  );

  test.each([...strangeWords, ''])('status %p is unknown, and never a guess', (status) => {
    expect(meaningAsText(status, null)).toBe('unknown');
  });

  test('without a status a scan says nothing, unless its reason does', () => {
    expect(meaningAsText(null, null)).toBeNull();
    expect(meaningAsText(null, 'unknown')).toBeNull();
    expect(meaningAsText(null, 'never_heard_of')).toBe('unknown');
  });

  test.each([
    ['airborne', null, 'airborne'],
    ['airborne', 'customs_delay', 'airborne'],
    ['on_hold', 'on_strike', 'on_hold/on_strike'],
    [null, 'on_strike', '/on_strike'],
    ['on_hold', 'customs_delay', null],
    ['', ' ', null],
    [null, null, null],
    [7, {}, null],
  ])('of %p and %p, %p is not recognised', (status, reason, unrecognised) => {
    expect(scanOf({ scan: { status, reason } }).unrecognised).toBe(unrecognised);
  });
});

describe('parse: the status of the tracker', () => {
  const bare = { status: null, reason: undefined };

  test('is the latest scan’s when that has none, and no part of its code', () => {
    expect(scanOf({ scan: bare, tracker: { status: 'delivered' } })).toMatchObject({ status: 'delivered', code: 'AA' });
    expect(scanOf({ scan: { ...bare, code: null }, tracker: { status: 'on_hold' } })).toMatchObject({
      status: 'exception',
      exception: 'held',
      code: '',
    });
    expect(scanOf({ scan: bare, tracker: { status: null, delivered: true } }).status).toBe('unknown');
  });

  test('never outweighs what the scan says itself, and its code and description say nothing', () => {
    const tracker = { status: 'delivered' };
    for (const scan of [{ status: 'unknown' }, { status: 'airborne' }, { status: null, reason: 'on_strike' }]) {
      expect(scanOf({ tracker, scan }).status).toBe('unknown');
    }
    expect(scanOf({ tracker, scan: {} })).toMatchObject({ status: 'in_transit', code: 'in_transit' });
    const words = { ...bare, code: 'delivered', description: 'Delivered' };
    expect(scanOf({ scan: words, tracker: { status: 'in_transit' } }).status).toBe('in_transit');
  });

  test('goes to the first in the list of scans at the same time, and to no other', () => {
    const events = [
      { date: '2026-04-08', time: '03:12', description: 'first' },
      { date: '2026-04-08', time: '03:12:00', description: 'second' },
      { date: '2026-04-08', time: '03:11' },
    ];
    const { scans } = parcelOf(karrio.parse(eventWith({ tracker: { status: 'delivered', events } })));
    expect(scans.map((scan) => scan.status)).toEqual(['delivered', 'unknown', 'unknown']);
  });

  test('makes no event without a scan', () => {
    for (const events of [[], null, undefined]) {
      expect(parcelOf(karrio.parse(eventWith({ tracker: { status: 'delivered', events } }))).scans).toEqual([]);
    }
  });
});

describe('parse: time', () => {
  test.each([
    ['00:00', '00:00:00'],
    ['23:59', '23:59:00'],
    ['23:59:59', '23:59:59'],
    ['12:00 AM', '00:00:00'],
    ['12:59:59 AM', '00:59:59'],
    ['01:05 AM', '01:05:00'],
    ['11:59AM', '11:59:00'],
    ['12:00 PM', '12:00:00'],
    ['12:30:15 pm', '12:30:15'],
    ['11:59:59 PM', '23:59:59'],
    ['14:30 PM', '14:30:00'],
    ['00:10 AM', '00:10:00'],
  ])('time %p is the reading %s', (time, reading) => {
    expect(scanOf({ scan: { time } }).time).toEqual({ local: `2026-04-08T${reading}` });
  });

  test.each(
    [
      [undefined, null, '', ' ', 7, {}, [], 'later', '24:00', '23:60', '23:59:60', '3:12', '03:12:0', '0312', '03.12'],
      ['13:00 AM', '00:00 PM', 'AM', '03:12 XM', '03:12Z', '03:12+02:00', '03:12:00.5', '-3:12', '0x:12', '03:12:xx'],
    ].flat(),
  )('with time %p the date stands alone', (time) => {
    expect(scanOf({ scan: { time } }).time).toEqual({ on: '2026-04-08' });
  });

  test.each(['2026-02-29', '2028-02-29', '2000-01-01'])('date %s', (date) => {
    const expected = date === '2026-02-29' ? 'data.events[0].date' : 'parsed';
    expect(wrongFields(eventWith({ scan: { date } }))).toEqual([expected]);
    expect(wrongFields(eventWith({ scan: { date, time: null } }))).toEqual([expected]);
  });

  test.each(
    [
      ['2026-02-30', '2026-04-31', '2026-13-01', '2026-00-10', '2026-04-00', '1999-12-31', '0001-01-01', '08/04/2026'],
      ['2026-4-8', '2026-04-8 ', '2026/04/08', '2026-04-08T03:12:00', ' 2026-04-08', 'yesterday', '', 20260408],
      [null, undefined, {}, []],
    ].flat(),
  )('date %p is none: the webhook is malformed', (date) => {
    expect(wrongFields(eventWith({ scan: { date } }))).toEqual(['data.events[0].date']);
  });

  test('a timestamp is not read, because its Z stands behind a local time', () => {
    const timestamp = '2026-04-08T09:00:00.000Z';
    expect(scanOf({ scan: { timestamp } }).time).toEqual({ local: '2026-04-08T03:12:00' });
    expect(wrongFields(eventWith({ scan: { date: null, timestamp } }))).toEqual(['data.events[0].date']);
  });
});

describe('parse: the estimate', () => {
  test.each([
    ['2026-04-10', { on: '2026-04-10' }],
    ['2026-04-10T18:00:00', { on: '2026-04-10' }],
    ['2026-04-10T00:00:00Z', { on: '2026-04-10' }],
    ['2026-04-10T18:00:00+02:00', { at: new Date('2026-04-10T16:00:00Z') }],
    ['2026-02-30', null],
    ['soon', null],
    [20260410, null],
    [null, null],
  ])('%p', (estimated_delivery, expected) => {
    expect(parcelOf(karrio.parse(eventWith({ tracker: { estimated_delivery } }))).estimate).toEqual(expected);
  });
});

describe('parse: what it needs, and what it does without', () => {
  test.each([
    ['an array', [], 'body'],
    ['null', null, 'body'],
    ['an empty object', {}, 'event'],
    ['an event of another type', eventWith({ event: { event: 7 } }), 'event'],
    ['no data', eventWith({ event: { data: undefined } }), 'data'],
    ['data that is a list', eventWith({ event: { data: [] } }), 'data'],
    ['no tracking number', eventWith({ tracker: { tracking_number: undefined } }), 'data.tracking_number'],
    ['a tracking number that is a number', eventWith({ tracker: { tracking_number: 34 } }), 'data.tracking_number'],
    ['nothing but hyphens', eventWith({ tracker: { tracking_number: ' - ' } }), 'data.tracking_number'],
    ['101 characters', eventWith({ tracker: { tracking_number: '9'.repeat(101) } }), 'data.tracking_number'],
    ['scans that are no list', eventWith({ tracker: { events: {} } }), 'data.events'],
    ['1,001 scans', eventWith({ tracker: { events: Array(1001).fill({}) } }), 'data.events'],
    ['a scan that is null', eventWith({ tracker: { events: [null] } }), 'data.events[0]'],
    ['NUL in the carrier', eventWith({ tracker: { carrier_name: '\0' } }), 'data.carrier_name'],
    ['NUL in the status', eventWith({ tracker: { status: '\0' } }), 'data.status'],
    ['NUL in a scan’s status', eventWith({ scan: { status: 'a\0' } }), 'data.events[0].status'],
    ['NUL in a reason', eventWith({ scan: { reason: '\0' } }), 'data.events[0].reason'],
    ['NUL in a text', eventWith({ scan: { description: '\0' } }), 'data.events[0].description'],
    ['NUL in a place', eventWith({ scan: { location: '\0' } }), 'data.events[0].location'],
    ['NUL in the code that is kept', eventWith({ scan: { status: null, code: '\0' } }), 'data.events[0].code'],
  ])('%s is malformed, and the field is named', (_name, document, field) => {
    expect(wrongFields(document)).toEqual([field]);
  });

  test.each(['shipment_purchased', 'shipment_delivery_failed', 'order_created', 'batch_completed', 'tracker', 'all'])(
    '%p is ignored, whatever it holds',
    (event) => {
      for (const data of [undefined, null, 'text', { tracking_number: 7 }]) {
        expect(karrio.parse({ event, data }).outcome).toBe('ignored');
      }
    },
  );

  test('a new tracker is read like a changed one, in test mode too', () => {
    const created = eventWith({ event: { event: 'tracker_created' }, tracker: { test_mode: true } });
    expect(karrio.parse(created)).toEqual(karrio.parse(eventWith()));
  });

  test('all else that is missing or of another type counts as not said', () => {
    const scan = { status: 7, reason: [], code: {}, description: null, location: 7 };
    const parcel = parcelOf(karrio.parse(eventWith({ tracker: { carrier_name: null, status: {} }, scan })));
    expect(parcel).toMatchObject({ carrier: '', snapshot: null });
    expect(parcel.scans).toMatchObject([
      { status: 'unknown', code: '', text: null, place: null, isBorrowed: false, unrecognised: null },
    ]);
  });

  test('no id in the document is the delivery’s: the tracker’s is the same in each', () => {
    expect(karrio.parse(eventWith())).toMatchObject({ deliveryId: null });
  });
});

describe('the secret', () => {
  const rawBody = Buffer.from('{}');
  const now = new Date('2026-04-14T12:00:00Z');
  const verify = (sent: string, secrets: readonly string[]) =>
    karrio.verifier.over === 'bytes' &&
    karrio.verifier.verify({ rawBody, headers: { 'x-event-id': sent }, secrets, now });

  test('is the header as it stands', () => {
    expect(karrio.sign({ rawBody, secret: 'whsec_1', now })).toEqual({ 'x-event-id': 'whsec_1' });
    expect(verify('whsec_1', ['whsec_1'])).toBe('verified');
    for (const sent of ['WHSEC_1', ' whsec_1', 'Bearer whsec_1', 'whsec_1, whsec_1']) {
      expect(verify(sent, ['whsec_1'])).toBe('refused');
    }
  });
});
