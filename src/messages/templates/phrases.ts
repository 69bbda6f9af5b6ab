import { type LocalFormat, localFormat } from '../../local-format.js';
import type { TrackingStatus } from '../../shipments/tracking-event.js';
import type { Letter } from '../letter.js';

/** What several letters say in the same words. English; days, times and money as the customer's locale writes them. */
export interface Phrases {
  readonly format: LocalFormat;
  readonly customerName: string | null;
  readonly shopName: string;
  readonly orderId: string;
  /** `for Thursday, November 5`, or `by 6:00 PM EST on Thursday, November 5`. */
  readonly promised: string;
  /** `day` or `time`: what was promised. */
  readonly promisedUnit: 'day' | 'time';
  /** `a day late`, `2 hours and 15 minutes late`; null when the facts do not say. */
  readonly lateness: string | null;
  /** Promise against reality: `It came on Friday, November 6, a day late.` A whole sentence. */
  readonly whatHappened: string;
  /** Where it is and when it comes, as whole sentences; null when it is in the customer's hands. */
  readonly whereItIs: string | null;
  readonly occasion: {
    readonly day: string;
    readonly shortDay: string;
    readonly fullDay: string;
    readonly name: string;
  } | null;
  /** Order, promise, reality: the letter at a glance. */
  readonly facts: readonly Fact[];
}

/** Label and value, for reading at a glance. */
export interface Fact {
  readonly label: string;
  readonly value: string;
}

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

export function phrasesFor(letter: Letter): Phrases {
  const { promise } = letter;
  const format = localFormat({ locale: letter.customer.locale, timeZone: promise.timeZone, asOf: letter.asOf });
  const orderId = singleLine(letter.orderId, ORDER_ID_LENGTH);
  const delay = delayOf(letter, format);
  const occasion =
    letter.occasion === null
      ? null
      : {
          day: format.day(letter.occasion.on),
          shortDay: format.shortDay(letter.occasion.on),
          fullDay: format.fullDay(letter.occasion.on),
          name: capitalised(singleLine(letter.occasion.name, NAME_LENGTH)),
        };
  const customerName = singleLine(letter.customer.name ?? '', NAME_LENGTH);
  return {
    format,
    customerName: customerName === '' ? null : customerName,
    shopName: singleLine(letter.shopName, NAME_LENGTH),
    orderId,
    promised:
      'on' in promise
        ? `for ${format.day(promise.on)}`
        : `by ${format.time(promise.at)} on ${format.day(format.dayOf(promise.at))}`,
    promisedUnit: 'on' in promise ? 'day' : 'time',
    lateness: delay === null ? null : `${delay} late`,
    whatHappened:
      letter.metAt === null ? stillOut(letter, format, delay) : arrival(letter, letter.metAt, format, delay),
    whereItIs: whereItIs(letter, format),
    occasion,
    facts: factsOf(letter, format, orderId, occasion),
  };
}

/**
 * One line of text that somebody else wrote, safe to stand in a subject or a sentence: no control characters and line
 * ends, no bidirectional overrides (they make what follows read backwards), no runs of space, not longer than `length`.
 */
function singleLine(text: string, length: number): string {
  const line = text
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g, '')
    .replace(/\s+/g, ' ')
    .trim();
  const characters = [...line];
  return characters.length <= length ? line : `${characters.slice(0, length - 1).join('')}…`;
}

function capitalised(text: string): string {
  const [first = '', ...rest] = [...text];
  return first.toUpperCase() + rest.join('');
}

/** Hours and minutes are only told where both ends are known to the minute: of a day, a scan may know just the date. */
function toldInHours(letter: Letter, format: LocalFormat): boolean {
  if ('on' in letter.promise || letter.lateMinutes === null) return false;
  if (letter.lateDays !== 0 && letter.lateMinutes >= HOURS_UNTIL_MINUTES) return false;
  // The first instant of a local day is how a scan with a date and no time is kept.
  const { metAt } = letter;
  return metAt === null || format.dayOf(metAt) === format.dayOf(new Date(metAt.getTime() - 1));
}

/** `a day`, `3 days`, `2 hours and 15 minutes`: between the promise and its keeping, or now. */
function delayOf(letter: Letter, format: LocalFormat): string | null {
  if (toldInHours(letter, format)) return duration(letter.lateMinutes ?? 0);
  if (letter.lateDays === null || letter.lateDays < 1) return null;
  return letter.lateDays === 1 ? 'a day' : `${letter.lateDays} days`;
}

function duration(totalMinutes: number): string {
  if (totalMinutes < 1) return 'less than a minute';
  const hours = Math.floor(totalMinutes / 60);
  const minutes = totalMinutes % 60;
  const parts: string[] = [];
  if (hours > 0) parts.push(hours === 1 ? 'an hour' : `${hours} hours`);
  if (minutes > 0) parts.push(minutes === 1 ? 'a minute' : `${minutes} minutes`);
  return parts.join(' and ');
}

