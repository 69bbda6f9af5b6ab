import { createHmac, generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { shipengine } from '../../../src/carriers/shipengine/adapter.js';
import { readKeySet } from '../../../src/carriers/shipengine/key-set.js';
import { meaningOf, STATUS_CODES, STATUS_DETAIL_CODES } from '../../../src/carriers/shipengine/statuses.js';
import { AppError } from '../../../src/errors.js';
import { describeSource } from '../../support/carrier-suite.js';
import {
  meaningAsText as asText,
  parcelOf,
  scanOf as scanOfOutcome,
  wrongFields as wrongFieldsOf,
} from '../../support/carriers.js';

interface Key {
  /** The private key as `sign` takes it. */
  readonly signsWith: string;
  /** A key set with the public key. */
  readonly configured: string;
  readonly jwk: Readonly<Record<string, unknown>>;
}

function makeKey(kid: string, modulusLength = 2048): Key {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength });
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' };
  const signsWith = JSON.stringify({ ...privateKey.export({ format: 'jwk' }), kid });
  return { signsWith, configured: keySetOf(jwk), jwk };
}

function keySetOf(...keys: readonly unknown[]): string {
  return JSON.stringify({ keys });
}

const mine = makeKey('kid-1');
const other = makeKey('kid-2');
const short = makeKey('kid-1', 1024);

describeSource(shipengine, { secrets: [mine, other], hasWindow: true });

/** A tracking webhook with one scan, whose parts a test may replace. */
function webhookWith(parts: { event?: object; data?: object; scan?: object } = {}) {
  const scan = { occurred_at: '2026-04-08T03:12:00Z', description: 'On', status_code: 'IT', status_detail_code: null };
  const data = { tracking_number: '1Z1', carrier_code: 'ups', status_code: 'IT', status_detail_code: 'IN_TRANSIT' };
  return {
    resource_url: 'https://api.shipengine.com/v1/tracking',
    resource_type: 'API_TRACK',
    data: { ...data, events: [{ ...scan, ...parts.scan }], ...parts.data },
    ...parts.event,
  };
}

const scanOf = (parts: Parameters<typeof webhookWith>[0]) => scanOfOutcome(shipengine.parse(webhookWith(parts)));
const wrongFields = (document: unknown) => wrongFieldsOf(shipengine.parse(document));

/** Written from the published lists, not from the table under test. */
const expectedByCode: Record<string, string> = {
  UN: 'unknown',
  NY: 'pre_transit',
  AC: 'in_transit',
  IT: 'in_transit',
  AT: 'attempted',
  SP: 'available_for_pickup',
  DE: 'delivered',
  EX: 'exception other',
};

