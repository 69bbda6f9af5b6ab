import { type LocalFormat, localFormat } from '../local-format.js';
import type { Letter } from './letter.js';
import type { LanguageTexts } from './letter-texts.js';
import { singleLine } from './outside-text.js';
import { type Phrases, phrasesOf } from './phrases.js';

/**
 * Longest strings taken from outside, in characters. Too small cuts real names and numbers, too big lets one of them
 * push the facts out of the subject and the first screen.
 */
const NAME_LENGTH = 60;
const ORDER_ID_LENGTH = 40;

/**
 * Below this many minutes, lateness against a promised time is told in hours and minutes, also across midnight.
 * Too small: "a day late" for 40 minutes; too big: "31 hours late", which nobody counts.
 */
const HOURS_UNTIL_MINUTES = 12 * 60;

/** What a letter is written with: its facts, its phrases, and how its customer reads days, times and money. */
export interface Writing {
  readonly letter: Letter;
  readonly phrases: Phrases;
  readonly format: LocalFormat;
  /** `a day`, `3 days`, `2 hours and 15 minutes`: between the promise and its keeping, or now. */
  readonly delay: string | null;
}

export function writingOf(letter: Letter, texts: LanguageTexts, locale: string): Writing {
  const format = localFormat({ locale, timeZone: letter.promise.timeZone, asOf: letter.asOf });
  const phrases = phrasesOf(texts.phrases, texts.language, format.number);
  return { letter, phrases, format, delay: delayOf(letter, phrases, format) };
}

/** Everything that a text may name, for this letter; null, or false, where it has nothing of the kind. */
export function wordsOf(writing: Writing): Readonly<Record<string, string | boolean | null>> {
  const { letter, phrases, format, delay } = writing;
  const { promise, service, declinedBecause } = letter;
  const expected = expectedOn(letter.estimate, writing);
  const occasion = letter.occasion;
  return {
    orderId: orderIdOf(letter),
    shopName: singleLine(letter.shopName, NAME_LENGTH),
    promised:
      'on' in promise
        ? phrases.say('promised.day', { day: format.day(promise.on) })
        : phrases.say('promised.time', {
            day: format.day(format.dayOf(promise.at)),
            time: format.time(promise.at),
          }),
    dayPromised: 'on' in promise,
    isMember: letter.isMember === true,
    lateness: delay === null ? null : phrases.say('late', { delay }),
    whatHappened: letter.metAt === null ? stillOut(writing) : arrival(writing, letter.metAt),
    stillOut: letter.metAt === null,
    whereItIs: whereItIs(writing),
    cause: causeOf(writing),
    callPlanned: letter.callPlanned,
    expectedDay: expected === null ? null : format.day(expected),
    expectedShortDay: expected === null ? null : format.shortDay(expected),
    occasionDay: occasion === null ? null : format.day(occasion.on),
    occasionShortDay: occasion === null ? null : format.shortDay(occasion.on),
    occasionName: occasionName(letter),
    lastNewsDay: letter.lastScan === null ? null : dayOf(letter.lastScan.at, format),
    deliveredDay: letter.deliveredAt === null ? null : dayOf(letter.deliveredAt, format),
    serviceTitle: nameOrNull(service?.title),
    customerFault: declinedBecause === 'customer_fault',
    customs: declinedBecause === 'customs',
    forceMajeure: declinedBecause === 'force_majeure',
    reviewed: !['customer_fault', 'customs', 'force_majeure'].includes(declinedBecause ?? ''),
    cameInTime: letter.correctionOf === 'came_in_time',
    reversed: letter.correctionOf === 'reversed',
  };
}

export function orderIdOf({ orderId }: Letter): string {
  return singleLine(orderId, ORDER_ID_LENGTH);
}

/** A name or title from outside, on one line; null when nothing is left of it. */
export function nameOrNull(name: string | null | undefined): string | null {
  const line = singleLine(name ?? '', NAME_LENGTH);
  return line === '' ? null : line;
}

/** `christmas` as a name: the shop's own label, with a capital. */
export function occasionName({ occasion }: Letter): string | null {
  const [first = '', ...rest] = nameOrNull(occasion?.name) ?? '';
  return first === '' ? null : first.toUpperCase() + rest.join('');
}

/** The local day on which something is expected; null where nobody knows, and where it has passed. */
export function expectedOn(estimate: Letter['estimate'], { letter, format }: Writing): string | null {
  if (estimate === null) return null;
  const on = 'on' in estimate ? estimate.on : format.dayOf(estimate.at);
  return on < format.dayOf(letter.asOf) ? null : on;
}

