import type { EventTime } from '../shipments/tracking-event.js';
import type { Meaning, ParcelReport, Scan } from './adapter.js';
import { UNKNOWN } from './meanings.js';
import type { WireTime } from './wire-time.js';

/** A scan in its source's words, with what they mean by themselves. */
export interface WireScan extends WireTime {
  /** Null: its own words name no status. */
  readonly meaning: Meaning | null;
  readonly code: string;
  readonly text: string | null;
  readonly place: string | null;
  readonly unrecognised: string | null;
  /** Set where the meaning is not of its own words already. */
  readonly isBorrowed?: boolean;
}

/**
 * Puts a report together: each scan once, with its status.
 *
 * The status of the parcel as a whole speaks for the latest scan alone, and only where that scan names none: it repeats what a
 * scan said, so it makes no event by itself. A scan's code never borrows from it, because the same scan must look the same
 * in the next snapshot.
 *
 * @param parts.headline what the status of the whole means for this scan; null: nothing, or there is none
 * @param parts.newestFirst of two scans at the same time, which is the latest: the first in the list, or the last
 * @param parts.takenAt when the source says that it made the report, in epoch milliseconds; null: it does not say
 * @param parts.snapshot whether the scans are the whole history that the source knows
 */
export function reportOf(parts: {
  readonly carrier: string;
  readonly trackingNumber: string;
  readonly estimate: ParcelReport['estimate'];
  readonly scans: readonly WireScan[];
  readonly headline?: (latest: WireScan) => Meaning | null;
  readonly newestFirst?: boolean;
  readonly takenAt?: number | null;
  readonly snapshot: boolean;
}): ParcelReport {
  const scans = eachOnce(parts.scans);
  const latest = latestOf(scans, parts.newestFirst ?? false);
  const takenAt = parts.takenAt ?? null;
  // The newest scan only stands in: a scan that is dated in the future must not make a report newer than it says it is.
  const reportedAt = takenAt ?? latest?.order ?? 0;
  let oldest = reportedAt;
  for (const { order } of scans) if (order < oldest) oldest = order;
  return {
    carrier: parts.carrier,
    trackingNumber: parts.trackingNumber,
    estimate: parts.estimate,
    reportedAt: new Date(reportedAt),
    scans: scans.map((scan) => {
      const headline = scan === latest && scan.meaning === null ? (parts.headline?.(scan) ?? null) : null;
      return toScan(scan, headline);
    }),
    snapshot: parts.snapshot && takenAt !== null ? { reachesBackTo: new Date(oldest) } : null,
  };
}

function toScan(scan: WireScan, headline: Meaning | null): Scan {
  const { time, code, text, place, unrecognised } = scan;
  const { status, exception } = scan.meaning ?? headline ?? UNKNOWN;
  const isBorrowed = scan.isBorrowed ?? (headline !== null && status !== 'unknown');
  return { status, time, exception, disputed: false, code, text, place, isBorrowed, unrecognised };
}

/** Of two scans at the same time the first in the list where lists begin with the newest, else the last. */
export function latestOf<S extends WireTime>(scans: readonly S[], newestFirst: boolean): S | undefined {
  let latest: S | undefined;
  for (const scan of scans) {
    if (latest === undefined || scan.order > latest.order || (scan.order === latest.order && !newestFirst))
      latest = scan;
  }
  return latest;
}

/** Most histories are short: comparing each pair is faster than making keys. */
const LONG_HISTORY = 50;

function eachOnce(scans: readonly WireScan[]): WireScan[] {
  if (scans.length > LONG_HISTORY) {
    const byKey = new Map<string, WireScan>();
    for (const scan of scans) {
      const key = JSON.stringify([scan.time, scan.code, scan.text, scan.place]);
      if (!byKey.has(key)) byKey.set(key, scan);
    }
    return [...byKey.values()];
  }
  const once: WireScan[] = [];
  for (const scan of scans) {
    if (!once.some((known) => isSame(known, scan))) once.push(scan);
  }
  return once;
}

/** As `scanKeyOf` sees it. */
function isSame(a: WireScan, b: WireScan): boolean {
  return (
    a.order === b.order && a.code === b.code && a.text === b.text && a.place === b.place && isSameTime(a.time, b.time)
  );
}

/** An instant and a wall-clock reading with the same digits are two different statements. */
export function isSameTime(a: EventTime, b: EventTime): boolean {
  if ('at' in a) return 'at' in b && a.at.getTime() === b.at.getTime();
  if ('local' in a) return 'local' in b && a.local === b.local && a.timeZone === b.timeZone;
  return 'on' in b && a.on === b.on && a.timeZone === b.timeZone;
}
