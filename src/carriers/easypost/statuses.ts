import type { Meaning } from '../adapter.js';
import { detailBeforeStatus } from '../detail-before-status.js';

/** EasyPost's `status`, all documented values (types of `@easypost/api` 8.9.0); `canceled` is seen on the wire besides. */
export const STATUSES: Readonly<Record<string, Meaning>> = {
  unknown: { status: 'unknown', exception: null },
  pre_transit: { status: 'pre_transit', exception: null },
  in_transit: { status: 'in_transit', exception: null },
  out_for_delivery: { status: 'out_for_delivery', exception: null },
  delivered: { status: 'delivered', exception: null },
  available_for_pickup: { status: 'available_for_pickup', exception: null },
  return_to_sender: { status: 'return_to_sender', exception: null },
  failure: { status: 'exception', exception: 'other' },
  cancelled: { status: 'cancelled', exception: null },
  canceled: { status: 'cancelled', exception: null },
  error: { status: 'exception', exception: 'other' },
};

/**
 * EasyPost's `status_detail`, all documented values. Null: it says where the parcel is and not how it fares (these stand
 * beside `delivered` as readily as beside `in_transit`), so the status decides.
 */
export const STATUS_DETAILS: Readonly<Record<string, Meaning | null>> = {
  address_correction: { status: 'exception', exception: 'address' },
  arrived_at_destination: null,
  arrived_at_facility: null,
  arrived_at_pickup_location: { status: 'available_for_pickup', exception: null },
  awaiting_information: { status: 'pre_transit', exception: null },
  cancelled: { status: 'cancelled', exception: null },
  canceled: { status: 'cancelled', exception: null },
  damaged: { status: 'exception', exception: 'damaged' },
  delayed: { status: 'exception', exception: 'delay' },
  delivery_exception: { status: 'attempted', exception: null },
  departed_facility: null,
  departed_origin_facility: null,
  expired: { status: 'unknown', exception: null },
  failure: { status: 'exception', exception: 'other' },
  held: { status: 'exception', exception: 'held' },
  in_transit: null,
  label_created: { status: 'pre_transit', exception: null },
  lost: { status: 'exception', exception: 'lost' },
  missorted: { status: 'exception', exception: 'misrouted' },
  out_for_delivery: { status: 'out_for_delivery', exception: null },
  received_at_destination_facility: null,
  received_at_origin_facility: null,
  refused: { status: 'exception', exception: 'refused' },
  return: { status: 'return_to_sender', exception: null },
  status_update: null,
  transferred_to_destination_carrier: null,
  transit_exception: { status: 'exception', exception: 'other' },
  unknown: null,
  weather_delay: { status: 'exception', exception: 'weather' },
};

/** What a scan's status, status_detail (the detail) and message mean. */
export const { meaningOf, scanOf } = detailBeforeStatus({
  statuses: STATUSES,
  details: STATUS_DETAILS,
});