/** The words are in the order of ShipEngine's own list, by what they mean. */
const wordsByMeaning: Record<string, string> = {
  unknown: 'CARRIER_STATUS_NOT_MAPPED TRACKING_EXPIRED',
  pre_transit: `SHIPMENT_CREATED AWAITING_PICKUP_DROP_OFF ELEC_ADVICE_RECD_BY_CARRIER PICKUP_FAILED
    NOT_YET_RECEIVED_BY_CARRIER`,
  in_transit: `DROPPED_OFF PICKED_UP CUSTOMS_CLEARED CUSTOMS_PROCESSING DELIVERY_ARRANGED_WITH_RECIPIENT HUB_SCAN_OUT
    HUB_SCAN_IN IN_TRANSIT INFORMATION PARCEL_OVER_LABELLED PARCEL_UPDATE_NOTIFICATION RECEIVED_BY_CARRIER
    RECEIVED_LOCAL_DELIVERY_DEPOT SUB_CONTRACTOR_EVENT SUB_CONTRACTOR_RECEIVED PARCEL_REDIRECTED DELIVERY_SCHEDULED
    HUB_PROCESSING DELIVERY_RESCHEDULED PARCEL_REPACKED RECD_BY_CARRIER_NO_ELEC_ADVICE PARCEL_REDIRECTED_BY_CARRIER`,
  out_for_delivery: 'OUT_FOR_DELIVERY',
  attempted: `ATTEMPTED_DELIVERY ATTEMPTED_DELIVERY_FINAL CUSTOMER_CARDED CUSTOMER_IDENTIFICATION_FAILED
    NO_ACCESS_TO_RECIPIENTS_ADDRESS NOT_DELIVERED`,
  available_for_pickup: `AWAITING_COLLECTION_FROM_PICKUP_POINT COLLECT_AT_LOCAL_PO CUSTOMER_TO_COLLECT_FROM_CARRIER
    DELIVERED_TO_PICKUP_POINT`,
  delivered: `COD_AMOUNT_PAID DELIVERED_TO_RECEPTION DELIVERED DELIVERED_IN_PART
    DELIVERED_SPECIFIED_SAFE_PLACE DELIVERED_TO_ALTERNATIVE_DELIVERY_LOCATION DELIVERED_TO_NEIGHBOUR DELIVERED_TO_PO_BOX
    PARCEL_COLLECTED_FROM_PICKUP_POINT POST_TRANSIT_STATUS PROOF_OF_DELIVERY`,
  'delivered damaged': 'DELIVERED_DAMAGED',
  'exception address': 'ADDRESS_QUERY CUSTOMER_MOVED',
  'exception customs': `HELD_BY_CARRIER_FOR_CLEARANCE_PRE_PROCESSING HELD_BY_CUSTOMS INCORRECT_DECLARATION
    DUTY_NOT_PAID`,
  'exception damaged': 'PARCEL_DAMAGED',
  'exception lost': 'PARCEL_LOST',
  'exception refused': 'REFUSED_BY_CUSTOMER',
  'exception held': 'HELD_BY_CARRIER',
  'exception payment': 'COD_AMOUNT_NOT_PAID',
  'exception unclaimed': 'NOT_COLLECTED_FROM_PICKUP_POINT',
  'exception delay': 'CARRIER_DELAYS DELAYED_NOT_CARRIER',
  'exception misrouted': 'MISROUTED',
  'exception disposed': 'PARCEL_DISPOSED',
  'exception other': `HAZARDOUS_PROHIBITED NOT_DELIVERED_ADDRESSEE_DECEASED PARCEL_OUTSIDE_OF_SERVICE_CAPABILITY
    UNSPECIFIED_EXCEPTION`,
  return_to_sender: 'RETURN_TO_SENDER UNDELIVERABLE_RETURNED_TO_SENDER',
  cancelled: 'CANCELLED',
};
const expectedByDetail = Object.entries(wordsByMeaning).flatMap(([expected, words]) =>
  words.split(/\s+/).map((detail): [string, string] => [detail, expected]),
);
const strangeWords = ['NEVER_HEARD_OF', 'delivered', '__proto__', 'constructor'];

const meaningAsText = (status: string | null, detail: string | null, text: string | null = null) =>
  asText(meaningOf({ status, detail, text }));

