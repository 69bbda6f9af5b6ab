import { createHmac } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { shippo } from '../../../src/carriers/shippo/adapter.js';
import { meaningOf, STATUSES, SUBSTATUSES } from '../../../src/carriers/shippo/statuses.js';
import { describeSource, TEXT_SECRETS } from '../../support/carrier-suite.js';
import { meaningAsText as asText, parcelOf, scanOf as scanOfOutcome, wrongFields } from '../../support/carriers.js';

describeSource(shippo, { secrets: TEXT_SECRETS, hasWindow: true });

const AT = '2026-04-08T03:12:00Z';

/** A track with one scan, which is also the current status; a test may replace their parts. */
function eventWith(parts: { event?: object; track?: object; scan?: object; current?: object } = {}) {
  const scan = { status: 'TRANSIT', status_date: AT, status_details: 'On', substatus: null };
  return {
    event: 'track_updated',
    test: false,
    data: {
      carrier: 'usps',
      tracking_number: '92055',
      tracking_status: { ...scan, ...parts.scan, ...parts.current },
      tracking_history: [{ ...scan, ...parts.scan }],
      ...parts.track,
    },
    ...parts.event,
  };
}

const scanOf = (parts: Parameters<typeof eventWith>[0]) => scanOfOutcome(shippo.parse(eventWith(parts)));

/** Written from the published lists, not from the tables under test. */
const expectedByStatus: Record<string, string> = {
  PRE_TRANSIT: 'pre_transit',
  TRANSIT: 'in_transit',
  DELIVERED: 'delivered',
  RETURNED: 'return_to_sender',
  FAILURE: 'exception other',
  UNKNOWN: 'unknown',
};
const expectedBySubstatus: Record<string, string> = {
  address_issue: 'exception address',
  contact_carrier: 'exception held',
  delayed: 'exception delay',
  delivery_attempted: 'attempted',
  delivery_rescheduled: 'in_transit',
  delivery_scheduled: 'in_transit',
  location_inaccessible: 'attempted',
  notice_left: 'attempted',
  out_for_delivery: 'out_for_delivery',
  package_accepted: 'in_transit',
  package_arrived: 'in_transit',
  package_damaged: 'exception damaged',
  package_departed: 'in_transit',
  package_disposed: 'exception disposed',
  other: 'unknown',
  package_forwarded: 'in_transit',
  package_held: 'exception held',
  package_lost: 'exception lost',
  package_processed: 'in_transit',
  package_processing: 'in_transit',
  package_unclaimed: 'exception unclaimed',
  package_undeliverable: 'exception other',
  pickup_available: 'available_for_pickup',
  reschedule_delivery: 'attempted',
  return_to_sender: 'return_to_sender',
};
const repeatsTheStatus = ['delivered', 'information_received'];
const addsNothing = [...repeatsTheStatus, 'never_heard_of', 'DELIVERED', '__proto__', 'constructor', null];

const meaningAsText = (status: string | null, substatus: string | null, text: string | null = null) =>
  asText(meaningOf({ status, detail: substatus, text }));

