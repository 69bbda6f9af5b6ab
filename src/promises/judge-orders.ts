import {
  type DecidedForOrder,
  lockHistories,
  type NewAward,
  recordAwards,
  type StoredPastAward,
  withDecided,
} from '../compensation/award-store.js';
import { type Decision, decideForOrder } from '../compensation/decide.js';
import type { DecisionCase } from '../compensation/decision-input.js';
import { firstDeliveredAt } from '../compensation/first-delivered-at.js';
import type { Policy } from '../compensation/policy.js';
import type { Sql } from '../db/database.js';
import { readNow } from '../db/now.js';
import type { Deps } from '../deps.js';
import { assert } from '../errors.js';
import { newId } from '../ids.js';
import type { Trigger } from '../queue/ticket.js';
import { loadScans, loadShipmentsOfOrders, type Shipment, type StoredScan } from '../shipments/shipment-store.js';
import { letterFactsOf } from './letter-facts.js';
import { toPromise } from './order-store.js';
import { type Judgement, judge, type Verdict, type VerdictCase } from './verdict.js';
import { type JudgedOrder, lockOrders, recordVerdicts, saveDueDates, type VerdictRow } from './verdict-store.js';

/** What a judgement of one order came to. */
export interface JudgedOutcome {
  readonly orderId: string;
  readonly before: Verdict | null;
  readonly judgement: Judgement;
  readonly decision: Decision;
  /** The answer differs from the last one, or something was given. */
  readonly changed: boolean;
}

export interface JudgedOrders {
  /** The instant as of which was judged. */
  readonly asOf: Date;
  readonly outcomes: readonly JudgedOutcome[];
  readonly newAwards: readonly NewAward[];
}

/**
 * Judges orders and records what changed: the one place where a verdict is made, for webhooks, deadlines, agents and the
 * sweep alike. Orders, then customers are taken in the order of their ids. Unknown ids are left out.
 * @param work.asOf judge with what was known then; now, when it is left out
 */
export async function judgeOrders(
  deps: Pick<Deps, 'policies' | 'clock'>,
  sql: Sql,
  work: { ids: readonly string[]; asOf?: Date | undefined; trigger: Trigger; trace: string },
): Promise<JudgedOrders> {
  const { policy, version } = await deps.policies.active(sql);
  const orders = await lockOrders(sql, work.ids);
  // Read when the orders are ours: who waited for them must not judge as of an instant before the last judgement.
  const asOf = work.asOf ?? (await readNow(sql, deps.clock));
  const shipments = await loadShipmentsOfOrders(
    sql,
    orders.map((order) => order.id),
  );
  const scans = await loadScans(sql, shipments);
  const byOrder = new Map<string, Shipment[]>(orders.map((order) => [order.id, []]));
  for (const shipment of shipments) byOrder.get(shipment.orderId)?.push(shipment);
  const looked = orders.map((order) => look(order, byOrder.get(order.id) ?? [], scans, policy, asOf));

  // Only whose promise was broken may get something, and only then must the limits of the customer be counted.
  const broken = looked.filter(({ cases }) => cases.some(({ judgement }) => BROKEN.has(judgement.verdict)));
  const customers = [...new Set(broken.map(({ order }) => order.customerId))];
  const histories = await lockHistories(sql, customers, asOf);

  const verdicts: VerdictRow[] = [];
  const decided: DecidedForOrder[] = [];
  const outcomes: JudgedOutcome[] = [];
  for (const one of looked) {
    const history = histories.get(one.order.customerId) ?? [];
    const result = decideOne(one, history, policy, version);
    outcomes.push(result.outcome);
    if (result.row) verdicts.push(result.row);
    if (result.row && result.decided) {
      decided.push({ ...result.decided, decisionId: result.row.id, history });
      histories.set(one.order.customerId, withDecided(history, result.decided, asOf));
    }
  }

  await recordVerdicts(sql, verdicts, {
    judgedAt: asOf,
    policyVersion: version,
    trigger: work.trigger,
    trace: work.trace,
  });
  const newAwards = await recordAwards(sql, decided, { decidedAt: asOf, policyVersion: version });
  const dueDates = outcomes.map(({ orderId, decision }, index) => ({
    id: orderId,
    dueAt: dueAt(looked[index], decision),
  }));
  await saveDueDates(sql, dueDates, asOf);
  return { asOf, outcomes, newAwards };
}

