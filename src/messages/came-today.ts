import { isTimeZone, localDateOf } from '../calendar.js';
import type { Letter } from './letter.js';

/** Whether a letter is about a parcel that came late today, where it came: the customer has it in hand, and must not wait for the letter. */
export function cameToday(letter: Pick<Letter, 'metAt' | 'promise'>, now: Date): boolean {
  const { metAt, promise } = letter;
  if (metAt === null) return false;
  const zone = isTimeZone(promise.timeZone) ? promise.timeZone : 'UTC';
  return localDateOf(new Date(metAt), zone) === localDateOf(now, zone);
}
