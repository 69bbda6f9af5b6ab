import { localDateOf, startOfLocalDay } from '../calendar.js';
import { carrierKeyOf } from '../carriers/matching.js';
import { isMember } from '../compensation/conditions.js';
import { firstDeliveredAt } from '../compensation/first-delivered-at.js';
import type { LetterAward } from '../compensation/letter-award.js';
import type { Policy } from '../compensation/policy.js';
import type { Shipment } from '../shipments/shipment-store.js';
import { publicParcel } from '../shipments/tracking-links.js';
import type { JudgedOutcome, LookedAt } from './decide-order.js';
import { type LetterFacts, letterFactsOf } from './letter-facts.js';
import type { NoticeKind } from './notice-kinds.js';
import type { OrderDocument } from './order-document.js';
import { isAcceptance, keepsPromise } from './verdict.js';

/** What a notice says besides the facts of its order. */
export interface NoticeFacts extends LetterFacts {
  /** Of a correction, what was not right: the apology, or that something was given. */
  readonly correctionOf?: 'came_in_time' | 'reversed' | null;
  /** Of a reversal: what was taken back. */
  readonly awards?: readonly LetterAward[];
}

/** Something to note once: no order has two of one kind and part. */
export interface Notice {
  readonly orderId: string;
  readonly kind: NoticeKind;
  readonly part: string;
  readonly facts: NoticeFacts;
  /** Whether a letter tells of it. */
  readonly tells: boolean;
}

/** What is known besides of the orders that something may have to be noted of. */
export interface NoticeNews {
  /** Letters that the shop wants besides those that make up for something. */
  readonly serviceLetters: ReadonlySet<string>;
  /** The carriers' newest guess of a parcel, and when they made it; by shipment. */
  readonly estimates: ReadonlyMap<string, NewestEstimate>;
  /** Parcels of which it was noted before that they have left. */
  readonly shipped: ReadonlySet<string>;
  /** Orders of which a letter has said that they are late. */
  readonly apologised: ReadonlySet<string>;
  /** Orders that were given something, for whatever it was. */
  readonly compensated: ReadonlySet<string>;
}

export interface NewestEstimate {
  readonly estimate: NonNullable<Shipment['estimate']>;
  readonly reportedAt: Date;
}

/** An order as it was just judged. */
export interface JustJudged {
  readonly looked: LookedAt;
  readonly outcome: JudgedOutcome;
}

type JudgedParcel = LookedAt['cases'][number];
type ShippedParcel = JudgedParcel & { readonly shipment: Shipment };

/**
 * Parcels that left this long ago are no news any more. Shorter, and a weekend in which no scans came in costs the letter; longer,
 * and whoever begins to send such letters sends them for parcels that are nearly there.
 */
const NEWS_FOR_MS = 3 * 86_400_000;

/**
 * What is to be noted of an order that was just judged as of now, by a policy that is in force. May name what was noted before:
 * the key keeps it from being noted twice. A pure function.
 */
export function noticesOf({ looked, outcome }: JustJudged, policy: Policy, news: NoticeNews): Notice[] {
  if (policy.mode !== 'active' || looked.order.backfill) return [];
  return [
    ...shippedNotices(looked, outcome, policy, news),
    ...atRiskNotices(looked, outcome, policy, news),
    ...declinedNotices({ looked, outcome }, policy, news),
    ...correctionNotices(looked, outcome, policy, news),
  ];
}

/** That an order is registered, with what was promised for it. Of an order whose promise is to come. */
export function confirmedNotice(
  orderId: string,
  { promise, customer, shipments }: OrderDocument,
  policy: Policy,
  registeredAt: Date,
): Notice {
  const membership = customer.membership ? { tier: customer.membership.tier, trial: customer.membership.trial } : null;
  const facts: NoticeFacts = {
    asOf: registeredAt,
    promise,
    verdict: 'pending',
    metAt: null,
    metBy: null,
    deliveredAt: null,
    lateDays: null,
    lateMinutes: null,
    lastScan: null,
    estimate: null,
    occasion: null,
    callPlanned: false,
    parcels: shipments.map(({ carrier, trackingNumber }) => ({
      ...publicParcel({ carrier, carrierKey: carrierKeyOf(carrier), trackingNumber }),
      trackingNumber,
      status: 'unknown',
      deliveredAt: null,
      estimate: null,
    })),
    cause: null,
    isMember: isMember({ membership }, policy),
    service: null,
    declinedBecause: null,
  };
  return { orderId, kind: 'order-confirmed', part: '', facts, tells: true };
}

