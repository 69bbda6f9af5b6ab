import { describe, expect, test } from '@jest/globals';
import { addHours } from 'date-fns';
import { quietParcels, type WatchedOrder } from '../../src/promises/quiet-parcels.js';

const AS_OF = new Date('2026-11-10T12:00:00Z');
const ago = (hours: number) => addHours(AS_OF, -hours);
type Case = WatchedOrder['cases'][number];
type Scan = Case['scans'][number];
const scan = (status: Scan['status'], hours: number, latest = hours): Scan => ({
  status,
  interval: { earliest: ago(hours), latest: ago(latest) },
});
const whatOf = (changes: Partial<Case>, registeredHoursAgo = 240) =>
  quietParcels(
    {
      order: { id: 'o-1', registeredAt: ago(registeredHoursAgo) },
      cases: [
        {
          shipment: { carrier: 'usps', trackingNumber: '9400' },
          scans: [],
          judgement: { verdict: 'pending', metAt: null },
          ...changes,
        },
      ],
    },
    AS_OF,
  ).map(({ what }) => what);

describe('stalled', () => {
  test.each<[string, Scan[], string[]]>([
    ['72 hours without a scan', [scan('in_transit', 72)], ['stalled']],
    ['a moment less', [scan('in_transit', 71.999)], []],
    ['the newest scan counts, in whatever order they are', [scan('in_transit', 5), scan('in_transit', 200)], []],
    ['the end of the day of a scan that names a day alone', [scan('in_transit', 80, 71)], []],
    ['a word that says nothing is still a sign of life', [scan('in_transit', 200), scan('unknown', 10)], []],
    ['what comes after the instant is not there', [scan('in_transit', 100), scan('in_transit', -1)], ['stalled']],
    ['an attempt that was the last word', [scan('attempted', 90)], ['stalled']],
  ])('%s', (_what, scans, expected) => {
    expect(whatOf({ scans })).toEqual(expected);
  });
});

describe('never scanned', () => {
  test.each<[string, Scan[], number, string[]]>([
    ['known for 72 hours', [], 72, ['neverScanned']],
    ['known for a moment less', [], 71.999, []],
    ['a label is no scan', [scan('pre_transit', 1)], 100, ['neverScanned']],
    ['nor is a word that nobody knows', [scan('unknown', 1)], 100, ['neverScanned']],
    ['one that comes after the instant', [scan('in_transit', -1)], 100, ['neverScanned']],
  ])('%s', (_what, scans, registered, expected) => {
    expect(whatOf({ scans }, registered)).toEqual(expected);
  });
});

test.each(['on_time', 'late', 'lost', 'damaged', 'returned', 'cancelled'] as const)(
  '%s: it is known what became of it',
  (verdict) => {
    expect(whatOf({ judgement: { verdict, metAt: null } })).toEqual([]);
  },
);
test.each(['pending', 'overdue', 'uncertain'] as const)('%s: it is still on its way', (verdict) => {
  expect(whatOf({ judgement: { verdict, metAt: null } })).toEqual(['neverScanned']);
});
test('what met its promise is not looked for, nor an order that nobody has shipped', () => {
  expect(whatOf({ judgement: { verdict: 'uncertain', metAt: ago(100) } })).toEqual([]);
  expect(whatOf({ shipment: null })).toEqual([]);
});
