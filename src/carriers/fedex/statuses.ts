import type { Meaning } from '../adapter.js';
import { lookUpIn, UNKNOWN, WEATHER } from '../meanings.js';

const PRE_TRANSIT: Meaning = { status: 'pre_transit', exception: null };
const IN_TRANSIT: Meaning = { status: 'in_transit', exception: null };
const OUT_FOR_DELIVERY: Meaning = { status: 'out_for_delivery', exception: null };
const PICKUP: Meaning = { status: 'available_for_pickup', exception: null };
const RETURN: Meaning = { status: 'return_to_sender', exception: null };
const DELAY: Meaning = { status: 'exception', exception: 'delay' };

/**
 * FedEx's scan and status codes (`eventType`, `derivedStatusCode`, `latestStatusDetail.code`), from its list of tracking status
 * codes. A code whose sense is not settled (a changed delivery option, a label sent by mail) is left out: it stays `unknown`.
 */
export const CODES: Readonly<Record<string, Meaning>> = {
  EP: PRE_TRANSIT,
  /** Stands as the derived code of OC alone. */
  IN: PRE_TRANSIT,
  MD: PRE_TRANSIT,
  OC: PRE_TRANSIT,
  OX: PRE_TRANSIT,
  AA: IN_TRANSIT,
  AC: IN_TRANSIT,
  AE: IN_TRANSIT,
  AF: IN_TRANSIT,
  AO: IN_TRANSIT,
  AP: IN_TRANSIT,
  AR: IN_TRANSIT,
  AX: IN_TRANSIT,
  CC: IN_TRANSIT,
  CP: IN_TRANSIT,
  DP: IN_TRANSIT,
  EA: IN_TRANSIT,
  EO: IN_TRANSIT,
  FD: IN_TRANSIT,
  IT: IN_TRANSIT,
  IX: IN_TRANSIT,
  LO: IN_TRANSIT,
  OF: IN_TRANSIT,
  PF: IN_TRANSIT,
  PL: IN_TRANSIT,
  PU: IN_TRANSIT,
  PX: IN_TRANSIT,
  SF: IN_TRANSIT,
  TR: IN_TRANSIT,
  AD: OUT_FOR_DELIVERY,
  ED: OUT_FOR_DELIVERY,
  OD: OUT_FOR_DELIVERY,
  DE: { status: 'attempted', exception: null },
  HL: PICKUP,
  HP: PICKUP,
  DL: { status: 'delivered', exception: null },
  CD: { status: 'exception', exception: 'customs' },
  HA: { status: 'exception', exception: 'held' },
  SE: { status: 'exception', exception: 'other' },
  DD: DELAY,
  DY: DELAY,
  PD: DELAY,
  PY: DELAY,
  RS: RETURN,
  RT: RETURN,
  CA: { status: 'cancelled', exception: null },
};

const meaningOfCode = lookUpIn(CODES);

/** The meaning of a code alone; null where there is none. A code that we do not know is `unknown`. */
export function meaningOf(code: string | null): Meaning | null {
  return code === null ? null : (meaningOfCode(code) ?? UNKNOWN);
}

/** The code, where the table does not have it. */
export function unrecognisedOf(code: string | null): string | null {
  return code !== null && meaningOfCode(code) === undefined ? code : null;
}

/**
 * What a scan means whose delay detail names the weather: a weather exception, unless its code says more. A parcel that was
 * delivered, waits at a counter or at customs, is called off or on its way back is so in any weather.
 */
export function inBadWeather(meaning: Meaning | null): Meaning {
  if (meaning?.exception === 'customs') return meaning;
  switch (meaning?.status) {
    case 'delivered':
    case 'available_for_pickup':
    case 'return_to_sender':
    case 'cancelled':
      return meaning;
    default:
      return WEATHER;
  }
}

/**
 * Free text is the last resort: it makes a scan a weather exception only where the scan tells of trouble, and its code does
 * not say of which kind. `DE` is such a code: a van that turned back in a storm attempted nothing.
 */
export function refinedByText(meaning: Meaning | null, text: string | null): Meaning | null {
  if (text === null || meaning === null) return meaning;
  const isTrouble = meaning.status === 'attempted' || (meaning.exception !== null && meaning.exception !== 'customs');
  return isTrouble && text.toLowerCase().includes('weather') ? WEATHER : meaning;
}
