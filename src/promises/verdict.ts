import { daysBetween, isTimeZone, localDateOf, startOfNextLocalDay } from '../calendar.js';
import { AppError, assert } from '../errors.js';
import { intervalOf } from '../shipments/event-interval.js';
import type { ExceptionKind, TrackingEvent, TrackingStatus } from '../shipments/tracking-event.js';
import type { DeliveryPromise } from './promise.js';

export const VERDICTS = [
  'on_time',
  'late',
  'overdue',
  'pending',
  'uncertain',
  'lost',
  'damaged',
  'returned',
  'cancelled',
] as const;
export type Verdict = (typeof VERDICTS)[number];

export const FAULTS = ['customer', 'customs', 'force_majeure', 'merchant', 'carrier'] as const;
export type Fault = (typeof FAULTS)[number];

/** The settings of a policy that bear on the verdict. */
export interface JudgingSettings {
  /** Added to the bound. */
  readonly graceMinutes: number;
  /** Whether a first delivery attempt, or arrival at a pickup point, keeps the promise. */
  readonly attemptCounts: boolean;
  /** Days of 24 hours without a scan, counted from the later of the last scan and the bound, until a parcel is lost. */
  readonly lostAfterDays: number;
}

/** Everything the verdict depends on, and nothing else. */
export interface VerdictCase extends JudgingSettings {
  readonly promise: DeliveryPromise;
  /** Judge with what was known then: an event that begins later is not there yet. */
  readonly asOf: Date;
  /** When the merchant had to hand the parcel over; null when nobody said. */
  readonly shipBy: Date | null;
  /** In any order, and any of them any number of times: neither matters. */
  readonly events: readonly TrackingEvent[];
}

/** The answer. `restsOnSilence`: no scan says so, only the absence of one (overdue, or lost without a `lost` scan). */
export interface Judgement {
  readonly verdict: Verdict;
  /** The bound, with the grace added. */
  readonly promisedUntil: Date;
  /** When the promise was first met, or broken and then met; null unless on_time or late. */
  readonly metAt: Date | null;
  /** Whole minutes past the bound, rounded down, at `metAt` (late) or `asOf` (overdue); else null. */
  readonly lateMinutes: number | null;
  /** Local calendar days past the promised date, at the same instant; else null. */
  readonly lateDays: number | null;
  readonly fault: Fault | null;
  readonly restsOnSilence: boolean;
  /**
   * The next instant at which time alone, without any new scan, can change the verdict, the `lateDays` or the fault;
   * null when it cannot. May be too early, and is never too late: judge again then. (`lateMinutes` grow all the time.)
   */
  readonly changesAt: Date | null;
}

/** Until when a promise is kept. `inclusive`: a delivery at that very instant keeps it. */
export interface Bound {
  readonly promisedUntil: Date;
  readonly inclusive: boolean;
}

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** What holds a parcel up because of the customer. */
export const CUSTOMER_KINDS: readonly ExceptionKind[] = [
  'address',
  'refused',
  'unclaimed',
  'customer_request',
  'payment',
];
/** A label exists, or we do not understand the word: no sign that the parcel ever moved. */
const NOT_MOVING: readonly TrackingStatus[] = ['pre_transit', 'unknown'];
/** As above, and a cancellation: no sign that the carrier ever had the parcel. */
const NOT_ACCEPTED: readonly TrackingStatus[] = ['pre_transit', 'cancelled', 'unknown'];
const HAVE_LATENESS: readonly Verdict[] = ['late', 'overdue'];
const HAVE_FAULT: readonly Verdict[] = ['late', 'overdue', 'lost', 'damaged', 'returned'];

/** An event with the instants at which it can have happened, in epoch milliseconds. */
interface TimedEvent {
  readonly status: TrackingStatus;
  readonly exception: ExceptionKind | null;
  readonly disputed: boolean;
  readonly earliest: number;
  readonly latest: number;
}

