import { isDeepStrictEqual } from 'node:util';
import { armOf } from '../compensation/arm.js';
import type { DecidedForOrder, PlannedTask, StoredPastAward } from '../compensation/award-store.js';
import { isMember } from '../compensation/conditions.js';
import { customerWording } from '../compensation/customer-wording.js';
import { type Decision, decideForOrder } from '../compensation/decide.js';
import type { DecisionCase } from '../compensation/decision-input.js';
import { poorService } from '../compensation/find-incident.js';
import { firstDeliveredAt } from '../compensation/first-delivered-at.js';
import { judgingFor, type Policy } from '../compensation/policy.js';
import { passTill, type Till } from '../compensation/till.js';
import { assert } from '../errors.js';
import { newId } from '../ids.js';
import type { Shipment, StoredScan } from '../shipments/shipment-store.js';
import type { TrackingEvent } from '../shipments/tracking-event.js';
import { nextCallAt } from './call-time.js';
import { type LetterFacts, letterFactsOf } from './letter-facts.js';
import { toPromise } from './order-store.js';
import { talkingPoints } from './talking-points.js';
import { type Judgement, judge, type Verdict, type VerdictCase } from './verdict.js';
import type { JudgedOrder, VerdictRow } from './verdict-store.js';

/** What a judgement of one order came to. */
export interface JudgedOutcome {
  readonly orderId: string;
  readonly before: Verdict | null;
  readonly judgement: Judgement;
  readonly decision: Decision;
  /** The answer differs from the last one, or something was given. */
  readonly changed: boolean;
}

/** An order with each of its shipments judged. */
export interface LookedAt {
  readonly order: JudgedOrder;
  readonly cases: readonly {
    readonly shipment: Shipment | null;
    readonly scans: readonly StoredScan[];
    readonly input: VerdictCase;
    readonly judgement: Judgement;
  }[];
}

export function look(
  order: JudgedOrder,
  shipments: readonly Shipment[],
  scans: ReadonlyMap<string, readonly StoredScan[]>,
  policy: Policy,
  asOf: Date,
): LookedAt {
  // An order that nobody has shipped yet is a parcel without a scan.
  const judging = judgingFor(policy, order.destination);
  const parcels: (Shipment | null)[] = shipments.length > 0 ? [...shipments] : [null];
  const cases = parcels.map((shipment) => {
    const events = shipment ? (scans.get(shipment.id) ?? []) : [];
    const promise = (shipment && ownPromise(shipment)) ?? order.promise;
    const told = shipment === null ? digitalDelivery(order) : events;
    const input: VerdictCase = { ...judging, promise, asOf, shipBy: order.shipBy, events: told };
    return { shipment, scans: events, input, judgement: judge(input) };
  });
  return { order, cases };
}

/** What is downloaded or watched is there when it was ordered, as if a carrier had said so. */
function digitalDelivery({ digitalAt }: Pick<JudgedOrder, 'digitalAt'>): TrackingEvent[] {
  return digitalAt === null ? [] : [{ status: 'delivered', time: { at: digitalAt }, exception: null, disputed: false }];
}

function ownPromise({ promise }: Shipment) {
  return toPromise({ promise_on: promise.on, promise_at: promise.at, promise_time_zone: promise.timeZone });
}

