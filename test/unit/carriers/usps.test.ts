import { createHmac } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { usps } from '../../../src/carriers/usps/adapter.js';
import {
  CATEGORIES,
  CODES,
  headlineOf,
  meaningOf,
  TEXTS,
  unrecognisedOf,
} from '../../../src/carriers/usps/statuses.js';
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

describeSource(usps, { secrets: TEXT_SECRETS, hasWindow: false });

const GMT = '2026-04-08T07:12:48Z';

/** An envelope around one scan, whose parts a test may replace. */
function envelopeOf(parts: { envelope?: object; tracking?: object; scan?: object } = {}) {
  const trackingEvents = [{ eventType: 'Out for Delivery', eventCode: 'OF', GMTTimestamp: GMT, ...parts.scan }];
  const payload = JSON.stringify({ trackingNumber: '9400', trackingEvents, ...parts.tracking });
  return { subscriptionType: 'TRACKING', timestamp: '2026-04-08T07:14:00Z', payload, ...parts.envelope };
}

const scanOf = (parts: Parameters<typeof envelopeOf>[0]) => scanOfOutcome(usps.parse(envelopeOf(parts)));
const wrongFields = (document: unknown) => wrongFieldsOf(usps.parse(document));
const meaningAsText = (code: string | null, text: string | null) => asText(meaningOf({ code, text }));

/** Written from the published lists, not from the tables under test. */
const expectedByCode = Object.entries({
  ...{ '01': 'delivered', OF: 'out_for_delivery', GX: 'pre_transit', '07': 'in_transit', '03': 'in_transit' },
  ...{ '10': 'in_transit', A1: 'in_transit', T1: 'in_transit', SF: 'in_transit', TL: 'in_transit' },
});
const expectedByCategory = Object.entries({
  'Pre-Shipment': 'pre_transit',
  Accepted: 'in_transit',
  'In Transit': 'in_transit',
  'Out for Delivery': 'out_for_delivery',
  Delivered: 'delivered',
  'Available for Pickup': 'available_for_pickup',
  'Delivery Attempt': 'attempted',
  Alert: 'exception other',
});
const expectedByText: [string, string][] = [
  ...expectedByCategory,
  ['Shipping Label Created, USPS Awaiting Item', 'pre_transit'],
  ['Label Created, USPS Awaiting Item', 'pre_transit'],
  ['Pre-Shipment Info Sent to USPS, USPS Awaiting Item', 'pre_transit'],
  ['USPS Awaiting Item', 'pre_transit'],
  ['USPS in possession of item', 'in_transit'],
  ['USPS picked up item', 'in_transit'],
  ['Accepted at USPS Origin Facility', 'in_transit'],
  ['Accepted at USPS Regional Origin Facility', 'in_transit'],
  ['Accepted at USPS Destination Facility', 'in_transit'],
  ['Arrived at Post Office', 'in_transit'],
  ['Arrived at Military Post Office', 'in_transit'],
  ['Arrived at USPS Facility', 'in_transit'],
  ['Arrived at USPS Regional Facility', 'in_transit'],
  ['Arrived at USPS Regional Origin Facility', 'in_transit'],
  ['Arrived at USPS Regional Destination Facility', 'in_transit'],
  ['Departed Post Office', 'in_transit'],
  ['Departed USPS Facility', 'in_transit'],
  ['Departed USPS Regional Facility', 'in_transit'],
  ['Departed USPS Regional Origin Facility', 'in_transit'],
  ['Departed USPS Regional Destination Facility', 'in_transit'],
  ['In Transit to Next Facility', 'in_transit'],
  ['In Transit to Next Facility, Arriving Late', 'in_transit'],
  ['Moving Through Network', 'in_transit'],
  ['Processed Through USPS Facility', 'in_transit'],
  ['Processed Through USPS Regional Facility', 'in_transit'],
  ['Sorting Complete', 'in_transit'],
  ['Forwarded', 'in_transit'],
  ['Out for Delivery, Expected Delivery by 9:00pm', 'out_for_delivery'],
  ['DELIVERED', 'delivered'],
  ['Delivered, Parcel Locker', 'delivered'],
  ['Delivered, In/At Mailbox', 'delivered'],
  ['Delivered to Agent for Final Delivery', 'delivered'],
  ['Delivered, To Original Sender', 'return_to_sender'],
  ['Delivered to Original Sender', 'return_to_sender'],
  ['Return to Sender', 'return_to_sender'],
  ['Return to Sender, Attempted - Not Known', 'return_to_sender'],
  ['Return to Sender Processed', 'return_to_sender'],
  ['Returned to Sender', 'return_to_sender'],
  ['Unclaimed/Being Returned to Sender', 'return_to_sender'],
  ['Alert: to be returned', 'return_to_sender'],
  ['Notice Left (No Authorized Recipient Available)', 'attempted'],
  ['Delivery Attempted - No Access to Delivery Location', 'attempted'],
  ['Recipient not available', 'attempted'],
  ['Unclaimed', 'exception unclaimed'],
  ['Refused', 'exception refused'],
  ['Held at Post Office, Retrieved from full parcel locker', 'exception held'],
  ['Held at Post Office, At Customer Request', 'exception customer_request'],
  ['Held in Customs', 'exception customs'],
  ['Addressee Unknown', 'exception address'],
  ['Forward Expired', 'exception address'],
  ['Insufficient Address', 'exception address'],
  ['Moved, Left no Address', 'exception address'],
  ['No Such Number', 'exception address'],
  ['Undeliverable as Addressed', 'exception address'],
  ['Vacant', 'exception address'],
  ['Missent', 'exception misrouted'],
  ['Disposed by Post Office', 'exception disposed'],
  ['Delivery Exception, Animal Interference', 'exception other'],
  ['Delivery Exception, Local Weather Delay', 'exception weather'],
  ['Processing Exception, Other Delay', 'exception other'],
  ['Weather delay', 'exception weather'],
];
const UNKNOWN_TEXTS = ['Handed to a Drone', 'Return Receipt Associated', '__proto__', 'constructor', ',', '(', ''];

