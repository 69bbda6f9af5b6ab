import { createHmac } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { aftership } from '../../../src/carriers/aftership/adapter.js';
import { describeSource, TEXT_SECRETS } from '../../support/carrier-suite.js';
import {
  anyValue,
  checkOutcome,
  documentOf,
  parcelOf,
  rawFixture,
  scanOf as scanOfOutcome,
  seeded,
  wrongFields as wrongFieldsOf,
} from '../../support/carriers.js';

describeSource(aftership, { secrets: TEXT_SECRETS, hasWindow: false });

/** An update with one checkpoint, whose parts a test may replace. */
function updateWith(parts: { event?: object; msg?: object; checkpoint?: object } = {}) {
  const checkpoint = {
    checkpoint_time: '2026-04-08T03:12:00',
    tag: 'InTransit',
    subtag: 'InTransit_003',
    message: 'On',
  };
  const msg = { tracking_number: '1Z1', slug: 'ups', updated_at: '2026-04-08T08:00:00+00:00', tag: 'InTransit' };
  return {
    event: 'tracking_update',
    event_id: '00000000-0000-4000-8000-000000000001',
    msg: { ...msg, checkpoints: [{ ...checkpoint, ...parts.checkpoint }], ...parts.msg },
    ts: 1775635203,
    ...parts.event,
  };
}

type Parts = Parameters<typeof updateWith>[0];
const parcelWith = (parts: Parts) => parcelOf(aftership.parse(updateWith(parts)));
const scanOf = (parts: Parts) => scanOfOutcome(aftership.parse(updateWith(parts)));
const wrongFields = (document: unknown) => wrongFieldsOf(aftership.parse(document));

describe('parse: the headline', () => {
  const bare = { tag: null, subtag: undefined };

  test('is the latest checkpoint’s when that has no words, and leaves its code empty', () => {
    expect(scanOf({ checkpoint: bare, msg: { tag: 'Delivered' } })).toMatchObject({ status: 'delivered', code: '' });
    expect(scanOf({ checkpoint: bare, msg: { tag: 'Exception', subtag: 'Exception_017' } })).toMatchObject({
      status: 'exception',
      exception: 'weather',
      code: '',
    });
    expect(scanOf({ checkpoint: { tag: '', subtag: ' ' }, msg: { tag: 'Expired' } }).status).toBe('unknown');
  });

  test('never outweighs what the checkpoint says itself', () => {
    const msg = { tag: 'Delivered', subtag: 'Delivered_001' };
    expect(scanOf({ msg }).status).toBe('in_transit');
    expect(scanOf({ msg, checkpoint: { tag: 'Teleport', subtag: null } }).status).toBe('unknown');
    expect(scanOf({ msg, checkpoint: { tag: null, subtag: 'Teleport' } }).status).toBe('unknown');
    expect(scanOf({ msg, checkpoint: { tag: null } }).code).toBe('/InTransit_003');
  });

  test('goes to the last in the list of checkpoints at the same time, and makes no event without one', () => {
    const checkpoint_time = '2026-04-08T03:12:00';
    const twoAtOnce = [
      { checkpoint_time, message: 'first' },
      { checkpoint_time, message: 'second' },
    ];
    const { scans } = parcelWith({ msg: { tag: 'Delivered', checkpoints: twoAtOnce } });
    expect(scans.map((scan) => scan.status)).toEqual(['unknown', 'delivered']);
    for (const checkpoints of [[], null, undefined]) {
      expect(parcelWith({ msg: { tag: 'Delivered', checkpoints } }).scans).toEqual([]);
    }
  });
});

