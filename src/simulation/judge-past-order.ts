import { isDeepStrictEqual } from 'node:util';
import type { DecisionCase } from '../compensation/decision-input.js';
import { firstDeliveredAt } from '../compensation/first-delivered-at.js';
import { judgingFor, type Policy } from '../compensation/policy.js';
import type { DeliveryPromise } from '../promises/promise.js';
import { type Judgement, judge, type Verdict, type VerdictCase, worstIndex } from '../promises/verdict.js';
import { intervalOf } from '../shipments/event-interval.js';
import type { TrackingEvent } from '../shipments/tracking-event.js';

type OfOrder = Pick<DecisionCase, 'order' | 'membership' | 'occasion' | 'contacts' | 'reports'>;
type OfParcel = Pick<DecisionCase, 'judgement' | 'promise' | 'firstDeliveredAt' | 'digital'>;

/** An order of the recorded past, with everything that judging and deciding it need. */
export interface PastOrder extends OfOrder {
  readonly customerId: string;
  readonly promise: DeliveryPromise;
  /** When the promise of the order ended, without any grace: it says whether the order is counted. */
  readonly promisedUntil: Date;
  readonly shipBy: Date | null;
  readonly destination: NonNullable<DecisionCase['destination']>;
  /** Of digital goods: when they were delivered; null: of parcels. */
  readonly digitalAt: Date | null;
  /** None: nobody has shipped it yet. */
  readonly parcels: readonly PastParcel[];
}

export interface PastParcel {
  /** Of its own, where it has one; else the order's holds. */
  readonly promise: DeliveryPromise | null;
  readonly carrier: string | null;
  readonly service: string | null;
  readonly events: readonly TrackingEvent[];
}

/** The answer for an order: that of its worst parcel. */
export interface PastAnswer {
  readonly verdict: Verdict;
  readonly lateDays: number | null;
}

/** What is left of an order for which something may be given: its scans are not kept. */
export interface BrokenOrder extends OfOrder {
  readonly customerId: string;
  readonly destination: PastOrder['destination'];
  /** When it is decided, ascending, in epoch milliseconds: when its answer was final, and when more was said of it. */
  readonly decidedAt: readonly number[];
  readonly parcels: readonly (OfParcel & Pick<PastParcel, 'carrier' | 'service'>)[];
}

export interface JudgedPastOrder {
  readonly answer: PastAnswer;
  /** Null when nothing was broken. */
  readonly broken: BrokenOrder | null;
}

const DAY_MS = 86_400_000;
const BROKEN: readonly Verdict[] = ['late', 'overdue', 'lost', 'damaged', 'returned'];
/** What the customer says that is an incident by itself, whatever the scans say. */
const OPENS_INCIDENT: readonly string[] = ['not_received', 'damaged'];

/** Whether two policies judge alike, so that the past need be judged only once. */
export function judgesAlike(one: Policy, other: Policy): boolean {
  return isDeepStrictEqual(one.judging, other.judging);
}

/** Judges an order by the settings of a policy, with what was known at `asOf`. */
export function judgePastOrder(order: PastOrder, policy: Policy, asOf: Date): JudgedPastOrder {
  const settings = judgingFor(policy, order.destination);
  const parcels = order.parcels.length > 0 ? order.parcels : [notShipped(order)];
  const judged = parcels.map(({ promise, carrier, service, events }) => {
    const input: VerdictCase = {
      ...settings,
      promise: promise ?? order.promise,
      asOf,
      shipBy: order.shipBy,
      events,
    };
    return { input, carrier, service, judgement: judge(input) };
  });
  const worst = judged[worstIndex(judged.map(({ judgement }) => judgement))]?.judgement;
  const answer = { verdict: worst?.verdict ?? 'pending', lateDays: worst?.lateDays ?? null };

  const final = judged
    .filter(({ judgement }) => BROKEN.includes(judgement.verdict))
    .reduce((last, { input, judgement }) => Math.max(last, finalAt(input, judgement)), Number.NEGATIVE_INFINITY);
  const opening =
    order.digitalAt === null ? OPENS_INCIDENT : OPENS_INCIDENT.filter((reason) => reason !== 'not_received');
  const said = [...order.contacts.filter(({ reason }) => opening.includes(reason)), ...order.reports]
    .filter(({ at }) => at <= asOf && at.getTime() > final)
    .map(({ at }) => at.getTime());
  const decidedAt = [...new Set(final > Number.NEGATIVE_INFINITY ? [final, ...said] : said)].sort((a, b) => a - b);
  if (decidedAt.length === 0) return { answer, broken: null };

  const { order: ids, customerId, membership, occasion, contacts, reports, destination } = order;
  return {
    answer,
    broken: {
      order: ids,
      customerId,
      membership,
      occasion,
      contacts,
      reports,
      destination,
      decidedAt,
      parcels: judged.map(({ input, judgement, carrier, service }) => ({
        judgement,
        promise: input.promise,
        digital: order.digitalAt !== null,
        firstDeliveredAt: firstDeliveredAt(input),
        carrier,
        service,
      })),
    },
  };
}

/** Digital goods are there without a parcel. */
function notShipped({ digitalAt }: PastOrder): PastParcel {
  const events: TrackingEvent[] =
    digitalAt === null ? [] : [{ status: 'delivered', time: { at: digitalAt }, exception: null, disputed: false }];
  return { promise: null, carrier: null, service: null, events };
}

/**
 * The instant from which on the answer for a broken promise was what it is: the arrival of what came late, the scan that
 * says what became of the parcel, or when its silence had lasted long enough. What is overdue has no final answer yet, and is
 * decided as things stand.
 */
function finalAt(input: VerdictCase, { verdict, metAt, promisedUntil, restsOnSilence }: Judgement): number {
  const asOf = input.asOf.getTime();
  if (metAt !== null) return metAt.getTime();
  if (verdict === 'overdue') return asOf;
  const known = input.events
    .map((event) => ({ event, interval: intervalOf(event.time, input.promise.timeZone) }))
    .filter(({ interval }) => interval.earliest <= input.asOf);
  if (restsOnSilence) {
    const silentSince = known.reduce(
      (since, { interval }) => Math.max(since, interval.latest.getTime()),
      promisedUntil.getTime(),
    );
    return Math.min(silentSince + input.lostAfterDays * DAY_MS, asOf);
  }
  return known
    .filter(({ event }) => (verdict === 'returned' ? event.status === 'return_to_sender' : event.exception === verdict))
    .reduce((first, { interval }) => Math.min(first, interval.earliest.getTime()), asOf);
}