describe('statuses', () => {
  test('every documented word is a row, and each row of texts is expected above', () => {
    expect(Object.keys(CODES).sort()).toEqual(expectedByCode.map(([code]) => code).sort());
    expect(Object.keys(CATEGORIES).sort()).toEqual(expectedByCategory.map(([category]) => category).sort());
    const read = expectedByText.map(([text]) => text.toLowerCase());
    const isRead = (row: string) => read.some((text) => text === row || text.startsWith(`${row},`));
    expect(Object.keys(TEXTS).filter((row) => !isRead(row))).toEqual([]);
  });

  test.each(expectedByCode)('code %s means %s, whatever the text says', (code, expected) => {
    for (const text of ['Refused', 'Handed to a Drone', 'Weather delay', 'Return to Sender', null]) {
      expect(meaningAsText(code, text)).toBe(expected);
      expect(unrecognisedOf({ code, text })).toBeNull();
    }
  });

  test.each(expectedByText)('%s means %s where the code does not tell', (text, expected) => {
    for (const code of [null, 'ZZ', '__proto__']) {
      for (const written of [text, text.toUpperCase()]) {
        expect(meaningAsText(code, written)).toBe(expected);
        expect(unrecognisedOf({ code, text: written })).toBeNull();
      }
    }
  });

  test.each(UNKNOWN_TEXTS)('%p says nothing, and is reported', (text) => {
    expect(meaningAsText(null, text)).toBeNull();
    expect(unrecognisedOf({ code: null, text })).toBe(text);
    expect(unrecognisedOf({ code: 'ZZ', text })).toBe('ZZ');
  });

  test('what came back to the sender was not delivered, though its code says so', () => {
    expect(meaningAsText('01', 'Delivered, To Original Sender')).toBe('return_to_sender');
  });

  test('no words are no meaning, and nothing to report', () => {
    expect([meaningAsText(null, null), unrecognisedOf({ code: null, text: null })]).toEqual([null, null]);
  });
});