describe('statuses', () => {
  test('every documented word is a row, and no row is undocumented', () => {
    expect(Object.keys(STATUSES).sort()).toEqual(Object.keys(expectedByStatus).sort());
    expect(Object.keys(SUBSTATUSES).sort()).toEqual([...Object.keys(expectedBySubstatus), ...repeatsTheStatus].sort());
  });

  test.each(Object.entries(expectedByStatus))(
    '%s means %s beside a substatus that adds nothing',
    (status, expected) => {
      for (const substatus of addsNothing) expect(meaningAsText(status, substatus)).toBe(expected);
    },
  );

  test.each(Object.entries(expectedBySubstatus))(
    'substatus %s means %s whatever the status, unless delivered',
    (substatus, expected) => {
      for (const status of [...Object.keys(expectedByStatus), 'NEVER_HEARD_OF', '__proto__', null]) {
        expect(meaningAsText(status, substatus)).toBe(status === 'DELIVERED' ? 'delivered' : expected);
      }
    },
  );

  test.each(['NEVER_HEARD_OF', '', 'transit', 'delivered', '__proto__', 'toString'])(
    'status %p is unknown, and never a guess',
    (status) => {
      expect(meaningAsText(status, null)).toBe('unknown');
      expect(meaningAsText(status, 'delivered')).toBe('unknown');
    },
  );

  test('without a status a scan says nothing, unless its substatus does', () => {
    expect(meaningAsText(null, null)).toBeNull();
    expect(meaningAsText(null, 'delivered')).toBeNull();
    expect(meaningAsText(null, 'other')).toBe('unknown');
    expect(meaningAsText(null, 'never_heard_of')).toBe('unknown');
    expect(meaningAsText(null, 'package_lost')).toBe('exception lost');
  });

  test('the text names the weather only where the codes name no kind of exception', () => {
    expect(meaningAsText('FAILURE', null, 'Delay: WEATHER')).toBe('exception weather');
    expect(meaningAsText('FAILURE', 'package_undeliverable', 'bad weather')).toBe('exception weather');
    expect(meaningAsText('TRANSIT', 'delayed', 'bad weather')).toBe('exception delay');
    expect(meaningAsText('TRANSIT', 'package_arrived', 'Weatherford, TX')).toBe('in_transit');
    expect(meaningAsText('DELIVERED', null, 'in bad weather')).toBe('delivered');
  });
});

describe('parse: the words of a scan', () => {
  const substatus = (code: unknown, action_required = false) => ({ code, text: 'Shippo says', action_required });

  test.each([
    [{ status: 'TRANSIT', substatus: null }, 'TRANSIT', 'in_transit', null],
    [{ status: 'TRANSIT', substatus: substatus('notice_left', true) }, 'TRANSIT/notice_left', 'attempted', null],
    [{ status: 'TRANSIT', substatus: substatus('gone', true) }, 'TRANSIT/gone', 'in_transit', 'TRANSIT/gone'],
    [{ status: 'TRANSIT', substatus: substatus('') }, 'TRANSIT', 'in_transit', null],
    [{ status: 'TRANSIT', substatus: substatus(7) }, 'TRANSIT', 'in_transit', null],
    [{ status: 'TRANSIT', substatus: 'package_lost' }, 'TRANSIT', 'in_transit', null],
    [{ status: 'LOST', substatus: null }, 'LOST', 'unknown', 'LOST'],
    [{ status: 'LOST', substatus: substatus('gone') }, 'LOST/gone', 'unknown', 'LOST'],
    [{ status: null, substatus: substatus('delayed') }, '/delayed', 'exception', null],
    [{ status: null, substatus: substatus('gone') }, '/gone', 'unknown', '/gone'],
    [{ status: 'DELIVERED', substatus: substatus('gone') }, 'DELIVERED/gone', 'delivered', 'DELIVERED/gone'],
  ])('%j is %s: %s, not recognised: %p', (scan, code, status, unrecognised) => {
    expect(scanOf({ scan })).toMatchObject({ code, status, unrecognised });
  });

  test('the sentence is the status’s, else its substatus’s', () => {
    expect(scanOf({ scan: { substatus: substatus('delayed') } }).text).toBe('On');
    expect(scanOf({ scan: { status_details: ' ', substatus: substatus('delayed') } }).text).toBe('Shippo says');
    expect(scanOf({ scan: { status_details: null } }).text).toBeNull();
  });
});

