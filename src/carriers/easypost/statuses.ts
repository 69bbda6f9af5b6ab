import type { Meaning } from '../adapter.js';
import { lookUpIn, UNKNOWN } from '../meanings.js';

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

const WEATHER: Meaning = { status: 'exception', exception: 'weather' };

const meaningOfStatus = lookUpIn(STATUSES);
const meaningOfDetail = lookUpIn(STATUS_DETAILS);

interface Words {
  readonly status: string | null;
  readonly detail: string | null;
  readonly text: string | null;
}

/**
 * The meaning of a scan's words; null where they name no status at all. The detail goes before the coarse status,
 * except that what was delivered stays delivered. Words we do not know say nothing: an unknown detail leaves the
 * status, an unknown status is `unknown`. The text is the last resort, only where the codes name no kind of exception.
 */
export function meaningOf({ status, detail, text }: Words): Meaning | null {
  const coarse = status === null ? null : (meaningOfStatus(status) ?? UNKNOWN);
  if (coarse?.status === 'delivered') return coarse;
  const detailed = detail === null ? null : meaningOfDetail(detail);
  const meaning = detailed === undefined ? (coarse ?? UNKNOWN) : (detailed ?? coarse);
  return meaning?.exception === 'other' && /weather/i.test(text ?? '') ? WEATHER : meaning;
}

/** The word that is in neither table, the status before the detail; null when all are known. */
export function unrecognisedOf({ status, detail }: Omit<Words, 'text'>): string | null {
  if (status !== null && meaningOfStatus(status) === undefined) return status;
  return detail !== null && meaningOfDetail(detail) === undefined ? `${status ?? ''}/${detail}` : null;
}
