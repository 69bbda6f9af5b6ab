import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type CorrectableScan, findSuperseded, type NewestSnapshot } from '../../src/shipments/supersede.js';
import type { EventTime } from '../../src/shipments/tracking-event.js';

const scan = (scanKey: string, code: string, time: string | EventTime, of: Partial<CorrectableScan> = {}) => ({
  scanKey,
  source: 'easypost',
  carrierKey: 'ups',
  trackingKey: '1Z1',
  historyId: '',
  code,
  time: typeof time === 'string' ? { at: new Date(`2026-04-${time}Z`) } : time,
  ...of,
});
const snapshot = (scanKeys: string[], reachesBackTo = '01T00:00', of: Partial<NewestSnapshot> = {}) => ({
  source: 'easypost',
  carrierKey: 'ups',
  trackingKey: '1Z1',
  historyId: '',
  scanKeys,
  reachesBackTo: new Date(`2026-04-${reachesBackTo}Z`),
  ...of,
});
const superseded = (scans: CorrectableScan[], ...snapshots: NewestSnapshot[]) =>
  [...findSuperseded(scans, snapshots)].sort();

const moving = scan('moving', 'in_transit', '03T10:00');
const early = scan('early', 'delivered', '06T10:00');
const later = scan('later', 'delivered', '06T15:00');

describe('a scan that the newest snapshot leaves out', () => {
  test('is superseded by one of the same code at another time', () => {
    expect(superseded([moving, early, later], snapshot(['moving', 'later']))).toEqual(['early']);
    expect(superseded([moving, early, later], snapshot(['moving', 'early']))).toEqual(['later']);
  });

  test('is superseded by one of the same time with another code', () => {
    const instead = scan('instead', 'out_for_delivery', '06T10:00');
    expect(superseded([moving, early, instead], snapshot(['moving', 'instead']))).toEqual(['early']);
  });

  test('stays where nothing took its place: a list that was cut short takes back no delivery', () => {
    expect(superseded([moving, early], snapshot(['moving']))).toEqual([]);
    expect(superseded([moving, early], snapshot([]))).toEqual([]);
  });

  test('stays where it is older than what the snapshot tells of', () => {
    const again = scan('again', 'in_transit', '05T10:00');
    expect(superseded([moving, again], snapshot(['again'], '05T10:00'))).toEqual([]);
    expect(superseded([moving, again], snapshot(['again'], '03T10:00'))).toEqual(['moving']);
    expect(superseded([moving, again], snapshot(['again'], '03T10:01'))).toEqual([]);
  });

  test.each<[string, Partial<NewestSnapshot>]>([
    ['of another source', { source: 'shippo' }],
    ['of another parcel', { trackingKey: '1Z2' }],
    ['of another carrier', { carrierKey: 'usps' }],
    ['of another history under the number', { historyId: 'second' }],
  ])('stays where the snapshot is %s', (_name, of) => {
    expect(superseded([moving, early, later], snapshot(['moving', 'later'], '01T00:00', of))).toEqual([]);
  });

  test('stays without any snapshot', () => expect(superseded([moving, early, later])).toEqual([]));
});

test('wall-clock readings and dates are compared as the source wrote them', () => {
  const wrong = scan('wrong', 'D', { local: '2026-04-06T10:00:00' });
  const right = scan('right', 'X', { local: '2026-04-06T10:00:00' });
  const day = scan('day', 'D', { on: '2026-04-07' });
  expect(superseded([wrong, right, day], snapshot(['right', 'day']))).toEqual(['wrong']);
  expect(superseded([wrong, right, day], snapshot(['right', 'wrong']))).toEqual(['day']);
});

test('a scan that the snapshot has is never superseded, and the order of scans does not matter', () => {
  const anyScan = fc.record({
    scanKey: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
    code: fc.constantFrom('x', 'y'),
    day: fc.integer({ min: 1, max: 9 }),
  });
  fc.assert(
    fc.property(
      fc.uniqueArray(anyScan, { selector: (s) => s.scanKey }),
      fc.subarray(['a', 'b', 'c', 'd']),
      (all, keys) => {
        const scans = all.map(({ scanKey, code, day }) => scan(scanKey, code, `0${day}T00:00`));
        const found = superseded(scans, snapshot(keys));
        expect(found.filter((key) => keys.includes(key))).toEqual([]);
        expect(superseded([...scans].reverse(), snapshot(keys))).toEqual(found);
      },
    ),
  );
});