describe('parse: the current status', () => {
  const bare = { status: null, substatus: null };

  test('is the latest scan’s when that has none, with its substatus; the code does not borrow it', () => {
    expect(scanOf({ scan: bare, current: { status: 'DELIVERED' } })).toMatchObject({ status: 'delivered', code: '' });
    expect(scanOf({ scan: bare, current: { status: 'TRANSIT', substatus: { code: 'package_lost' } } })).toMatchObject({
      status: 'exception',
      exception: 'lost',
      code: '',
      isBorrowed: true,
      unrecognised: null,
    });
    expect(
      scanOf({ scan: { status: null, substatus: { code: 'delivered' } }, current: { status: 'DELIVERED' } }),
    ).toMatchObject({ status: 'delivered', code: '/delivered' });
  });

  test('never outweighs what the scan says itself', () => {
    const current = { status: 'DELIVERED', substatus: { code: 'delivered' } };
    expect(scanOf({ current }).status).toBe('in_transit');
    expect(scanOf({ current, scan: { status: 'UNKNOWN' } }).status).toBe('unknown');
    expect(scanOf({ current, scan: { status: 'AIRBORNE' } }).status).toBe('unknown');
    expect(scanOf({ current, scan: { status: null, substatus: { code: 'package_lost' } } }).exception).toBe('lost');
    expect(scanOf({ current, scan: { status: null, substatus: { code: 'gone' } } }).status).toBe('unknown');
  });

  test.each([
    [AT, 'delivered'],
    ['2026-04-08T05:12:00+02:00', 'delivered'],
    [null, 'delivered'],
    ['soon', 'delivered'],
    ['2026-04-08T03:12:01Z', 'unknown'],
    ['2026-04-07T03:12:00Z', 'unknown'],
  ])('dated %p speaks of the scan of %s or of none', (status_date, expected) => {
    expect(scanOf({ scan: bare, current: { status: 'DELIVERED', status_date } }).status).toBe(expected);
  });

  test('goes to the last in the list of scans at the same time, and to no other', () => {
    const tracking_history = [
      { status_date: AT, status_details: 'first' },
      { status_date: AT, status_details: 'second' },
    ];
    const { scans } = parcelOf(
      shippo.parse(eventWith({ current: { status: 'DELIVERED' }, track: { tracking_history } })),
    );
    expect(scans.map((scan) => scan.status)).toEqual(['unknown', 'delivered']);
  });

  test('makes no event beside a history that does not have it', () => {
    const current = { status: 'DELIVERED', status_date: '2026-04-09T10:00:00Z' };
    expect(scanOf({ current })).toMatchObject({ status: 'in_transit', time: { at: new Date(AT) } });
  });

  test.each([[[]], [null], [undefined]])('is the one scan where the history is %p', (tracking_history) => {
    const current = { status: 'DELIVERED', location: { city: 'Savannah' } };
    expect(scanOf({ current, track: { tracking_history } })).toMatchObject({
      status: 'delivered',
      time: { at: new Date(AT) },
      code: 'DELIVERED',
      text: 'On',
      place: 'Savannah',
    });
  });

  test.each([null, undefined, 'DELIVERED', [], {}, { status: 'DELIVERED', status_date: null }])(
    '%j without a history makes no event',
    (tracking_status) => {
      const track = { tracking_status, tracking_history: [] };
      expect(parcelOf(shippo.parse(eventWith({ track }))).scans).toEqual([]);
    },
  );
});