describe('statuses', () => {
  test('every documented word is a row, and no row is undocumented', () => {
    expect(expectedByDetail).toHaveLength(75);
    expect(Object.keys(STATUS_CODES).sort()).toEqual(Object.keys(expectedByCode).sort());
    expect(Object.keys(STATUS_DETAIL_CODES).sort()).toEqual(expectedByDetail.map(([detail]) => detail).sort());
  });

  test.each(Object.entries(expectedByCode))('%s means %s without a detail that we know', (status, expected) => {
    for (const detail of [null, ...strangeWords]) expect(meaningAsText(status, detail)).toBe(expected);
  });

  test.each(expectedByDetail)('detail %s means %s whatever the status, unless delivered', (detail, expected) => {
    for (const status of [...Object.keys(expectedByCode), ...strangeWords, null]) {
      // Of two words for a delivery, the one that says more.
      const delivered = expected.startsWith('delivered') ? expected : 'delivered';
      expect(meaningAsText(status, detail)).toBe(status === 'DE' ? delivered : expected);
    }
  });

  test.each([...strangeWords, 'de', ''])('status %p is unknown, and never a guess', (status) => {
    expect(meaningAsText(status, null)).toBe('unknown');
  });

  test('without a status a scan says nothing, unless its detail does', () => {
    expect(meaningAsText(null, null)).toBeNull();
    expect(meaningAsText(null, 'NEVER_HEARD_OF')).toBe('unknown');
    expect(meaningAsText(null, 'PARCEL_LOST')).toBe('exception lost');
  });

  test('the text names the weather only where the codes name no kind of exception', () => {
    expect(meaningAsText('EX', null, 'Delay: WEATHER')).toBe('exception weather');
    expect(meaningAsText('IT', 'UNSPECIFIED_EXCEPTION', 'bad weather')).toBe('exception weather');
    expect(meaningAsText('EX', 'CARRIER_DELAYS', 'bad weather')).toBe('exception delay');
    expect(meaningAsText('IT', 'HUB_SCAN_IN', 'Weatherford, TX')).toBe('in_transit');
    expect(meaningAsText('DE', 'DELIVERED', 'in bad weather')).toBe('delivered');
  });

  test.each([
    ['ZZ', null, 'ZZ'],
    ['ZZ', 'IN_TRANSIT', 'ZZ'],
    ['IT', 'AIRBORNE', 'IT/AIRBORNE'],
    [null, 'AIRBORNE', '/AIRBORNE'],
    ['DE', 'AIRBORNE', 'DE/AIRBORNE'],
    ['IT', 'IN_TRANSIT', null],
    ['IT', null, null],
    ['IT', '', null],
    ['', ' ', null],
    [7, {}, null],
  ])('of %p and %p, %p is not recognised', (status_code, status_detail_code, unrecognised) => {
    expect(scanOf({ scan: { status_code, status_detail_code } }).unrecognised).toBe(unrecognised);
  });
});

describe('parse: the status of the parcel', () => {
  const bare = { status_code: null, status_detail_code: undefined };

  test('is the latest scan’s when that has none, with its detail, and no part of its code', () => {
    expect(scanOf({ scan: bare, data: { status_code: 'DE' } })).toMatchObject({ status: 'delivered', code: '' });
    expect(scanOf({ scan: { ...bare, event_code: 'X' }, data: { status_detail_code: 'PARCEL_LOST' } })).toMatchObject({
      status: 'exception',
      exception: 'lost',
      code: 'X',
    });
    expect(
      scanOf({ scan: { ...bare, description: 'Weather' }, data: { status_code: 'EX', status_detail_code: null } }),
    ).toMatchObject({ exception: 'weather' });
  });

  test('never outweighs what the scan says itself', () => {
    const data = { status_code: 'DE', status_detail_code: 'DELIVERED' };
    for (const scan of [
      { status_code: 'UN' },
      { status_code: 'ZZ' },
      { status_code: null, status_detail_code: 'ZZ' },
    ]) {
      expect(scanOf({ data, scan }).status).toBe('unknown');
    }
    expect(scanOf({ data, scan: {} })).toMatchObject({ status: 'in_transit', code: 'IT' });
  });

  test('goes to the first in the list of scans at the same time, and to no other', () => {
    const occurred_at = '2026-04-08T03:12:00Z';
    const events = [{ occurred_at: '2026-04-08T03:11:59Z' }, { occurred_at }, { occurred_at, description: 'second' }];
    const { scans } = parcelOf(shipengine.parse(webhookWith({ data: { status_detail_code: 'DELIVERED', events } })));
    expect(scans.map((scan) => scan.status)).toEqual(['unknown', 'delivered', 'unknown']);
  });

  test('makes no event without a scan', () => {
    for (const events of [[], null, undefined]) {
      const outcome = shipengine.parse(webhookWith({ data: { status_code: 'DE', events } }));
      expect(parcelOf(outcome).scans).toEqual([]);
    }
  });
});