describe('the headline', () => {
  const headline = (
    category: string | null,
    status: string | null,
    code: string | null = null,
    text: string | null = null,
  ) => asText(headlineOf({ category, status }, { code, text }));

  test.each(expectedByCategory)('%s speaks for a scan without words: %s', (category, expected) => {
    expect(headline(category, null)).toBe(expected);
    expect(headline(null, category)).toBe(expected);
    expect(headline(category, 'Handed to a Drone')).toBe(expected);
    expect(headline(category, null, 'ZZ', 'Handed to a Drone')).toBe(category === 'Alert' ? expected : null);
  });

  test.each([
    ['In Transit', 'Refused', 'exception refused'],
    ['Delivered', 'Refused', 'delivered'],
    ['Delivered', 'Delivered, To Original Sender', 'return_to_sender'],
    ['Alert', 'Return to Sender', 'return_to_sender'],
    ['Alert', 'To be returned', 'return_to_sender'],
    ['Alert', 'Delayed by weather', 'exception weather'],
    ['Alert', 'Insufficient Address', 'exception address'],
    ['Never heard of', 'Out for Delivery', 'out_for_delivery'],
    ['__proto__', 'constructor', null],
    [null, null, null],
  ])('%p with the status %p: %s', (category, status, expected) => {
    expect(headline(category, status)).toBe(expected);
  });

  test('of an alert, the text of the latest scan goes before the status', () => {
    expect(headline('Alert', 'Alert', 'ZZ', 'On its way to be returned')).toBe('return_to_sender');
    expect(headline('Alert', 'Vacant', 'ZZ', 'Dog on the Loose')).toBe('exception address');
    expect(headline('Alert', null, 'ZZ')).toBe('exception other');
  });

  test('outweighs no word of the scan, and goes to the first of two at the same time', () => {
    const tracking = { status: 'Delivered', statusCategory: 'Delivered' };
    expect(scanOf({ tracking }).status).toBe('out_for_delivery');
    expect(scanOf({ tracking, scan: { eventCode: 'ZZ', eventType: 'Drone' } })).toMatchObject({
      status: 'unknown',
      unrecognised: 'ZZ',
    });
    expect(scanOf({ tracking, scan: { eventCode: null, eventType: '' } })).toMatchObject({
      status: 'delivered',
      code: '',
    });
    const trackingEvents = ['A', 'B'].map((eventCity) => ({ GMTTimestamp: GMT, eventCity }));
    const { scans } = parcelOf(usps.parse(envelopeOf({ tracking: { ...tracking, trackingEvents } })));
    expect(scans.map((scan) => scan.status)).toEqual(['delivered', 'unknown']);
  });
});

describe('parse: time', () => {
  const at = (time: string) => ({ at: new Date(time) });
  test.each([
    [GMT, '2026-04-08T03:12:00', '-04:00', at('2026-04-08T07:12:48Z')],
    ['2026-04-08T00:00:00Z', '2026-04-07T20:00:00', '-04:00', at('2026-04-08T00:00:00Z')],
    ['2026-04-08T07:12:48', null, null, at('2026-04-08T07:12:48Z')],
    ['2026-04-08', '2026-04-08T03:12:00', '-04:00', at('2026-04-08T07:12:00Z')],
    ['2026-02-30T07:12:48Z', '2026-04-08T03:12:00', '-04:00', at('2026-04-08T07:12:00Z')],
    [null, '2026-04-08T23:59:00', '-05:00', at('2026-04-09T04:59:00Z')],
    [null, '2026-04-08T00:00', '+10:00', at('2026-04-07T14:00:00Z')],
    [null, '2026-04-08T03:12:00Z', '-04:00', at('2026-04-08T03:12:00Z')],
    [null, '2026-04-08T03:12:00', '-25:00', { local: '2026-04-08T03:12:00' }],
    [null, '2026-04-08T03:12:00', null, { local: '2026-04-08T03:12:00' }],
    [null, '2026-04-08', '-04:00', { on: '2026-04-08' }],
  ])('GMT %p, local %p at %p', (GMTTimestamp, eventTimestamp, GMTOffset, time) => {
    expect(scanOf({ scan: { GMTTimestamp, eventTimestamp, GMTOffset } }).time).toEqual(time);
  });

  test.each(['2026-02-30T10:00:00', '2026-04-08T24:00:00', '1970-01-01T00:00:00', 'soon', '', 7, null, undefined, {}])(
    '%p is no time: the webhook is malformed',
    (eventTimestamp) => {
      const scan = { GMTTimestamp: null, GMTOffset: '-04:00', eventTimestamp };
      expect(wrongFields(envelopeOf({ scan }))).toEqual(['payload.trackingEvents[0].eventTimestamp']);
    },
  );

  test.each([
    ['2026-04-08T07:14:00Z', '2026-04-08T07:14:00Z'],
    ['2026-04-08T07:14:00', GMT],
    ['2026-04-08T07:00:00Z', '2026-04-08T07:00:00Z'],
    ['soon', GMT],
    [undefined, GMT],
  ])('the envelope of %p speaks as of %s', (timestamp, expected) => {
    expect(parcelOf(usps.parse(envelopeOf({ envelope: { timestamp } }))).reportedAt).toEqual(new Date(expected));
  });
});

