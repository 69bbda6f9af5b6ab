import type { Interval } from './event-interval.js';

/** A parcel as far as finding its scans goes. */
export interface RegisteredParcel {
  readonly id: string;
  readonly carrierKey: string;
  readonly trackingKey: string;
  readonly placedAt: Date | null;
  /** Other names of the carrier under which scans were found to be this parcel's. */
  readonly aliasKeys: readonly string[];
}

export interface MatchableScan {
  readonly carrierKey: string;
  readonly trackingKey: string;
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
 * ways: where only one registered parcel has the number, that one it is, whatever the carrier is called.
 * What was matched so stays so (`aliasKeys`), though another parcel with the number may be registered later. Orders that share
 * a box share its scans; a number that came back after months belongs to the order whose time it fits.
 * @returns by parcel id, only parcels that have scans
 */
export function matchScans<S extends MatchableScan>(
  parcels: readonly RegisteredParcel[],
  scans: readonly S[],
): Map<string, S[]> {
  const byNumber = groupBy(parcels, (parcel) => parcel.trackingKey);
  const matched = new Map<string, S[]>();
  for (const scan of scans) {
    const sameNumber = byNumber.get(scan.trackingKey) ?? [];
    const sameCarrier = sameNumber.filter(
      (parcel) => parcel.carrierKey === scan.carrierKey || parcel.aliasKeys.includes(scan.carrierKey),
    );
    const candidates = sameCarrier.length > 0 ? sameCarrier : sameNumber.length === 1 ? sameNumber : [];
    for (const parcel of candidates) {
      if (!fits(parcel, candidates, scan.interval)) continue;
      const scansOfParcel = matched.get(parcel.id);
      if (scansOfParcel) scansOfParcel.push(scan);
      else matched.set(parcel.id, [scan]);
    }
  }
  return matched;
}

function fits(
  parcel: RegisteredParcel,
  candidates: readonly RegisteredParcel[],
  { earliest, latest }: Interval,
): boolean {
  if (parcel.placedAt === null) return true;
  const placed = parcel.placedAt.getTime();
  if (latest.getTime() < placed - RECYCLED_AFTER_MS) return false;
  return !candidates.some(
    (other) =>
      other.placedAt !== null &&
      other.placedAt.getTime() - placed > RECYCLED_AFTER_MS &&
      earliest.getTime() >= other.placedAt.getTime(),
  );
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
