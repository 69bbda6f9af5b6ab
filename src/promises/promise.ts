/**
 * What the customer was first told: a calendar date, kept until that local day ends at the destination, or an instant,
 * kept up to and including it. `timeZone` is the destination's IANA zone. A promise never changes.
 */
export type DeliveryPromise =
  | { readonly on: string; readonly timeZone: string }
  | { readonly at: Date; readonly timeZone: string };
