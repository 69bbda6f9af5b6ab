import type { Meaning } from '../adapter.js';
import { lookUpIn, orWeather, UNKNOWN } from '../meanings.js';

/** Ship24's `statusMilestone`, all documented values: how the parcel as a whole stood at the time of the event. */
export const MILESTONES: Readonly<Record<string, Meaning>> = {
  pending: { status: 'pre_transit', exception: null },
  info_received: { status: 'pre_transit', exception: null },
  in_transit: { status: 'in_transit', exception: null },
  out_for_delivery: { status: 'out_for_delivery', exception: null },
  failed_attempt: { status: 'attempted', exception: null },
  available_for_pickup: { status: 'available_for_pickup', exception: null },
  delivered: { status: 'delivered', exception: null },
  exception: { status: 'exception', exception: 'other' },
};

/**
 * Ship24's `statusCode`, all documented values: what the event itself means. Null: about data and not about the parcel,
 * so the milestone decides.
 */
export const STATUS_CODES: Readonly<Record<string, Meaning | null>> = {
  data_order_created: { status: 'pre_transit', exception: null },
  data_order_cancelled: { status: 'cancelled', exception: null },
  data_delivery_proposed: null,
  data_delivery_decided: null,
  transit_handover: { status: 'in_transit', exception: null },
  transit_origin_country_departure: { status: 'in_transit', exception: null },
  destination_arrival: { status: 'in_transit', exception: null },
  customs_received: { status: 'in_transit', exception: null },
  customs_exception: { status: 'exception', exception: 'customs' },
  customs_rejected: { status: 'exception', exception: 'customs' },
  customs_cleared: { status: 'in_transit', exception: null },
  delivery_available_for_pickup: { status: 'available_for_pickup', exception: null },
  delivery_out_for_delivery: { status: 'out_for_delivery', exception: null },
  delivery_attempted: { status: 'attempted', exception: null },
  delivery_exception: { status: 'exception', exception: 'other' },
  delivery_refused: { status: 'exception', exception: 'refused' },
  delivery_delivered: { status: 'delivered', exception: null },
  exception_return: { status: 'return_to_sender', exception: null },
  exception_lost: { status: 'exception', exception: 'lost' },
  exception_discarded: { status: 'exception', exception: 'disposed' },
};

const RETURN: Meaning = { status: 'return_to_sender', exception: null };

const meaningOfMilestone = lookUpIn(MILESTONES);
const meaningOfCode = lookUpIn(STATUS_CODES);

interface Words {
  readonly milestone: string | null;
  readonly code: string | null;
  readonly text: string | null;
}

/**
 * The meaning of an event's words; null where they name no status at all. The code goes before the milestone, except that
 * what was delivered stays delivered, and that `delivery_exception`, which names no kind, leaves a failed attempt an
 * attempt. Words we do not know say nothing: an unknown code leaves the milestone, an unknown milestone is `unknown`. The
 * text is the last resort, only where the words name no kind of exception.
 */
export function meaningOf({ milestone, code, text }: Words): Meaning | null {
  const coarse = milestone === null ? null : (meaningOfMilestone(milestone) ?? UNKNOWN);
  if (coarse?.status === 'delivered') return coarse;
  const detailed = code === null ? null : meaningOfCode(code);
  const meaning = detailed === undefined ? (coarse ?? UNKNOWN) : (detailed ?? coarse);
  if (milestone === 'exception' && isReturn(meaning, text)) return RETURN;
  return meaning?.exception === 'other' && coarse?.status === 'attempted' ? coarse : orWeather(meaning, text);
}

/**
 * The milestone `exception` stands for what will not be put right. Beside it a return is one to the sender (else it may
 * be one to the depot), and a delivery of which the text says so is the delivery to the sender.
 */
function isReturn(meaning: Meaning | null, text: string | null): boolean {
  return (meaning?.exception === 'other' || meaning?.status === 'delivered') && /return/i.test(text ?? '');
}

/**
 * The word that is in neither table, the code before the milestone, because it decides first; null when all are known.
 */
export function unrecognisedOf({ milestone, code }: Omit<Words, 'text'>): string | null {
  if (code !== null && meaningOfCode(code) === undefined) return code;
  return milestone !== null && meaningOfMilestone(milestone) === undefined ? milestone : null;
}