describe('parse: time', () => {
  const local = '2026-04-07T22:12:00';
  test.each([
    ['2026-04-08T03:12:00Z', local, { at: new Date('2026-04-08T03:12:00Z') }],
    ['2026-04-08T00:00:00Z', local, { at: new Date('2026-04-08T00:00:00Z') }],
    ['2026-04-08T03:12:00.9999999Z', null, { at: new Date('2026-04-08T03:12:00.999Z') }],
    ['2026-04-08T03:12:00-04:00', local, { at: new Date('2026-04-08T07:12:00Z') }],
    ['2026-04-08T03:12:00', local, { local: '2026-04-08T03:12:00' }],
    ['2026-04-08', local, { on: '2026-04-08' }],
    [undefined, local, { local }],
    [null, `${local}Z`, { local }],
    ['', `${local}-05:00`, { local }],
    ['2026-02-30T03:12:00Z', local, { local }],
    [1775617920, '2026-04-08', { on: '2026-04-08' }],
  ])('%p, and %p where it happened', (occurred_at, carrier_occurred_at, time) => {
    expect(scanOf({ scan: { occurred_at, carrier_occurred_at } }).time).toEqual(time);
  });

  test.each([
    ['2026-04-08T24:00:00Z', null],
    ['2026-02-30', '2026-02-29T10:00:00'],
    ['0001-01-01T00:00:00Z', '1970-01-01T00:00:00'],
    ['yesterday', {}],
  ])('%p and %p are no time: the webhook is malformed', (occurred_at, carrier_occurred_at) => {
    const document = webhookWith({ scan: { occurred_at, carrier_occurred_at } });
    expect(wrongFields(document)).toEqual(['data.events[0].occurred_at']);
  });
});

describe('parse: the estimate', () => {
  test.each([
    ['2026-04-10T00:00:00', { on: '2026-04-10' }],
    ['2026-04-10T23:59:59', { on: '2026-04-10' }],
    ['2026-04-10T00:00:00Z', { on: '2026-04-10' }],
    ['2026-04-10', { on: '2026-04-10' }],
    ['2026-04-10T07:00:00Z', { at: new Date('2026-04-10T07:00:00Z') }],
    ['2026-02-30T00:00:00', null],
    [1775617920, null],
    [null, null],
  ])('%p', (estimated_delivery_date, expected) => {
    expect(parcelOf(shipengine.parse(webhookWith({ data: { estimated_delivery_date } }))).estimate).toEqual(expected);
  });
});

