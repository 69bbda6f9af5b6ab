import type { Interval } from './event-interval.js';
import type { TrackingStatus } from './tracking-event.js';

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * How long a number is silent after a scan of this status until the next scan is another parcel's, in days. Shorter, and a
 * return that begins late, or a label that is made anew, is taken for a new parcel, and the delivery of this one is lost;
 * longer, and a number that is used again soon brings its new scans to the old order. Of what was delivered nothing more
 * is to come; what was sent back or called off may well be sent once more.
 */
const OVER_AFTER_DAYS: Partial<Record<TrackingStatus, number>> = {
  delivered: 14,
  return_to_sender: 60,
  cancelled: 60,
};
/**
 * The same after a delivery where the scan is that of a label: nobody makes one for what was delivered. Some days, because
 * sources without zones tell of the first and last scans of a journey in the wrong order.
 */
const OVER_BEFORE_LABEL_DAYS = 3;
/** Silence without an end, after which the number has been given away. Carriers use numbers again after some months. */
const FORGOTTEN_AFTER_DAYS = 180;

interface TimedScan {
  readonly status: TrackingStatus;
  readonly interval: Interval;
}

/** A journey of one parcel under a number. */
export interface Life<S> {
  readonly scans: readonly S[];
  /** In epoch milliseconds. */
  readonly beganAt: number;
  readonly lastAt: number;
}

/**
 * Splits the scans of a number into the journeys of the parcels that bore it, one after the other. By the times of the
 * scans alone: neither their order nor repetitions matter.
 */
export function splitIntoLives<S extends TimedScan>(scans: readonly S[]): Life<S>[] {
  const sorted = [...scans].sort(
    (a, b) =>
      a.interval.earliest.getTime() - b.interval.earliest.getTime() ||
      a.interval.latest.getTime() - b.interval.latest.getTime(),
  );
  const lives: { scans: S[]; beganAt: number; lastAt: number; overAfterDays: number }[] = [];
  for (const scan of sorted) {
    const at = scan.interval.earliest.getTime();
    const overAfterDays = OVER_AFTER_DAYS[scan.status] ?? FORGOTTEN_AFTER_DAYS;
    const current = lives.at(-1);
    if (current === undefined || at - current.lastAt > silenceAllowed(current.overAfterDays, scan.status) * DAY_MS) {
      lives.push({ scans: [scan], beganAt: at, lastAt: at, overAfterDays });
      continue;
    }
    current.scans.push(scan);
    current.lastAt = at;
    current.overAfterDays = Math.min(current.overAfterDays, overAfterDays);
  }
  return lives;
}

function silenceAllowed(overAfterDays: number, next: TrackingStatus): number {
  const wasDelivered = overAfterDays === OVER_AFTER_DAYS.delivered;
  return wasDelivered && next === 'pre_transit' ? OVER_BEFORE_LABEL_DAYS : overAfterDays;
}
