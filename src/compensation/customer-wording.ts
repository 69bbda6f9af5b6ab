import { unreachable } from '../errors.js';
import { type LocalFormat, localFormat } from '../local-format.js';
import { counts, type DecidedAward, type DeclineCode, type PastAward, type Remedy } from './award.js';
import type { Decision } from './decide.js';
import type { DecisionCase, DecisionMode } from './decision-input.js';
import { poorService } from './find-incident.js';

/** What the customer is told of: the decision as it stands after the till, and the shipment that leads it. */
export interface CustomerTold {
  readonly decision: Pick<Decision, 'incident' | 'awards' | 'tasks' | 'declinedBecause'>;
  readonly leading: Pick<
    DecisionCase,
    'judgement' | 'promise' | 'firstDeliveredAt' | 'asOf' | 'order' | 'contacts' | 'reports' | 'history'
  >;
  /** `shadow` and `backfill` give nothing, whatever was decided. */
  readonly mode: DecisionMode;
  /** null: unknown. */
  readonly locale: string | null;
}

/**
 * The customer's wording of a decision: sentences that an agent can read out as they stand. The first says what was promised,
 * the second what happened, the others what is done about it or why nothing is due; nothing of rules, codes, limits,
 * suspicions or experiments, no blame and nothing that the future would have to keep. Days, times and money as the
 * customer's locale writes them, in the zone of the destination. English. A pure function.
 */
export function customerWording(told: CustomerTold): string[] {
  const { leading } = told;
  const format = localFormat({ locale: told.locale, timeZone: leading.promise.timeZone, asOf: leading.asOf });
  return [promisedWords(leading.promise, format), happened(told, format), ...done(told, format)];
}

type Leading = CustomerTold['leading'];

/** What was promised, as a sentence. */
export function promisedWords(promise: Leading['promise'], format: LocalFormat): string {
  if ('on' in promise) return `We promised this order for ${format.day(promise.on)}.`;
  return `We promised this order by ${format.time(promise.at)} on ${format.day(format.dayOf(promise.at))}.`;
}

/** What was reported comes before what the scans say, as it does in the decision. */
function happened({ decision: { incident }, leading }: CustomerTold, format: LocalFormat): string {
  const { judgement, promise, asOf, firstDeliveredAt } = leading;
  const onDay = (at: Date) => `on ${format.day(format.dayOf(at))}`;
  if (incident === 'service') {
    const title = poorService(leading)?.title ?? null;
    return `We noticed that ${title === null ? 'it' : `“${title}”`} was not as good as it should have been.`;
  }
  if (incident === 'not_received') {
    const shown = firstDeliveredAt === null ? 'as delivered' : `as delivered ${onDay(firstDeliveredAt)}`;
    return `It is shown ${shown}, and you told us that you have not received it.`;
  }
  const { verdict, metAt, restsOnSilence } = judgement;
  if (incident === 'damaged' && verdict !== 'damaged') return 'You told us that it was damaged when it reached you.';
  switch (verdict) {
    case 'on_time':
      return metAt === null
        ? 'It came in time.'
        : `${met(leading, metAt)} ${when(leading, metAt, format)}, as promised.`;
    case 'late': {
      const delay = delayOf(leading, format);
      const late = delay === null ? 'later than promised' : `${delay} late`;
      return metAt === null ? `It came ${late}.` : `${met(leading, metAt)} ${when(leading, metAt, format)}, ${late}.`;
    }
    case 'overdue': {
      const delay = delayOf(leading, format);
      const since = delay === null ? '' : `, ${delay} later`;
      return `As of ${format.day(format.dayOf(asOf))}${since}, it has not reached you.`;
    }
    case 'pending':
      return 'on' in promise ? 'That day is not over.' : 'That time has not passed.';
    case 'uncertain':
      return 'What the carrier reported does not say clearly enough whether it came in time.';
    case 'lost':
      return restsOnSilence
        ? 'There has been no news of it for so long that we take it for lost.'
        : 'It has been lost on its way to you.';
    case 'damaged':
      return 'It was damaged on its way to you.';
    case 'returned':
      return 'It was sent back to us instead of reaching you.';
    case 'cancelled':
      return 'This shipment was cancelled.';
    default:
      return unreachable(verdict);
  }
}

