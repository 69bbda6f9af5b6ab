import { nominalTimeOf } from './event-interval.js';
import type { ToldScan } from './told-scans.js';
import type { EventTime, TrackingStatus } from './tracking-event.js';

/** A scan as far as finding out goes whether its source has corrected it. */
export interface CorrectableScan {
  readonly scanKey: string;
  readonly source: string;
  readonly carrierKey: string;
  readonly trackingKey: string;
  readonly status: TrackingStatus;
  readonly time: EventTime;
}

/**
 * The scans that their own source has corrected. Such a scan was left out by a snapshot that goes back to its time and is newer
 * than every snapshot that had it, and that told another for the first time, in its place: of the very same time, or, of a
 * delivery, another delivery, because there is only one.
 *
 * A scan that is left out and replaced by nothing stays: a list that was cut short must not take back a delivery, and a wrong
 * apology is worse than none. What was told is known by the source's clock, not by arrival, so neither does this depend on it.
 * @param told by scan key, what the snapshots of the scan's source have told of it; scans that are not there stay
 * @returns keys of scans
 */
export function findSuperseded(
  scans: readonly CorrectableScan[],
  told: ReadonlyMap<string, ToldScan>,
): ReadonlySet<string> {
  const superseded = new Set<string>();
  const byHistory = new Map<string, { scan: CorrectableScan; told: ToldScan }[]>();
  for (const scan of scans) {
    const ofScan = told.get(scan.scanKey);
    if (ofScan === undefined) continue;
    const key = `${scan.trackingKey}\n${scan.source}\n${scan.carrierKey}`;
    const history = byHistory.get(key);
    if (history) history.push({ scan, told: ofScan });
    else byHistory.set(key, [{ scan, told: ofScan }]);
  }
  for (const history of byHistory.values()) {
    for (const { scan, told: last } of history) {
      const at = nominalTimeOf(scan.time);
      const isReplaced = history.some(
        ({ scan: other, told: first }) =>
          first.firstToldAt > last.lastToldAt && first.firstReachesBackTo <= at && standsInPlaceOf(other, scan),
      );
      if (isReplaced) superseded.add(scan.scanKey);
    }
  }
  return superseded;
}

function standsInPlaceOf(other: CorrectableScan, scan: CorrectableScan): boolean {
  return (other.status === 'delivered' && scan.status === 'delivered') || isSameInstant(other.time, scan.time);
}

/** Two dates alone are not one time: a day holds many scans. */
function isSameInstant(a: EventTime, b: EventTime): boolean {
  if ('at' in a) return 'at' in b && a.at.getTime() === b.at.getTime();
  return 'local' in a && 'local' in b && a.local === b.local && a.timeZone === b.timeZone;
}
