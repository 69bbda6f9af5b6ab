import { isOfCarrier } from './carrier-family.js';
import type { Interval } from './event-interval.js';
import { splitIntoLives } from './lives.js';
import type { TrackingStatus } from './tracking-event.js';

/** A parcel as far as finding its scans goes. */
export interface RegisteredParcel {
  readonly id: string;
  readonly carrierKey: string;
  readonly trackingKey: string;
  readonly placedAt: Date | null;
  /** Until when it was promised: about when it travels, where nobody said when it was ordered. */
  readonly promisedUntil: Date;
  /** Other names of the carrier under which scans were found to be this parcel's. */
  readonly aliasKeys: readonly string[];
}

export interface MatchableScan {
  readonly carrierKey: string;
  readonly trackingKey: string;
  /** The carrier itself said so. */
  readonly firstHand: boolean;
  readonly status: TrackingStatus;
  readonly interval: Interval;
}

/**
 * Carriers use a number again after months. A scan this long before the order was placed belongs to an earlier life of the
 * number, and orders further apart than this do not share a box. Shorter, and a shop that tells us late when an order was
 * placed loses scans; longer, and the past of a number judges a new order.
 */
const RECYCLED_AFTER_MS = 30 * 24 * 60 * 60 * 1000;

/**
 * Which scans are whose. A scan belongs to the parcel with its number and carrier. Aggregators spell carriers in their own
 * ways: where all registered parcels with the number are of one carrier, that one it is, whatever it is called. A carrier
 * that speaks for itself speaks of its own parcels alone.
 *
 * What was matched so stays so (`aliasKeys`), though another parcel with the number may be registered later. Orders that share
 * a box share its scans; a number that came back after months belongs to the order whose time it fits, and an order whose
 * parcel has ended its journey gets nothing of the next parcel with that number.
 * @returns by parcel id, only parcels that have scans
 */
export function matchScans<S extends MatchableScan>(
  parcels: readonly RegisteredParcel[],
  scans: readonly S[],
): Map<string, S[]> {
  const byNumber = groupBy(parcels, (parcel) => parcel.trackingKey);
  const offers = new Map<string, Offer[]>();
  const offered = new Map<string, S[]>();
  for (const scan of scans) {
    // All scans that bear the same names are offered to the same parcels.
    const names = `${scan.trackingKey}\n${scan.carrierKey}\n${scan.firstHand}`;
    const known = offers.get(names) ?? offersOf(candidatesFor(scan, byNumber.get(scan.trackingKey) ?? []));
    offers.set(names, known);
    for (const { parcel, from, until } of known) {
      if (scan.interval.latest.getTime() < from || scan.interval.earliest.getTime() >= until) continue;
      const scansOfParcel = offered.get(parcel.id);
      if (scansOfParcel) scansOfParcel.push(scan);
      else offered.set(parcel.id, [scan]);
    }
  }
  const matched = new Map<string, S[]>();
  for (const parcel of parcels) {
    const ofNumber = offered.get(parcel.id);
    if (ofNumber) matched.set(parcel.id, ownLife(parcel, ofNumber));
  }
  return matched;
}

function candidatesFor(scan: MatchableScan, sameNumber: readonly RegisteredParcel[]): readonly RegisteredParcel[] {
  if (scan.firstHand) return sameNumber.filter((parcel) => isOfCarrier(parcel.carrierKey, scan.carrierKey));
  const sameCarrier = sameNumber.filter(
    (parcel) => parcel.carrierKey === scan.carrierKey || parcel.aliasKeys.includes(scan.carrierKey),
  );
  if (sameCarrier.length > 0) return sameCarrier;
  return sameNumber.every(({ carrierKey }) => carrierKey === sameNumber[0]?.carrierKey) ? sameNumber : [];
}

/** A parcel, and between which instants a scan can be its own; in epoch milliseconds. */
interface Offer {
  readonly parcel: RegisteredParcel;
  readonly from: number;
  readonly until: number;
}

/** From some time before the order was placed until the next order with this number was, if that came much later. */
function offersOf(candidates: readonly RegisteredParcel[]): Offer[] {
  const placed = candidates.flatMap(({ placedAt }) => (placedAt === null ? [] : placedAt.getTime()));
  placed.sort((a, b) => a - b);
  const sorted = [...candidates].sort((a, b) => (a.placedAt?.getTime() ?? 0) - (b.placedAt?.getTime() ?? 0));
  let next = 0;
  return sorted.map((parcel) => {
    if (parcel.placedAt === null) {
      return { parcel, from: Number.NEGATIVE_INFINITY, until: Number.POSITIVE_INFINITY };
    }
    const at = parcel.placedAt.getTime();
    while (next < placed.length && (placed[next] ?? 0) - at <= RECYCLED_AFTER_MS) next++;
    return { parcel, from: at - RECYCLED_AFTER_MS, until: placed[next] ?? Number.POSITIVE_INFINITY };
  });
}

/** Of the journeys under the number, the one of this parcel: the first that was not over before the order was placed. */
function ownLife<S extends MatchableScan>({ placedAt, promisedUntil }: RegisteredParcel, scans: readonly S[]): S[] {
  const lives = splitIntoLives(scans);
  if (lives.length === 1) return [...scans];
  const distance = ({ beganAt, lastAt }: { beganAt: number; lastAt: number }): number =>
    Math.max(beganAt - promisedUntil.getTime(), promisedUntil.getTime() - lastAt, 0);
  const own =
    placedAt === null
      ? lives.reduce((nearest, life) => (distance(life) < distance(nearest) ? life : nearest))
      : (lives.find(({ lastAt }) => lastAt >= placedAt.getTime()) ?? lives.at(-1));
  return own ? [...own.scans] : [];
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}