/** A promise can be kept by a first attempt or by being there to be collected: then nothing was handed over at that instant. */
function met({ firstDeliveredAt }: Leading, metAt: Date): string {
  return firstDeliveredAt?.getTime() === metAt.getTime()
    ? 'It was delivered'
    : 'It was first brought to you, or ready for you to collect,';
}

/** To the minute only where a time was promised; a day is promised as a whole. */
function when({ promise }: Leading, at: Date, format: LocalFormat): string {
  const day = `on ${format.day(format.dayOf(at))}`;
  return 'at' in promise ? `at ${format.time(at)} ${day}` : day;
}

/** `a day`, `3 days`, `2 hours and 15 minutes`; null where lateness was not measured, or is nothing to speak of. */
function delayOf({ judgement: { lateDays, lateMinutes }, promise }: Leading, format: LocalFormat): string | null {
  if (lateDays !== null && lateDays >= 1) return lateDays === 1 ? 'a day' : `${format.number(lateDays)} days`;
  if (!('at' in promise) || lateMinutes === null || lateMinutes < 1) return null;
  const [hours, minutes] = [Math.floor(lateMinutes / 60), lateMinutes % 60];
  return [counted(hours, 'an hour', 'hours', format), counted(minutes, 'a minute', 'minutes', format)]
    .filter((part) => part !== null)
    .join(' and ');
}

function counted(count: number, one: string, many: string, format: LocalFormat): string | null {
  if (count === 0) return null;
  return count === 1 ? one : `${format.number(count)} ${many}`;
}

const SORRY = 'We are sorry.';
const LOOKING = 'We are looking at it personally.';

function done({ decision, leading, mode }: CustomerTold, format: LocalFormat): string[] {
  const { awards, tasks, incident, declinedBecause } = decision;
  // What was only tried out, or decided long after, is no news to the customer.
  if (mode !== 'active') return incident === null ? nothing(declinedBecause, leading, format) : [SORRY];
  const sentences = incident === null ? [] : [SORRY];
  const going = awards.filter(({ status }) => status === 'pending');
  if (going.length > 0) {
    const opening = hadBefore(going, decision, leading)
      ? 'On top of what you have had for it, you get'
      : 'For this you get';
    sentences.push(`${opening} ${list(going.map((award) => remedyWords(award, format)))}.`);
  }
  const stopped = awards.length - going.length;
  if (stopped > 0) sentences.push(going.length > 0 ? 'We are looking at the rest of it personally.' : LOOKING);
  if (awards.length === 0) sentences.push(...nothing(declinedBecause, leading, format, incident));
  if (tasks.some(({ kind }) => kind === 'call')) sentences.push('One of us has been asked to telephone you about it.');
  return sentences;
}

function hadBefore(
  going: readonly DecidedAward[],
  { incident }: Pick<Decision, 'incident'>,
  leading: Leading,
): boolean {
  return earlier(leading, incident).some((past) => going.some((award) => award.class === past.class));
}

/** What this order has had for this very incident. */
function earlier({ order, history }: Leading, incident: Decision['incident']): PastAward[] {
  return history.filter((past) => past.orderId === order.id && past.incident === incident && counts(past));
}

/** Why nothing (more) is given. What stands behind a limit, a holdout or a missing rule sounds the same. */
function nothing(
  code: DeclineCode | null,
  leading: Leading,
  format: LocalFormat,
  incident: Decision['incident'] = null,
): string[] {
  switch (code) {
    case 'kept':
      return ['So the promise was kept, and there is nothing to make up for.'];
    case 'not_due':
      return leading.judgement.verdict === 'pending'
        ? ['So nothing is due at this point.']
        : ['Reports about it are still coming in, so nothing is decided at this point.'];
    case 'uncertain':
      return ['So we cannot say that the promise was broken. If you tell us when it reached you, we know more.'];
    case 'cancelled':
      return ['So there is no delivery to make up for.'];
    case 'customer_fault':
      return [
        'The carrier had to have something settled before it could hand the parcel over, such as the address or a payment.',
        'Nothing is given for a wait of that kind.',
      ];
    case 'customs':
      return ['It was held by customs on the way.', 'Nothing is given for a wait of that kind.'];
    case 'force_majeure':
      return ['Weather, or something like it, held it up on the way.', 'Nothing is given for a wait of that kind.'];
    case 'already_compensated':
      return alreadyHad(leading, incident, format);
    case null:
    case 'no_rule':
    case 'limit_membership':
    case 'holdout':
      return ['There is nothing further that we have to give for it.'];
    default:
      return unreachable(code);
  }
}