export function decideOne(
  { order, cases }: LookedAt,
  history: readonly StoredPastAward[],
  till: Till,
  { policy, version }: { policy: Policy; version: number },
): { outcome: JudgedOutcome; row: VerdictRow | null; decided: Omit<DecidedForOrder, 'decisionId' | 'history'> | null } {
  const mode = order.backfill ? 'backfill' : policy.mode;
  const arm = order.arm ?? (policy.holdout.percent > 0 ? armOf(order.customerId, policy) : null);
  const shared = {
    order: { id: order.id, total: order.total, shippingPaid: order.shippingPaid },
    membership: order.membership,
    occasion: order.occasion,
    registeredAt: order.registeredAt,
    contacts: order.contacts,
    reports: order.reports,
    destination: order.destination,
    arm,
    history,
  };
  const decisionCases: DecisionCase[] = cases.map(({ shipment, input, judgement }) => ({
    ...shared,
    judgement,
    promise: input.promise,
    digital: order.digitalAt !== null,
    asOf: input.asOf,
    firstDeliveredAt: firstDeliveredAt(input),
    carrier: shipment?.carrier ?? null,
    service: shipment?.service ?? null,
  }));
  const ruled = decideForOrder(decisionCases, policy, version);
  const worst = cases[ruled.worst];
  const leading = cases[ruled.leading];
  const leadingCase = decisionCases[ruled.leading];
  assert(worst && leading && leadingCase, 'the shipments that decide are among the shipments');
  // What only would have been given takes nothing from the till.
  const decision = mode === 'active' ? passTill(ruled, leadingCase, till, policy) : ruled;
  const { judgement } = worst;
  const { incident, awards, declinedBecause, explanation } = decision;

  const gives = mode === 'active' && awards.length > 0;
  const answer = { incident, awards, tasks: decision.tasks, declinedBecause };
  const recordsAnew =
    mode !== 'active' && awards.length > 0 && !isDeepStrictEqual(order.last?.recordedAnswer, plain(answer));
  const changed = gives || recordsAnew || order.last === null || differs(order.last, judgement, decision);
  const outcome: JudgedOutcome = {
    orderId: order.id,
    before: order.last?.verdict ?? null,
    judgement,
    decision: mode === 'active' ? decision : { ...decision, awards: [], tasks: [] },
    changed,
  };
  if (!changed) return { outcome, row: null, decided: null };

  // Most answers give nothing and ask nobody to call: there is nothing to tell of them.
  const tellsOf = mode === 'active' && (gives || decision.tasks.length > 0);
  const facts = tellsOf
    ? letterFactsOf(leadingCase, leading, decision.tasks, {
        parcels: cases,
        isMember: isMember(order, policy),
        declinedBecause: null,
        service: incident === 'service' ? serviceOf(leadingCase) : null,
      })
    : null;
  const { earned, withheld, overCompensation } = decision;
  const tells = incident !== null || overCompensation.length > 0;
  const row: VerdictRow = {
    id: newId(),
    orderId: order.id,
    judgement,
    incident,
    declinedBecause,
    explanation: mode === 'active' ? explanation : [...explanation, NOT_GIVEN[mode]],
    customerWording: customerWording({ decision, leading: leadingCase, mode, locale: order.locale }),
    mode,
    arm: incident === null ? null : arm,
    inputs: {
      ...shared,
      ...(order.digitalAt === null ? {} : { digital: true }),
      cases: cases.map(({ shipment, input }) => inputOf(shipment, input)),
    },
    decision: tells ? { answer, earned, withheld, overCompensation, till } : null,
    facts: gives ? facts : null,
  };
  if (mode !== 'active' || incident === null) return { outcome, row, decided: null };
  const tasks =
    facts === null ? [] : decision.tasks.map((task) => planTask(task, { input: leadingCase, facts, decision, policy }));
  return { outcome, row, decided: { orderId: order.id, customerId: order.customerId, incident, awards, tasks } };
}

function serviceOf(leading: DecisionCase): NonNullable<LetterFacts['service']> | null {
  const found = poorService(leading);
  return found && { kind: found.kind, title: found.title };
}

/** A call falls into the customer's day, and whoever makes it knows what the record says. */
function planTask(
  task: Decision['tasks'][number],
  { input, facts, decision, policy }: { input: DecisionCase; facts: LetterFacts; decision: Decision; policy: Policy },
): PlannedTask {
  const { timeZone } = input.promise;
  const points = { orderId: input.order.id, letter: facts, given: decision.awards, history: input.history };
  return {
    ...task,
    dueAt: nextCallAt(input.asOf, timeZone, policy.calls),
    timeZone,
    talkingPoints: talkingPoints(points),
  };
}

const NOT_GIVEN = {
  shadow: 'The policy is in shadow mode: this is what it would give, and nothing was given.',
  backfill: 'The order was registered long after its promise had ended: this is for the record, and nothing was given.',
} as const;

/** As it comes back from the database. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

/** The minutes of an overdue parcel grow all the time: that is no news. Nor is that what was given is not given again. */
function differs(last: NonNullable<JudgedOrder['last']>, judgement: Judgement, decision: Decision): boolean {
  const gaveThen = last.declinedBecause === null && decision.declinedBecause === 'already_compensated';
  return (
    last.verdict !== judgement.verdict ||
    last.metAt?.getTime() !== judgement.metAt?.getTime() ||
    last.lateDays !== judgement.lateDays ||
    last.fault !== judgement.fault ||
    last.incident !== decision.incident ||
    (last.declinedBecause !== decision.declinedBecause && !gaveThen)
  );
}

/** A case as it is stored and as `makegood judge` takes it. */
function inputOf(shipment: Shipment | null, { events, ...settings }: VerdictCase) {
  return {
    ...settings,
    carrier: shipment?.carrier ?? null,
    service: shipment?.service ?? null,
    trackingNumber: shipment?.trackingNumber ?? null,
    events: events.map(({ status, time, exception, disputed }) => ({ status, ...time, exception, disputed })),
  };
}
