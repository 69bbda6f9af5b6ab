import type { Meaning } from '../adapter.js';
import { lookUpIn, UNKNOWN, WEATHER } from '../meanings.js';

/** DHL's `statusCode`, all documented values (Shipment Tracking – Unified Push). */
export const STATUS_CODES: Readonly<Record<string, Meaning>> = {
  'pre-transit': { status: 'pre_transit', exception: null },
  transit: { status: 'in_transit', exception: null },
  delivered: { status: 'delivered', exception: null },
  failure: { status: 'exception', exception: 'other' },
  unknown: UNKNOWN,
};

const OUT_FOR_DELIVERY: Meaning = { status: 'out_for_delivery', exception: null };
const AVAILABLE_FOR_PICKUP: Meaning = { status: 'available_for_pickup', exception: null };
const ATTEMPTED: Meaning = { status: 'attempted', exception: null };
const RETURN_TO_SENDER: Meaning = { status: 'return_to_sender', exception: null };

const byCode = lookUpIn(STATUS_CODES);

/** Subscriptions name the same codes as `Transit`, `Pre-Transit` …: how they are spelt decides nothing. */
function meaningOfCode(statusCode: string): Meaning | undefined {
  return byCode(statusCode) ?? byCode(statusCode.toLowerCase());
}

interface Words {
  readonly statusCode: string | null;
  readonly status: string | null;
  readonly description: string | null;
}

/**
 * The meaning of a scan's words; null where they name no status. DHL's five codes are coarse: what they leave open is in free
 * text alone, the description before the status. It counts beside `transit` and `failure`, and where the code says nothing.
 */
export function meaningOf({ statusCode, status, description }: Words): Meaning | null {
  const coarse = statusCode === null ? null : (meaningOfCode(statusCode) ?? UNKNOWN);
  const inText = readerOfText(coarse);
  if (inText === null) return coarse;
  return (
    (description === null ? null : inText(description.toLowerCase())) ??
    (status === null ? null : inText(status.toLowerCase())) ??
    coarse
  );
}

function readerOfText(coarse: Meaning | null): ((text: string) => Meaning | null) | null {
  if (coarse === null || coarse.status === 'in_transit' || coarse.status === 'unknown') return meaningInTransit;
  return coarse.status === 'exception' ? meaningOfFailure : null;
}

/** The word that is not in the table; null when it is, or when there is none. */
export function unrecognisedOf({ statusCode }: Pick<Words, 'statusCode'>): string | null {
  return statusCode !== null && meaningOfCode(statusCode) === undefined ? statusCode : null;
}

const AT_PICKUP_POINT = ['pickup', 'pick-up', 'pick up', 'collection'].flatMap((what) => [
  `available for ${what}`,
  `ready for ${what}`,
]);
const TO_WHOM = ['to sender', 'to the sender', 'to shipper', 'to the shipper'];
/** Somebody, not something: details are not available either, and nobody stood at the door. */
const NOBODY_THERE = ['recipient', 'receiver', 'consignee', 'addressee', 'customer'].flatMap((who) => [
  `${who} not available`,
  `${who} is not available`,
  `${who} was not available`,
]);
const TRIED = ['attempt', 'notice left', ...NOBODY_THERE];

/**
 * What a moving parcel's text says has happened. An attempt and a pickup point keep a promise, so what a text only
 * announces or denies must not count.
 */
function meaningInTransit(text: string): Meaning | null {
  if (text.includes('out for delivery')) return OUT_FOR_DELIVERY;
  if (AT_PICKUP_POINT.some((phrase) => hasHappened(text, phrase))) return AVAILABLE_FOR_PICKUP;
  return TRIED.some((phrase) => hasHappened(text, phrase)) ? ATTEMPTED : null;
}

/**
 * Weather goes before an attempt, because a delay often announces the next attempt; and an attempt before a return, because
 * after an attempt parcels return to the depot, unless the text says to whom.
 */
function meaningOfFailure(text: string): Meaning | null {
  const returns = text.includes('return');
  if (returns && TO_WHOM.some((phrase) => text.includes(phrase))) return RETURN_TO_SENDER;
  if (text.includes('weather')) return WEATHER;
  if (text.includes('attempt') || text.includes('notice left') || text.includes('not available')) return ATTEMPTED;
  return returns ? RETURN_TO_SENDER : null;
}

/** Words that make a phrase a plan or a denial, right before it and right after: `will be available for pickup`. */
const NOT_AFTER = new Set('be not yet no next another new further second before will to if'.split(' '));
const NOT_BEFORE = new Set(['will', 'scheduled', 'planned']);

function hasHappened(text: string, phrase: string): boolean {
  for (let at = text.indexOf(phrase); at >= 0; at = text.indexOf(phrase, at + 1)) {
    // `another delivery attempt` is as much of a plan as `another attempt`.
    const before = text
      .slice(0, at)
      .trimEnd()
      .replace(/ ?\bdelivery$/, '');
    const after = text.slice(at + phrase.length).trimStart();
    const isPlan = NOT_AFTER.has(before.slice(before.lastIndexOf(' ') + 1)) || NOT_BEFORE.has(firstWordOf(after));
    if (!isPlan) return true;
  }
  return false;
}

function firstWordOf(text: string): string {
  const end = text.indexOf(' ');
  return end < 0 ? text : text.slice(0, end);
}
