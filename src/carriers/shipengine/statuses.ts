import type { Meaning } from '../adapter.js';
import { detailBeforeStatus } from '../detail-before-status.js';

/** ShipEngine's `status_code`, all documented values (openapi.yaml of ShipEngine/shipengine-openapi). */
export const STATUS_CODES: Readonly<Record<string, Meaning>> = {
  UN: { status: 'unknown', exception: null },
  NY: { status: 'pre_transit', exception: null },
  AC: { status: 'in_transit', exception: null },
  IT: { status: 'in_transit', exception: null },
  AT: { status: 'attempted', exception: null },
  SP: { status: 'available_for_pickup', exception: null },
  DE: { status: 'delivered', exception: null },
  EX: { status: 'exception', exception: 'other' },
};

/** ShipEngine's `status_detail_code`, all 75 documented values (as above). */
export const STATUS_DETAIL_CODES: Readonly<Record<string, Meaning>> = {
  CARRIER_STATUS_NOT_MAPPED: { status: 'unknown', exception: null },
  TRACKING_EXPIRED: { status: 'unknown', exception: null },

  SHIPMENT_CREATED: { status: 'pre_transit', exception: null },
  AWAITING_PICKUP_DROP_OFF: { status: 'pre_transit', exception: null },
  ELEC_ADVICE_RECD_BY_CARRIER: { status: 'pre_transit', exception: null },
  NOT_YET_RECEIVED_BY_CARRIER: { status: 'pre_transit', exception: null },
  PICKUP_FAILED: { status: 'pre_transit', exception: null },

  DROPPED_OFF: { status: 'in_transit', exception: null },
  PICKED_UP: { status: 'in_transit', exception: null },
  RECD_BY_CARRIER_NO_ELEC_ADVICE: { status: 'in_transit', exception: null },
  RECEIVED_BY_CARRIER: { status: 'in_transit', exception: null },
  RECEIVED_LOCAL_DELIVERY_DEPOT: { status: 'in_transit', exception: null },
  SUB_CONTRACTOR_EVENT: { status: 'in_transit', exception: null },
  SUB_CONTRACTOR_RECEIVED: { status: 'in_transit', exception: null },
  HUB_SCAN_IN: { status: 'in_transit', exception: null },
  HUB_SCAN_OUT: { status: 'in_transit', exception: null },
  HUB_PROCESSING: { status: 'in_transit', exception: null },
  IN_TRANSIT: { status: 'in_transit', exception: null },
  CUSTOMS_PROCESSING: { status: 'in_transit', exception: null },
  CUSTOMS_CLEARED: { status: 'in_transit', exception: null },
  INFORMATION: { status: 'in_transit', exception: null },
  PARCEL_OVER_LABELLED: { status: 'in_transit', exception: null },
  PARCEL_REDIRECTED: { status: 'in_transit', exception: null },
  PARCEL_REDIRECTED_BY_CARRIER: { status: 'in_transit', exception: null },
  PARCEL_REPACKED: { status: 'in_transit', exception: null },
  PARCEL_UPDATE_NOTIFICATION: { status: 'in_transit', exception: null },
  DELIVERY_ARRANGED_WITH_RECIPIENT: { status: 'in_transit', exception: null },
  DELIVERY_SCHEDULED: { status: 'in_transit', exception: null },
  DELIVERY_RESCHEDULED: { status: 'in_transit', exception: null },

  OUT_FOR_DELIVERY: { status: 'out_for_delivery', exception: null },

  ATTEMPTED_DELIVERY: { status: 'attempted', exception: null },
  ATTEMPTED_DELIVERY_FINAL: { status: 'attempted', exception: null },
  CUSTOMER_CARDED: { status: 'attempted', exception: null },
  CUSTOMER_IDENTIFICATION_FAILED: { status: 'attempted', exception: null },
  NO_ACCESS_TO_RECIPIENTS_ADDRESS: { status: 'attempted', exception: null },
  NOT_DELIVERED: { status: 'attempted', exception: null },

  AWAITING_COLLECTION_FROM_PICKUP_POINT: { status: 'available_for_pickup', exception: null },
  COLLECT_AT_LOCAL_PO: { status: 'available_for_pickup', exception: null },
  CUSTOMER_TO_COLLECT_FROM_CARRIER: { status: 'available_for_pickup', exception: null },
  DELIVERED_TO_PICKUP_POINT: { status: 'available_for_pickup', exception: null },

  DELIVERED: { status: 'delivered', exception: null },
  /** There, and not whole: a delivery like any other, with the damage noted. */
  DELIVERED_DAMAGED: { status: 'delivered', exception: 'damaged' },
  DELIVERED_IN_PART: { status: 'delivered', exception: null },
  DELIVERED_SPECIFIED_SAFE_PLACE: { status: 'delivered', exception: null },
  DELIVERED_TO_ALTERNATIVE_DELIVERY_LOCATION: { status: 'delivered', exception: null },
  DELIVERED_TO_NEIGHBOUR: { status: 'delivered', exception: null },
  DELIVERED_TO_PO_BOX: { status: 'delivered', exception: null },
  DELIVERED_TO_RECEPTION: { status: 'delivered', exception: null },
  PARCEL_COLLECTED_FROM_PICKUP_POINT: { status: 'delivered', exception: null },
  PROOF_OF_DELIVERY: { status: 'delivered', exception: null },
  POST_TRANSIT_STATUS: { status: 'delivered', exception: null },
  COD_AMOUNT_PAID: { status: 'delivered', exception: null },

  ADDRESS_QUERY: { status: 'exception', exception: 'address' },
  CUSTOMER_MOVED: { status: 'exception', exception: 'address' },
  HELD_BY_CUSTOMS: { status: 'exception', exception: 'customs' },
  HELD_BY_CARRIER_FOR_CLEARANCE_PRE_PROCESSING: { status: 'exception', exception: 'customs' },
  INCORRECT_DECLARATION: { status: 'exception', exception: 'customs' },
  DUTY_NOT_PAID: { status: 'exception', exception: 'customs' },
  PARCEL_DAMAGED: { status: 'exception', exception: 'damaged' },
  PARCEL_LOST: { status: 'exception', exception: 'lost' },
  REFUSED_BY_CUSTOMER: { status: 'exception', exception: 'refused' },
  HELD_BY_CARRIER: { status: 'exception', exception: 'held' },
  COD_AMOUNT_NOT_PAID: { status: 'exception', exception: 'payment' },
  NOT_COLLECTED_FROM_PICKUP_POINT: { status: 'exception', exception: 'unclaimed' },
  CARRIER_DELAYS: { status: 'exception', exception: 'delay' },
  DELAYED_NOT_CARRIER: { status: 'exception', exception: 'delay' },
  MISROUTED: { status: 'exception', exception: 'misrouted' },
  PARCEL_DISPOSED: { status: 'exception', exception: 'disposed' },
  HAZARDOUS_PROHIBITED: { status: 'exception', exception: 'other' },
  PARCEL_OUTSIDE_OF_SERVICE_CAPABILITY: { status: 'exception', exception: 'other' },
  NOT_DELIVERED_ADDRESSEE_DECEASED: { status: 'exception', exception: 'other' },
  UNSPECIFIED_EXCEPTION: { status: 'exception', exception: 'other' },

  RETURN_TO_SENDER: { status: 'return_to_sender', exception: null },
  UNDELIVERABLE_RETURNED_TO_SENDER: { status: 'return_to_sender', exception: null },

  CANCELLED: { status: 'cancelled', exception: null },
};

/** What a scan's status code, its detail code and its description mean. */
export const { meaningOf, scanOf } = detailBeforeStatus({
  statuses: STATUS_CODES,
  details: STATUS_DETAIL_CODES,
});
