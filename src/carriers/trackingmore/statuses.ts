import type { Meaning } from '../adapter.js';
import { detailBeforeStatus } from '../detail-before-status.js';
import { lookUpIn } from '../meanings.js';

/** TrackingMore's delivery status, all documented values. `pickup` is what it calls out for delivery. */
export const STATUSES: Readonly<Record<string, Meaning>> = {
  pending: { status: 'pre_transit', exception: null },
  notfound: { status: 'unknown', exception: null },
  inforeceived: { status: 'pre_transit', exception: null },
  transit: { status: 'in_transit', exception: null },
  pickup: { status: 'out_for_delivery', exception: null },
  undelivered: { status: 'attempted', exception: null },
  delivered: { status: 'delivered', exception: null },
  exception: { status: 'exception', exception: 'other' },
  expired: { status: 'unknown', exception: null },
};

/**
 * TrackingMore's substatus, all documented values. Null: it says why nothing is known yet and not how the parcel fares, so
 * the status decides.
 */
export const SUBSTATUSES: Readonly<Record<string, Meaning | null>> = {
  pending001: null,
  pending002: null,
  pending003: null,
  pending004: null,
  pending005: null,
  /** "Info received": seen beside `transit`, of which it makes no movement. */
  notfound001: { status: 'pre_transit', exception: null },
  notfound002: { status: 'unknown', exception: null },
  inforeceived001: { status: 'pre_transit', exception: null },
  transit001: { status: 'in_transit', exception: null },
  transit002: { status: 'in_transit', exception: null },
  transit003: { status: 'in_transit', exception: null },
  transit004: { status: 'in_transit', exception: null },
  transit005: { status: 'in_transit', exception: null },
  transit006: { status: 'in_transit', exception: null },
  transit007: { status: 'in_transit', exception: null },
  pickup001: { status: 'out_for_delivery', exception: null },
  pickup002: { status: 'available_for_pickup', exception: null },
  pickup003: { status: 'out_for_delivery', exception: null },
  delivered001: { status: 'delivered', exception: null },
  delivered002: { status: 'delivered', exception: null },
  delivered003: { status: 'delivered', exception: null },
  delivered004: { status: 'delivered', exception: null },
  undelivered001: { status: 'attempted', exception: null },
  undelivered002: { status: 'attempted', exception: null },
  undelivered003: { status: 'attempted', exception: null },
  undelivered004: { status: 'attempted', exception: null },
  exception004: { status: 'exception', exception: 'unclaimed' },
  exception005: { status: 'exception', exception: 'other' },
  exception006: { status: 'exception', exception: 'customs' },
  /** Lost or damaged, one word for both: the weaker claim. */
  exception007: { status: 'exception', exception: 'damaged' },
  exception008: { status: 'cancelled', exception: null },
  exception009: { status: 'exception', exception: 'refused' },
  exception010: { status: 'return_to_sender', exception: null },
  exception011: { status: 'exception', exception: 'other' },
  expired001: { status: 'unknown', exception: null },
};

/** What a checkpoint's status, substatus (the detail) and text mean, and which of them we do not know. */
export const { meaningOf, scanOf, unrecognisedOf } = detailBeforeStatus({ statuses: STATUSES, details: SUBSTATUSES });

const meaningOfStatus = lookUpIn(STATUSES);

/** Whether it is one of the statuses: some fields hold one of them, or anything the carrier wrote. */
export function isStatus(word: string): boolean {
  return meaningOfStatus(word) !== undefined;
}
