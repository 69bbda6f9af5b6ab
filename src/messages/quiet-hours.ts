import { addDaysTo, clockReaches, isTimeZone, localDateOf } from '../calendar.js';

/** Local wall-clock times, `HH:MM`: from the first, and before the second; over midnight where that is not the later one. */
export interface QuietHours {
  readonly from: string;
  readonly until: string;
}

/** No zone ever skipped more than one date in a row, so the hours that began on the last of these are over on the next but one. */
const DAYS = [-1, 0, 1];

/**
 * When a letter may leave: now, or when the quiet hours that it is in are over where its reader lives. In nights with a change of
 * the clock they begin with the first of two readings and end with the last: nobody is woken at what may be half past one.
 * @param zone of the destination; one that is not known: UTC
 * @param quietHours null: there are none
 */
export function nextSendAt(now: Date, zone: string, quietHours: QuietHours | null): Date {
  if (quietHours === null) return now;
  const { from, until } = quietHours;
  const place = isTimeZone(zone) ? zone : 'UTC';
  const today = localDateOf(now, place);
  let at = now;
  for (const day of DAYS) {
    const date = addDaysTo(today, day);
    const begin = clockReaches(`${date}T${from}`, place).earliest;
    const end = clockReaches(`${until > from ? date : addDaysTo(date, 1)}T${until}`, place).latest;
    if (begin <= at && at < end) at = end;
  }
  return at;
}
