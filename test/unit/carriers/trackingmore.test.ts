import { createHmac } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { trackingmore } from '../../../src/carriers/trackingmore/adapter.js';
import { describeSource, TEXT_SECRETS } from '../../support/carrier-suite.js';
import {
  anyValue,
  meaningAsText as asText,
  checkOutcome,
  documentOf,
  parcelOf,
  rawFixture,
  scanOf as scanOfOutcome,
  seeded,
  wrongFields as wrongFieldsOf,
} from '../../support/carriers.js';

describeSource(trackingmore, { secrets: TEXT_SECRETS, hasWindow: true });

/** A webhook of version 4 with one checkpoint, whose parts a test may replace. */
function webhookWith(parts: { data?: object; checkpoint?: object } = {}) {
  const checkpoint = {
    checkpoint_date: '2026-04-08 03:12',
    checkpoint_delivery_status: 'transit',
    checkpoint_delivery_substatus: 'transit002',
    tracking_detail: 'On',
  };
  const data = { tracking_number: 'T1', courier_code: 'dhl', delivery_status: 'transit', substatus: 'transit001' };
  return {
    meta: { code: 200, message: 'Success' },
    data: { ...data, origin_info: { trackinfo: [{ ...checkpoint, ...parts.checkpoint }] }, ...parts.data },
  };
}

/** A webhook of version 2, which has no checkpoints. */
function formerWith(data: object = {}) {
  const tracking = { tracking_number: 'T1', carrier_code: 'dhl', status: 'transit', lastEvent: 'On,,2026-04-08 03:12' };
  return { meta: { code: 200 }, data: { ...tracking, lastUpdateTime: '2026-04-08 03:12', ...data } };
}

type Parts = Parameters<typeof webhookWith>[0];
const parcelWith = (parts: Parts) => parcelOf(trackingmore.parse(webhookWith(parts)));
const scanOf = (parts: Parts) => scanOfOutcome(trackingmore.parse(webhookWith(parts)));
const formerScanOf = (data: object) => scanOfOutcome(trackingmore.parse(formerWith(data)));
const wrongFields = (document: unknown) => wrongFieldsOf(trackingmore.parse(document));

describe('parse: the names of a checkpoint’s fields', () => {
  const none = {
    checkpoint_date: undefined,
    checkpoint_delivery_status: undefined,
    checkpoint_delivery_substatus: undefined,
    tracking_detail: undefined,
  };

  test('of version 4', () => {
    const checkpoint = {
      checkpoint_delivery_status: 'pickup',
      checkpoint_delivery_substatus: 'pickup002',
      location: 'A',
    };
    expect(scanOf({ checkpoint })).toMatchObject({
      status: 'available_for_pickup',
      code: 'pickup/pickup002',
      text: 'On',
      place: 'A',
    });
  });

  test.each([
    [
      { StatusDescription: 'Arrived', Details: 'Leipzig', checkpoint_status: 'transit', substatus: 'transit003' },
      { status: 'in_transit', code: 'transit/transit003', text: 'Arrived', place: 'Leipzig' },
    ],
    [
      { StatusDescription: 'delivered', Details: 'Handed over' },
      { status: 'delivered', code: 'delivered', text: 'Handed over', place: null },
    ],
    [
      { StatusDescription: 'delivered', Details: 'Leipzig', checkpoint_delivery_status: 'transit' },
      { status: 'in_transit', code: 'transit', text: 'delivered', place: 'Leipzig' },
    ],
    [
      { StatusDescription: 'delivered', tracking_detail: 'Handed over', Details: 'Leipzig', location: 'Here' },
      { status: 'delivered', code: 'delivered', text: 'Handed over', place: 'Here' },
    ],
    [
      { Details: 'Leipzig', checkpoint_status: 'undelivered' },
      { status: 'attempted', code: 'undelivered', text: 'Leipzig', place: null },
    ],
  ])('of the versions before: %p', (checkpoint, expected) => {
    const scan = scanOf({ checkpoint: { ...none, Date: '2026-04-08 03:12:00', ...checkpoint } });
    expect(scan).toMatchObject({
      ...expected,
      time: { local: '2026-04-08T03:12:00' },
      isBorrowed: false,
      unrecognised: null,
    });
  });

  test('a description that is no status is a text: it is not reported as an unknown word', () => {
    const checkpoint = { ...none, Date: '2026-04-08 03:12:00', StatusDescription: 'Delivered' };
    const scan = scanOf({ checkpoint, data: { delivery_status: 'pickup', substatus: null } });
    expect(scan).toMatchObject({
      status: 'out_for_delivery',
      code: '',
      text: 'Delivered',
      isBorrowed: true,
      unrecognised: null,
    });
  });

  test('the place is put together where it comes in parts', () => {
    const checkpoint = { city: 'Leipzig', state: 'SN', country_iso2: 'DE', zip: '04103' };
    expect(scanOf({ checkpoint }).place).toBe('Leipzig, SN, DE 04103');
  });
});