describe('parse: what it needs, and what it does without', () => {
  test.each([
    ['an array', [], 'body'],
    ['an empty object', {}, 'resource_type'],
    ['a type of another type', webhookWith({ event: { resource_type: 7 } }), 'resource_type'],
    ['no data', webhookWith({ event: { data: undefined } }), 'data'],
    ['data that is a list', webhookWith({ event: { data: [] } }), 'data'],
    ['no tracking number', webhookWith({ data: { tracking_number: undefined } }), 'data.tracking_number'],
    ['a tracking number that is a number', webhookWith({ data: { tracking_number: 94 } }), 'data.tracking_number'],
    ['nothing but hyphens', webhookWith({ data: { tracking_number: ' - ' } }), 'data.tracking_number'],
    ['101 characters', webhookWith({ data: { tracking_number: '9'.repeat(101) } }), 'data.tracking_number'],
    ['scans that are no list', webhookWith({ data: { events: {} } }), 'data.events'],
    ['1,001 scans', webhookWith({ data: { events: Array(1001).fill({}) } }), 'data.events'],
    ['a scan that is null', webhookWith({ data: { events: [null] } }), 'data.events[0]'],
    ['NUL in the carrier', webhookWith({ data: { carrier_code: '\0' } }), 'data.carrier_code'],
    ['NUL in a code', webhookWith({ scan: { status_code: 'a\0' } }), 'data.events[0].status_code'],
    ['NUL in a detail', webhookWith({ scan: { status_detail_code: '\0' } }), 'data.events[0].status_detail_code'],
    ['NUL in a text', webhookWith({ scan: { description: '\0' } }), 'data.events[0].description'],
    ['NUL in a place', webhookWith({ scan: { postal_code: '\0' } }), 'data.events[0].postal_code'],
  ])('%s is malformed, and the field is named', (_name, document, field) => {
    expect(wrongFields(document)).toEqual([field]);
  });

  test.each(['API_BATCH', 'API_RATE', 'API_CARRIER_CONNECTED', 'API_SALES_ORDERS_IMPORTED', 'api_track', 'x\0'])(
    '%p is ignored, whatever it holds',
    (resource_type) => {
      for (const data of [undefined, null, 'text', { tracking_number: 7 }]) {
        expect(shipengine.parse({ resource_type, data }).outcome).toBe('ignored');
      }
    },
  );

  test('ShipStation’s tracking event is read like ShipEngine’s', () => {
    expect(shipengine.parse(webhookWith({ event: { resource_type: 'TRACK_EVENT_V2' } }))).toEqual(
      shipengine.parse(webhookWith()),
    );
  });

  test('all else that is missing or of another type counts as not said', () => {
    const scan = { description: {}, status_code: 7, status_detail_code: [], city_locality: null, country_code: '' };
    const parcel = parcelOf(shipengine.parse(webhookWith({ data: { carrier_code: 7, status_code: {} }, scan })));
    expect(parcel).toMatchObject({ carrier: '', snapshot: null });
    expect(parcel.scans).toMatchObject([{ status: 'in_transit', code: '', text: null, place: null }]);
  });

  test('the carrier’s words stand in for a description, and the place is put together', () => {
    const scan = { description: '', carrier_status_description: 'LEFT', city_locality: 'TROY', state_province: '' };
    expect(scanOf({ scan: { ...scan, postal_code: '12180', country_code: 'US' } })).toMatchObject({
      text: 'LEFT',
      place: 'TROY, US 12180',
    });
  });
});

