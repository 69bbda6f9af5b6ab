import type { Interval } from './event-interval.js';
import type { TrackingStatus } from './tracking-event.js';

const DAY_MS = 24 * 60 * 60 * 1000;

/** The parcel is where it ends. Corrections and returns may still follow, but not a new journey of the same box. */
const ENDS: readonly TrackingStatus[] = ['delivered', 'return_to_sender', 'cancelled'];

/**
 * Silence after the end of a journey, after which a scan begins another parcel's. Shorter, and a return that begins late is
 * taken for a new parcel; longer, and a number that is used again soon brings its new scans to the old order.
 */
const OVER_AFTER_MS = 14 * DAY_MS;
/**
 * The same where the scan is that of a label. Labels are not made for what was delivered; some days, because sources without
 * zones tell of the first and last scans of a journey in the wrong order.
 */
const OVER_BEFORE_LABEL_MS = 3 * DAY_MS;
/** Silence without an end, after which the number has been given away. Carriers use numbers again after some months. */
const FORGOTTEN_AFTER_MS = 180 * DAY_MS;

interface TimedScan {
  readonly status: TrackingStatus;
  readonly interval: Interval;
}

/** A journey of one parcel under a number. */
export interface Life<S> {
  readonly scans: readonly S[];
  readonly beganAt: number;
  readonly lastAt: number;
  readonly hasEnded: boolean;
}

/**
 * Splits the scans of a number into the journeys of the parcels that bore it, one after the other. By the times of the
 * scans alone: neither their order nor repetitions matter.
 */
export function splitIntoLives<S extends TimedScan>(scans: readonly S[]): Life<S>[] {
  const sorted = [...scans].sort(
    (a, b) =>
      a.interval.earliest.getTime() - b.interval.earliest.getTime() ||
      a.interval.latest.getTime() - b.interval.latest.getTime() ||
      ENDS.indexOf(a.status) - ENDS.indexOf(b.status),
  );
  const lives: { scans: S[]; beganAt: number; lastAt: number; hasEnded: boolean }[] = [];
  for (const scan of sorted) {
    const at = scan.interval.earliest.getTime();
    const current = lives.at(-1);
    if (current === undefined || isAnother(current, scan.status, at - current.lastAt)) {
      lives.push({ scans: [scan], beganAt: at, lastAt: at, hasEnded: ENDS.includes(scan.status) });
      continue;
    }
    current.scans.push(scan);
    current.lastAt = at;
    current.hasEnded ||= ENDS.includes(scan.status);
  }
  return lives;
}

function isAnother({ hasEnded }: { readonly hasEnded: boolean }, status: TrackingStatus, silenceMs: number): boolean {
  if (!hasEnded) return silenceMs > FORGOTTEN_AFTER_MS;
  return silenceMs > (status === 'pre_transit' ? OVER_BEFORE_LABEL_MS : OVER_AFTER_MS);
}