describe('parse: the legs of the way', () => {
  const at = (checkpoint_date: string) => ({ checkpoint_date, checkpoint_delivery_status: 'transit' });
  const origin_info = { trackinfo: [at('2026-04-07'), at('2026-04-06')] };

  test('both carriers’ checkpoints count, and what both tell counts once', () => {
    const destination_info = { trackinfo: [at('2026-04-08'), at('2026-04-07')] };
    const { scans, carrier, snapshot } = parcelWith({ data: { origin_info, destination_info } });
    expect(scans.map(({ time }) => time)).toEqual([{ on: '2026-04-07' }, { on: '2026-04-06' }, { on: '2026-04-08' }]);
    expect({ carrier, snapshot }).toEqual({ carrier: 'dhl', snapshot: null });
  });

  test.each([null, undefined, [], 'none', {}, { trackinfo: null }, { trackinfo: [] }])('a leg %p is none', (leg) => {
    expect(parcelWith({ data: { origin_info, destination_info: leg } }).scans).toHaveLength(2);
    expect(parcelWith({ data: { origin_info: leg, destination_info: origin_info } }).scans).toHaveLength(2);
  });
});

describe('parse: the headline', () => {
  const bare = { checkpoint_delivery_status: null, checkpoint_delivery_substatus: '' };

  test('is the latest checkpoint’s when that has no words, and leaves its code empty', () => {
    const data = { delivery_status: 'pickup', substatus: 'pickup002' };
    expect(scanOf({ data, checkpoint: bare })).toMatchObject({ status: 'available_for_pickup', code: '' });
    const former = { delivery_status: undefined, status: 'exception', substatus: null };
    expect(scanOf({ data: former, checkpoint: bare })).toMatchObject({
      status: 'exception',
      exception: 'other',
      code: '',
    });
  });

  test('never outweighs what the checkpoint says itself', () => {
    const data = { delivery_status: 'delivered', substatus: 'delivered001' };
    expect(scanOf({ data }).status).toBe('in_transit');
    const beamed = { checkpoint_delivery_status: 'beamed', checkpoint_delivery_substatus: null };
    expect(scanOf({ data, checkpoint: beamed }).status).toBe('unknown');
  });

  test('goes to the first in the list of checkpoints at the same time', () => {
    const trackinfo = [
      { checkpoint_date: '2026-04-07', tracking_detail: 'older' },
      { checkpoint_date: '2026-04-08', tracking_detail: 'second' },
      { checkpoint_date: '2026-04-08', tracking_detail: 'first' },
    ];
    const { scans } = parcelWith({ data: { delivery_status: 'delivered', origin_info: { trackinfo } } });
    expect(scans.map((scan) => scan.status)).toEqual(['unknown', 'delivered', 'unknown']);
  });
});

describe('parse: without checkpoints', () => {
  test.each([
    ['pending', 'pre_transit'],
    ['notfound', 'unknown'],
    ['transit', 'in_transit'],
    ['pickup', 'out_for_delivery'],
    ['undelivered', 'attempted'],
    ['delivered', 'delivered'],
    ['exception', 'exception other'],
  ])('status %s is the latest scan: %s', (status, expected) => {
    const scan = formerScanOf({ status });
    expect(asText(scan)).toBe(expected);
    expect(scan).toMatchObject({ time: { local: '2026-04-08T03:12:00' }, code: status, text: 'On,,2026-04-08 03:12' });
  });

  test('of version 4 it has a substatus', () => {
    const data = { origin_info: null, latest_event: 'Ready', latest_checkpoint_time: '2026-04-08T03:12:00+02:00' };
    expect(scanOf({ data: { ...data, delivery_status: 'pickup', substatus: 'pickup002' } })).toMatchObject({
      status: 'available_for_pickup',
      code: 'pickup/pickup002',
      text: 'Ready',
      time: { at: new Date('2026-04-08T01:12:00Z') },
    });
  });

  test('and without a time, nothing has happened yet, unless the status says so: then it is malformed', () => {
    for (const lastUpdateTime of [null, undefined, '', 'soon', 7]) {
      for (const status of ['pending', 'notfound', 'inforeceived', 'expired', 'beamed', null]) {
        expect(parcelOf(trackingmore.parse(formerWith({ status, lastUpdateTime }))).scans).toEqual([]);
      }
      const field = lastUpdateTime === undefined ? 'data.latest_checkpoint_time' : 'data.lastUpdateTime';
      for (const status of ['transit', 'pickup', 'undelivered', 'delivered', 'exception']) {
        expect(wrongFields(formerWith({ status, lastUpdateTime }))).toEqual([field]);
      }
    }
  });
});