describe('the signature', () => {
  const now = new Date('2026-04-14T12:00:00.750Z');
  const rawBody = Buffer.from('{"a":1}');
  const right = shipengine.sign({ rawBody, secret: mine.signsWith, now });
  const [KEY_ID, SIGNATURE] = ['x-shipengine-rsa-sha256-key-id', 'x-shipengine-rsa-sha256-signature'];
  const TIMESTAMP = 'x-shipengine-timestamp';
  const verify = (headers: Record<string, string>, secrets = [mine.configured]) => {
    if (shipengine.verifier.over !== 'bytes') throw new Error('it is over the bytes');
    return shipengine.verifier.verify({ rawBody, headers: { ...right, ...headers }, secrets, now });
  };

  test('names its key and its time, in whole seconds', () => {
    expect(right).toEqual({
      [KEY_ID]: 'kid-1',
      [SIGNATURE]: expect.stringMatching(/^[A-Za-z0-9+/]{342}==$/),
      [TIMESTAMP]: '2026-04-14T12:00:00Z',
    });
    expect(shipengine.sign({ rawBody, secret: mine.signsWith, now })).toEqual(right);
  });

  test('by a key that is in no key set is of an unknown key, once the rest of the headers is in order', () => {
    expect(verify({ [KEY_ID]: 'kid-9' })).toBe('unknown_key');
    expect(verify({}, [])).toBe('unknown_key');
    expect(verify({}, ['', 'no key set', keySetOf(), other.configured])).toBe('unknown_key');
    expect(verify({ [KEY_ID]: 'kid-9', [SIGNATURE]: '!' })).toBe('refused');
    expect(verify({ [KEY_ID]: 'kid-9', [TIMESTAMP]: '2026-04-14T11:00:00Z' })).toBe('refused');
  });

  test('may be by any key of that id, in any key set', () => {
    const namesake = { ...other.jwk, kid: 'kid-1' };
    expect(verify({}, [keySetOf(namesake)])).toBe('refused');
    expect(verify({}, [keySetOf(namesake), mine.configured])).toBe('verified');
    expect(verify({}, [keySetOf(namesake, mine.jwk)])).toBe('verified');
  });

  const signature = right[SIGNATURE] ?? '';
  test.each([
    ['without padding', signature.replace(/=+$/, '')],
    ['with a blank', ` ${signature}`],
    ['with stray bits at its end', signature.replace(/.==$/, (end) => `${end[0] === 'B' ? 'C' : 'B'}==`)],
    ['in base64url', signature.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')],
    ['in hex', Buffer.from(signature, 'base64').toString('hex')],
    ['an HMAC', createHmac('sha256', 'kid-1').update(rawBody).digest('base64')],
  ])('that is %s does not hold', (_name, sent) => {
    expect(verify({ [SIGNATURE]: sent })).toBe('refused');
  });

  test.each([
    '2026-04-14T12:00:00',
    '2026-04-14',
    '1776168000',
    'Tue, 14 Apr 2026 12:00:00 GMT',
    '2026-04-14T12:00:00.000Z',
    '2026-04-14T14:00:00+02:00',
  ])('is over the timestamp as sent: %s is another', (timestamp) => {
    expect(verify({ [TIMESTAMP]: timestamp })).toBe('refused');
  });

  test('needs a private RSA key with its id', () => {
    const { kid: _kid, ...unnamed } = JSON.parse(mine.signsWith);
    const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
    const wrong = ['', 'a-secret', '[]', JSON.stringify(unnamed), JSON.stringify(mine.jwk), mine.configured];
    for (const secret of [...wrong, short.signsWith, JSON.stringify({ ...curve, kid: 'kid-1' })]) {
      expect(() => shipengine.sign({ rawBody, secret, now })).toThrow(AppError);
    }
  });
});

describe('a key set', () => {
  test('holds the ids of its usable keys', () => {
    expect(readKeySet(mine.configured)).toEqual({ kids: ['kid-1'] });
    const { use: _use, alg: _alg, ...plain } = other.jwk;
    expect(readKeySet(keySetOf(mine.jwk, plain, { kty: 'EC', kid: 'kid-3' }, null))).toEqual({
      kids: ['kid-1', 'kid-2'],
    });
    expect(readKeySet(keySetOf(JSON.parse(mine.signsWith)))).toEqual({ kids: ['kid-1'] });
  });

  const { kid: _kid, ...unnamed } = mine.jwk;
  test.each([
    ['nothing', ''],
    ['no JSON', 'https://api.shipengine.com/jwks'],
    ['null', 'null'],
    ['a key alone', JSON.stringify(mine.jwk)],
    ['no list', '{"keys":{}}'],
    ['a key without an id', keySetOf(unnamed)],
    ['a short key', short.configured],
    ['a key for encryption', keySetOf({ ...mine.jwk, use: 'enc' })],
    ['a key for another algorithm', keySetOf({ ...mine.jwk, alg: 'PS256' })],
    ['a key of another type', keySetOf({ ...mine.jwk, kty: 'oct' })],
    ['a key with which every message is its own signature', keySetOf({ ...mine.jwk, e: 'AQ' })],
    ['a broken key', keySetOf({ ...mine.jwk, n: '' })],
  ])('that is %s is none', (_name, text) => {
    expect(readKeySet(text)).toBeNull();
  });

  test('is read again after others have pushed it out of memory', () => {
    for (let index = 0; index < 20; index++) readKeySet(`{"keys":[],"n":${index}}`);
    expect(readKeySet(mine.configured)).toEqual({ kids: ['kid-1'] });
  });
});