describe('parse: a return that no checkpoint tells of', () => {
  const statuses = (parts: Parts) => parcelWith(parts).scans.map((scan) => scan.status);
  const returned = {
    status: 'return_to_sender',
    time: { at: new Date('2026-04-08T08:00:00Z') },
    exception: null,
    disputed: false,
    code: 'return_to_sender',
    text: null,
    place: null,
    isBorrowed: false,
    unrecognised: null,
  };

  test.each([
    ['the flag', { return_to_sender: true }],
    ['Exception_010', { tag: 'Exception', subtag: 'Exception_010' }],
    ['Exception_011', { tag: 'Exception', subtag: 'Exception_011' }],
    ['Exception_011 though the tag is Delivered', { tag: 'Delivered', subtag: 'Exception_011' }],
    ['the flag beside another headline', { return_to_sender: true, tag: 'Exception', subtag: 'Exception_007' }],
  ])('is an event at the update when %s says so', (_name, msg) => {
    expect(parcelWith({ msg }).scans).toEqual([expect.objectContaining({ status: 'in_transit' }), returned]);
  });

  test('is an event where there are no checkpoints at all', () => {
    expect(parcelWith({ msg: { return_to_sender: true, checkpoints: [] } }).scans).toEqual([returned]);
  });

  test.each([[false], ['true'], [1], [null], [{}]])('return_to_sender %p says nothing', (return_to_sender) => {
    expect(statuses({ msg: { return_to_sender } })).toEqual(['in_transit']);
  });

  test('is no second event where a checkpoint tells of it, by its own words or by the headline', () => {
    const msg = { return_to_sender: true, tag: 'Exception', subtag: 'Exception_010' };
    expect(statuses({ msg, checkpoint: { tag: 'Exception', subtag: 'Exception_010' } })).toEqual(['return_to_sender']);
    expect(statuses({ msg, checkpoint: { tag: null, subtag: null } })).toEqual(['return_to_sender']);
  });

  test('leaves the headline to the latest checkpoint', () => {
    const msg = { return_to_sender: true, tag: 'Exception', subtag: 'Exception_007' };
    expect(statuses({ msg, checkpoint: { tag: null, subtag: null } })).toEqual(['exception', 'return_to_sender']);
  });

  test('is the same event when the update is sent again, whenever that is and whatever is said of it', () => {
    const [first] = parcelWith({ msg: { return_to_sender: true, checkpoints: [] } }).scans;
    const [again] = parcelWith({
      event: { event_id: 'another', ts: 1775999999 },
      msg: {
        return_to_sender: true,
        tag: 'Exception',
        subtag: 'Exception_007',
        subtag_message: 'Back',
        checkpoints: [],
      },
    }).scans;
    expect(again).toEqual(first);
  });

  test.each([
    [undefined, 1775635203, '2026-04-08T08:00:03.000Z'],
    ['2026-04-08T08:00:00', 1775635203, '2026-04-08T08:00:03.000Z'],
    ['2026-04-08T10:00:00+02:00', 'soon', '2026-04-08T08:00:00.000Z'],
    [null, '1775635203', null],
    ['soon', 1e300, null],
    [7, -1, null],
  ])('updated at %p, sent at %p: %p', (updated_at, ts, expected) => {
    const { scans } = parcelWith({ event: { ts }, msg: { updated_at, return_to_sender: true, checkpoints: [] } });
    expect(JSON.parse(JSON.stringify(scans.map((scan) => scan.time)))).toEqual(
      expected === null ? [] : [{ at: expected }],
    );
  });
});

describe('parse: as of when it speaks', () => {
  test.each([
    ['2026-04-08T08:00:00+00:00', 1775999999, '2026-04-08T08:00:00.000Z'],
    ['2026-04-08T08:00:00', 1775635203, '2026-04-08T08:00:03.000Z'],
    [null, null, '2026-04-08T03:12:00.000Z'],
  ])('updated at %p, sent at %p: %p', (updated_at, ts, expected) => {
    expect(parcelWith({ event: { ts }, msg: { updated_at } }).reportedAt).toEqual(new Date(expected));
  });

  test('a snapshot reaches back to its oldest checkpoint', () => {
    const checkpoints = ['2026-04-08', '2026-04-06T10:00:00', '2026-04-07T10:00:00Z'];
    const msg = { checkpoints: checkpoints.map((checkpoint_time) => ({ checkpoint_time })), return_to_sender: true };
    expect(parcelWith({ msg }).snapshot).toEqual({ reachesBackTo: new Date('2026-04-06T10:00:00Z') });
  });
});

