import { describe, expect, test } from '@jest/globals';
import { meaningOf, STATUSES, SUBSTATUSES, unrecognisedOf } from '../../../src/carriers/trackingmore/statuses.js';
import { meaningAsText as asText } from '../../support/carriers.js';

/** Written from the published lists, not from the table under test. */
const expectedByStatus: Record<string, string> = {
  pending: 'pre_transit',
  notfound: 'unknown',
  inforeceived: 'pre_transit',
  transit: 'in_transit',
  pickup: 'out_for_delivery',
  undelivered: 'attempted',
  delivered: 'delivered',
  exception: 'exception other',
  expired: 'unknown',
};
const numbered = (stem: string, numbers: string[], meaning: string) =>
  numbers.map((number): [string, string] => [`${stem}${number}`, meaning]);
const addsNothing = ['pending001', 'pending002', 'pending003', 'pending004', 'pending005'];
const expectedBySubstatus = Object.fromEntries([
  ...numbered('notfound', ['001'], 'pre_transit'),
  ...numbered('notfound', ['002'], 'unknown'),
  ...numbered('inforeceived', ['001'], 'pre_transit'),
  ...numbered('transit', ['001', '002', '003', '004', '005', '006', '007'], 'in_transit'),
  ...numbered('pickup', ['001', '003'], 'out_for_delivery'),
  ...numbered('pickup', ['002'], 'available_for_pickup'),
  ...numbered('delivered', ['001', '002', '003', '004'], 'delivered'),
  ...numbered('undelivered', ['001', '002', '003', '004'], 'attempted'),
  ...numbered('exception', ['004'], 'exception unclaimed'),
  ...numbered('exception', ['005', '011'], 'exception other'),
  ...numbered('exception', ['006'], 'exception customs'),
  ...numbered('exception', ['007'], 'exception damaged'),
  ...numbered('exception', ['008'], 'cancelled'),
  ...numbered('exception', ['009'], 'exception refused'),
  ...numbered('exception', ['010'], 'return_to_sender'),
  ...numbered('expired', ['001'], 'unknown'),
]);

const meaningAsText = (status: string | null, detail: string | null, text: string | null = null) =>
  asText(meaningOf({ status, detail, text }));

describe('statuses and substatuses', () => {
  test('every documented word is a row, and no row is undocumented', () => {
    expect(Object.keys(STATUSES).sort()).toEqual(Object.keys(expectedByStatus).sort());
    expect(Object.keys(SUBSTATUSES).sort()).toEqual([...Object.keys(expectedBySubstatus), ...addsNothing].sort());
  });

  test.each(Object.entries(expectedByStatus))(
    '%s means %s beside a substatus that adds nothing',
    (status, expected) => {
      for (const detail of [null, 'never001', 'transit999', '__proto__', 'constructor', ...addsNothing]) {
        expect(meaningAsText(status, detail)).toBe(expected);
      }
    },
  );

  test.each(Object.entries(expectedBySubstatus))(
    '%s means %s whatever the status, unless delivered',
    (sub, expected) => {
      for (const status of [...Object.keys(expectedByStatus), 'never', '__proto__', null]) {
        expect(meaningAsText(status, sub, 'Out in the rain')).toBe(status === 'delivered' ? 'delivered' : expected);
      }
    },
  );

  test('without words a checkpoint says nothing; with unknown words it is unknown', () => {
    expect(meaningAsText(null, null)).toBeNull();
    expect(meaningAsText(null, 'pending001')).toBeNull();
    for (const word of ['never', '', 'Delivered', '__proto__', 'toString']) {
      expect(meaningAsText(word, null)).toBe('unknown');
      expect(meaningAsText(null, word)).toBe('unknown');
    }
  });

  test('the text names the weather only where the codes name no kind of exception', () => {
    expect(meaningAsText('exception', 'exception005', 'Bad WEATHER')).toBe('exception weather');
    expect(meaningAsText('exception', 'exception006', 'bad weather')).toBe('exception customs');
    expect(meaningAsText('transit', 'transit001', 'Weatherford')).toBe('in_transit');
  });

  test.each([
    ['transit', 'transit001', null],
    [null, null, null],
    ['pending', 'pending003', null],
    ['beamed', 'transit001', 'beamed'],
    ['transit', 'transit099', 'transit/transit099'],
    [null, 'toString', '/toString'],
  ])('of status %p and substatus %p, %p is reported', (status, detail, expected) => {
    expect(unrecognisedOf({ status, detail })).toBe(expected);
  });
});
