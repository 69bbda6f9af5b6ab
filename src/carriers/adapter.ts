import type { IncomingHttpHeaders } from 'node:http';
import type { FieldError } from '../errors.js';
import type { TrackingEvent } from '../shipments/tracking-event.js';

/** What a source's words come to in ours. */
export type Meaning = Pick<TrackingEvent, 'status' | 'exception'>;

/** A scan as a source reported it: the normalised event, and the source's own words, kept as sent. */
export interface Scan extends TrackingEvent {
  /** The source's own code or status, e.g. `in_transit/arrived_at_facility`. */
  readonly code: string;
  readonly text: string | null;
  readonly place: string | null;
  /** Its own words name no status: it is that of the parcel as a whole, as of this report. A newer report may lend another. */
  readonly isBorrowed: boolean;
  /** The word among them that our table of this source does not have: counted, and shown by `makegood doctor`. */
  readonly unrecognised: string | null;
}

/** What one webhook says about one parcel. */
export interface ParcelReport {
  /** Carrier name as sent. Matching ignores case and everything but letters and digits. */
  readonly carrier: string;
  /** Tracking number as sent. Matching ignores case, spaces and hyphens. */
  readonly trackingNumber: string;
  /** The carrier's current guess: a date alone, or an instant. Never moves the promise. */
  readonly estimate: { readonly on: string } | { readonly at: Date } | null;
  /**
   * As of when the source speaks: its own word, else the time of its newest scan (a wall-clock reading counts as UTC: only
   * reports of one source and parcel are compared). Never the time of arrival: the order of arrival says nothing.
   */
  readonly reportedAt: Date;
  /** In the order sent, each once. */
  readonly scans: readonly Scan[];
  /**
   * Set where the scans are the whole history as the source knew it at `reportedAt`, by its own clock: what a newer one tells
   * otherwise, it corrects. Null where the report holds changes alone, or the source does not say as of when it speaks:
   * then nothing follows from what it leaves out.
   */
  readonly snapshot: Snapshot | null;
}

export interface Snapshot {
  /** The oldest time it tells of, read as `reportedAt` is. About anything older it is silent: some sources cut their lists. */
  readonly reachesBackTo: Date;
}

export type ParseOutcome =
  | {
      readonly outcome: 'parsed';
      /** The provider's id of this delivery, kept to find it by; a repeat is recognised by its bytes. */
      readonly deliveryId: string | null;
      readonly parcels: readonly ParcelReport[];
    }
  /** An event type the product does not use: accepted, counted, and forgotten. */
  | { readonly outcome: 'ignored'; readonly reason: string }
  /** The source sets up or ends its subscription: no scan, but somebody may have to act on it. */
  | { readonly outcome: 'handshake'; readonly handshake: Handshake }
  | { readonly outcome: 'malformed'; readonly errors: readonly FieldError[] };

/** A step of a source's subscription. */
export interface Handshake {
  /** The source's name of the subscription. */
  readonly subscription: string;
  /** `validate`: it waits to be activated with the secret; `ready`: it sends; `failure`: it does not. */
  readonly state: 'validate' | 'ready' | 'failure';
  readonly secret: string | null;
}

/** Whether the sender is who it says. `unknown_key`: signed with a key that is not in the key set (which may be stale). */
export type Verification = 'verified' | 'refused' | 'unknown_key';

/** A request as it came, and what it is checked against. */
export interface WebhookRequest {
  readonly rawBody: Buffer;
  readonly headers: IncomingHttpHeaders;
  /** Any of them may match. Of a source with `secretKind` `key_set`, each is a JWKS document. */
  readonly secrets: readonly string[];
  /** For signatures that are good for some minutes only. */
  readonly now: Date;
}

/** A check of the sender. Constant time; never throws. */
export type Verifier =
  | { readonly over: 'bytes'; verify(request: WebhookRequest): Verification }
  /** The signature is over values inside the document: it has to be parsed first. */
  | {
      readonly over: 'document';
      /** Whether a signature was sent at all: without one, nothing is parsed. */
      hasSignature(headers: IncomingHttpHeaders): boolean;
      verify(request: WebhookRequest & { readonly document: unknown }): Verification;
    };

/** One source of webhooks: a carrier or an aggregator. Everything in an adapter is pure. */
export interface CarrierAdapter {
  /** The name in `POST /webhooks/{source}`. */
  readonly source: string;
  /** Its name as its owner writes it. */
  readonly title: string;
  /** The environment variable that holds the secrets, comma-separated while keys rotate. */
  readonly secretVariable: string;
  /** `key_set`: the variable names a JSON Web Key Set, by its URL or as the document itself. */
  readonly secretKind: 'text' | 'key_set';
  /** The carrier that this source is: it attaches to parcels of that carrier alone. Null: an aggregator. */
  readonly carrier: string | null;
  /**
   * `signed`: the signature covers what is said. `hint`: it covers nothing, or a timestamp alone; all that stands behind the
   * content is a static secret, without which nothing is taken.
   */
  readonly trust: 'signed' | 'hint';
  /** What the scheme leaves unproven, for whoever runs the shop: a sentence; null where it leaves nothing. */
  readonly weakness: string | null;
  /** Whether the source asks with HEAD if the address is there. */
  readonly answersHead: boolean;
  readonly verifier: Verifier;
  /** Turns a parsed JSON document into reports. Unknown codes become `unknown`; never throws. */
  parse(document: unknown): ParseOutcome;
  /**
   * The headers with which the source would send this body: for `makegood send`, the demo and tests, which play it.
   * @param request.secret as in the variable; of a source with `secretKind` `key_set`, the private key (a JWK with its `kid`)
   * @throws AppError `invalid_request` when the body or the key is none that the source could sign
   */
  sign(request: { readonly rawBody: Buffer; readonly secret: string; readonly now: Date }): Record<string, string>;
}