describe('parse: time of a checkpoint', () => {
  test.each([
    ['2026-04-08T03:12:00', { local: '2026-04-08T03:12:00' }],
    ['2026-04-08T03:12', { local: '2026-04-08T03:12:00' }],
    ['2026-04-08 03:12:00', { local: '2026-04-08T03:12:00' }],
    ['2026-04-08T00:00:00', { local: '2026-04-08T00:00:00' }],
    ['2026-04-08T23:59:59.999', { local: '2026-04-08T23:59:59.999' }],
    ['2026-04-08', { on: '2026-04-08' }],
    ['2028-02-29', { on: '2028-02-29' }],
    ['2026-04-08T03:12:00Z', { at: new Date('2026-04-08T03:12:00Z') }],
    ['2026-04-08T00:00:00+00:00', { at: new Date('2026-04-08T00:00:00Z') }],
    ['2026-04-08T03:12:00-04:00', { at: new Date('2026-04-08T07:12:00Z') }],
    ['2026-04-08T03:12:00+0530', { at: new Date('2026-04-07T21:42:00Z') }],
  ])('%s', (checkpoint_time, time) => {
    expect(scanOf({ checkpoint: { checkpoint_time } }).time).toEqual(time);
  });

  test.each([
    ...['2026-02-30', '2026-02-29T10:00:00', '2026-13-01', '2026-04-08T24:00:00', '2026-04-08T03:60:00', '2026-04-08T'],
    ...['0001-01-01T00:00:00', '1970-01-01', '08/04/2026', 'yesterday', '', 1775617920, null, undefined, {}, []],
  ])('%p is no time: the webhook is malformed', (checkpoint_time) => {
    expect(wrongFields(updateWith({ checkpoint: { checkpoint_time } }))).toEqual([
      'msg.checkpoints[0].checkpoint_time',
    ]);
  });
});

describe('parse: the place, and checkpoints told twice', () => {
  test.each([
    [{ location: 'OSAKA, JPN', city: 'KOBE', country_region: 'CHN' }, 'OSAKA, JPN'],
    [{ city: 'OMAHA', state: 'NE', country_region: 'USA', postal_code: '68102' }, 'OMAHA, NE, USA 68102'],
    [{ location: ' ', city: 'OMAHA', state: 'NE', country_iso3: 'USA', zip: '68102' }, 'OMAHA, NE, USA 68102'],
    [{ country_region: 'USA', country_iso3: 'CAN', postal_code: '68102', zip: '1' }, 'USA 68102'],
    [{ location: 7, city: null }, null],
  ])('%p is %p', (checkpoint, place) => {
    expect(scanOf({ checkpoint }).place).toBe(place);
  });

  const time = { checkpoint_time: '2026-04-08T03:12:00' };
  const placesOf = (...checkpoints: object[]) =>
    parcelWith({ msg: { checkpoints: checkpoints.map((part) => ({ ...time, message: 'On', ...part })) } }).scans.map(
      ({ place }) => place,
    );

  test('with the city and without, it is one, in whatever order', () => {
    expect(placesOf({ location: 'OSAKA, JPN' }, { location: 'JPN' }, {})).toEqual(['OSAKA, JPN']);
    expect(placesOf({}, { location: 'JPN' }, { location: 'OSAKA, JPN' }, {})).toEqual(['OSAKA, JPN']);
    expect(placesOf({}, {})).toEqual([null]);
  });

  test('what differs in anything else is another', () => {
    expect(placesOf({ location: 'OSAKA, JPN' }, { location: 'KOBE, JPN' })).toHaveLength(2);
    expect(placesOf({ location: 'OSAKA, JPN' }, { message: 'Off' })).toHaveLength(2);
    expect(placesOf({ location: 'OSAKA, JPN' }, { tag: 'InTransit' })).toHaveLength(2);
    expect(placesOf({ location: 'OSAKA, JPN' }, { checkpoint_time: '2026-04-08T03:12:01' })).toHaveLength(2);
    expect(placesOf({ location: 'OSAKA, JPN' }, { checkpoint_time: '2026-04-08T03:12:00Z' })).toHaveLength(2);
  });
});