/** A case made comparable: instants in epoch milliseconds, events split into those known at `asOf` and those still to come. */
interface Evidence {
  readonly input: VerdictCase;
  readonly bound: number;
  readonly isWithin: (at: number) => boolean;
  readonly asOf: number;
  readonly known: readonly TimedEvent[];
  readonly toCome: readonly TimedEvent[];
}

interface Finding {
  readonly verdict: Verdict;
  readonly metAt: number | null;
  readonly restsOnSilence: boolean;
}

/**
 * Was the promise kept? A pure function of its input: the same facts give the same answer, in whatever order and
 * however often the scans arrived. A carrier's estimate is no part of it and never moves the bound.
 *
 * First match wins: met in time, or too late, or not to be settled by the evidence (1); cancelled (2); returned (3);
 * said to be lost (4) or damaged (5); not due yet (6); moving once and silent for too long (7); overdue (8).
 * @throws AppError `invalid_request` for an unknown time zone, an impossible date or instant, or a malformed time.
 */
export function judge(input: VerdictCase): Judgement {
  const evidence = weigh(input);
  const finding = find(evidence);
  return {
    verdict: finding.verdict,
    promisedUntil: new Date(evidence.bound),
    metAt: finding.metAt === null ? null : new Date(finding.metAt),
    ...lateness(evidence, finding),
    fault: HAVE_FAULT.includes(finding.verdict) ? faultOf(evidence) : null,
    restsOnSilence: finding.restsOnSilence,
    changesAt: nextChange(evidence, finding),
  };
}

/**
 * The bound of a promise. A date is kept until its local day is over, so its bound is the first instant of the next day,
 * exclusive; an instant is kept up to and including itself. The grace moves either.
 * @throws AppError `invalid_request` for an unknown time zone or an impossible date.
 */
export function boundOf(promise: DeliveryPromise, graceMinutes: number): Bound {
  const inclusive = 'at' in promise;
  const end = inclusive ? promise.at : startOfNextLocalDay(promise.on, promise.timeZone);
  return { promisedUntil: new Date(end.getTime() + graceMinutes * MINUTE_MS), inclusive };
}

/** Whether a delivery at this instant would keep the promise. */
export function keepsPromise(
  { promise, graceMinutes }: Pick<VerdictCase, 'promise' | 'graceMinutes'>,
  at: Date,
): boolean {
  const { promisedUntil, inclusive } = boundOf(promise, graceMinutes);
  return inclusive ? at <= promisedUntil : at < promisedUntil;
}

/** Whether a scan of this status shows that the carrier really has the parcel. */
export function isAcceptance(status: TrackingStatus): boolean {
  return !NOT_ACCEPTED.includes(status);
}

/**
 * The judgement of an order of several shipments: that of its worst one, except that time changes it as soon as it
 * changes any of them.
 * @param judgements one of each shipment, at least one
 */
export function worst(judgements: readonly Judgement[]): Judgement {
  const found = judgements[worstIndex(judgements)];
  assert(found, 'an order is judged by at least one shipment');
  const changes = judgements.flatMap(({ changesAt }) => (changesAt === null ? [] : [changesAt.getTime()]));
  return { ...found, changesAt: changes.length === 0 ? null : new Date(Math.min(...changes)) };
}

/**
 * Which shipment is the worst: lost, then damaged, returned, late or overdue (the most `lateDays`, then
 * `lateMinutes`), uncertain, pending, on_time. Cancelled ones do not count unless all are. Between equals a scan is
 * better evidence than silence, and then the first counts.
 * @param judgements one of each shipment, at least one
 */
export function worstIndex(judgements: readonly Judgement[]): number {
  assert(judgements.length > 0, 'an order is judged by at least one shipment');
  return judgements.reduce((soFar, one, index) => {
    const best = judgements[soFar];
    return best && compareSeverity(one, best) > 0 ? index : soFar;
  }, 0);
}

/** From mild to grave. Late and overdue are one step, told apart by how late. */
const SEVERITY: Readonly<Record<Verdict, number>> = {
  cancelled: 0,
  on_time: 1,
  pending: 2,
  uncertain: 3,
  overdue: 4,
  late: 4,
  returned: 5,
  damaged: 6,
  lost: 7,
};

