import { describe, expect, test } from '@jest/globals';
import { splitIntoLives } from '../../src/shipments/lives.js';
import { type MatchableScan, matchScans, type RegisteredParcel } from '../../src/shipments/match-scans.js';
import type { TrackingStatus } from '../../src/shipments/tracking-event.js';

const day = (at: string) => new Date(`${at}T12:00:00Z`);
const parcel = (id: string, of: Partial<RegisteredParcel> = {}): RegisteredParcel => ({
  id,
  carrierKey: 'ups',
  trackingKey: 'N',
  placedAt: day('2026-04-01'),
  promisedUntil: day('2026-04-06'),
  aliasKeys: [],
  ...of,
});
const scan = (status: TrackingStatus, at: string, of: Partial<MatchableScan> = {}): MatchableScan => ({
  carrierKey: 'ups',
  trackingKey: 'N',
  firstHand: false,
  status,
  interval: { earliest: day(at), latest: day(at) },
  ...of,
});
/** `parcel: statuses`, of each parcel that got something. */
const matched = (parcels: RegisteredParcel[], scans: MatchableScan[]) =>
  Object.fromEntries(
    [...matchScans(parcels, scans)].map(([id, own]) => [id, own.map(({ status }) => status).join(' ')]),
  );

describe('carriers', () => {
  const said = (carrierKey: string, firstHand: boolean) => [
    scan('in_transit', '2026-04-02', { carrierKey, firstHand }),
  ];

  test.each([
    ['ups', 'ups', true],
    ['ups', 'upsmailinnovations', true],
    ['fedex', 'fedexground', true],
    ['dhl', 'dhlpaket', true],
    ['dhl', 'deutschepost', true],
    ['fedex', 'federalexpress', true],
    ['ups', 'usps', false],
    ['usps', 'ups', false],
    ['fedex', 'dhl', false],
  ])('%s itself speaks of a parcel of %s: %p', (speaks, carrierKey, own) => {
    expect(matched([parcel('p', { carrierKey })], said(speaks, true))).toEqual(own ? { p: 'in_transit' } : {});
  });

  test('an aggregator may call a carrier what it likes, where the number is of one carrier alone', () => {
    expect(matched([parcel('p')], said('21051', false))).toEqual({ p: 'in_transit' });
    expect(matched([parcel('p'), parcel('q')], said('21051', false))).toEqual({ p: 'in_transit', q: 'in_transit' });
    expect(matched([parcel('p'), parcel('q', { carrierKey: 'usps' })], said('21051', false))).toEqual({});
    expect(matched([parcel('p'), parcel('q', { carrierKey: 'usps' })], said('usps', false))).toEqual({
      q: 'in_transit',
    });
  });
});

describe('a number that is used again', () => {
  const first = [scan('pre_transit', '2026-04-01'), scan('in_transit', '2026-04-03'), scan('delivered', '2026-04-05')];
  const second = [scan('pre_transit', '2026-07-01'), scan('in_transit', '2026-07-02'), scan('delivered', '2026-07-04')];
  const [old, fresh] = [
    parcel('old'),
    parcel('fresh', { placedAt: day('2026-06-30'), promisedUntil: day('2026-07-05') }),
  ];
  const all = 'pre_transit in_transit delivered';

  test('belongs to the order whose time it fits', () => {
    expect(matched([old, fresh], [...second, ...first])).toEqual({ old: all, fresh: all });
    expect(matchScans([old, fresh], [...second, ...first]).get('fresh')).toEqual(second);
  });

  test('brings nothing to an order whose parcel has arrived, though no other has the number yet', () => {
    expect(matchScans([old], [...second, ...first]).get('old')).toEqual(first);
    expect(matchScans([{ ...old, placedAt: null }], [...second, ...first]).get('old')).toEqual(first);
  });

  test('is not taken from an order of which nobody said when it was placed', () => {
    const nobodySaid = { ...fresh, placedAt: null };
    expect(matchScans([nobodySaid], [...second, ...first]).get('fresh')).toEqual(second);
  });

  test('was over before the order was placed: the next journey counts, however soon it began', () => {
    const soon = [scan('pre_transit', '2026-04-20'), scan('in_transit', '2026-04-21')];
    const order = parcel('p', { placedAt: day('2026-04-18'), promisedUntil: day('2026-04-24') });
    expect(matchScans([order], [...soon, ...first]).get('p')).toEqual(soon);
  });
});

describe('splitIntoLives', () => {
  const lives = (...scans: MatchableScan[]) =>
    splitIntoLives(scans).map(({ scans: own }) => own.map(({ status }) => status).join(' '));

  test.each<[string, MatchableScan[], number]>([
    ['a return follows a delivery', [scan('delivered', '2026-04-05'), scan('return_to_sender', '2026-04-18')], 1],
    ['a fortnight of silence after the end', [scan('delivered', '2026-04-05'), scan('in_transit', '2026-04-19')], 1],
    ['more than a fortnight', [scan('delivered', '2026-04-05'), scan('in_transit', '2026-04-20')], 2],
    ['a label three days after the end', [scan('delivered', '2026-04-05'), scan('pre_transit', '2026-04-08')], 1],
    ['a label later', [scan('delivered', '2026-04-05'), scan('pre_transit', '2026-04-09')], 2],
    ['lost for months, and found', [scan('in_transit', '2026-01-05'), scan('in_transit', '2026-07-04')], 1],
    ['silent for more than half a year', [scan('in_transit', '2026-01-05'), scan('in_transit', '2026-07-05')], 2],
    ['a label made anew', [scan('cancelled', '2026-04-05'), scan('pre_transit', '2026-04-30')], 1],
    ['sent back, and sent once more', [scan('return_to_sender', '2026-04-05'), scan('delivered', '2026-06-04')], 1],
    [
      'sent back, and the number given away',
      [scan('return_to_sender', '2026-04-05'), scan('in_transit', '2026-06-05')],
      2,
    ],
  ])('%s', (_name, scans, count) => {
    expect(lives(...scans)).toHaveLength(count);
    expect(lives(...[...scans].reverse())).toEqual(lives(...scans));
  });
});
