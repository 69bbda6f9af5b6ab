import { describe, expect, test } from '@jest/globals';
import { meaningOf, SUBTAGS, TAGS, unrecognisedOf } from '../../../src/carriers/aftership/statuses.js';
import { meaningAsText as asText } from '../../support/carriers.js';

/** Written from the published lists, not from the table under test. */
const expectedByTag: Record<string, string> = {
  Pending: 'pre_transit',
  InfoReceived: 'pre_transit',
  InTransit: 'in_transit',
  OutForDelivery: 'out_for_delivery',
  AttemptFail: 'attempted',
  Delivered: 'delivered',
  AvailableForPickup: 'available_for_pickup',
  Exception: 'exception other',
  Expired: 'unknown',
};
const numbered = (stem: string, numbers: string[], meaning: string) =>
  numbers.map((number): [string, string] => [`${stem}_${number}`, meaning]);
const expectedBySubtag = Object.fromEntries([
  ...numbered('Pending', ['001', '002', '003', '004', '005', '006'], 'pre_transit'),
  ...numbered('InfoReceived', ['001'], 'pre_transit'),
  ...numbered('InTransit', ['001', '002', '003', '004', '005', '006', '007', '008', '009'], 'in_transit'),
  ...numbered('InTransit', ['011', '012', '013'], 'in_transit'),
  ...numbered('OutForDelivery', ['001', '003', '004'], 'out_for_delivery'),
  ...numbered('OutForDelivery', ['002'], 'available_for_pickup'),
  ...numbered('AttemptFail', ['001', '002', '003'], 'attempted'),
  ...numbered('AvailableForPickup', ['001'], 'available_for_pickup'),
  ...numbered('Delivered', ['001', '002', '003', '004', '005'], 'delivered'),
  ...numbered('Exception', ['001', '014', '015'], 'exception other'),
  ...numbered('Exception', ['002', '007'], 'exception address'),
  ...numbered('Exception', ['003', '009'], 'exception refused'),
  ...numbered('Exception', ['004', '018'], 'exception customs'),
  ...numbered('Exception', ['005', '016', '019'], 'exception delay'),
  ...numbered('Exception', ['006'], 'exception payment'),
  ...numbered('Exception', ['008'], 'exception unclaimed'),
  ...numbered('Exception', ['010', '011'], 'return_to_sender'),
  ...numbered('Exception', ['012'], 'exception damaged'),
  ...numbered('Exception', ['013'], 'exception lost'),
  ...numbered('Exception', ['017'], 'exception weather'),
  ...numbered('Exception', ['020'], 'cancelled'),
  ...numbered('Exception', ['021'], 'exception disposed'),
  ...numbered('Expired', ['001'], 'unknown'),
]);

const meaningAsText = (status: string | null, detail: string | null, text: string | null = null) =>
  asText(meaningOf({ status, detail, text }));

describe('tags and subtags', () => {
  test('every documented word is a row, and no row is undocumented', () => {
    expect(Object.keys(TAGS).sort()).toEqual(Object.keys(expectedByTag).sort());
    expect(Object.keys(SUBTAGS).sort()).toEqual(Object.keys(expectedBySubtag).sort());
  });

  test.each(Object.entries(expectedByTag))(
    '%s means %s beside no subtag and beside one we do not know',
    (tag, expected) => {
      for (const subtag of [null, 'Never_001', `${tag}_999`, '__proto__', 'constructor']) {
        expect(meaningAsText(tag, subtag)).toBe(expected);
      }
    },
  );

  test.each(Object.entries(expectedBySubtag))('%s means %s whatever the tag, unless delivered', (subtag, expected) => {
    for (const tag of [...Object.keys(expectedByTag), 'NeverHeardOf', '__proto__', null]) {
      expect(meaningAsText(tag, subtag)).toBe(tag === 'Delivered' ? 'delivered' : expected);
    }
  });

  test('without words a checkpoint says nothing; with unknown words it is unknown', () => {
    expect(meaningAsText(null, null)).toBeNull();
    for (const word of ['NeverHeardOf', '', 'in_transit', '__proto__', 'toString']) {
      expect(meaningAsText(word, null)).toBe('unknown');
      expect(meaningAsText(null, word)).toBe('unknown');
    }
  });

  test('the text names the weather only where the codes name no kind of exception', () => {
    expect(meaningAsText('Exception', null, 'Bad WEATHER')).toBe('exception weather');
    expect(meaningAsText('Exception', 'Exception_001', 'bad weather')).toBe('exception weather');
    expect(meaningAsText('Exception', 'Exception_005', 'bad weather')).toBe('exception delay');
    expect(meaningAsText('InTransit', null, 'Weatherford, TX')).toBe('in_transit');
    expect(meaningAsText('Delivered', 'Exception_001', 'in bad weather')).toBe('delivered');
  });

  test.each([
    ['InTransit', 'InTransit_003', null],
    [null, null, null],
    ['Teleport', null, 'Teleport'],
    ['Teleport', 'InTransit_003', 'Teleport'],
    ['InTransit', 'InTransit_099', 'InTransit/InTransit_099'],
    [null, 'toString', '/toString'],
  ])('of tag %p and subtag %p, %p is reported', (status, detail, expected) => {
    expect(unrecognisedOf({ status, detail })).toBe(expected);
  });
});