/** Hours and minutes are only told where both ends are known to the minute: of a day, a scan may know just the date. */
export function toldInHours({ letter, format }: Pick<Writing, 'letter' | 'format'>): boolean {
  if ('on' in letter.promise || letter.lateMinutes === null) return false;
  if (letter.lateDays !== 0 && letter.lateMinutes >= HOURS_UNTIL_MINUTES) return false;
  // The first instant of a local day is how a scan with a date and no time is kept.
  const { metAt } = letter;
  return metAt === null || format.dayOf(metAt) === format.dayOf(new Date(metAt.getTime() - 1));
}

function dayOf(at: Date, format: LocalFormat): string {
  return format.day(format.dayOf(at));
}

function delayOf(letter: Letter, phrases: Phrases, format: LocalFormat): string | null {
  if (letter.verdict === 'on_time' || letter.verdict === 'pending') return null;
  if (toldInHours({ letter, format })) return duration(letter.lateMinutes ?? 0, phrases);
  if (letter.lateDays === null || letter.lateDays < 1) return null;
  return phrases.sayCount('delay.days', letter.lateDays);
}

function duration(totalMinutes: number, phrases: Phrases): string {
  if (totalMinutes < 1) return phrases.say('delay.lessThanAMinute');
  const [hours, minutes] = [Math.floor(totalMinutes / 60), totalMinutes % 60];
  if (hours === 0) return phrases.sayCount('delay.minutes', minutes);
  if (minutes === 0) return phrases.sayCount('delay.hours', hours);
  return phrases.say('delay.hoursAndMinutes', {
    hours: phrases.sayCount('delay.hours', hours),
    minutes: phrases.sayCount('delay.minutes', minutes),
  });
}

/** `on Friday, November 6`, and where hours matter `at 8:15 PM EST`, with the day when it is not the promised one. */
function moment({ letter, phrases, format }: Writing, at: Date): string {
  const on = format.dayOf(at);
  if (!toldInHours({ letter, format })) return phrases.say('when.day', { day: format.day(on) });
  const time = format.time(at);
  const isPromisedDay = 'at' in letter.promise && format.dayOf(letter.promise.at) === on;
  return isPromisedDay
    ? phrases.say('when.time', { time })
    : phrases.say('when.timeAndDay', { time, day: format.day(on) });
}

function arrival(writing: Writing, metAt: Date): string {
  const values = { when: moment(writing, metAt), delay: writing.delay };
  switch (writing.letter.metBy) {
    case 'attempted':
      return writing.phrases.say('happened.attempted', values);
    case 'available_for_pickup':
      return writing.phrases.say('happened.atPickupPoint', values);
    default:
      return writing.phrases.say('happened.delivered', values);
  }
}

function stillOut(writing: Writing): string {
  const { letter, phrases, format, delay } = writing;
  const time = toldInHours(writing) ? format.time(letter.asOf) : null;
  const inPart = letter.parcels?.some(({ status }) => status === 'delivered') === true;
  return phrases.say('happened.stillOut', { day: dayOf(letter.asOf, format), time, delay, inPart });
}

function whereItIs(writing: Writing): string | null {
  const { letter, phrases, format } = writing;
  const expected = expectedOn(letter.estimate, writing);
  if (letter.metAt === null) {
    const next =
      expected === null
        ? phrases.say('where.dayUnknown')
        : phrases.say('where.expected', { day: format.day(expected) });
    return [next, ...lastNews(writing)].join(' ');
  }
  if (letter.metBy === 'delivered' || letter.metBy === null) return null;
  if (letter.deliveredAt !== null) return phrases.say('where.handedOver', { day: dayOf(letter.deliveredAt, format) });
  if (letter.metBy === 'available_for_pickup') return phrases.say('where.waitingThere');
  return expected === null
    ? phrases.say('where.notYet')
    : phrases.say('where.expectedWithYou', { day: format.day(expected) });
}

function lastNews({ letter: { lastScan }, phrases, format }: Writing): string[] {
  if (lastScan === null) return [];
  // What would only be jargon is left out: the date is news enough.
  const state =
    lastScan.status === 'cancelled' || lastScan.status === 'unknown'
      ? null
      : phrases.say(`lastNews.${lastScan.status}`);
  return [phrases.say('where.lastNews', { day: dayOf(lastScan.at, format), state })];
}

/** A line only where it is nobody's fault who reads it, and says more than that it was held up. */
function causeOf({ letter: { cause }, phrases }: Writing): string | null {
  switch (cause) {
    case 'weather':
    case 'customs':
    case 'security':
    case 'misrouted':
      return phrases.say(`cause.${cause}`);
    default:
      return null;
  }
}