const BROKEN: ReadonlySet<Verdict> = new Set(['late', 'overdue', 'lost', 'damaged', 'returned']);

/** An order with each of its shipments judged. */
interface LookedAt {
  readonly order: JudgedOrder;
  readonly cases: readonly {
    readonly shipment: Shipment | null;
    readonly scans: readonly StoredScan[];
    readonly input: VerdictCase;
    readonly judgement: Judgement;
  }[];
}

function look(
  order: JudgedOrder,
  shipments: readonly Shipment[],
  scans: ReadonlyMap<string, readonly StoredScan[]>,
  policy: Policy,
  asOf: Date,
): LookedAt {
  // An order that nobody has shipped yet is a parcel without a scan.
  const parcels: (Shipment | null)[] = shipments.length > 0 ? [...shipments] : [null];
  const cases = parcels.map((shipment) => {
    const events = shipment ? (scans.get(shipment.id) ?? []) : [];
    const promise = (shipment && ownPromise(shipment)) ?? order.promise;
    const input: VerdictCase = { ...policy.judging, promise, asOf, shipBy: order.shipBy, events };
    return { shipment, scans: events, input, judgement: judge(input) };
  });
  return { order, cases };
}

function ownPromise({ promise }: Shipment) {
  return toPromise({ promise_on: promise.on, promise_at: promise.at, promise_time_zone: promise.timeZone });
}

function decideOne(
  { order, cases }: LookedAt,
  history: readonly StoredPastAward[],
  policy: Policy,
  version: number,
): { outcome: JudgedOutcome; row: VerdictRow | null; decided: Omit<DecidedForOrder, 'decisionId' | 'history'> | null } {
  const shared = {
    order: { id: order.id, total: order.total, shippingPaid: order.shippingPaid },
    membership: order.membership,
    occasion: order.occasion,
    registeredAt: order.registeredAt,
    contacts: [],
    history,
  };
  const decisionCases: DecisionCase[] = cases.map(({ input, judgement }) => ({
    ...shared,
    judgement,
    promise: input.promise,
    asOf: input.asOf,
    firstDeliveredAt: firstDeliveredAt(input),
  }));
  const decision = decideForOrder(decisionCases, policy, version);
  const worst = cases[decision.worst];
  const leading = cases[decision.leading];
  const leadingCase = decisionCases[decision.leading];
  assert(worst && leading && leadingCase, 'the shipments that decide are among the shipments');
  const { judgement } = worst;

  const gives = decision.awards.length > 0;
  const changed = gives || order.last === null || differs(order.last, judgement, decision);
  const outcome: JudgedOutcome = {
    orderId: order.id,
    before: order.last?.verdict ?? null,
    judgement,
    decision,
    changed,
  };
  if (!changed) return { outcome, row: null, decided: null };

  const { incident, awards, tasks, declinedBecause, explanation } = decision;
  const row: VerdictRow = {
    id: newId(),
    orderId: order.id,
    judgement,
    incident,
    declinedBecause,
    explanation,
    inputs: { ...shared, cases: cases.map(({ shipment, input }) => inputOf(shipment, input)) },
    facts: gives ? letterFactsOf(leadingCase, leading, tasks) : null,
  };
  const decided = incident && { orderId: order.id, customerId: order.customerId, incident, awards, tasks };
  return { outcome, row, decided };
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
    trackingNumber: shipment?.trackingNumber ?? null,
    events: events.map(({ status, time, exception, disputed }) => ({ status, ...time, exception, disputed })),
  };
}

/** The first instant at which time alone can change the verdict of a shipment, or the decision. */
function dueAt(looked: LookedAt | undefined, decision: Decision): Date | null {
  const candidates = [...(looked?.cases.map(({ judgement }) => judgement.changesAt) ?? []), decision.decidesAgainAt];
  return candidates.reduce((first, at) => (at !== null && (first === null || at < first) ? at : first), null);
}