/** Positive when `a` is worse than `b`, 0 when neither is. */
function compareSeverity(a: Judgement, b: Judgement): number {
  return (
    SEVERITY[a.verdict] - SEVERITY[b.verdict] ||
    (a.lateDays ?? 0) - (b.lateDays ?? 0) ||
    (a.lateMinutes ?? 0) - (b.lateMinutes ?? 0) ||
    Number(b.restsOnSilence) - Number(a.restsOnSilence)
  );
}

function weigh(input: VerdictCase): Evidence {
  const { promise, graceMinutes, asOf } = input;
  refuseUnreadable(input);
  const { promisedUntil, inclusive } = boundOf(promise, graceMinutes);
  const bound = promisedUntil.getTime();
  const events = input.events.map((event) => timed(event, promise.timeZone));
  return {
    input,
    bound,
    isWithin: (at) => (inclusive ? at <= bound : at < bound),
    asOf: asOf.getTime(),
    known: events.filter(({ earliest }) => earliest <= asOf.getTime()),
    toCome: events.filter(({ earliest }) => earliest > asOf.getTime()),
  };
}

function timed({ status, exception, disputed, time }: TrackingEvent, destinationZone: string): TimedEvent {
  const { earliest, latest } = intervalOf(time, destinationZone);
  return { status, exception, disputed, earliest: earliest.getTime(), latest: latest.getTime() };
}

function find(evidence: Evidence): Finding {
  const { known, asOf, isWithin } = evidence;
  const met = findMeeting(evidence);
  if (met !== null) return met;

  const said = (verdict: Verdict): Finding => ({ verdict, metAt: null, restsOnSilence: false });
  if (known.some(({ status }) => status === 'cancelled')) return said('cancelled');
  if (known.some(({ status }) => status === 'return_to_sender')) return said('returned');
  if (known.some(({ exception }) => exception === 'lost')) return said('lost');
  if (known.some(({ exception }) => exception === 'damaged')) return said('damaged');
  if (isWithin(asOf)) return said('pending');

  const lostAt = lostBySilenceAt(evidence);
  return { verdict: lostAt !== null && asOf >= lostAt ? 'lost' : 'overdue', metAt: null, restsOnSilence: true };
}

/**
 * Rule 1. The first meeting happened between the smallest `earliest` and the smallest `latest` of all that can be it;
 * when the bound lies between the two the evidence does not settle it. What happens afterwards changes nothing.
 */
function findMeeting({ input, known, isWithin }: Evidence): Finding | null {
  const meetings = known.filter(
    ({ status, disputed }) =>
      !disputed &&
      (status === 'delivered' ||
        (input.attemptCounts && (status === 'attempted' || status === 'available_for_pickup'))),
  );
  if (meetings.length === 0) return null;
  const earliest = smallest(meetings.map((meeting) => meeting.earliest));
  const latest = smallest(meetings.map((meeting) => meeting.latest));
  if (isWithin(latest)) return { verdict: 'on_time', metAt: earliest, restsOnSilence: false };
  if (!isWithin(earliest)) return { verdict: 'late', metAt: earliest, restsOnSilence: false };
  return { verdict: 'uncertain', metAt: null, restsOnSilence: false };
}

/**
 * Rule 7: when silence makes a parcel lost; null when it never moved. Any scan breaks the silence, also one that we do
 * not understand. A scan that is not exactly dated counts from the latest instant it can mean: a replacement sent a day
 * late is better than one sent for a parcel that was seen within the time.
 */
function lostBySilenceAt({ input, known, bound }: Evidence): number | null {
  if (known.every(({ status }) => NOT_MOVING.includes(status))) return null;
  const silentSince = known.reduce((since, { latest }) => Math.max(since, latest), bound);
  return silentSince + input.lostAfterDays * DAY_MS;
}