describe('parse: the estimate', () => {
  test.each([
    [{ expectedDeliveryDate: '2026-04-10', predictedDeliveryDate: '2026-04-12' }, { on: '2026-04-10' }],
    [{ expectedDeliveryDate: 'soon', expectedDeliveryTimeStamp: '2026-04-11T00:00:00Z' }, { on: '2026-04-11' }],
    [{ expectedDeliveryTimeStamp: '2026-04-11T20:00:00' }, { on: '2026-04-11' }],
    [{ expectedDeliveryTimeStamp: '2026-04-11T20:00:00-04:00' }, { at: new Date('2026-04-12T00:00:00Z') }],
    [{ expectedDeliveryDate: null, predictedDeliveryDate: '2026-04-12' }, { on: '2026-04-12' }],
    [{ expectedDeliveryDate: '2026-02-30', predictedDeliveryDate: 7 }, null],
    [{}, null],
  ])('%j', (tracking, expected) => {
    expect(parcelOf(usps.parse(envelopeOf({ tracking }))).estimate).toEqual(expected);
  });
});

describe('parse: what it needs, and what it does without', () => {
  test.each([
    ['an array', [], 'body'],
    ['null', null, 'body'],
    ['an empty object', {}, 'payload'],
    ['a payload that is an object', envelopeOf({ envelope: { payload: {} } }), 'payload'],
    ['a payload that is no JSON', envelopeOf({ envelope: { payload: '{"trackingNumber":' } }), 'payload'],
    ['a payload that is a list', envelopeOf({ envelope: { payload: '[]' } }), 'payload'],
    ['a payload of null', envelopeOf({ envelope: { payload: 'null' } }), 'payload'],
    ['an empty payload', envelopeOf({ envelope: { payload: '' } }), 'payload'],
    ['no tracking number', envelopeOf({ tracking: { trackingNumber: null } }), 'payload.trackingNumber'],
    ['a tracking number that is a number', envelopeOf({ tracking: { trackingNumber: 94 } }), 'payload.trackingNumber'],
    ['scans that are no list', envelopeOf({ tracking: { trackingEvents: {} } }), 'payload.trackingEvents'],
    ['a scan that is null', envelopeOf({ tracking: { trackingEvents: [null] } }), 'payload.trackingEvents[0]'],
    ['NUL in a code', envelopeOf({ scan: { eventCode: '\0' } }), 'payload.trackingEvents[0].eventCode'],
    ['NUL in a text', envelopeOf({ scan: { eventType: '\0' } }), 'payload.trackingEvents[0].eventType'],
    ['NUL in a place', envelopeOf({ scan: { eventCity: '\0' } }), 'payload.trackingEvents[0].eventCity'],
    ['NUL in the status', envelopeOf({ tracking: { status: '\0' } }), 'payload.status'],
  ])('%s is malformed, and the field is named', (_name, document, field) => {
    expect(wrongFields(document)).toEqual([field]);
  });

  test('other subscriptions are ignored, whatever they hold; one that is not named is read', () => {
    for (const subscriptionType of ['SCAN_EVENT_EXTRACT', 'tracking', '']) {
      expect(usps.parse({ subscriptionType, payload: 7 }).outcome).toBe('ignored');
    }
    expect(usps.parse(envelopeOf({ envelope: { subscriptionType: undefined } })).outcome).toBe('parsed');
  });

  test('a payload of a number and a status alone is understood, and makes no event', () => {
    const outcome = usps.parse(envelopeOf({ envelope: { payload: '{"trackingNumber":"9400","status":"Delivered"}' } }));
    expect(parcelOf(outcome)).toMatchObject({ carrier: 'usps', trackingNumber: '9400', scans: [] });
  });

  test('all else that is missing or of another type counts as not said', () => {
    const scan = { eventType: 7, eventCode: {}, eventCity: [], eventZIP: 31401 };
    expect(scanOf({ scan, tracking: { status: 7, statusCategory: [] } })).toEqual({
      ...{ status: 'unknown', time: { at: new Date(GMT) }, exception: null, disputed: false },
      ...{ code: '', text: null, place: null, isBorrowed: false, unrecognised: null },
    });
  });

  test.each([
    ['a key twice', '{"trackingNumber":"1","trackingNumber":"9400"}'],
    ['__proto__', '{"trackingNumber":"9400","__proto__":{"status":"Delivered"}}'],
    ['deep nesting', `{"trackingNumber":"9400","services":${'['.repeat(5000)}${']'.repeat(5000)}}`],
    ['a list', '[]'],
  ])('%s inside is malformed, as it is outside', (_name, payload) => {
    expect(wrongFields(envelopeOf({ envelope: { payload } }))).toEqual(['payload']);
  });

  test('any value in any of the fields that are read', () => {
    const record = (keys: string) =>
      fc.record(Object.fromEntries(keys.split(' ').map((key) => [key, anyValue])), { requiredKeys: [] });
    const scan = record(
      'eventType eventCode GMTTimestamp GMTOffset eventTimestamp eventCity eventState eventCountry eventZIP',
    );
    const scans = fc.array(fc.tuple(scan, fc.boolean()), { maxLength: 4 });
    const tracking = record('status statusCategory expectedDeliveryDate expectedDeliveryTimeStamp');
    fc.assert(
      fc.property(tracking, scans, anyValue, (fields, list, timestamp) => {
        const trackingEvents = list.map(([each, dated]) => (dated ? { ...each, GMTTimestamp: GMT } : each));
        checkOutcome(usps.parse(envelopeOf({ envelope: { timestamp }, tracking: { ...fields, trackingEvents } })));
      }),
      { numRuns: 1000, ...seeded },
    );
  });
});

