import type { Meaning } from '../adapter.js';
import { lookUpIn, UNKNOWN } from '../meanings.js';

/**
 * Sendcloud's `parcel.status.id`, all documented values, each with its message as Sendcloud writes it. Null: somebody asked
 * for something, and nothing has happened to the parcel yet.
 */
export const STATUSES: Readonly<Record<string, Meaning | null>> = {
  /** Announced */
  1: { status: 'pre_transit', exception: null },
  /** En route to sorting center */
  3: { status: 'in_transit', exception: null },
  /** Delivery delayed */
  4: { status: 'exception', exception: 'delay' },
  /** Sorted */
  5: { status: 'in_transit', exception: null },
  /** Not sorted */
  6: { status: 'in_transit', exception: null },
  /** Being sorted */
  7: { status: 'in_transit', exception: null },
  /** Delivery attempt failed */
  8: { status: 'attempted', exception: null },
  /** Delivered */
  11: { status: 'delivered', exception: null },
  /** Awaiting customer pickup */
  12: { status: 'available_for_pickup', exception: null },
  /** Announced: not collected */
  13: { status: 'pre_transit', exception: null },
  /** Error collecting */
  15: { status: 'exception', exception: 'other' },
  /** Shipment picked up by driver */
  22: { status: 'in_transit', exception: null },
  /** Unable to deliver */
  80: { status: 'exception', exception: 'other' },
  /** Parcel en route */
  91: { status: 'in_transit', exception: null },
  /** Driver en route */
  92: { status: 'out_for_delivery', exception: null },
  /** Shipment collected by customer */
  93: { status: 'delivered', exception: null },
  /** No label */
  999: { status: 'pre_transit', exception: null },
  /** Ready to send */
  1000: { status: 'pre_transit', exception: null },
  /** Being announced */
  1001: { status: 'pre_transit', exception: null },
  /** Announcement failed */
  1002: { status: 'pre_transit', exception: null },
  /** Unknown status */
  1337: { status: 'unknown', exception: null },
  /** Cancelled upstream */
  1998: { status: 'cancelled', exception: null },
  /** Cancellation requested */
  1999: null,
  /** Cancelled */
  2000: { status: 'cancelled', exception: null },
  /** Submitting cancellation request */
  2001: null,
  /** At customs */
  62989: { status: 'in_transit', exception: null },
  /** At sorting centre */
  62990: { status: 'in_transit', exception: null },
  /** Refused by recipient */
  62991: { status: 'exception', exception: 'refused' },
  /** Returned to sender */
  62992: { status: 'return_to_sender', exception: null },
  /** Exception */
  62996: { status: 'exception', exception: 'other' },
};

/** Before the carrier has given a parcel its number: no label, being announced, announcement failed. */
const UNNUMBERED: ReadonlySet<string> = new Set(['999', '1001', '1002']);

const WEATHER: Meaning = { status: 'exception', exception: 'weather' };

const meaningOfId = lookUpIn(STATUSES);

/** True of a status that only asks for something: no event. */
export function isRequest(id: string | null): boolean {
  return id !== null && meaningOfId(id) === null;
}

/** True of a status that a parcel can have before it has a tracking number. */
export function comesBeforeTheNumber(id: string | null): boolean {
  return id !== null && UNNUMBERED.has(id);
}

/**
 * The meaning of a status; null where it names none. The id decides whatever the message says, because test calls come with
 * messages of other ids; an unknown id is `unknown`. Only where an id names no kind of exception may the message tell of weather.
 */
export function meaningOf({ id, text }: { readonly id: string | null; readonly text: string | null }): Meaning | null {
  const meaning = id === null ? null : (meaningOfId(id) ?? UNKNOWN);
  return meaning?.exception === 'other' && /weather/i.test(text ?? '') ? WEATHER : meaning;
}

/** The id that is not in the table; null when it is, and when there is none. */
export function unrecognisedOf(id: string | null): string | null {
  return id !== null && meaningOfId(id) === undefined ? id : null;
}
