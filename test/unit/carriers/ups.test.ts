import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ups } from '../../../src/carriers/ups/adapter.js';
import { CODES, meaningOf, TYPES, unrecognisedOf } from '../../../src/carriers/ups/statuses.js';
import { describeSource, TEXT_SECRETS } from '../../support/carrier-suite.js';
import {
  anyValue,
  meaningAsText as asText,
  checkOutcome,
  parcelOf,
  scanOf as scanOfOutcome,
  seeded,
  wrongFields as wrongFieldsOf,
} from '../../support/carriers.js';

describeSource(ups, { secrets: TEXT_SECRETS, hasWindow: false });

/** A Track Alert whose parts a test may replace. */
function alertWith(parts: object = {}, status: object = {}) {
  return {
    trackingNumber: '1Z0000000000000799',
    activityLocation: { city: 'MEMPHIS', stateProvince: 'TN', postalCode: '', country: 'US' },
    activityStatus: { type: 'I', code: 'AR', description: 'On', descriptionCode: '005', ...status },
    scheduledDeliveryDate: '20260410',
    gmtActivityDate: '20260408',
    gmtActivityTime: '081200',
    ...parts,
  };
}

const scanOf = (parts: object, status: object = {}) => scanOfOutcome(ups.parse(alertWith(parts, status)));
const wrongFields = (document: unknown) => wrongFieldsOf(ups.parse(document));
const meaningAsText = (type: string | null, code: string | null, text: string | null = null) =>
  asText(meaningOf({ type, code, text }));

/** Written from the published lists, not from the tables under test. */
const expectedByType: Record<string, string> = {
  M: 'pre_transit',
  MV: 'cancelled',
  X: 'exception other',
  I: 'in_transit',
  U: 'in_transit',
  D: 'unknown',
};
const onTheWay = ['OR', 'PU', 'OC', 'OG', 'DP', 'AR', 'AF'];
const outForDelivery = ['OT', 'OD', 'OF'];
const delivered = ['FS', 'KB', 'F4'];
const addsNothing = ['DU', '48'];
const expectedByCode: Record<string, string> = {
  RS: 'return_to_sender',
  RT: 'return_to_sender',
  RU: 'return_to_sender',
  RH: 'return_to_sender',
  RP: 'available_for_pickup',
  AC: 'available_for_pickup',
  WC: 'available_for_pickup',
  RF: 'exception refused',
  VD: 'cancelled',
  CA: 'cancelled',
  DY: 'exception delay',
  DE: 'exception delay',
  SD: 'exception delay',
};
const typesButU = ['M', 'MV', 'X', 'I', 'D', 'Q', '__proto__', null];

