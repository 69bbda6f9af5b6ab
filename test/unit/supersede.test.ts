import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type CorrectableScan, findSuperseded } from '../../src/shipments/supersede.js';
import { addSnapshot, type TakenSnapshot, type ToldScan, type ToldScans } from '../../src/shipments/told-scans.js';
import type { EventTime, TrackingStatus } from '../../src/shipments/tracking-event.js';
import { seeded } from '../support/carriers.js';

const scan = (
  scanKey: string,
  status: TrackingStatus,
  time: string | EventTime,
  of: Partial<CorrectableScan> = {},
) => ({
  scanKey,
  source: 'easypost',
  carrierKey: 'ups',
  trackingKey: '1Z1',
  status,
  time: typeof time === 'string' ? { at: new Date(`2026-04-${time}Z`) } : time,
  ...of,
});
/** `[taken at, keys, reaches back to]`, times in hours of April. */
type Taken = readonly [takenAt: number, scanKeys: readonly string[], reachesBackTo?: number];
const hour = (hours: number) => Date.parse('2026-04-01T00:00:00Z') + hours * 3_600_000;
const snapshotOf = ([takenAt, scanKeys, reachesBackTo = 0]: Taken): TakenSnapshot => ({
  takenAt: hour(takenAt),
  scanKeys,
  reachesBackTo: hour(reachesBackTo),
});
const toldBy = (snapshots: readonly TakenSnapshot[]) =>
  snapshots.reduce<ToldScans>((told, one) => addSnapshot(told, one).told, new Map<string, ToldScan>());
const superseded = (scans: readonly CorrectableScan[], ...taken: readonly Taken[]) =>
  [...findSuperseded(scans, toldBy(taken.map(snapshotOf)))].sort();

const moving = scan('moving', 'in_transit', '03T10:00');
const early = scan('early', 'delivered', '06T10:00');
const later = scan('later', 'delivered', '06T15:00');
const attempt = scan('attempt', 'attempted', '05T10:00');
const again = scan('again', 'attempted', '06T10:00');
const out = scan('out', 'out_for_delivery', '06T10:00');

describe('a scan that a newer snapshot leaves out', () => {
  test.each<[string, readonly CorrectableScan[], readonly Taken[], readonly string[]]>([
    [
      'a delivery told with another time',
      [moving, early, later],
      [
        [200, ['moving', 'early']],
        [201, ['moving', 'later']],
      ],
      ['early'],
    ],
    [
      'with an earlier one',
      [moving, early, later],
      [
        [200, ['moving', 'later']],
        [201, ['moving', 'early']],
      ],
      ['later'],
    ],
    [
      'with another word at the same time',
      [moving, early, out],
      [
        [200, ['moving', 'early']],
        [201, ['moving', 'out']],
      ],
      ['early'],
    ],
    [
      'and nothing in its place',
      [moving, early],
      [
        [200, ['moving', 'early']],
        [201, ['moving']],
      ],
      [],
    ],
    [
      'and an empty list',
      [moving, early],
      [
        [200, ['moving', 'early']],
        [201, []],
      ],
      [],
    ],
    [
      'beside one that stood beside it before',
      [moving, early, later],
      [
        [200, ['early', 'later']],
        [201, ['later']],
      ],
      [],
    ],
    [
      'an attempt, and another attempt comes: both were',
      [attempt, again],
      [
        [200, ['attempt']],
        [201, ['again']],
      ],
      [],
    ],
    [
      'told by one that is older',
      [moving, early, later],
      [
        [201, ['moving', 'early']],
        [200, ['moving', 'later']],
      ],
      ['later'],
    ],
    [
      'by one of the same instant',
      [moving, early, later],
      [
        [200, ['moving', 'early']],
        [200, ['moving', 'later']],
      ],
      [],
    ],
    [
      'older than the newer one goes back',
      [early, later],
      [
        [200, ['early']],
        [201, ['later'], 131],
      ],
      [],
    ],
    [
      'as old as it goes back',
      [early, later],
      [
        [200, ['early']],
        [201, ['later'], 130],
      ],
      ['early'],
    ],
    [
      'stays corrected when a later list is shorter',
      [moving, early, out],
      [
        [200, ['early']],
        [201, ['moving', 'out']],
        [202, ['moving'], 60],
      ],
      ['early'],
    ],
    [
      'and that comes back',
      [moving, early, later],
      [
        [200, ['early']],
        [201, ['later']],
        [202, ['early', 'later']],
      ],
      [],
    ],
  ])('%s', (_name, scans, taken, expected) => {
    expect(superseded(scans, ...taken)).toEqual(expected);
    expect(superseded([...scans].reverse(), ...[...taken].reverse())).toEqual(expected);
  });

  test.each<[string, Partial<CorrectableScan>]>([
    ['of another source', { source: 'shippo' }],
    ['of another parcel', { trackingKey: '1Z2' }],
    ['of another carrier', { carrierKey: 'usps' }],
  ])('stays where what replaces it is %s', (_name, of) => {
    expect(superseded([moving, early, { ...later, ...of }], [200, ['early']], [201, ['later']])).toEqual([]);
  });

  test('stays where no snapshot told of it: sources that do not say when they speak correct nothing', () => {
    expect(superseded([moving, early, later])).toEqual([]);
  });
});

