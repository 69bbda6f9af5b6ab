import type { Meaning } from '../adapter.js';
import { lookUpIn, UNKNOWN } from '../meanings.js';

/** Karrio's `status`, all values of its `TrackingStatus`. */
export const STATUSES: Readonly<Record<string, Meaning>> = {
  pending: { status: 'pre_transit', exception: null },
  picked_up: { status: 'in_transit', exception: null },
  in_transit: { status: 'in_transit', exception: null },
  out_for_delivery: { status: 'out_for_delivery', exception: null },
  delivery_failed: { status: 'attempted', exception: null },
  ready_for_pickup: { status: 'available_for_pickup', exception: null },
  delivered: { status: 'delivered', exception: null },
  on_hold: { status: 'exception', exception: 'held' },
  delivery_delayed: { status: 'exception', exception: 'delay' },
  return_to_sender: { status: 'return_to_sender', exception: null },
  cancelled: { status: 'cancelled', exception: null },
  unknown: { status: 'unknown', exception: null },
};

/**
 * A scan's `reason`: all values of Karrio's `TrackingIncidentReason`, and two that only its DHL connector has
 * (`carrier_delay`, `delivery_exception_hold`). Null: it says nothing.
 *
 * What Karrio files under the carrier never becomes a kind that puts the fault on the customer, and what it files beside
 * the weather as force majeure is judged like the weather. Where nobody opened the door, somebody stood there.
 */
export const REASONS: Readonly<Record<string, Meaning | null>> = {
  carrier_damaged_parcel: { status: 'exception', exception: 'damaged' },
  carrier_parcel_lost: { status: 'exception', exception: 'lost' },
  carrier_sorting_error: { status: 'exception', exception: 'misrouted' },
  carrier_address_not_found: { status: 'exception', exception: 'other' },
  carrier_not_enough_time: { status: 'exception', exception: 'delay' },
  carrier_vehicle_issue: { status: 'exception', exception: 'delay' },
  carrier_capacity_exceeded: { status: 'exception', exception: 'delay' },
  carrier_mechanical_delay: { status: 'exception', exception: 'delay' },
  carrier_delay: { status: 'exception', exception: 'delay' },

  retailer_cancelled: { status: 'exception', exception: 'other' },
  retailer_incorrect_data: { status: 'exception', exception: 'other' },
  retailer_not_ready: { status: 'exception', exception: 'other' },
  retailer_incorrect_parcel: { status: 'exception', exception: 'other' },
  retailer_incorrect_dimensions: { status: 'exception', exception: 'other' },
  retailer_packaging_issue: { status: 'exception', exception: 'other' },

  consignee_business_closed: { status: 'attempted', exception: null },
  consignee_not_available: { status: 'attempted', exception: null },
  consignee_not_home: { status: 'attempted', exception: null },
  consignee_verification_failed: { status: 'attempted', exception: null },
  consignee_access_restricted: { status: 'attempted', exception: null },
  consignee_safe_place_unavailable: { status: 'attempted', exception: null },
  consignee_refused: { status: 'exception', exception: 'refused' },
  consignee_cancelled: { status: 'exception', exception: 'customer_request' },
  consignee_incorrect_address: { status: 'exception', exception: 'address' },

  customs_delay: { status: 'exception', exception: 'customs' },
  customs_documentation: { status: 'exception', exception: 'customs' },
  customs_duties_unpaid: { status: 'exception', exception: 'customs' },
  customs_prohibited: { status: 'exception', exception: 'customs' },
  customs_inspection: { status: 'exception', exception: 'customs' },

  weather_delay: { status: 'exception', exception: 'weather' },
  natural_disaster: { status: 'exception', exception: 'weather' },
  force_majeure: { status: 'exception', exception: 'weather' },

  parcel_being_researched: { status: 'exception', exception: 'other' },
  security_issue: { status: 'exception', exception: 'security' },
  regulatory_hold: { status: 'exception', exception: 'held' },
  delivery_exception_hold: { status: 'exception', exception: 'held' },
  unknown: null,
};

const meaningOfStatus = lookUpIn(STATUSES);
const meaningOfReason = lookUpIn(REASONS);

interface Words {
  readonly status: string | null;
  readonly reason: string | null;
}

/**
 * The meaning of a scan's words; null where they name no status at all. A known reason goes before a status that tells of
 * trouble (`on_hold`, `delivery_delayed`, `delivery_failed`) or of nothing. Any other status stands: Karrio looks the
 * reason up by the carrier's code alone, and its tables put routine scans of a moving parcel under customs or refusal.
 * Words we do not know say nothing.
 */
export function meaningOf({ status, reason }: Words): Meaning | null {
  const coarse = status === null ? null : (meaningOfStatus(status) ?? UNKNOWN);
  if (reason === null || (coarse !== null && !isTrouble(coarse))) return coarse;
  const detailed = meaningOfReason(reason);
  return detailed === undefined ? (coarse ?? UNKNOWN) : (detailed ?? coarse);
}

function isTrouble({ status }: Meaning): boolean {
  return status === 'exception' || status === 'attempted' || status === 'unknown';
}

/** The word that is in neither table, the status before the reason; null when all are known. */
export function unrecognisedOf({ status, reason }: Words): string | null {
  if (status !== null && meaningOfStatus(status) === undefined) return status;
  return reason !== null && meaningOfReason(reason) === undefined ? `${status ?? ''}/${reason}` : null;
}
