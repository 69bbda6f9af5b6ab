import { describe, expect, test } from '@jest/globals';
import { meaningOf, STAGES, SUB_STATUSES, unrecognisedOf } from '../../../src/carriers/seventeentrack/statuses.js';
import { meaningAsText as asText } from '../../support/carriers.js';

/** Written from the published lists, not from the tables under test. */
const expectedByStage: Record<string, string> = {
  NotFound: 'unknown',
  InfoReceived: 'pre_transit',
  InTransit: 'in_transit',
  Expired: 'unknown',
  AvailableForPickup: 'available_for_pickup',
  OutForDelivery: 'out_for_delivery',
  DeliveryFailure: 'attempted',
  Delivered: 'delivered',
  Exception: 'exception other',
  PickedUp: 'in_transit',
  Departure: 'in_transit',
  Arrival: 'in_transit',
  Returning: 'return_to_sender',
  Returned: 'return_to_sender',
};
const expectedBySubStatus: Record<string, string> = {
  NotFound_Other: 'unknown',
  NotFound_InvalidCode: 'unknown',
  InfoReceived: 'pre_transit',
  InTransit_PickedUp: 'in_transit',
  InTransit_Departure: 'in_transit',
  InTransit_Arrival: 'in_transit',
  InTransit_Other: 'in_transit',
  InTransit_CustomsProcessing: 'in_transit',
  InTransit_CustomsReleased: 'in_transit',
  InTransit_CustomsRequiringInformation: 'exception customs',
  Expired_Other: 'unknown',
  AvailableForPickup_Other: 'available_for_pickup',
  OutForDelivery_Other: 'out_for_delivery',
  DeliveryFailure_Other: 'attempted',
  DeliveryFailure_NoBody: 'attempted',
  DeliveryFailure_Security: 'exception customs',
  DeliveryFailure_Rejected: 'exception refused',
  DeliveryFailure_InvalidAddress: 'exception address',
  Delivered_Other: 'delivered',
  Exception_Other: 'exception other',
  Exception_Returning: 'return_to_sender',
  Exception_Returned: 'return_to_sender',
  Exception_NoBody: 'exception unclaimed',
  Exception_Security: 'exception customs',
  Exception_Damage: 'exception damaged',
  Exception_Damaged: 'exception damaged',
  Exception_Rejected: 'exception refused',
  Exception_Delayed: 'exception delay',
  Exception_Lost: 'exception lost',
  Exception_Destroyed: 'exception disposed',
  Exception_Cancel: 'cancelled',
};
const NO_WORDS_OF_OURS = ['never_heard_of', '', 'delivered', 'DELIVERED', '__proto__', 'constructor'];

const meaningAsText = (stage: string | null, subStatus: string | null, text: string | null = null) =>
  asText(meaningOf({ stage, subStatus, text }));

describe('seventeentrack: statuses', () => {
  test('every documented word is a row, and no row is undocumented', () => {
    expect(Object.keys(STAGES).sort()).toEqual(Object.keys(expectedByStage).sort());
    expect(Object.keys(SUB_STATUSES).sort()).toEqual(Object.keys(expectedBySubStatus).sort());
  });

  test.each(Object.entries(expectedByStage))('stage %s means %s', (stage, expected) => {
    for (const subStatus of [null, ...NO_WORDS_OF_OURS]) expect(meaningAsText(stage, subStatus)).toBe(expected);
  });

  test.each(Object.entries(expectedBySubStatus))(
    'sub-status %s means %s whatever the stage, unless delivered',
    (subStatus, expected) => {
      for (const stage of [null, ...Object.keys(expectedByStage), ...NO_WORDS_OF_OURS]) {
        expect(meaningAsText(stage, subStatus)).toBe(stage === 'Delivered' ? 'delivered' : expected);
      }
    },
  );

  test.each(NO_WORDS_OF_OURS)('stage %p is unknown, and never a guess', (stage) => {
    expect(meaningAsText(stage, null)).toBe('unknown');
    expect(meaningAsText(null, stage)).toBe('unknown');
  });

  test('without any word a scan says nothing', () => {
    expect(meaningAsText(null, null, 'Delivered in bad weather')).toBeNull();
  });

  test('the text names the weather only where the words name no kind of exception', () => {
    expect(meaningAsText('Exception', null, 'Delay: WEATHER')).toBe('exception weather');
    expect(meaningAsText('InTransit', 'Exception_Other', 'bad weather')).toBe('exception weather');
    expect(meaningAsText('Exception', 'Exception_Delayed', 'bad weather')).toBe('exception delay');
    expect(meaningAsText('InTransit', 'InTransit_Other', 'Weatherford, TX')).toBe('in_transit');
    expect(meaningAsText('Delivered', 'Exception_Other', 'in bad weather')).toBe('delivered');
  });

  test.each([
    [null, null, null],
    ['InTransit', 'InTransit_Other', null],
    ['Returned', null, null],
    ['Airborne', null, 'Airborne'],
    ['Airborne', 'InTransit_Other', 'Airborne'],
    ['InTransit', 'InTransit_Airborne', 'InTransit_Airborne'],
    ['Airborne', 'InTransit_Airborne', 'InTransit_Airborne'],
    [null, '__proto__', '__proto__'],
  ])('of stage %p and sub-status %p, %p is not recognised', (stage, subStatus, expected) => {
    expect(unrecognisedOf({ stage, subStatus })).toBe(expected);
  });
});
