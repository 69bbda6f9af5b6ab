import type { Meaning } from '../adapter.js';
import { lookUpIn, UNKNOWN } from '../meanings.js';

/** Shippo's `status`, all documented values. */
export const STATUSES: Readonly<Record<string, Meaning>> = {
  UNKNOWN: { status: 'unknown', exception: null },
  PRE_TRANSIT: { status: 'pre_transit', exception: null },
  TRANSIT: { status: 'in_transit', exception: null },
  DELIVERED: { status: 'delivered', exception: null },
  RETURNED: { status: 'return_to_sender', exception: null },
  FAILURE: { status: 'exception', exception: 'other' },
};

/**
 * Shippo's `substatus.code`, all documented values. Null: it repeats the status that it is documented with, so the status
 * decides. A parcel on its way back that is `delivered` was handed to the sender, and no promise was kept.
 */
export const SUBSTATUSES: Readonly<Record<string, Meaning | null>> = {
  information_received: null,
  address_issue: { status: 'exception', exception: 'address' },
  contact_carrier: { status: 'exception', exception: 'held' },
  delayed: { status: 'exception', exception: 'delay' },
  delivery_attempted: { status: 'attempted', exception: null },
  delivery_rescheduled: { status: 'in_transit', exception: null },
  delivery_scheduled: { status: 'in_transit', exception: null },
  location_inaccessible: { status: 'attempted', exception: null },
  notice_left: { status: 'attempted', exception: null },
  out_for_delivery: { status: 'out_for_delivery', exception: null },
  package_accepted: { status: 'in_transit', exception: null },
  package_arrived: { status: 'in_transit', exception: null },
  package_damaged: { status: 'exception', exception: 'damaged' },
  package_departed: { status: 'in_transit', exception: null },
  package_forwarded: { status: 'in_transit', exception: null },
  package_held: { status: 'exception', exception: 'held' },
  package_processed: { status: 'in_transit', exception: null },
  package_processing: { status: 'in_transit', exception: null },
  pickup_available: { status: 'available_for_pickup', exception: null },
  reschedule_delivery: { status: 'attempted', exception: null },
  delivered: null,
  return_to_sender: { status: 'return_to_sender', exception: null },
  package_unclaimed: { status: 'exception', exception: 'unclaimed' },
  package_undeliverable: { status: 'exception', exception: 'other' },
  package_disposed: { status: 'exception', exception: 'disposed' },
  package_lost: { status: 'exception', exception: 'lost' },
  other: null,
};

const WEATHER: Meaning = { status: 'exception', exception: 'weather' };

const meaningOfStatus = lookUpIn(STATUSES);
const meaningOfSubstatus = lookUpIn(SUBSTATUSES);

/** What a TrackingStatus of Shippo says of the parcel. */
export interface ShippoWords {
  readonly status: string | null;
  readonly substatus: string | null;
  readonly text: string | null;
}

/**
 * The meaning of a scan's words; null where they name no status at all. The substatus goes before the coarse status, except
 * that what was delivered stays delivered. Words we do not know say nothing, also where Shippo asks somebody to act on
 * them: an unknown substatus leaves the status, an unknown status is `unknown`. The text is the last resort, only where the
 * codes name no kind of exception: Shippo has no word for weather.
 */
export function meaningOf({ status, substatus, text }: ShippoWords): Meaning | null {
  const coarse = status === null ? null : (meaningOfStatus(status) ?? UNKNOWN);
  if (coarse?.status === 'delivered') return coarse;
  const detailed = substatus === null ? null : meaningOfSubstatus(substatus);
  const meaning = detailed === undefined ? (coarse ?? UNKNOWN) : (detailed ?? coarse);
  return meaning?.exception === 'other' && /weather/i.test(text ?? '') ? WEATHER : meaning;
}

/** The word that is in neither table, the status before the substatus; null when all are known. */
export function unrecognisedOf({ status, substatus }: Omit<ShippoWords, 'text'>): string | null {
  if (status !== null && meaningOfStatus(status) === undefined) return status;
  return substatus !== null && meaningOfSubstatus(substatus) === undefined ? `${status ?? ''}/${substatus}` : null;
}
