import type { IncomingHttpHeaders } from 'node:http';
import type { FieldError } from '../errors.js';
import type { TrackingEvent } from '../shipments/tracking-event.js';

/** A scan as a source reported it: the normalised event, and the source's own words, kept as sent. */
export interface Scan extends TrackingEvent {
  /** The source's own code or status, e.g. `in_transit/arrived_at_facility`. */
  readonly code: string;
  readonly text: string | null;
  readonly place: string | null;
}

/** What one webhook says about one parcel. */
export interface ParcelReport {
  /** Carrier name as sent. Matching ignores case and everything but letters and digits. */
  readonly carrier: string;
  /** Tracking number as sent. Matching ignores case, spaces and hyphens. */
  readonly trackingNumber: string;
  /** The carrier's current guess: a date alone, or an instant. Never moves the promise. */
  readonly estimate: { readonly on: string } | { readonly at: Date } | null;
  readonly scans: readonly Scan[];
}

export type ParseOutcome =
  | {
      readonly outcome: 'parsed';
      /** The provider's id of this delivery, by which a repeat is recognised; null: the body's hash serves. */
      readonly deliveryId: string | null;
      readonly parcels: readonly ParcelReport[];
    }
  /** An event type the product does not use: accepted, counted, and forgotten. */
  | { readonly outcome: 'ignored'; readonly reason: string }
  | { readonly outcome: 'malformed'; readonly errors: readonly FieldError[] };

/** One source of webhooks: a carrier or an aggregator. Everything in an adapter is pure. */
export interface CarrierAdapter {
  /** The name in `POST /webhooks/{source}`. */
  readonly source: string;
  /** The environment variable that holds the secrets, comma-separated while keys rotate. */
  readonly secretVariable: string;
  /** True when the signature over the raw bytes matches one of the secrets. Constant time; never throws. */
  verify(rawBody: Buffer, headers: IncomingHttpHeaders, secrets: readonly string[]): boolean;
  /** Turns a parsed JSON document into reports. Unknown codes become `unknown`; never throws. */
  parse(document: unknown): ParseOutcome;
}