describe('statuses', () => {
  test('every documented word is a row, and no row is undocumented', () => {
    const codes = [...onTheWay, ...outForDelivery, ...delivered, ...addsNothing, ...Object.keys(expectedByCode)];
    expect(Object.keys(TYPES).sort()).toEqual(Object.keys(expectedByType).sort());
    expect(Object.keys(CODES).sort()).toEqual(codes.sort());
  });

  test.each(Object.entries(expectedByType))('type %s means %s without a code that says more', (type, expected) => {
    for (const code of [null, ...addsNothing, 'Z9', '__proto__', 'constructor']) {
      expect(meaningAsText(type, code)).toBe(expected);
    }
  });

  test.each(Object.entries(expectedByCode))('code %s means %s beside every type but U', (code, expected) => {
    for (const type of typesButU) expect(meaningAsText(type, code)).toBe(expected);
  });

  test.each(delivered)('%s is a delivery beside type D alone', (code) => {
    expect(meaningAsText('D', code)).toBe('delivered');
    for (const [type, expected] of Object.entries({ ...expectedByType, D: 'delivered' })) {
      expect(meaningAsText(type, code)).toBe(expected);
    }
    for (const type of ['Q', 'd', null]) expect(meaningAsText(type, code)).toBe('unknown');
  });

  test('a code that says where the parcel is hides neither an exception nor a void, nor that there is only a label', () => {
    for (const type of ['I', 'D', 'Q', null]) {
      for (const code of onTheWay) expect(meaningAsText(type, code)).toBe('in_transit');
      for (const code of outForDelivery) expect(meaningAsText(type, code)).toBe('out_for_delivery');
    }
    for (const code of [...onTheWay, ...outForDelivery]) {
      expect(meaningAsText('X', code)).toBe('exception other');
      expect(meaningAsText('MV', code)).toBe('cancelled');
      expect(meaningAsText('M', code)).toBe('pre_transit');
    }
  });

  test('a schedule change is nothing else, whatever its code and text', () => {
    for (const code of [null, ...Object.keys(CODES), 'Z9']) {
      expect(meaningAsText('U', code, 'Weather: the next attempt was not available')).toBe('in_transit');
    }
  });

  test.each(['Q', 'd', 'x', ' D', '__proto__', 'toString'])('type %p is unknown, and never a guess', (type) => {
    expect(meaningAsText(type, null)).toBe('unknown');
    expect(meaningAsText(type, 'Z9')).toBe('unknown');
  });

  test('a scan without words means nothing', () => {
    expect(meaningOf({ type: null, code: null, text: 'Delivered' })).toBeNull();
  });

  test.each([
    ['X', '48', 'WEATHER has closed the road', 'exception weather'],
    ['X', 'DY', 'bad weather', 'exception weather'],
    ['X', 'DY', 'Bad weather. The next attempt is tomorrow.', 'exception weather'],
    ['I', 'DY', 'bad weather', 'exception weather'],
    ['X', null, 'A delivery Attempt was made', 'attempted'],
    ['X', 'Z9', 'NOTICE LEFT at the door', 'attempted'],
    ['X', 'DE', 'The receiver was not available', 'attempted'],
    ['X', 'DE', 'Late', 'exception delay'],
    ['X', 'Z9', 'Late', 'exception other'],
    ['X', 'RF', 'Refused at the second attempt', 'exception refused'],
    ['X', 'RS', 'Returned after the last attempt, in bad weather', 'return_to_sender'],
    ['I', 'DY', 'The receiver was not available', 'exception delay'],
    ['I', 'AR', 'Weatherford, TX: attempt', 'in_transit'],
    ['I', 'Z9', 'A delivery attempt was made', 'in_transit'],
    ['D', 'Z9', 'Delivered', 'unknown'],
    ['D', 'FS', 'Delivered in bad weather at the second attempt', 'delivered'],
    ['M', null, 'The weather is bad', 'pre_transit'],
  ])('%s with %s and %p is %s', (type, code, text, expected) => {
    expect(meaningAsText(type, code, text)).toBe(expected);
  });

  test.each([
    [null, null, null],
    ['I', null, null],
    [null, 'AR', null],
    ['I', 'AR', null],
    ['U', 'DU', null],
    ['X', '48', null],
    ['D', 'FS', null],
    ['I', 'FS', 'I/FS'],
    [null, 'FS', '/FS'],
    ['D', 'Z9', 'D/Z9'],
    [null, 'Z9', '/Z9'],
    ['Q', null, 'Q'],
    ['Q', 'FS', 'Q'],
    ['__proto__', 'constructor', '__proto__'],
    ['X', '__proto__', 'X/__proto__'],
  ])('of %p and %p, %p is not recognised', (type, code, expected) => {
    expect(unrecognisedOf({ type, code })).toBe(expected);
  });
});

