import type { Meaning } from '../adapter.js';
import { lookUpIn, orWeather, UNKNOWN } from '../meanings.js';

/**
 * What 17TRACK calls the stage of a scan: one of the nine statuses of a parcel (`latest_status.status`), or one of the
 * nine milestones (`key_stage`); four words are both. All documented values of the v2.2 and v2.4 API.
 */
export const STAGES: Readonly<Record<string, Meaning>> = {
  NotFound: { status: 'unknown', exception: null },
  InfoReceived: { status: 'pre_transit', exception: null },
  PickedUp: { status: 'in_transit', exception: null },
  Departure: { status: 'in_transit', exception: null },
  Arrival: { status: 'in_transit', exception: null },
  InTransit: { status: 'in_transit', exception: null },
  AvailableForPickup: { status: 'available_for_pickup', exception: null },
  OutForDelivery: { status: 'out_for_delivery', exception: null },
  DeliveryFailure: { status: 'attempted', exception: null },
  Delivered: { status: 'delivered', exception: null },
  Exception: { status: 'exception', exception: 'other' },
  Returning: { status: 'return_to_sender', exception: null },
  Returned: { status: 'return_to_sender', exception: null },
  Expired: { status: 'unknown', exception: null },
};

/**
 * 17TRACK's `sub_status`, all documented values; both spellings of `Exception_Damage` are documented. `…_Security` stands
 * for safety, customs and fees, and counts as customs.
 */
export const SUB_STATUSES: Readonly<Record<string, Meaning>> = {
  NotFound_Other: { status: 'unknown', exception: null },
  NotFound_InvalidCode: { status: 'unknown', exception: null },
  InfoReceived: { status: 'pre_transit', exception: null },
  InTransit_PickedUp: { status: 'in_transit', exception: null },
  InTransit_Departure: { status: 'in_transit', exception: null },
  InTransit_Arrival: { status: 'in_transit', exception: null },
  InTransit_Other: { status: 'in_transit', exception: null },
  InTransit_CustomsProcessing: { status: 'in_transit', exception: null },
  InTransit_CustomsReleased: { status: 'in_transit', exception: null },
  InTransit_CustomsRequiringInformation: { status: 'exception', exception: 'customs' },
  Expired_Other: { status: 'unknown', exception: null },
  AvailableForPickup_Other: { status: 'available_for_pickup', exception: null },
  OutForDelivery_Other: { status: 'out_for_delivery', exception: null },
  DeliveryFailure_Other: { status: 'attempted', exception: null },
  DeliveryFailure_NoBody: { status: 'attempted', exception: null },
  DeliveryFailure_Security: { status: 'exception', exception: 'customs' },
  DeliveryFailure_Rejected: { status: 'exception', exception: 'refused' },
  DeliveryFailure_InvalidAddress: { status: 'exception', exception: 'address' },
  Delivered_Other: { status: 'delivered', exception: null },
  Exception_Other: { status: 'exception', exception: 'other' },
  Exception_Returning: { status: 'return_to_sender', exception: null },
  Exception_Returned: { status: 'return_to_sender', exception: null },
  Exception_NoBody: { status: 'exception', exception: 'unclaimed' },
  Exception_Security: { status: 'exception', exception: 'customs' },
  Exception_Damage: { status: 'exception', exception: 'damaged' },
  Exception_Damaged: { status: 'exception', exception: 'damaged' },
  Exception_Rejected: { status: 'exception', exception: 'refused' },
  Exception_Delayed: { status: 'exception', exception: 'delay' },
  Exception_Lost: { status: 'exception', exception: 'lost' },
  Exception_Destroyed: { status: 'exception', exception: 'disposed' },
  Exception_Cancel: { status: 'cancelled', exception: null },
};

const meaningOfStage = lookUpIn(STAGES);
const meaningOfSubStatus = lookUpIn(SUB_STATUSES);

interface Words {
  /** Of a scan its `stage`, of the parcel its `status`. */
  readonly stage: string | null;
  readonly subStatus: string | null;
  readonly text: string | null;
}

/**
 * The meaning of a scan's words; null where they name no status at all. The sub-status goes before the stage, except that
 * what was delivered stays delivered. Words we do not know say nothing: an unknown sub-status leaves the stage, an
 * unknown stage is `unknown`. The text is the last resort, only where the words name no kind of exception.
 */
export function meaningOf({ stage, subStatus, text }: Words): Meaning | null {
  const coarse = stage === null ? null : (meaningOfStage(stage) ?? UNKNOWN);
  if (coarse?.status === 'delivered') return coarse;
  const detailed = subStatus === null ? coarse : meaningOfSubStatus(subStatus);
  const meaning = detailed === undefined ? (coarse ?? UNKNOWN) : detailed;
  return orWeather(meaning, text);
}

/**
 * The word that is in neither table, the sub-status before the stage, because it decides first; null when all are known.
 */
export function unrecognisedOf({ stage, subStatus }: Omit<Words, 'text'>): string | null {
  if (subStatus !== null && meaningOfSubStatus(subStatus) === undefined) return subStatus;
  return stage !== null && meaningOfStage(stage) === undefined ? stage : null;
}