describe('parse: times', () => {
  test.each([
    ['2026-04-08 03:12', { local: '2026-04-08T03:12:00' }],
    ['2026-04-08 00:00:00', { local: '2026-04-08T00:00:00' }],
    ['2026-04-08T23:59:59', { local: '2026-04-08T23:59:59' }],
    ['2026-04-08', { on: '2026-04-08' }],
    ['2026-04-08T03:12:00+02:00', { at: new Date('2026-04-08T01:12:00Z') }],
    ['2026-04-08T03:12:00Z', { at: new Date('2026-04-08T03:12:00Z') }],
  ])('%s', (time, expected) => {
    expect(scanOf({ checkpoint: { checkpoint_date: time } }).time).toEqual(expected);
    expect(scanOf({ checkpoint: { checkpoint_date: '', Date: time } }).time).toEqual(expected);
    expect(formerScanOf({ lastUpdateTime: time }).time).toEqual(expected);
  });

  test.each(['2026-02-30 10:00', '2026-04-08 24:00', '2026-04-08 03', '1970-01-01 00:00', 'soon', '', 7, null, {}])(
    '%p is no time: the webhook is malformed',
    (time) => {
      const field = 'data.origin_info.trackinfo[0]';
      expect(wrongFields(webhookWith({ checkpoint: { checkpoint_date: time } }))).toEqual([`${field}.checkpoint_date`]);
      const former = { checkpoint_date: undefined, Date: time };
      expect(wrongFields(webhookWith({ checkpoint: former }))).toEqual([`${field}.Date`]);
    },
  );

  test.each([
    [{ updated_at: '2026-04-08T12:00:00+08:00' }, '2026-04-08T04:00:00.000Z'],
    [{ update_date: '2026-04-08T12:00:00.000Z' }, '2026-04-08T12:00:00.000Z'],
    [{ updated_at: '2026-04-08 12:00:00' }, '2026-04-08T03:12:00.000Z'],
    [{}, '2026-04-08T03:12:00.000Z'],
  ])('%p is as of %s', (data, expected) => {
    expect(parcelWith({ data }).reportedAt).toEqual(new Date(expected));
  });

  test.each([
    ['2026-04-10', { on: '2026-04-10' }],
    ['2026-04-10 18:00', { on: '2026-04-10' }],
    ['2026-04-10T18:00:00+02:00', { at: new Date('2026-04-10T16:00:00Z') }],
    ['soon', null],
    [{}, null],
    [null, null],
  ])('the estimate %p is %p', (scheduled_delivery_date, expected) => {
    expect(parcelWith({ data: { scheduled_delivery_date } }).estimate).toEqual(expected);
  });
});