describe('parse: the estimate', () => {
  const dated = (estimated_delivery_date: unknown) => ({ estimated_delivery_date });
  test.each([
    [dated('2026-04-10'), dated('2026-04-11'), { on: '2026-04-10' }],
    [dated('2026-04-10T17:00:00'), null, { on: '2026-04-10' }],
    [dated('2026-04-10T17:00:00-04:00'), null, { at: new Date('2026-04-10T21:00:00Z') }],
    [dated('2026-04-10T00:00:00Z'), null, { on: '2026-04-10' }],
    [dated(null), dated('2026-04-11'), { on: '2026-04-11' }],
    [dated('2026-02-30'), '2026-04-11', { on: '2026-04-11' }],
    ['2026-04-10', null, { on: '2026-04-10' }],
    [[], 7, null],
    [null, undefined, null],
  ])('%p beside AfterShip’s own %p', (courier_estimated_delivery_date, aftership_estimated_delivery_date, expected) => {
    const msg = { courier_estimated_delivery_date, aftership_estimated_delivery_date };
    expect(parcelWith({ msg }).estimate).toEqual(expected);
  });
});

describe('parse: what it needs, and what it does without', () => {
  test.each([
    ['an array', [], 'body'],
    ['null', null, 'body'],
    ['an empty object', {}, 'event'],
    ['an event of another type', updateWith({ event: { event: 7 } }), 'event'],
    ['no msg', updateWith({ event: { msg: undefined } }), 'msg'],
    ['a msg of another type', updateWith({ event: { msg: [] } }), 'msg'],
    ['no tracking number', updateWith({ msg: { tracking_number: undefined } }), 'msg.tracking_number'],
    ['a tracking number of hyphens', updateWith({ msg: { tracking_number: ' - ' } }), 'msg.tracking_number'],
    ['checkpoints that are no list', updateWith({ msg: { checkpoints: {} } }), 'msg.checkpoints'],
    ['1,001 checkpoints', updateWith({ msg: { checkpoints: Array(1001).fill({}) } }), 'msg.checkpoints'],
    ['a checkpoint that is null', updateWith({ msg: { checkpoints: [null] } }), 'msg.checkpoints[0]'],
    ['NUL in the id', updateWith({ event: { event_id: 'a\0' } }), 'event_id'],
    ['NUL in the slug', updateWith({ msg: { slug: '\0' } }), 'msg.slug'],
    ['NUL in the tag', updateWith({ msg: { tag: '\0' } }), 'msg.tag'],
    ['NUL in a subtag', updateWith({ checkpoint: { subtag: '\0' } }), 'msg.checkpoints[0].subtag'],
    ['NUL in a text', updateWith({ checkpoint: { message: '\0' } }), 'msg.checkpoints[0].message'],
    ['NUL in a place', updateWith({ checkpoint: { city: '\0' } }), 'msg.checkpoints[0].city'],
  ])('%s is malformed, and the field is named', (_name, document, field) => {
    expect(wrongFields(document)).toEqual([field]);
  });

  test.each(['edd_revise', 'tracking_pending_time', 'tracking_updated', 'return_update', '__proto__', 'x\0'])(
    '%p is ignored, whatever it holds',
    (event) => {
      for (const msg of [undefined, null, 'text', { tracking_number: 7 }]) {
        expect(aftership.parse({ event, msg }).outcome).toBe('ignored');
      }
    },
  );

  test('all else that is missing or of another type counts as not said', () => {
    const checkpoint = { tag: 7, subtag: [], message: {}, location: 1, slug: {} };
    const outcome = aftership.parse(updateWith({ event: { event_id: 7 }, msg: { slug: null, tag: {} }, checkpoint }));
    expect(outcome).toMatchObject({ deliveryId: null, parcels: [{ carrier: '' }] });
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

  test('the text is the carrier’s message, else AfterShip’s name for the subtag', () => {
    expect(scanOf({ checkpoint: { message: 'Mine', subtag_message: 'Theirs' } }).text).toBe('Mine');
    expect(scanOf({ checkpoint: { message: ' ', subtag_message: 'Theirs' } }).text).toBe('Theirs');
  });

  test('a checkpoint’s own carrier does not change whose parcel it is', () => {
    expect(parcelWith({ msg: { slug: 'dhl' }, checkpoint: { slug: 'usps' } })).toMatchObject({ carrier: 'dhl' });
  });

  test('__proto__ keys are no fields', () => {
    const json = `{"__proto__":{"event":"edd_revise"},"event":"tracking_update","msg":{"__proto__":{"tracking_number":"evil",
      "return_to_sender":true},"tracking_number":"1Z1","checkpoints":[{"__proto__":{"tag":"Delivered"},"checkpoint_time":"2026-04-08"}]}}`;
    expect(parcelOf(aftership.parse(JSON.parse(json)))).toMatchObject({ trackingNumber: '1Z1', scans: [{ code: '' }] });
    expect(wrongFields(JSON.parse('{"__proto__":{"event":"tracking_update"}}'))).toEqual(['event']);
  });
});

describe('parse under arbitrary input', () => {
  test('an update with any value in any of the fields that are read', () => {
    const record = (keys: string[]) =>
      fc.record(Object.fromEntries(keys.map((key) => [key, anyValue])), { requiredKeys: [] });
    const words = ['tag', 'subtag', 'message', 'subtag_message', 'location', 'city', 'state', 'country_region', 'zip'];
    const time = fc.oneof({ weight: 5, arbitrary: fc.constant('2026-04-08T03:12:00') }, anyValue);
    const checkpoint = fc.tuple(record(words), time).map(([rest, checkpoint_time]) => ({ ...rest, checkpoint_time }));
    const estimates = ['courier_estimated_delivery_date', 'aftership_estimated_delivery_date'];
    const msg = record(['slug', 'tag', 'subtag', 'updated_at', 'return_to_sender', ...estimates]);
    fc.assert(
      fc.property(msg, fc.array(checkpoint, { maxLength: 4 }), anyValue, (fields, checkpoints, ts) => {
        checkOutcome(aftership.parse(updateWith({ event: { ts }, msg: { ...fields, checkpoints } })));
      }),
      { numRuns: 1000, ...seeded },
    );
  });
});

describe('verify', () => {
  const rawBody = rawFixture('aftership', 'delivered-in-time');
  const now = new Date('2026-04-10T00:00:00Z');
  const verify = (signature: string, secret = 'secret') =>
    aftership.verifier.over === 'bytes' &&
    aftership.verifier.verify({ rawBody, headers: { 'aftership-hmac-sha256': signature }, secrets: [secret], now });
  const digest = createHmac('sha256', 'secret').update(rawBody).digest();
  const base64 = digest.toString('base64');

  test('the secret is used as it stands, not decoded', () => {
    expect(verify(base64)).toBe('verified');
    const secret = Buffer.from('secret').toString('base64');
    expect(verify(base64, secret)).toBe('refused');
    expect(aftership.sign({ rawBody, secret: 'secret', now })).toEqual({ 'aftership-hmac-sha256': base64 });
  });

  test.each([
    ['in hex', digest.toString('hex')],
    ['in base64url', `${digest.toString('base64url')}`],
    ['without padding', base64.slice(0, -1)],
    ['with a prefix', `hmac-sha256=${base64}`],
    ['of the document written anew', createHmac('sha256', 'secret').update(`${rawBody}\n`).digest('base64')],
  ])('a signature that is %s does not hold', (_name, signature) => {
    expect(verify(signature)).toBe('refused');
  });

  test('the fixture’s document is what is signed, byte for byte', () => {
    const rewritten = Buffer.from(JSON.stringify(documentOf('aftership', 'delivered-in-time'), null, 1));
    expect(verify(createHmac('sha256', 'secret').update(rewritten).digest('base64'))).toBe('refused');
  });
});
