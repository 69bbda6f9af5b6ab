import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { carrierKeyOf, deliveryKeyOf, scanKeyOf, trackingKeyOf } from '../../src/carriers/matching.js';
import { CARRIERS, findCarrier } from '../../src/carriers/registry.js';
import { anySecret, equalSecrets } from '../../src/carriers/signatures.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

describe('trackingKeyOf', () => {
  test.each([
    ['1z999', '1Z999'],
    [' 9400 1000-0000 ', '940010000000'],
    ['AB\u00a0123\u2011CD\u2010\t', 'AB123CD'],
    [' - ', ''],
    ['AB_1/2.3', 'AB_1/2.3'],
  ])('%p is %p', (number, key) => expect(trackingKeyOf(number)).toBe(key));

  test('a key is its own key', () => {
    fc.assert(fc.property(fc.string(), (text) => expect(trackingKeyOf(trackingKeyOf(text))).toBe(trackingKeyOf(text))));
  });
});

describe('carrierKeyOf', () => {
  test.each([
    ['RoyalMail', 'royalmail'],
    ['royal_mail', 'royalmail'],
    ['Royal-Mail ', 'royalmail'],
    ['DHL eCommerce (4PX)', 'dhlecommerce4px'],
    ['Českà Pošta', 'ceskaposta'],
    ['C\u030ceska\u0300 Pos\u030cta', 'ceskaposta'],
    ['ＵＰＳ', 'ups'],
    ['İstanbul', 'istanbul'],
    ['日本郵便', '日本郵便'],
    ['…', ''],
    ['\ud800', ''],
  ])('%p is %p', (name, key) => expect(carrierKeyOf(name)).toBe(key));

  test('a key is its own key', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(carrierKeyOf(carrierKeyOf(text))).toBe(carrierKeyOf(text));
      }),
    );
  });
});

describe('scanKeyOf', () => {
  const at = { at: new Date('2026-04-08T03:12:00Z') };
  const scan = { time: at, place: 'MEMPHIS, TN, US', code: 'in_transit/arrived_at_facility', text: 'Arrived' };
  const identity = { source: 'easypost', carrier: 'RoyalMail', trackingNumber: '1z 999-x', scan };

  test('is stable across releases: a changed key would double every history', () => {
    expect(scanKeyOf(identity)).toBe('525d7014-be36-97ed-0b7b-1beec70fe125');
    expect(deliveryKeyOf('easypost', Buffer.from('{}'))).toBe('e7b8186f-1af9-9fd2-83c1-a4d10d773c17');
  });

  test('is the same for the same scan of the same parcel, however carrier and number are spelt', () => {
    const again = {
      ...identity,
      carrier: 'royal_mail',
      trackingNumber: '1Z999X',
      scan: { ...scan, time: { at: new Date(at.at) } },
    };
    expect(scanKeyOf(again)).toBe(scanKeyOf(identity));
    expect(scanKeyOf(identity)).toMatch(UUID);
  });

  test('does not depend on the status we give the scan', () => {
    const judged = { ...scan, status: 'delivered' as const, exception: null, disputed: true };
    expect(scanKeyOf({ ...identity, scan: judged })).toBe(scanKeyOf(identity));
  });

  test('differs when anything the source says differs', () => {
    const different = [
      identity,
      { ...identity, source: 'shippo' },
      { ...identity, carrier: 'UPS' },
      { ...identity, carrier: '' },
      { ...identity, trackingNumber: '1Z998X' },
      { ...identity, scan: { ...scan, time: { at: new Date(at.at.getTime() + 1) } } },
      { ...identity, scan: { ...scan, time: { local: '2026-04-08T03:12:00' } } },
      { ...identity, scan: { ...scan, time: { local: '2026-04-08T03:12:00', timeZone: 'America/Chicago' } } },
      { ...identity, scan: { ...scan, time: { on: '2026-04-08' } } },
      { ...identity, scan: { ...scan, place: 'MEMPHIS, TN' } },
      { ...identity, scan: { ...scan, place: null } },
      { ...identity, scan: { ...scan, place: '' } },
      { ...identity, scan: { ...scan, code: 'in_transit' } },
      { ...identity, scan: { ...scan, text: null } },
      { ...identity, scan: { ...scan, text: 'Arrived.' } },
      { ...identity, scan: { ...scan, place: scan.text, text: scan.place } },
    ];
    expect(new Set(different.map(scanKeyOf)).size).toBe(different.length);
  });

  test('does not confuse where one part ends and the next begins', () => {
    const text = fc.string({ unit: 'binary', maxLength: 3 });
    const parts = fc.record({ place: text, code: text, text });
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        const same = a.place === b.place && a.code === b.code && a.text === b.text;
        const keys = [a, b].map((words) => scanKeyOf({ ...identity, scan: { time: at, ...words } }));
        expect(keys[0] === keys[1]).toBe(same);
      }),
    );
    const shifted = { ...identity, scan: { ...scan, place: '","', code: 'x' } };
    expect(scanKeyOf(shifted)).not.toBe(scanKeyOf({ ...shifted, scan: { ...scan, place: '', code: '","x' } }));
  });
});