function lateness(
  { input, bound, asOf }: Evidence,
  { verdict, metAt }: Finding,
): { lateMinutes: number | null; lateDays: number | null } {
  if (!HAVE_LATENESS.includes(verdict)) return { lateMinutes: null, lateDays: null };
  const { promise } = input;
  const reached = metAt ?? asOf;
  const promisedOn = 'on' in promise ? promise.on : localDateOf(promise.at, promise.timeZone);
  return {
    lateMinutes: Math.floor((reached - bound) / MINUTE_MS),
    lateDays: daysBetween(promisedOn, localDateOf(new Date(reached), promise.timeZone)),
  };
}

/**
 * Whose fault it is. Only exceptions that began within the bound can excuse anyone: what happened afterwards did not
 * break the promise. The merchant is at fault when the carrier never had the parcel, or surely not by `shipBy`.
 */
function faultOf({ input, known, isWithin }: Evidence): Fault {
  const excuses = known.filter(({ earliest }) => isWithin(earliest)).map(({ exception }) => exception);
  if (excuses.some((kind) => kind !== null && CUSTOMER_KINDS.includes(kind))) return 'customer';
  if (excuses.includes('customs')) return 'customs';
  if (excuses.includes('weather')) return 'force_majeure';

  const accepted = known.filter(({ status }) => isAcceptance(status));
  if (accepted.length === 0) return 'merchant';
  const acceptedAt = smallest(accepted.map(({ earliest }) => earliest));
  return input.shipBy !== null && acceptedAt > input.shipBy.getTime() ? 'merchant' : 'carrier';
}

/**
 * When time alone can change the answer. A parcel that arrived, in time or late, is settled: events that begin later can
 * neither have come first nor have begun within a bound that is past. Else each event to come may matter.
 */
function nextChange(evidence: Evidence, { verdict }: Finding): Date | null {
  if (verdict === 'on_time' || verdict === 'late') return null;
  const { input, asOf, bound, isWithin, toCome } = evidence;
  const candidates = toCome.map(({ earliest }) => earliest);
  if (verdict === 'pending') candidates.push(isWithin(bound) ? bound + 1 : bound);
  if (verdict === 'overdue') {
    const { timeZone } = input.promise;
    candidates.push(startOfNextLocalDay(localDateOf(input.asOf, timeZone), timeZone).getTime());
    const lostAt = lostBySilenceAt(evidence);
    if (lostAt !== null && lostAt > asOf) candidates.push(lostAt);
  }
  return candidates.length === 0 ? null : new Date(smallest(candidates));
}

/** Types cannot exclude an unknown zone or a NaN, and a comparison with NaN would pass as "beyond the bound". */
function refuseUnreadable({ promise, asOf, shipBy, events, graceMinutes, lostAfterDays }: VerdictCase): void {
  if (!isTimeZone(promise.timeZone))
    throw invalid('promise.timeZone', 'not an IANA time zone such as America/New_York');
  refuseInvalidDate('asOf', asOf);
  if ('at' in promise) refuseInvalidDate('promise.at', promise.at);
  if (shipBy !== null) refuseInvalidDate('shipBy', shipBy);
  events.forEach(({ time }, index) => {
    if ('at' in time) refuseInvalidDate(`events[${index}].at`, time.at);
  });
  if (!(graceMinutes >= 0)) throw invalid('graceMinutes', 'not a number of minutes, 0 or more');
  if (!(lostAfterDays >= 0)) throw invalid('lostAfterDays', 'not a number of days, 0 or more');
}

function refuseInvalidDate(field: string, instant: Date): void {
  if (Number.isNaN(instant.getTime())) throw invalid(field, 'not an instant');
}

function invalid(field: string, message: string): AppError {
  return new AppError('invalid_request', `${field}: ${message}`, { errors: [{ field, message }] });
}

/** Like `Math.min(...numbers)`, without a limit to how many. */
function smallest(numbers: readonly number[]): number {
  return numbers.reduce((least, number) => Math.min(least, number), Number.POSITIVE_INFINITY);
}
