import type { Meaning } from '../adapter.js';
import { detailBeforeStatus } from '../detail-before-status.js';

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
  other: { status: 'unknown', exception: null },
};

/**
 * What the status, the substatus (the detail) and the text of a scan mean: also where Shippo
 * asks somebody to act on it, a word that we do not know says nothing. Shippo has no word for weather.
 */
export const { meaningOf, scanOf } = detailBeforeStatus({ statuses: STATUSES, details: SUBSTATUSES });