/** Parcels that the carrier has had for the first time: one letter for all that leave together, and a row each. */
function shippedNotices(looked: LookedAt, outcome: JudgedOutcome, policy: Policy, news: NoticeNews): Notice[] {
  const left = parcelsThatLeft(looked, outcome, news).filter(({ shipment }) => !news.shipped.has(shipment.id));
  return left.map((parcel, place) => ({
    orderId: looked.order.id,
    kind: 'shipped',
    part: parcel.shipment.id,
    facts: factsOf(parcel, looked, policy),
    tells: place === 0,
  }));
}

/** Under way, and for not so long that everybody knows. */
export function parcelsThatLeft(
  { cases }: LookedAt,
  { decision }: JudgedOutcome,
  { serviceLetters }: Pick<NoticeNews, 'serviceLetters'>,
): ShippedParcel[] {
  if (!serviceLetters.has('shipped') || decision.incident !== null) return [];
  return cases.filter(isShipped).filter((parcel) => {
    const at = parcel.judgement.verdict === 'pending' ? acceptedAt(parcel) : null;
    return at !== null && parcel.input.asOf.getTime() - at.getTime() < NEWS_FOR_MS;
  });
}

function atRiskNotices(looked: LookedAt, outcome: JudgedOutcome, policy: Policy, news: NoticeNews): Notice[] {
  if (outcome.judgement.verdict !== 'pending') return [];
  const parcel = parcelsThatMayBeLate(looked, outcome).find((one) => {
    const newest = news.estimates.get(one.shipment.id);
    const at = acceptedAt(one);
    // What was guessed before the parcel moved says nothing of how it moves.
    return newest !== undefined && at !== null && newest.reportedAt >= at && isTooLate(newest.estimate, one);
  });
  if (!parcel) return [];
  const estimate = news.estimates.get(parcel.shipment.id)?.estimate ?? null;
  return [
    {
      orderId: looked.order.id,
      kind: 'at-risk',
      part: '',
      facts: factsOf({ ...parcel, shipment: { ...parcel.shipment, estimate } }, looked, policy),
      tells: news.serviceLetters.has('at-risk'),
    },
  ];
}

/**
 * Parcels under way that their carriers expect too late, as far as the estimate goes that was added up with their scans. What is
 * out for delivery is not among them: it comes today, whatever was guessed before.
 */
export function parcelsThatMayBeLate({ order, cases }: LookedAt, { decision }: JudgedOutcome): ShippedParcel[] {
  if (order.backfill || decision.incident !== null) return [];
  return cases.filter(isShipped).filter((parcel) => {
    const { shipment, judgement } = parcel;
    if (judgement.verdict !== 'pending' || shipment.estimate === null || acceptedAt(parcel) === null) return false;
    return isTooLate(shipment.estimate, parcel) && !isOutForDelivery(parcel);
  });
}

/** On a later local day than promised; of a promise with a time, after it. A day that is named counts from its beginning then. */
function isTooLate(estimate: NewestEstimate['estimate'], { input }: JudgedParcel): boolean {
  const { promise } = input;
  // A guess is as coarse as a day: no grace of minutes, which would make the whole next day count as the promised one.
  if ('on' in promise) {
    return ('on' in estimate ? estimate.on : localDateOf(estimate.at, promise.timeZone)) > promise.on;
  }
  return !keepsPromise(input, 'at' in estimate ? estimate.at : startOfLocalDay(estimate.on, promise.timeZone));
}