describe('verify', () => {
  const secret = TEXT_SECRETS[0].configured;
  const now = new Date('2026-04-14T00:00:00Z');
  const document = { timestamp: '2026-04-13T19:53:02Z', payload: '{"firm":"Caf\u00e9 &#174; \\"x\\""}' };
  const rawBody = Buffer.from(JSON.stringify(document));
  const hmac = createHmac('sha256', secret)
    .update(document.timestamp + document.payload)
    .digest();
  const base64 = hmac.toString('base64');
  const verify = (headers: Record<string, string | string[]>, signed: unknown = document) => {
    const { verifier } = usps;
    if (verifier.over !== 'document') throw new Error('expected a verifier over the document');
    const request = { rawBody, headers: headers as Record<string, string>, secrets: [secret], now };
    return [verifier.hasSignature(request.headers), verifier.verify({ ...request, document: signed })];
  };

  test('signs timestamp and payload as they are once the envelope is parsed', () => {
    expect(usps.sign({ rawBody, secret, now })).toEqual({ 'x-hmac': base64 });
  });

  test.each([
    ['x-hmac', { 'x-hmac': base64 }, [true, 'verified']],
    ['the former name', { 'hmac-header': base64 }, [true, 'verified']],
    ['both', { 'x-hmac': base64, 'hmac-header': 'wrong' }, [true, 'verified']],
    ['a wrong one beside a right former one', { 'x-hmac': 'wrong', 'hmac-header': base64 }, [true, 'refused']],
    ['an empty one beside a right former one', { 'x-hmac': '', 'hmac-header': base64 }, [false, 'refused']],
    ['the former name sent twice', { 'hmac-header': [base64, base64] }, [false, 'refused']],
    ['none', {}, [false, 'refused']],
    ['hex', { 'x-hmac': hmac.toString('hex') }, [true, 'refused']],
    ['base64url', { 'x-hmac': hmac.toString('base64url') }, [true, 'refused']],
    ['no padding', { 'x-hmac': base64.replace('=', '') }, [true, 'refused']],
    [
      'the raw body signed',
      { 'x-hmac': createHmac('sha256', secret).update(rawBody).digest('base64') },
      [true, 'refused'],
    ],
  ])('header: %s', (_name, headers, expected) => {
    expect(verify(headers)).toEqual(expected);
  });

  test.each([
    [[]],
    [null],
    [{}],
    ['x'],
    [{ ...document, timestamp: 7 }],
    [{ ...document, payload: {} }],
    [{ timestamp: '' }],
  ])('an envelope without both strings is refused, and cannot be signed: %j', (envelope) => {
    expect(verify({ 'x-hmac': base64 }, envelope)).toEqual([true, 'refused']);
    const body = Buffer.from(JSON.stringify(envelope));
    expect(() => usps.sign({ rawBody: body, secret, now })).toThrow(
      expect.objectContaining({ code: 'invalid_request' }),
    );
  });

  test('a body that is no JSON cannot be signed', () => {
    expect(() => usps.sign({ rawBody: Buffer.from('{'), secret, now })).toThrow(
      expect.objectContaining({ code: 'invalid_request' }),
    );
  });
});