describe('parse: time', () => {
  const gmt = { gmtActivityDate: '20260409', gmtActivityTime: '035959' };
  const local = { localActivityDate: '20260408', localActivityTime: '235959', gmtOffset: '-04.00' };
  const noGmt = { gmtActivityDate: '', gmtActivityTime: '' };
  const instant = { at: new Date('2026-04-09T03:59:59Z') };

  test.each<[string, object, unknown]>([
    ['the GMT date and time', gmt, instant],
    ['these, whatever the local ones say', { ...gmt, ...local, localActivityTime: '000000' }, instant],
    ['midnight in GMT', { ...gmt, gmtActivityTime: '000000' }, { at: new Date('2026-04-09T00:00:00Z') }],
    ['a leap day', { ...gmt, gmtActivityDate: '20280229' }, { at: new Date('2028-02-29T03:59:59Z') }],
    ['the local ones with their offset', { ...noGmt, ...local }, instant],
    ['an offset to the east', { ...noGmt, ...local, gmtOffset: '+05.30' }, { at: new Date('2026-04-08T18:29:59Z') }],
    ['the local ones without', { ...noGmt, ...local, gmtOffset: '' }, { local: '2026-04-08T23:59:59' }],
    ['an offset that is none', { ...noGmt, ...local, gmtOffset: '-4' }, { local: '2026-04-08T23:59:59' }],
    [
      'local midnight',
      { ...noGmt, ...local, localActivityTime: '000000', gmtOffset: null },
      { local: '2026-04-08T00:00:00' },
    ],
    ['a GMT date without its time', { ...gmt, ...local, gmtActivityTime: '' }, instant],
    ['a GMT day that is none', { ...gmt, ...local, gmtActivityDate: '20260230' }, instant],
    ['a GMT time that is none', { ...gmt, ...local, gmtActivityTime: '246000' }, instant],
    ['the local date alone', { ...noGmt, ...local, localActivityTime: '' }, { on: '2026-04-08' }],
    ['a local time that is none', { ...noGmt, ...local, localActivityTime: '240000' }, { on: '2026-04-08' }],
    [
      'the local date before the GMT date',
      { ...gmt, ...local, gmtActivityTime: null, localActivityTime: 7 },
      { on: '2026-04-08' },
    ],
    ['the GMT date alone', { ...gmt, gmtActivityTime: '' }, { on: '2026-04-09', timeZone: 'UTC' }],
  ])('%s', (_name, parts, time) => {
    expect(scanOf(parts).time).toEqual(time);
  });

  test.each(
    [
      '20260230',
      '20261301',
      '20260400',
      '19991231',
      '2026-04-08',
      '2026048',
      ' 2026048',
      '',
      20260408,
      null,
      {},
      [],
    ].map((value) => [value]),
  )('%p is no date: the webhook is malformed', (gmtActivityDate) => {
    expect(wrongFields(alertWith({ gmtActivityDate, localActivityDate: gmtActivityDate }))).toEqual([
      'gmtActivityDate',
    ]);
  });
});

describe('parse: the estimate', () => {
  test.each([
    ['20260410', { on: '2026-04-10' }],
    ['20260406', { on: '2026-04-06' }],
    ['20260207', null],
    ['20260208', { on: '2026-02-08' }],
    ['20191014', null],
    ['20280229', { on: '2028-02-29' }],
    ['20260230', null],
    ['2026-04-10', null],
    ['', null],
    [20260410, null],
    [undefined, null],
  ])('%p', (scheduledDeliveryDate, expected) => {
    const parts = { scheduledDeliveryDate, gmtActivityDate: '20260409', gmtActivityTime: '000000' };
    expect(parcelOf(ups.parse(alertWith(parts))).estimate).toEqual(expected);
  });
});