function isOutForDelivery({ scans, input }: JudgedParcel): boolean {
  const known = scans.filter(({ interval }) => interval.earliest <= input.asOf);
  const last = known.reduce((latest, { interval }) => Math.max(latest, interval.earliest.getTime()), 0);
  return known.some(({ status, interval }) => interval.earliest.getTime() === last && status === 'out_for_delivery');
}

const NOT_PAID: ReadonlySet<string> = new Set(['customer_fault', 'customs', 'force_majeure']);

/** What is longer ago is no news: who hears of it only now was told otherwise, or has forgotten it. */
const DECLINED_NEWS_FOR_MS = 30 * 86_400_000;

/**
 * Late by a day or more, and nobody pays for it: the customer is told, not paid, when that is found. Who was given something
 * before is not told so; nor is anybody of an answer that stands already, or of what is long over.
 */
function declinedNotices({ looked, outcome }: JustJudged, policy: Policy, news: NoticeNews): Notice[] {
  const { decision } = outcome;
  const parcel = looked.cases[decision.leading];
  const { incident, declinedBecause } = decision;
  if (incident !== 'late' || declinedBecause === null || !NOT_PAID.has(declinedBecause)) return [];
  if (!parcel || (parcel.judgement.lateDays ?? 0) < 1 || news.compensated.has(looked.order.id)) return [];
  const { metAt, promisedUntil } = parcel.judgement;
  const since = parcel.input.asOf.getTime() - (metAt ?? promisedUntil).getTime();
  if (!outcome.changed || wasDeclined(looked.order, declinedBecause) || since > DECLINED_NEWS_FOR_MS) return [];
  const facts = factsOf(parcel, looked, policy, declinedBecause);
  return [{ orderId: looked.order.id, kind: 'declined', part: '', facts, tells: true }];
}

/** That it is overdue by one day more is the same answer. */
function wasDeclined({ last }: LookedAt['order'], declinedBecause: string): boolean {
  return last?.incident === 'late' && last.declinedBecause === declinedBecause && (last.lateDays ?? 0) >= 1;
}

/** An apology has left, and it came in time after all. What was given stays. */
function correctionNotices(looked: LookedAt, outcome: JudgedOutcome, policy: Policy, news: NoticeNews): Notice[] {
  const parcel = looked.cases[outcome.decision.leading];
  if (!parcel || !mayBeCorrected({ looked, outcome }) || !news.apologised.has(looked.order.id)) return [];
  const facts: NoticeFacts = { ...factsOf(parcel, looked, policy), correctionOf: 'came_in_time' };
  return [{ orderId: looked.order.id, kind: 'correction', part: '', facts, tells: true }];
}

/** Found to be in time, and otherwise before. Who says that it is not there, or broken, is not told that all is well. */
export function mayBeCorrected({ looked, outcome }: JustJudged): boolean {
  const before = looked.order.last?.verdict ?? 'pending';
  const { judgement, decision } = outcome;
  return judgement.verdict === 'on_time' && decision.incident === null && before !== 'on_time' && before !== 'pending';
}

function isShipped(parcel: JudgedParcel): parcel is ShippedParcel {
  return parcel.shipment !== null;
}

/** When the carrier is first known to have had it; null: it is not known to have. */
function acceptedAt({ scans, input }: JudgedParcel): Date | null {
  return scans
    .filter(({ status, disputed, interval }) => isAcceptance(status) && !disputed && interval.earliest <= input.asOf)
    .map(({ interval }) => interval.earliest)
    .reduce<Date | null>((first, at) => (first === null || at < first ? at : first), null);
}

function factsOf(
  parcel: JudgedParcel,
  { order, cases }: LookedAt,
  policy: Policy,
  declinedBecause: LetterFacts['declinedBecause'] = null,
): LetterFacts {
  const { input, judgement } = parcel;
  const known = {
    judgement,
    promise: input.promise,
    occasion: order.occasion,
    asOf: input.asOf,
    firstDeliveredAt: firstDeliveredAt(input),
  };
  return letterFactsOf(known, parcel, [], {
    parcels: cases,
    isMember: isMember(order, policy),
    declinedBecause,
    service: null,
  });
}
