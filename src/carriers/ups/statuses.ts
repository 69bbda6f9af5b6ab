import type { Meaning } from '../adapter.js';
import { codeOf } from '../detail-before-status.js';
import { lookUpIn, UNKNOWN, WEATHER } from '../meanings.js';

/**
 * UPS's `activityStatus.type`, all documented values (`TrackingEventRequest` in UPS's Track Alert OpenAPI document). `D` is
 * everything about the last stretch, loaded and out for delivery too: without a code it says nothing.
 */
export const TYPES: Readonly<Record<string, Meaning>> = {
  M: { status: 'pre_transit', exception: null },
  MV: { status: 'cancelled', exception: null },
  X: { status: 'exception', exception: 'other' },
  I: { status: 'in_transit', exception: null },
  U: { status: 'in_transit', exception: null },
  D: UNKNOWN,
};

/**
 * UPS's `activityStatus.code`, those whose meaning is known: there are hundreds. Null: it names no status of its own, so the
 * type decides, and of an exception the text.
 */
export const CODES: Readonly<Record<string, Meaning | null>> = {
  OR: { status: 'in_transit', exception: null },
  PU: { status: 'in_transit', exception: null },
  OC: { status: 'in_transit', exception: null },
  OG: { status: 'in_transit', exception: null },
  DP: { status: 'in_transit', exception: null },
  AR: { status: 'in_transit', exception: null },
  AF: { status: 'in_transit', exception: null },
  OT: { status: 'out_for_delivery', exception: null },
  OD: { status: 'out_for_delivery', exception: null },
  OF: { status: 'out_for_delivery', exception: null },
  FS: { status: 'delivered', exception: null },
  KB: { status: 'delivered', exception: null },
  F4: { status: 'delivered', exception: null },
  RP: { status: 'available_for_pickup', exception: null },
  AC: { status: 'available_for_pickup', exception: null },
  WC: { status: 'available_for_pickup', exception: null },
  RS: { status: 'return_to_sender', exception: null },
  RT: { status: 'return_to_sender', exception: null },
  RU: { status: 'return_to_sender', exception: null },
  RH: { status: 'return_to_sender', exception: null },
  RF: { status: 'exception', exception: 'refused' },
  VD: { status: 'cancelled', exception: null },
  CA: { status: 'cancelled', exception: null },
  DY: { status: 'exception', exception: 'delay' },
  DE: { status: 'exception', exception: 'delay' },
  SD: { status: 'exception', exception: 'delay' },
  DU: null,
  '48': null,
};

const ATTEMPTED: Meaning = { status: 'attempted', exception: null };

const meaningOfType = lookUpIn(TYPES);
const meaningOfCode = lookUpIn(CODES);

interface Words {
  readonly type: string | null;
  readonly code: string | null;
  readonly text: string | null;
}

/**
 * The meaning of a scan's words; null where it has none. The code goes before the type, with three exceptions: a schedule
 * change (`U`) changes nothing but the schedule; a delivery is one beside type `D` alone; and a code that only says where
 * the parcel is hides neither an exception nor a void, nor that there is no more than a label. Words we do not know leave what the others say.
 */
export function meaningOf({ type, code, text }: Words): Meaning | null {
  if (type === null && code === null) return null;
  const coarse = type === null ? UNKNOWN : (meaningOfType(type) ?? UNKNOWN);
  if (type === 'U' || code === null) return withText(coarse, type, text);
  const detailed = meaningOfCode(code) ?? coarse;
  return withText(outweighs(detailed, coarse, type) ? detailed : coarse, type, text);
}

function outweighs(detailed: Meaning, coarse: Meaning, type: string | null): boolean {
  if (detailed.status === 'delivered') return type === 'D';
  if (detailed.status !== 'in_transit' && detailed.status !== 'out_for_delivery') return true;
  return coarse.status !== 'exception' && coarse.status !== 'cancelled' && coarse.status !== 'pre_transit';
}

/**
 * The text is the last resort: it says which exception, where the code says no more than that there is one or that it will
 * take longer. Weather goes before an attempt, because a delay often announces the next attempt.
 */
function withText(meaning: Meaning, type: string | null, text: string | null): Meaning {
  if (text === null || (meaning.exception !== 'other' && meaning.exception !== 'delay')) return meaning;
  const lower = text.toLowerCase();
  if (lower.includes('weather')) return WEATHER;
  const tried = lower.includes('attempt') || lower.includes('notice left') || lower.includes('not available');
  return tried && type === 'X' ? ATTEMPTED : meaning;
}

/**
 * The word that is in neither table, the type before the code; null when all are known. A delivery code beside a type
 * other than `D` counts as not known: one of the two is not what we take it for.
 */
export function unrecognisedOf({ type, code }: Omit<Words, 'text'>): string | null {
  if (type !== null && meaningOfType(type) === undefined) return type;
  if (code === null) return null;
  const detailed = meaningOfCode(code);
  const isKnown = detailed !== undefined && (detailed?.status !== 'delivered' || type === 'D');
  return isKnown ? null : codeOf(type, code);
}