function alreadyHad(leading: Leading, incident: Decision['incident'], format: LocalFormat): string[] {
  const had = earlier(leading, incident);
  const given = had.filter(({ status }) => status === 'applied' || status === 'pending');
  const words = givenWords(given, format);
  const sentences = words === null ? [] : [`For this you have had ${words} before.`];
  if (had.length > given.length) return [...sentences, LOOKING];
  if (sentences.length > 0) return [...sentences, 'Nothing more is due.'];
  // What was taken off the table by a person was looked at by a person.
  return ['One of us has looked at it personally, and nothing more is due.'];
}

function remedyWords(remedy: Remedy, format: LocalFormat): string {
  switch (remedy.kind) {
    case 'membership_extension':
      return monthsWords(remedy.months, format);
    case 'points':
      return pointsWords(remedy.points, format);
    case 'replacement':
      return remedy.shipping === 'two_day' || remedy.shipping === 'expedited'
        ? 'a replacement by fast shipping, at no cost to you'
        : 'a replacement, at no cost to you';
    case 'store_credit':
    case 'refund':
    case 'shipping_refund':
    case 'gift':
      return moneyWords(remedy.kind, format.money(remedy.amount));
    default:
      return unreachable(remedy);
  }
}

/** What was given, as a list in words; null: nothing that one could have. */
export function givenWords(
  given: readonly Pick<PastAward, 'kind' | 'months' | 'points' | 'amount'>[],
  format: LocalFormat,
): string | null {
  const words = given.flatMap((past) => pastWords(past, format) ?? []);
  return words.length > 0 ? list(words) : null;
}

/** Null for what is no thing to have had, such as a call. */
function pastWords(
  { kind, months, points, amount }: Pick<PastAward, 'kind' | 'months' | 'points' | 'amount'>,
  format: LocalFormat,
): string | null {
  switch (kind) {
    case 'membership_extension':
      return monthsWords(months ?? 0, format);
    case 'points':
      return pointsWords(points ?? 0, format);
    case 'replacement':
      return 'a replacement';
    case 'call':
      return null;
    case 'store_credit':
    case 'refund':
    case 'shipping_refund':
    case 'gift':
      return amount === null ? null : moneyWords(kind, format.money(amount));
    default:
      return unreachable(kind);
  }
}

function monthsWords(months: number, format: LocalFormat): string {
  return `${months === 1 ? 'one free month' : `${format.number(months)} free months`} of your membership`;
}

function pointsWords(points: number, format: LocalFormat): string {
  return `${format.number(points)} ${points === 1 ? 'point' : 'points'} in your account`;
}

function moneyWords(kind: 'store_credit' | 'refund' | 'shipping_refund' | 'gift', amount: string): string {
  switch (kind) {
    case 'store_credit':
      return `${amount} of credit in your account`;
    case 'refund':
      return `a refund of ${amount}, the way you paid`;
    case 'shipping_refund':
      return `your shipping costs of ${amount} back, the way you paid`;
    case 'gift':
      // Its worth is a bound for whoever chooses it, and no news to whoever gets it.
      return 'a small gift from us';
    default:
      return unreachable(kind);
  }
}

/** `a`, `a and b`, `a; b; and c`: with commas inside the pieces. */
function list(pieces: readonly string[]): string {
  if (pieces.length < 3) return pieces.join(' and ');
  return `${pieces.slice(0, -1).join('; ')}; and ${pieces.at(-1)}`;
}
