import { nominalTimeOf } from './event-interval.js';
import type { EventTime } from './tracking-event.js';

/** A scan as far as finding out goes whether its source has corrected it. */
export interface CorrectableScan {
  readonly scanKey: string;
  readonly source: string;
  readonly carrierKey: string;
  readonly trackingKey: string;
  readonly historyId: string;
  readonly time: EventTime;
  readonly code: string;
}

/** The newest whole history that a source has sent of a parcel. */
export interface NewestSnapshot {
  readonly source: string;
  readonly carrierKey: string;
  readonly trackingKey: string;
  readonly historyId: string;
  /** About anything older it says nothing. */
  readonly reachesBackTo: Date;
  readonly scanKeys: readonly string[];
}

/**
 * The scans that their own source has corrected: its newest snapshot reaches back to their time, leaves them out, and has
 * another in their place, with the same code (told with another time) or of the same time (told with another code or text).
 *
 * A scan that is left out and replaced by nothing stays: a list that was cut short must not take back a delivery, and a wrong
 * apology is worse than none. What a newest snapshot is does not depend on arrival, so neither does this.
 * @returns keys of scans
 */
export function findSuperseded(
  scans: readonly CorrectableScan[],
  snapshots: readonly NewestSnapshot[],
): ReadonlySet<string> {
  const superseded = new Set<string>();
  if (snapshots.length === 0) return superseded;
  const byHistory = new Map<string, CorrectableScan[]>();
  for (const scan of scans) {
    const key = historyKeyOf(scan);
    const known = byHistory.get(key);
    if (known) known.push(scan);
    else byHistory.set(key, [scan]);
  }
  for (const snapshot of snapshots) {
    const inIt = new Set(snapshot.scanKeys);
    const ofIt = byHistory.get(historyKeyOf(snapshot)) ?? [];
    const missing = ofIt.filter(({ scanKey }) => !inIt.has(scanKey));
    if (missing.length === 0) continue;
    const told = ofIt.filter(({ scanKey }) => inIt.has(scanKey));
    const codes = new Set(told.map(({ code }) => code));
    const times = new Set(told.map(({ time }) => nominalTimeOf(time)));
    for (const { scanKey, code, time } of missing) {
      const at = nominalTimeOf(time);
      if (at >= snapshot.reachesBackTo.getTime() && (codes.has(code) || times.has(at))) superseded.add(scanKey);
    }
  }
  return superseded;
}

type HistoryKey = Pick<NewestSnapshot, 'source' | 'carrierKey' | 'trackingKey' | 'historyId'>;

function historyKeyOf({ source, carrierKey, trackingKey, historyId }: HistoryKey): string {
  return `${trackingKey}\n${source}\n${carrierKey}\n${historyId}`;
}
