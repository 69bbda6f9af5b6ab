import { addDaysTo, localDateOf, readingsOf } from '../calendar.js';
import { assert } from '../errors.js';

/**
 * No zone ever skipped more than one date in a row, and a change of the clock can swallow a short window on one day more.
 * Fewer, and a call would find no time; more are never looked at.
 */
const MOST_DAYS_AHEAD = 7;

/**
 * The next instant at which the customer may be called: `asOf` itself within the hours, else the next time that they begin.
 * On days with a change of the clock only what every reading of it has within the hours counts: nobody is called at what
 * may be nine in the morning.
 * @param timeZone the customer's, which is that of the promise
 * @param hours wall-clock times of one day, `until` excluded: `{ from: '10:00', until: '18:00' }`
 */
export function nextCallAt(
  asOf: Date,
  timeZone: string,
  { from, until }: { readonly from: string; readonly until: string },
): Date {
  assert(from < until, 'the hours for calls begin before they end');
  const today = localDateOf(asOf, timeZone);
  for (let day = 0; day <= MOST_DAYS_AHEAD; day++) {
    const date = addDaysTo(today, day);
    const begin = readingsOf(`${date}T${from}`, timeZone).latest;
    const end = readingsOf(`${date}T${until}`, timeZone).earliest;
    // A date that the zone skipped has no hours: its wall-clock times read as instants of other dates.
    if (begin >= end || localDateOf(begin, timeZone) !== date) continue;
    if (asOf < begin) return begin;
    if (asOf < end) return asOf;
  }
  throw new Error(`assertion failed: a day within ${MOST_DAYS_AHEAD} has hours for calls in ${timeZone}`);
}