describe('parse: time', () => {
  test.each([
    ['2026-04-08T03:12:00Z', { at: new Date('2026-04-08T03:12:00Z') }],
    ['2026-04-08T00:00:00Z', { at: new Date('2026-04-08T00:00:00Z') }],
    ['2026-04-08T03:12:00.9999Z', { at: new Date('2026-04-08T03:12:00.999Z') }],
    ['2026-04-08T23:59:59-04:00', { at: new Date('2026-04-09T03:59:59Z') }],
    ['2028-02-29T23:59:59Z', { at: new Date('2028-02-29T23:59:59Z') }],
    ['2026-07-29T16:44:42.586', { local: '2026-07-29T16:44:42.586' }],
    ['2026-04-08T00:00:00', { local: '2026-04-08T00:00:00' }],
    ['2026-04-08', { on: '2026-04-08' }],
  ])('%s', (status_date, time) => {
    expect(scanOf({ scan: { status_date } }).time).toEqual(time);
  });

  test.each(
    [
      [
        '2026-02-30T10:00:00Z',
        '2026-04-08T24:00:00Z',
        '1970-01-01T00:00:00Z',
        '2026-04-08T03:12:00+15:00',
        '04/08/2026',
      ],
      ['', 'soon', 1775617920, null, undefined, {}, []],
    ].flat(),
  )('%p is no time: the webhook is malformed', (status_date) => {
    expect(wrongFields(shippo.parse(eventWith({ scan: { status_date } })))).toEqual([
      'data.tracking_history[0].status_date',
    ]);
  });

  test('the report is as of the newest status that Shippo wrote, and reaches back to the oldest scan', () => {
    const written = (object_created: unknown, object_updated: unknown, status_date = AT) => ({
      status: 'TRANSIT',
      ...{ status_date, object_created, object_updated },
    });
    const reportOf = (...tracking_history: object[]) => {
      const { reportedAt, snapshot } = parcelOf(
        shippo.parse(eventWith({ track: { tracking_history, tracking_status: tracking_history[0] } })),
      );
      return [reportedAt.toISOString(), snapshot?.reachesBackTo.toISOString() ?? null];
    };
    const old = written('2026-04-06T11:00:00Z', null, '2026-04-06T10:00:00Z');
    expect(reportOf(old, written('2026-04-09T11:00:00Z', null))).toEqual([
      '2026-04-09T11:00:00.000Z',
      '2026-04-06T10:00:00.000Z',
    ]);
    expect(reportOf(old, written('2026-04-08T11:00:00Z', '2026-04-10T11:00:00Z'))[0]).toBe('2026-04-10T11:00:00.000Z');
    // Without a zone, or without a time, nobody knows which of two is the newer: neither corrects the other.
    for (const none of ['2026-04-09T11:00:00.586', null, 7]) {
      expect(reportOf(old, written(none, null))).toEqual([new Date(AT).toISOString(), null]);
    }
  });
});

test.each([
  ['2026-04-10T00:00:00Z', { on: '2026-04-10' }],
  ['2026-04-10T00:00:00.000Z', { on: '2026-04-10' }],
  ['2026-04-10T00:00:00.586', { on: '2026-04-10' }],
  ['2026-04-10', { on: '2026-04-10' }],
  ['2026-04-10T00:00:01Z', { at: new Date('2026-04-10T00:00:01Z') }],
  ['2026-04-10T21:00:00-04:00', { at: new Date('2026-04-11T01:00:00Z') }],
  ['2026-02-30T00:00:00Z', null],
  ['soon', null],
  [1775617920, null],
  [null, null],
  [undefined, null],
])('the estimate %p; the original one is not read', (eta, expected) => {
  const track = { eta, original_eta: '2026-04-01T00:00:00Z' };
  expect(parcelOf(shippo.parse(eventWith({ track }))).estimate).toEqual(expected);
});