describe('parse: what it needs, and what it does without', () => {
  const scan = 'data.origin_info.trackinfo[0]';
  test.each([
    ['an array', [], 'body'],
    ['null', null, 'body'],
    ['an empty object', {}, 'data'],
    ['data of another type', { data: [] }, 'data'],
    ['no tracking number', webhookWith({ data: { tracking_number: undefined } }), 'data.tracking_number'],
    ['a tracking number that is a number', webhookWith({ data: { tracking_number: 7 } }), 'data.tracking_number'],
    ['checkpoints that are no list', webhookWith({ data: { origin_info: { trackinfo: {} } } }), scan.slice(0, -3)],
    ['a checkpoint that is null', webhookWith({ data: { origin_info: { trackinfo: [null] } } }), scan],
    ['NUL in the carrier', webhookWith({ data: { courier_code: '\0' } }), 'data.courier_code'],
    ['NUL in the status', webhookWith({ data: { delivery_status: '\0' } }), 'data.delivery_status'],
    ['NUL in a text', webhookWith({ checkpoint: { tracking_detail: '\0' } }), `${scan}.tracking_detail`],
    ['NUL in a place', webhookWith({ checkpoint: { location: '\0' } }), `${scan}.location`],
    ['NUL in the last event', formerWith({ lastEvent: '\0' }), 'data.lastEvent'],
  ])('%s is malformed, and the field is named', (_name, document, field) => {
    expect(wrongFields(document)).toEqual([field]);
  });

  test('all else that is missing or of another type counts as not said', () => {
    const checkpoint = {
      checkpoint_delivery_status: 7,
      checkpoint_delivery_substatus: [],
      tracking_detail: {},
      location: 1,
    };
    const document = {
      ...webhookWith({ data: { courier_code: null, delivery_status: {}, substatus: 1 }, checkpoint }),
    };
    expect(trackingmore.parse({ data: document.data })).toEqual({
      outcome: 'parsed',
      deliveryId: null,
      parcels: [
        {
          carrier: '',
          trackingNumber: 'T1',
          estimate: null,
          reportedAt: new Date('2026-04-08T03:12:00Z'),
          scans: [
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
          ],
          snapshot: null,
        },
      ],
    });
  });

  test('__proto__ keys are no fields', () => {
    const json = `{"data":{"__proto__":{"tracking_number":"evil","status":"delivered"},"tracking_number":"T1",
      "origin_info":{"trackinfo":[{"__proto__":{"checkpoint_status":"delivered"},"Date":"2026-04-08"}]}}}`;
    expect(parcelOf(trackingmore.parse(JSON.parse(json)))).toMatchObject({
      trackingNumber: 'T1',
      scans: [{ status: 'unknown', code: '' }],
    });
  });

  test('any value in any of the fields that are read', () => {
    const record = (keys: string[]) =>
      fc.record(Object.fromEntries(keys.map((key) => [key, anyValue])), { requiredKeys: [] });
    const words = ['checkpoint_delivery_status', 'checkpoint_status', 'substatus', 'StatusDescription', 'Details'];
    const checkpoint = record(['Date', 'tracking_detail', 'location', 'city', ...words]).map((fields) => ({
      checkpoint_date: '2026-04-08 03:12',
      ...fields,
    }));
    const summary = ['status', 'delivery_status', 'substatus', 'lastEvent', 'lastUpdateTime', 'latest_checkpoint_time'];
    const data = record([...summary, 'courier_code', 'updated_at', 'scheduled_delivery_date', 'destination_info']);
    fc.assert(
      fc.property(data, fc.array(checkpoint, { maxLength: 3 }), (fields, trackinfo) => {
        checkOutcome(trackingmore.parse(webhookWith({ data: { ...fields, origin_info: { trackinfo } } })));
      }),
      { numRuns: 1000, ...seeded },
    );
  });
});

describe('verify', () => {
  const rawBody = rawFixture('trackingmore', 'delivered-v2');
  const now = new Date('2026-04-10T00:00:00Z');
  const seconds = String(now.getTime() / 1000);
  const hmacOf = (timestamp: string) => createHmac('sha256', 'secret').update(timestamp);
  const verify = (signature: string, timestamp = seconds) =>
    trackingmore.verifier.over === 'bytes' &&
    trackingmore.verifier.verify({ rawBody, headers: { signature, timestamp }, secrets: ['secret'], now });

  test('the timestamp alone is signed, and nothing in the body counts as a signature', () => {
    const signature = hmacOf(seconds).digest('hex');
    expect(verify(signature)).toBe('verified');
    expect(trackingmore.sign({ rawBody, secret: 'secret', now })).toEqual({ signature, timestamp: seconds });
    expect(documentOf('trackingmore', 'delivered-v2').verifyInfo).toBeDefined();
    expect(
      trackingmore.verifier.over === 'bytes' &&
        trackingmore.verifier.verify({ rawBody, headers: {}, secrets: ['secret'], now }),
    ).toBe('refused');
  });

  test.each([
    ['upper case', hmacOf(seconds).digest('hex').toUpperCase(), seconds],
    ['in base64', hmacOf(seconds).digest('base64'), seconds],
    ['over the body', createHmac('sha256', 'secret').update(rawBody).digest('hex'), seconds],
    ['of a timestamp in milliseconds', hmacOf(`${seconds}000`).digest('hex'), `${seconds}000`],
    ['of a timestamp with a fraction', hmacOf(`${seconds}.0`).digest('hex'), `${seconds}.0`],
    ['of a timestamp that is no number', hmacOf('now').digest('hex'), 'now'],
    ['of a timestamp with a blank', hmacOf(` ${seconds}`).digest('hex'), ` ${seconds}`],
  ])('a signature that is %s does not hold', (_name, signature, timestamp) => {
    expect(verify(signature, timestamp)).toBe('refused');
  });
});
