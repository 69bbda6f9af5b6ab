import { addDaysTo, daysBetween, localDateOf, readingsOf } from '../calendar.js';
import type { Policy } from './policy.js';
import { WEEKDAYS } from './policy-settings.js';

const A_MONDAY = '2024-01-01';
/** Far more than any run of holidays; a calendar in which nothing ever leaves would search for ever. */
const MOST_DAYS_AHEAD = 400;

/**
 * The date on which a replacement decided at `asOf` leaves, by the warehouse's calendar: the same day when that is a
 * working day and its cut-off is not reached, else the next working day. The cut-off itself is too late.
 * @returns a calendar date
 */
export function shipOnOf(asOf: Date, { cutOff, timeZone, workdays, holidays }: Policy['fulfilment']): string {
  const leaves = (on: string) => workdays.includes(weekdayOf(on)) && !holidays.includes(on);
  const today = localDateOf(asOf, timeZone);
  // Where the clock shows the cut-off twice, the first time counts: what is promised must leave.
  if (leaves(today) && asOf < readingsOf(`${today}T${cutOff}:00`, timeZone).earliest) return today;
  let on = addDaysTo(today, 1);
  for (let ahead = 0; !leaves(on) && ahead < MOST_DAYS_AHEAD; ahead++) on = addDaysTo(on, 1);
  return on;
}

function weekdayOf(on: string): (typeof WEEKDAYS)[number] {
  const days = daysBetween(A_MONDAY, on) % 7;
  return WEEKDAYS[(days + 7) % 7] ?? WEEKDAYS[0];
}
