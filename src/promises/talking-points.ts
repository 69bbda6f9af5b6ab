import { counts, type DecidedAward, type PastAward, type Remedy } from '../compensation/award.js';
import { dayCount, monthCount, pointCount, showMoney } from '../compensation/wording.js';
import { localFormat } from '../local-format.js';
import type { LetterFacts } from './letter-facts.js';

/** What a call is about, as it stood when the call was decided on. */
export interface TalkingFacts {
  readonly orderId: string;
  readonly letter: Pick<
    LetterFacts,
    'asOf' | 'promise' | 'verdict' | 'metAt' | 'metBy' | 'lateDays' | 'lastScan' | 'estimate' | 'occasion'
  >;
  /** Given by the same decision. */
  readonly given: readonly DecidedAward[];
  /** Awards made to the customer before, for any order. */
  readonly history: readonly PastAward[];
}

/** How far back "before" goes. Further, and whoever calls is told of what nobody remembers. */
export const LOOKS_BACK_DAYS = 90;

/**
 * What the record says, one sentence each, for the person who calls: what was promised, what happened, what is given, how
 * often it happened before, and what not to promise. English, days and times as at the destination. A pure function.
 */
export function talkingPoints(facts: TalkingFacts): string[] {
  const noDay = dayPoint(facts);
  return [
    promisedPoint(facts),
    happenedPoint(facts),
    ...given(facts),
    before(facts),
    ...(noDay === null ? [] : [noDay]),
    NOTHING_MORE,
  ];
}

/** The last point of every call. */
export const NOTHING_MORE = 'Promise nothing that is not on this list.';

/** What of a call is about one order. */
type OrderFacts = Pick<TalkingFacts, 'orderId' | 'letter'>;

const formatOf = ({ letter }: OrderFacts) =>
  localFormat({ locale: 'en-US', timeZone: letter.promise.timeZone, asOf: letter.asOf });

/** What was promised, and the occasion that was missed with it. */
export function promisedPoint(facts: OrderFacts): string {
  const format = formatOf(facts);
  const { promise, occasion } = facts.letter;
  const when =
    'on' in promise
      ? `for ${format.day(promise.on)}`
      : `for ${format.day(format.dayOf(promise.at))}, ${format.time(promise.at)}`;
  const missed = occasion === null ? '' : `, and missed ${occasion.name} on ${format.day(occasion.on)}`;
  return `Order ${facts.orderId} was promised ${when}${missed}.`;
}

/** What came of the promise, as it stood when the call was decided on. */
export function happenedPoint(facts: OrderFacts): string {
  const format = formatOf(facts);
  const { metAt, metBy, lateDays, lastScan, verdict } = facts.letter;
  const late = lateDays === null || lateDays < 1 ? '' : `, ${dayCount(lateDays)} late`;
  if (metAt !== null) {
    const what = {
      delivered: 'It was delivered',
      attempted: 'Its delivery was attempted',
      available_for_pickup: 'It could be picked up',
    }[metBy ?? 'delivered'];
    return `${what} on ${format.day(format.dayOf(metAt))}, ${format.time(metAt)}${late}.`;
  }
  const seen =
    lastScan === null
      ? 'The carrier has told nothing of it'
      : `The carrier last told of it on ${format.day(format.dayOf(lastScan.at))} (${lastScan.status})`;
  return verdict === 'overdue' ? `It is not there yet${late}. ${seen}.` : `Verdict: ${verdict}. ${seen}.`;
}

function given({ given }: TalkingFacts): string[] {
  if (given.length === 0) return ['Nothing is given for it.'];
  return given.map((award) =>
    award.status === 'pending'
      ? `We give ${showRemedy(award)}.`
      : `${capital(showRemedy(award))} still waits for a person here: do not mention it.`,
  );
}

const before = ({ orderId, letter, history }: TalkingFacts): string => madeGoodBefore(orderId, letter.asOf, history);

/** How often other orders of the customer had to be made good, as a sentence. */
export function madeGoodBefore(orderId: string, asOf: Date, history: readonly PastAward[]): string {
  const since = asOf.getTime() - LOOKS_BACK_DAYS * 86_400_000;
  const others = history.filter((past) => counts(past) && past.orderId !== orderId && past.at.getTime() >= since);
  const orders = new Set(others.map((past) => past.orderId)).size;
  if (orders === 0) return `Nothing was made good for this customer in the last ${LOOKS_BACK_DAYS} days.`;
  const many = orders === 1 ? 'one other order' : `${orders} other orders`;
  return `In the last ${LOOKS_BACK_DAYS} days ${many} of this customer had to be made good.`;
}

/** That no day can be promised; null where none is waited for any more. */
export function dayPoint(facts: OrderFacts): string | null {
  const { metAt, estimate, asOf, verdict } = facts.letter;
  if (metAt !== null || verdict === 'lost' || verdict === 'returned') return null;
  const format = formatOf(facts);
  const day = estimate === null ? null : 'on' in estimate ? estimate.on : format.dayOf(estimate.at);
  return day === null || day < format.dayOf(asOf)
    ? 'Promise no day: nobody knows when it comes.'
    : `Promise no day: the carrier expects ${format.day(day)}, and that is a guess.`;
}

/** What is given, in words: `1 month of membership`, `$20.00 of store credit`. */
export function showRemedy(remedy: Remedy): string {
  switch (remedy.kind) {
    case 'membership_extension':
      return `${monthCount(remedy.months)} of membership`;
    case 'points':
      return pointCount(remedy.points);
    case 'replacement':
      return 'a replacement';
    case 'store_credit':
      return `${showMoney(remedy.amount)} of store credit`;
    case 'refund':
      return `a refund of ${showMoney(remedy.amount)}`;
    case 'shipping_refund':
      return `the shipping of ${showMoney(remedy.amount)} back`;
    case 'gift':
      return `a gift worth up to ${showMoney(remedy.amount)}`;
  }
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