/** `on Friday, November 6`, and where hours matter `at 8:15 PM EST`, with the day when it is not the promised one. */
function moment(letter: Letter, at: Date, format: LocalFormat): string {
  const on = format.dayOf(at);
  if (!toldInHours(letter, format)) return `on ${format.day(on)}`;
  const samePromisedDay = 'at' in letter.promise && format.dayOf(letter.promise.at) === on;
  return samePromisedDay ? `at ${format.time(at)} that day` : `at ${format.time(at)} on ${format.day(on)}`;
}

function arrival(letter: Letter, metAt: Date, format: LocalFormat, delay: string | null): string {
  const what = {
    delivered: 'It came',
    attempted: 'We first tried to hand it over',
    available_for_pickup: 'It was ready for you at the pickup point',
  }[letter.metBy ?? 'delivered'];
  return `${what} ${moment(letter, metAt, format)}${delay === null ? '' : `, ${delay} late`}.`;
}

function stillOut(letter: Letter, format: LocalFormat, delay: string | null): string {
  const today = format.day(format.dayOf(letter.asOf));
  const now = toldInHours(letter, format) ? `${format.time(letter.asOf)} on ${today}` : today;
  return `It is now ${now}, ${delay === null ? '' : `${delay} later, `}and it is still not with you.`;
}

function whereItIs(letter: Letter, format: LocalFormat): string | null {
  const expected = expectedOn(letter, format);
  if (letter.metAt === null) {
    const last = letter.lastScan;
    return [
      expected === null ? 'We do not know the new day yet.' : `We now expect it on ${format.day(expected)}.`,
      ...(last === null
        ? []
        : [`The last news of it is from ${format.day(format.dayOf(last.at))}${STATUS_WORDS[last.status]}.`]),
    ].join(' ');
  }
  if (letter.metBy === 'delivered' || letter.metBy === null) return null;
  if (letter.deliveredAt !== null) return `It was handed over on ${format.day(format.dayOf(letter.deliveredAt))}.`;
  if (letter.metBy === 'available_for_pickup') return 'It is waiting for you there.';
  return expected === null ? 'It is not with you yet.' : `We now expect it with you on ${format.day(expected)}.`;
}

/** What a scan means to the person waiting. Empty where it would only be jargon: the date is news enough. */
const STATUS_WORDS: Record<TrackingStatus, string> = {
  pre_transit: ': it had not left yet',
  in_transit: ': it was on its way',
  out_for_delivery: ': it was out for delivery',
  attempted: ': a delivery had been tried',
  available_for_pickup: ': it was at a pickup point',
  delivered: ': it was reported as delivered',
  exception: ': it was held up on the way',
  return_to_sender: ': it was on its way back to us',
  cancelled: '',
  unknown: '',
};

function expectedOn(letter: Letter, format: LocalFormat): string | null {
  if (letter.estimate === null) return null;
  const on = 'on' in letter.estimate ? letter.estimate.on : format.dayOf(letter.estimate.at);
  return on < format.dayOf(letter.asOf) ? null : on;
}

function factsOf(letter: Letter, format: LocalFormat, orderId: string, occasion: Phrases['occasion']): readonly Fact[] {
  const { promise, metAt, deliveredAt } = letter;
  const full = (at: Date) => format.fullDay(format.dayOf(at));
  const exact = (at: Date) => (toldInHours(letter, format) ? `${full(at)}, ${format.time(at)}` : full(at));
  const rows: Fact[] = [
    { label: 'Order', value: orderId },
    {
      label: 'Promised',
      value: 'on' in promise ? format.fullDay(promise.on) : `${full(promise.at)}, ${format.time(promise.at)}`,
    },
  ];
  if (occasion !== null) rows.push({ label: 'Needed for', value: `${occasion.fullDay} (${occasion.name})` });
  if (metAt !== null && letter.metBy === 'attempted') rows.push({ label: 'First attempt', value: exact(metAt) });
  if (metAt !== null && letter.metBy === 'available_for_pickup') {
    rows.push({ label: 'At the pickup point', value: exact(metAt) });
  }
  if (metAt !== null && letter.metBy === 'delivered') rows.push({ label: 'Delivered', value: exact(metAt) });
  else if (deliveredAt !== null) rows.push({ label: 'Delivered', value: full(deliveredAt) });
  const expected = expectedOn(letter, format);
  if (deliveredAt === null && letter.metBy !== 'delivered' && expected !== null) {
    rows.push({ label: 'Expected now', value: format.fullDay(expected) });
  }
  return rows;
}