describe('parse: what it needs, and what it does without', () => {
  const rate = 'b741b99f95e841639b54272834bc478c';

  test.each([
    ['an array', [], 'body'],
    ['null', null, 'body'],
    ['an empty object', {}, 'event'],
    ['an event of another type', { event: 7, data: {} }, 'event'],
    ['no data', { event: 'track_updated' }, 'data'],
    ['data of another type', eventWith({ event: { data: [] } }), 'data'],
    ['a Transaction', eventWith({ track: { carrier: undefined, rate } }), 'data'],
    ['no tracking number', eventWith({ track: { tracking_number: undefined } }), 'data.tracking_number'],
    ['a tracking number that is a number', eventWith({ track: { tracking_number: 92 } }), 'data.tracking_number'],
    ['101 characters of it', eventWith({ track: { tracking_number: '9'.repeat(101) } }), 'data.tracking_number'],
    ['a history that is no list', eventWith({ track: { tracking_history: {} } }), 'data.tracking_history'],
    ['1,001 scans', eventWith({ track: { tracking_history: Array(1001).fill({}) } }), 'data.tracking_history'],
    ['a scan that is null', eventWith({ track: { tracking_history: [null] } }), 'data.tracking_history[0]'],
    ['NUL in the carrier', eventWith({ track: { carrier: '\0' } }), 'data.carrier'],
    [
      'NUL in a status',
      eventWith({ scan: { status: '\0' }, current: { status: 'TRANSIT' } }),
      'data.tracking_history[0].status',
    ],
    [
      'NUL in the current status, where it is read',
      eventWith({ scan: { status: null }, current: { status: '\0' } }),
      'data.tracking_status.status',
    ],
    [
      'NUL in a substatus',
      eventWith({ scan: { substatus: { code: '\0' } } }),
      'data.tracking_history[0].substatus.code',
    ],
    ['NUL in a place', eventWith({ scan: { location: { zip: '\0' } } }), 'data.tracking_history[0].location.zip'],
    [
      'NUL in the place of a scan that stands alone',
      eventWith({ current: { location: { city: '\0' } }, track: { tracking_history: [] } }),
      'data.tracking_status.location.city',
    ],
    [
      'NUL in the substatus of a scan that stands alone',
      eventWith({ current: { substatus: { code: '\0' } }, track: { tracking_history: [] } }),
      'data.tracking_status.substatus.code',
    ],
  ])('%s is malformed, and the field is named', (_name, document, field) => {
    expect(wrongFields(shippo.parse(document))).toEqual([field]);
  });

  test.each(['transaction_created', 'transaction_updated', 'batch_created', 'batch_purchased', 'all', 'TRACK_UPDATED'])(
    '%s is ignored, whatever it holds',
    (event) => {
      for (const data of [undefined, null, 'text', { tracking_number: 7 }]) {
        expect(shippo.parse({ event, data }).outcome).toBe('ignored');
      }
    },
  );

  test('a Track that holds a rate is a Track, and one without a carrier too', () => {
    expect(shippo.parse(eventWith({ track: { rate } })).outcome).toBe('parsed');
    expect(parcelOf(shippo.parse(eventWith({ track: { carrier: undefined } }))).carrier).toBe('');
  });

  test('what is in test mode is read like any other', () => {
    expect(shippo.parse(eventWith({ event: { test: true } }))).toEqual(shippo.parse(eventWith()));
  });

  test('all else that is missing or of another type counts as not said', () => {
    const scan = { status: 7, substatus: [], status_details: {}, location: 'here' };
    const outcome = shippo.parse(eventWith({ track: { carrier: 7, eta: {} }, scan, event: { test: 'no' } }));
    expect(outcome).toMatchObject({ deliveryId: null, parcels: [{ carrier: '', estimate: null }] });
    expect(parcelOf(outcome).scans).toEqual([
      {
        status: 'unknown',
        time: { at: new Date(AT) },
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
});

describe('the header', () => {
  const now = new Date('2026-04-14T12:00:00.900Z');
  const [{ configured: secret }] = TEXT_SECRETS;
  const rawBody = Buffer.from('{"event":"track_updated"}');
  const seconds = String(now.getTime() / 1000 - 0.9);
  const hexOf = (t: string) => createHmac('sha256', secret).update(`${t}.`).update(rawBody).digest('hex');
  const hex = hexOf(seconds);
  const verify = (header: string) => {
    if (shippo.verifier.over !== 'bytes') throw new Error('signed are the bytes');
    return shippo.verifier.verify({ rawBody, headers: { 'shippo-auth-signature': header }, secrets: [secret], now });
  };

  test('is the time and the signature of both', () => {
    expect(shippo.sign({ rawBody, secret, now })).toEqual({ 'shippo-auth-signature': `t=${seconds},v1=${hex}` });
    expect(verify(`t=${seconds},v1=${hex}`)).toBe('verified');
  });

  test.each([
    `v1=${hex},t=${seconds}`,
    `t=${seconds}, v1=${hex}`,
    `t=${seconds},v1=${hex.toUpperCase()}`,
    `t=${seconds},v1=${hex},v1=${hex}`,
    `t=${seconds},v0=,v1=${hex}`,
    `t=${seconds},v1=`,
    `t=${seconds}`,
    `t= ${seconds},v1=${hex}`,
    `T=${seconds},v1=${hex}`,
    ` t=${seconds},v1=${hex}`,
    `t=${seconds}.0,v1=${hexOf(`${seconds}.0`)}`,
    `t=,v1=${hexOf('')}`,
    `t=${seconds}000,v1=${hexOf(`${seconds}000`)}`,
    `t=${Number(seconds) + 1},v1=${hex}`,
    hex,
    't=',
  ])('%s is refused', (header) => {
    expect(verify(header)).toBe('refused');
  });
});
