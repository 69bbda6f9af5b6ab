/** What a source's snapshots have told of one scan, in epoch milliseconds of the source's own clock. */
export interface ToldScan {
  /** The oldest snapshot that has it, and how far back that snapshot goes: about anything older it says nothing. */
  readonly firstToldAt: number;
  readonly firstReachesBackTo: number;
  /** The newest snapshot that has it. */
  readonly lastToldAt: number;
}

/** By scan key, everything that the snapshots of one parcel by one source have told. */
export type ToldScans = ReadonlyMap<string, ToldScan>;

export interface TakenSnapshot {
  readonly takenAt: number;
  readonly reachesBackTo: number;
  readonly scanKeys: readonly string[];
}

/**
 * Adds a snapshot to what was told before. Snapshots may be added in any order and any number of times: the outcome is the
 * same. Of two that were taken at one instant, the one that goes back less far counts: it corrects less.
 * @returns `isNews`: whether a scan that was told may be corrected by now, or no longer corrected; never false wrongly
 */
export function addSnapshot(told: ToldScans, snapshot: TakenSnapshot): { told: ToldScans; isNews: boolean } {
  const { takenAt, reachesBackTo } = snapshot;
  const next = new Map(told);
  let newestFirst = Number.NEGATIVE_INFINITY;
  for (const { firstToldAt } of told.values()) if (firstToldAt > newestFirst) newestFirst = firstToldAt;
  let known = 0;
  let isNews = false;
  for (const scanKey of snapshot.scanKeys) {
    const before = told.get(scanKey);
    if (before === undefined) {
      next.set(scanKey, { firstToldAt: takenAt, firstReachesBackTo: reachesBackTo, lastToldAt: takenAt });
      continue;
    }
    known++;
    const isFirst = takenAt < before.firstToldAt;
    if (isFirst || before.lastToldAt < newestFirst) isNews = true;
    next.set(scanKey, {
      firstToldAt: isFirst ? takenAt : before.firstToldAt,
      firstReachesBackTo: isFirst
        ? reachesBackTo
        : takenAt === before.firstToldAt
          ? Math.max(before.firstReachesBackTo, reachesBackTo)
          : before.firstReachesBackTo,
      lastToldAt: Math.max(before.lastToldAt, takenAt),
    });
  }
  // Something that was told is not in it: something new may stand in its place.
  if (known < told.size) isNews = true;
  return { told: next, isNews };
}
