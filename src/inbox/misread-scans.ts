import type { Scan } from '../carriers/adapter.js';
import { isSameTime } from '../carriers/report.js';
import type { EventTime } from '../shipments/tracking-event.js';

/** What of a scan stands in its key besides whose it is. */
export interface ToldWords {
  readonly time: EventTime;
  readonly code: string;
  readonly text: string | null;
  readonly place: string | null;
}

/**
 * Whether a scan that was read out of a webhook once, and is not any more, was misread: today another is read in its place, of
 * the same time or in the same words. What is replaced by nothing stays: a parser that lost a delivery must not take it
 * back, and a wrong apology is worse than none.
 * @param readToday what the same webhook tells of the same parcel, as it is read today
 */
export function isMisread(scan: ToldWords, readToday: readonly Pick<Scan, keyof ToldWords>[]): boolean {
  return readToday.some((other) => isSameTime(other.time, scan.time) || isSameWords(other, scan));
}

function isSameWords(a: Omit<ToldWords, 'time'>, b: Omit<ToldWords, 'time'>): boolean {
  return a.code === b.code && a.text === b.text && a.place === b.place;
}