describe('deliveryKeyOf', () => {
  test('is the same for a repeat, and differs by source and by any byte of the body', () => {
    const keys = [
      deliveryKeyOf('easypost', Buffer.from('evt_1')),
      deliveryKeyOf('easypost', Buffer.from('evt_2')),
      deliveryKeyOf('shippo', Buffer.from('evt_1')),
      deliveryKeyOf('easypost', Buffer.from([0xff])),
      deliveryKeyOf('easypost', Buffer.from([0xfe])),
      deliveryKeyOf('easypost', Buffer.alloc(0)),
    ];
    expect(new Set(keys).size).toBe(keys.length);
    for (const key of keys) expect(key).toMatch(UUID);
    expect(deliveryKeyOf('easypost', Buffer.from('evt_1'))).toBe(keys[0]);
  });
});

describe('equalSecrets', () => {
  test.each([
    ['abc', 'abc', true],
    ['abc', 'abd', false],
    ['abc', 'abcd', false],
    ['', '', true],
    ['', 'a', false],
    ['é', Buffer.from('é'), true],
    [Buffer.from([0xff]), Buffer.from([0xff]), true],
    [Buffer.from([0xff]), '\ufffd', false],
  ])('%p and %p: %p', (a, b, expected) => expect(equalSecrets(a, b)).toBe(expected));
});

describe('anySecret', () => {
  test('checks every secret, also after one has matched, and never an empty one', () => {
    const checked: string[] = [];
    const check = (secret: string) => checked.push(secret) > 0 && secret === 'a';
    expect(anySecret(['a', '', 'b', 'c'], check)).toBe('verified');
    expect(checked).toEqual(['a', 'b', 'c']);
    expect(anySecret(['b'], check)).toBe('refused');
    expect(anySecret([''], () => true)).toBe('refused');
    expect(anySecret([], () => true)).toBe('refused');
  });
});

describe('findCarrier', () => {
  test('finds each source by its exact name, and nothing else', () => {
    for (const carrier of CARRIERS) expect(findCarrier(carrier.source)).toBe(carrier);
    for (const name of ['', 'EasyPost', 'easypost ', '__proto__', 'constructor', 'nobody'])
      expect(findCarrier(name)).toBeNull();
  });

  test('each source has a name and a variable of its own, of one form', () => {
    expect(new Set(CARRIERS.map((carrier) => carrier.source)).size).toBe(CARRIERS.length);
    for (const { source, secretVariable } of CARRIERS) {
      expect(source).toMatch(/^[a-z0-9]+$/);
      expect(secretVariable).toBe(`${source.toUpperCase()}_WEBHOOK_SECRET`);
    }
  });
});