describe('parse: what it needs, and what it does without', () => {
  test.each([
    ['an array', [], 'body'],
    ['null', null, 'body'],
    ['no number', alertWith({ trackingNumber: undefined }), 'trackingNumber'],
    ['a number that is no text', alertWith({ trackingNumber: 1 }), 'trackingNumber'],
    ['a number of nothing but hyphens', alertWith({ trackingNumber: ' - ' }), 'trackingNumber'],
    ['a number that is too long', alertWith({ trackingNumber: '1'.repeat(101) }), 'trackingNumber'],
    ['NUL in the number', alertWith({ trackingNumber: '1Z\0' }), 'trackingNumber'],
    ['NUL in the type', alertWith({}, { type: '\0' }), 'activityStatus.type'],
    ['NUL in the code', alertWith({}, { code: 'A\0' }), 'activityStatus.code'],
    ['NUL in the text', alertWith({}, { description: '\0' }), 'activityStatus.description'],
    ['NUL in the place', alertWith({ activityLocation: { postalCode: '\0' } }), 'activityLocation.postalCode'],
  ])('%s is malformed, and the field is named', (_name, document, field) => {
    expect(wrongFields(document)).toEqual([field]);
  });

  test('an empty object lacks both', () => {
    expect(wrongFields({})).toEqual(['gmtActivityDate', 'trackingNumber']);
  });

  test.each([
    ['of another type', { type: 7, code: [], description: {} }, 'here'],
    ['blank', { type: '', code: ' ', description: '' }, { city: '', stateProvince: ' ', country: null }],
  ])('all else that is %s counts as not said', (_name, activityStatus, activityLocation) => {
    const outcome = ups.parse(alertWith({ activityLocation, scheduledDeliveryDate: {} }, activityStatus));
    expect(outcome).toMatchObject({ deliveryId: null, parcels: [{ carrier: 'ups', estimate: null, snapshot: null }] });
    expect(scanOfOutcome(outcome)).toEqual({
      status: 'unknown',
      time: { at: new Date('2026-04-08T08:12:00Z') },
      exception: null,
      disputed: false,
      code: '',
      text: null,
      place: null,
      isBorrowed: false,
      unrecognised: null,
    });
    for (const missing of [undefined, null, [], 'I']) {
      expect(scanOf({ activityStatus: missing })).toMatchObject({
        status: 'unknown',
        code: '',
        isBorrowed: false,
        unrecognised: null,
      });
    }
  });

  test('the code keeps what was sent of type and code', () => {
    expect(scanOf({}, { code: '' }).code).toBe('I');
    expect(scanOf({}, { type: '' }).code).toBe('/AR');
  });

  test('__proto__ and deep nesting are harmless', () => {
    const deep = `${'['.repeat(5000)}${']'.repeat(5000)}`;
    const json = `{"__proto__":{"trackingNumber":"evil"},"trackingNumber":"1Z1","gmtActivityDate":"20260408","deliveryPhoto":${deep},
      "activityStatus":{"__proto__":{"type":"D","code":"FS"},"type":${deep}}}`;
    const document = JSON.parse(json);
    expect(parcelOf(ups.parse(document)).trackingNumber).toBe('1Z1');
    expect(scanOfOutcome(ups.parse(document))).toMatchObject({ status: 'unknown', code: '' });
    expect(wrongFields(JSON.parse('{"__proto__":{"trackingNumber":"1Z1","gmtActivityDate":"20260408"}}'))).toHaveLength(
      2,
    );
  });

  test('any value in any of the fields that are read', () => {
    const record = (keys: string[]) =>
      fc.record(Object.fromEntries(keys.map((key) => [key, anyValue])), { requiredKeys: [] });
    const words = record(['type', 'code', 'description']);
    const parts = record([
      'localActivityDate',
      'localActivityTime',
      'gmtOffset',
      'gmtActivityTime',
      'scheduledDeliveryDate',
    ]);
    const place = record(['city', 'stateProvince', 'country', 'postalCode']);
    fc.assert(
      fc.property(words, parts, place, fc.boolean(), (status, fields, activityLocation, hasGmt) => {
        const gmtActivityDate = hasGmt ? '20260408' : fields.gmtActivityTime;
        checkOutcome(ups.parse(alertWith({ ...fields, gmtActivityDate, activityLocation }, status)));
      }),
      { numRuns: 1000, ...seeded },
    );
  });
});

describe('verify', () => {
  test('the credential is sent as it is, without a scheme before it', () => {
    const request = { rawBody: Buffer.from('{}'), secret: 'a-credential', now: new Date(0) };
    expect(ups.sign(request)).toEqual({ credential: 'a-credential' });
    const verify = (credential: string) =>
      ups.verifier.over === 'bytes' &&
      ups.verifier.verify({ ...request, secrets: ['a-credential'], headers: { credential } });
    expect(verify('a-credential')).toBe('verified');
    for (const wrong of ['Bearer a-credential', 'A-CREDENTIAL', ' a-credential']) expect(verify(wrong)).toBe('refused');
  });
});