test('a wall clock is compared with a wall clock, and two things of one day are two things', () => {
  const wrong = scan('wrong', 'exception', { local: '2026-04-06T10:00:00' });
  const right = scan('right', 'in_transit', { local: '2026-04-06T10:00:00' });
  const instant = scan('instant', 'in_transit', '06T10:00');
  const [day, sameDay] = [
    scan('day', 'attempted', { on: '2026-04-06' }),
    scan('sameDay', 'exception', { on: '2026-04-06' }),
  ];
  expect(superseded([wrong, right], [200, ['wrong']], [201, ['right']])).toEqual(['wrong']);
  expect(superseded([wrong, instant], [200, ['wrong']], [201, ['instant']])).toEqual([]);
  expect(superseded([day, sameDay], [200, ['day']], [201, ['sameDay']])).toEqual([]);
});

describe('whatever snapshots there are', () => {
  const keys = ['a', 'b', 'c', 'd', 'e'];
  const statuses = fc.constantFrom<TrackingStatus>('in_transit', 'delivered', 'attempted');
  const scansOf = fc
    .tuple(...keys.map(() => fc.tuple(statuses, fc.integer({ min: 1, max: 4 }))))
    .map((all) => all.map(([status, day], index) => scan(keys[index] ?? '', status, `0${day}T00:00`)));
  const takenOf = fc.array(
    fc.tuple(fc.integer({ min: 90, max: 95 }), fc.subarray(keys), fc.integer({ min: 0, max: 80 })),
    { maxLength: 6 },
  );

  test('the order of arrival and repeats do not matter, and what the newest one has counts', () => {
    fc.assert(
      fc.property(scansOf, takenOf, fc.nat(), (scans, taken, seed) => {
        const found = superseded(scans, ...taken);
        const shuffled = [...taken, ...taken.slice(0, seed % 3)].sort(
          (a, b) => ((a[0] * 31 + a[2] * 17 + seed) % 7) - ((b[0] * 31 + b[2] * 17 + seed) % 7),
        );
        expect(superseded(scans, ...shuffled)).toEqual(found);
        const newest = Math.max(...taken.map(([takenAt]) => takenAt));
        for (const [takenAt, inIt] of taken)
          if (takenAt === newest) expect(found.filter((key) => inIt.includes(key))).toEqual([]);
      }),
      { numRuns: 1000, ...seeded },
    );
  });

  test('a snapshot that is no news changes nothing', () => {
    fc.assert(
      fc.property(scansOf, takenOf, (scans, taken) => {
        let told: ToldScans = new Map<string, ToldScan>();
        for (const one of taken) {
          const before = [...findSuperseded(scans, told)].sort();
          const added = addSnapshot(told, snapshotOf(one));
          const isNewScan = one[1].some((key) => !told.has(key));
          told = added.told;
          if (!added.isNews && !isNewScan) expect([...findSuperseded(scans, told)].sort()).toEqual(before);
        }
      }),
      { numRuns: 1000, ...seeded },
    );
  });
});
