import { readingsOf, readingsOfSkippedDate, startOfLocalDay, startOfNextLocalDay } from '../calendar.js';
import type { EventTime } from '../shipments/tracking-event.js';

/** All that is known of when something happened: not before `earliest`, not after `latest` (both inclusive). */
export interface Interval {
  readonly earliest: Date;
  readonly latest: Date;
}

/**
 * The instants at which a scan can have happened. A point for an instant; both readings of a repeated or skipped
 * wall-clock time; the whole local day, to its last millisecond, for a date alone. A time without a zone is read in the
 * zone of the destination.
 * @throws AppError `invalid_request` for an unknown zone, an impossible date or a malformed time.
 */
export function intervalOf(time: EventTime, destinationZone: string): Interval {
  if ('at' in time) return { earliest: time.at, latest: time.at };
  const zone = time.timeZone ?? destinationZone;
  return 'local' in time ? readingsOf(time.local, zone) : localDay(time.on, zone);
}

function localDay(on: string, zone: string): Interval {
  const earliest = startOfLocalDay(on, zone);
  const end = startOfNextLocalDay(on, zone);
  // A scan bears a date that the place skipped: somebody's calendar was still, or already, on the other side.
  if (end <= earliest) return readingsOfSkippedDate(on, zone);
  return { earliest, latest: new Date(end.getTime() - 1) };
}

/**
 * The time as the source wrote it, in epoch milliseconds, a wall-clock reading or date as if it were UTC. Good for comparing
 * what one source says of one parcel, and for nothing else.
 */
export function nominalTimeOf(time: EventTime): number {
  if ('at' in time) return time.at.getTime();
  return Date.parse('local' in time ? `${time.local}Z` : `${time.on}T00:00:00Z`);
}
