/** The normalised tracking vocabulary. Every carrier's own words are translated into it by src/carriers/. */

export const TRACKING_STATUSES = [
  'pre_transit',
  'in_transit',
  'out_for_delivery',
  'attempted',
  'available_for_pickup',
  'delivered',
  'exception',
  'return_to_sender',
  'cancelled',
  'unknown',
] as const;
export type TrackingStatus = (typeof TRACKING_STATUSES)[number];

export const EXCEPTION_KINDS = [
  'weather',
  'address',
  'customs',
  'damaged',
  'lost',
  'refused',
  'held',
  'delay',
  'payment',
  'unclaimed',
  'misrouted',
  'disposed',
  'security',
  'customer_request',
  'other',
] as const;
export type ExceptionKind = (typeof EXCEPTION_KINDS)[number];

/**
 * When a scan happened, exactly as well as the source knows it:
 * an instant; a wall-clock reading without offset (`2026-11-05T23:59:00`, up to milliseconds); or a date alone
 * (`2026-11-05`). A missing `timeZone` means the zone of the destination.
 */
export type EventTime =
  | { readonly at: Date }
  | { readonly local: string; readonly timeZone?: string }
  | { readonly on: string; readonly timeZone?: string };

/** One thing that happened to a parcel. */
export interface TrackingEvent {
  readonly status: TrackingStatus;
  readonly time: EventTime;
  readonly exception: ExceptionKind | null;
  /** Someone contests that this happened (an "attempt" without a visit). Contested events never keep a promise. */
  readonly disputed: boolean;
}
