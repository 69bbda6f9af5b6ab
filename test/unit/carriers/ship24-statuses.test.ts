import { describe, expect, test } from '@jest/globals';
import { MILESTONES, meaningOf, STATUS_CODES, unrecognisedOf } from '../../../src/carriers/ship24/statuses.js';
import { meaningAsText as asText } from '../../support/carriers.js';

/** Written from the published lists, not from the tables under test. */
const expectedByMilestone: Record<string, string> = {
  pending: 'pre_transit',
  info_received: 'pre_transit',
  in_transit: 'in_transit',
  out_for_delivery: 'out_for_delivery',
  failed_attempt: 'attempted',
  available_for_pickup: 'available_for_pickup',
  delivered: 'delivered',
  exception: 'exception other',
};
const addsNothing = ['data_delivery_proposed', 'data_delivery_decided'];
const expectedByCode: Record<string, string> = {
  data_order_created: 'pre_transit',
  data_order_cancelled: 'cancelled',
  transit_handover: 'in_transit',
  transit_origin_country_departure: 'in_transit',
  destination_arrival: 'in_transit',
  customs_received: 'in_transit',
  customs_exception: 'exception customs',
  customs_rejected: 'exception customs',
  customs_cleared: 'in_transit',
  delivery_available_for_pickup: 'available_for_pickup',
  delivery_out_for_delivery: 'out_for_delivery',
  delivery_attempted: 'attempted',
  delivery_exception: 'exception other',
  delivery_refused: 'exception refused',
  delivery_delivered: 'delivered',
  exception_return: 'return_to_sender',
  exception_lost: 'exception lost',
  exception_discarded: 'exception disposed',
};
const NO_WORDS_OF_OURS = ['never_heard_of', '', 'Delivered', '__proto__', 'constructor'];

const meaningAsText = (milestone: string | null, code: string | null, text: string | null = null) =>
  asText(meaningOf({ milestone, code, text }));

describe('ship24: statuses', () => {
  test('every documented word is a row, and no row is undocumented', () => {
    expect(Object.keys(MILESTONES).sort()).toEqual(Object.keys(expectedByMilestone).sort());
    expect(Object.keys(STATUS_CODES).sort()).toEqual([...addsNothing, ...Object.keys(expectedByCode)].sort());
  });

  test.each(Object.entries(expectedByMilestone))('milestone %s means %s', (milestone, expected) => {
    for (const code of [null, ...addsNothing, ...NO_WORDS_OF_OURS]) {
      expect(meaningAsText(milestone, code)).toBe(expected);
    }
  });

  test.each(Object.entries(expectedByCode))(
    'code %s means %s whatever the milestone, unless delivered',
    (code, expected) => {
      for (const milestone of [null, ...Object.keys(expectedByMilestone), ...NO_WORDS_OF_OURS]) {
        if (code === 'delivery_exception' && milestone === 'failed_attempt') continue;
        expect(meaningAsText(milestone, code)).toBe(milestone === 'delivered' ? 'delivered' : expected);
      }
    },
  );

  test('an issue without a kind leaves a failed attempt an attempt', () => {
    expect(meaningAsText('failed_attempt', 'delivery_exception', 'bad weather')).toBe('attempted');
  });

  test.each(NO_WORDS_OF_OURS)('%p is unknown, and never a guess', (word) => {
    expect(meaningAsText(word, null)).toBe('unknown');
    expect(meaningAsText(null, word)).toBe('unknown');
  });

  test('without any word an event says nothing', () => {
    expect(meaningAsText(null, null, 'Return to sender, bad weather')).toBeNull();
    expect(meaningAsText(null, 'data_delivery_decided')).toBeNull();
  });

  test.each([
    ['exception', null, 'Delay: WEATHER', 'exception weather'],
    ['in_transit', 'delivery_exception', 'bad weather', 'exception weather'],
    ['exception', null, 'Returning to sender', 'return_to_sender'],
    ['exception', 'delivery_exception', 'RETURN TO SENDER', 'return_to_sender'],
    ['exception', 'never_heard_of', 'will be returned because of weather', 'return_to_sender'],
    ['exception', 'delivery_delivered', 'Return delivered to the sender', 'return_to_sender'],
    ['exception', 'delivery_delivered', 'Delivered in bad weather', 'delivered'],
    ['exception', 'exception_lost', 'Return lost in bad weather', 'exception lost'],
    ['exception', 'customs_rejected', 'Return to sender', 'exception customs'],
    ['exception', null, null, 'exception other'],
    ['in_transit', 'delivery_exception', 'Returned to the depot', 'exception other'],
    ['in_transit', null, 'Returned to the depot in bad weather', 'in_transit'],
    ['delivered', 'delivery_delivered', 'Return receipt signed', 'delivered'],
  ])('the text is the last resort: %p, %p, %p means %p', (milestone, code, text, expected) => {
    expect(meaningAsText(milestone, code, text)).toBe(expected);
  });

  test.each([
    [null, null, null],
    ['in_transit', 'transit_handover', null],
    ['in_transit', 'data_delivery_decided', null],
    ['airborne', null, 'airborne'],
    ['airborne', 'transit_handover', 'airborne'],
    ['in_transit', 'transit_airborne', 'transit_airborne'],
    ['airborne', 'transit_airborne', 'transit_airborne'],
    [null, '__proto__', '__proto__'],
  ])('of milestone %p and code %p, %p is not recognised', (milestone, code, expected) => {
    expect(unrecognisedOf({ milestone, code })).toBe(expected);
  });
});
