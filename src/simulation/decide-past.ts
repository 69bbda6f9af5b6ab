import { armOf } from '../compensation/arm.js';
import {
  type AwardKind,
  asPast,
  type DecidedAward,
  type DecidedStatus,
  measureOf,
  type PastAward,
} from '../compensation/award.js';
import { decideForOrder } from '../compensation/decide.js';
import type { DecisionCase } from '../compensation/decision-input.js';
import type { Incident } from '../compensation/incident.js';
import { historyDaysOf, type Policy } from '../compensation/policy.js';
import { passTill, spentBy } from '../compensation/till.js';
import { assert } from '../errors.js';
import type { BrokenOrder } from './judge-past-order.js';

/** What a policy would have given for one order, over all its decisions. */
export interface PastOutcome {
  readonly orderId: string;
  readonly customerId: string;
  readonly incidents: readonly Incident[];
  readonly awards: readonly SimulatedAward[];
  /** The rules that ask for a call; one task for each incident. */
  readonly calls: readonly string[];
  /** How many awards the holdout arm did not get. */
  readonly withheld: number;
}

export interface SimulatedAward {
  readonly kind: AwardKind;
  readonly status: DecidedStatus;
  /** `months`, `points`, `replacement`, or a currency. */
  readonly unit: string;
  /** Minor units where the unit is a currency. */
  readonly quantity: number;
  readonly rule: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

/**
 * Decides broken orders one after the other, as time would have brought them: each customer's limits count what this very
 * policy gave before, each day has the policy's budget, the holdout arm goes without. The breaker never opens, and a shadow
 * policy gives: the question is what it would cost. What does not come to an incident has no outcome.
 * @param orders in any order
 */
export function decidePast(
  orders: readonly BrokenOrder[],
  policy: Policy,
  onProgress: (done: number) => void = () => {},
): Map<string, PastOutcome> {
  const steps = orders.flatMap((order) => order.decidedAt.map((at) => ({ order, at }))).sort(byTime);
  const outcomes = new Map<string, PastOutcome>();
  const histories = new Map<string, History>();
  const historyMs = historyDaysOf(policy) * DAY_MS;
  let today = { day: Number.NaN, spent: {} as Record<string, number> };
  for (const [done, { order, at }] of steps.entries()) {
    const history = histories.get(order.customerId) ?? { awards: [], from: 0 };
    histories.set(order.customerId, history);
    const day = Math.floor(at / DAY_MS);
    if (today.day !== day) today = { day, spent: {} };

    const cases = casesOf(order, at, historyAt(history, order, at - historyMs), policy);
    const ruled = decideForOrder(cases, policy, null);
    const leading = cases[ruled.leading];
    assert(leading, 'the shipment that decides is among the shipments');
    const decision = passTill(ruled, leading, { breakerOpen: false, spentToday: today.spent }, policy);
    for (const [currency, minor] of Object.entries(spentBy(decision, policy))) {
      today.spent[currency] = (today.spent[currency] ?? 0) + minor;
    }
    const { incident } = decision;
    if (incident !== null) {
      const { id } = order.order;
      history.awards.push(
        ...decision.awards.map((award) => asPast(award, { orderId: id, incident, at: new Date(at) })),
      );
      const before = outcomes.get(id) ?? nothingYet(order);
      outcomes.set(id, {
        ...before,
        incidents: [...new Set([...before.incidents, incident])],
        awards: [...before.awards, ...decision.awards.map((award) => asSimulated(award, at))],
        calls: before.incidents.includes(incident)
          ? before.calls
          : [...before.calls, ...decision.tasks.map(({ rule }) => rule)],
        withheld: before.withheld + decision.withheld.length,
      });
    }
    if ((done + 1) % REPORT_EVERY === 0) onProgress(done + 1);
  }
  onProgress(steps.length);
  return outcomes;
}

const DAY_MS = 86_400_000;
/** Too small: reporting costs more than the work. Too big: a bar that jumps. */
const REPORT_EVERY = 200;

/** What a customer was given so far, the oldest first. */
interface History {
  readonly awards: PastAward[];
  /** Where those begin that a limit or a condition can still look at: a shop may have one customer for all its guests. */
  from: number;
}

function historyAt(history: History, { order, decidedAt }: BrokenOrder, since: number): PastAward[] {
  const { awards } = history;
  while ((awards[history.from]?.at.getTime() ?? Number.POSITIVE_INFINITY) < since) history.from++;
  // Of the order itself all are needed, however old.
  const own = decidedAt.length > 1 ? awards.slice(0, history.from).filter(({ orderId }) => orderId === order.id) : [];
  return [...own, ...awards.slice(history.from)];
}

interface Step {
  readonly order: BrokenOrder;
  readonly at: number;
}

/** Ids tell apart what came at one instant, so that the answer does not depend on how the orders were read. */
function byTime(one: Step, other: Step): number {
  return one.at - other.at || (one.order.order.id < other.order.order.id ? -1 : 1);
}

function casesOf(broken: BrokenOrder, at: number, history: readonly PastAward[], policy: Policy): DecisionCase[] {
  const { order, customerId, membership, occasion, contacts, reports, destination, parcels } = broken;
  const shared = {
    order,
    membership,
    occasion,
    contacts,
    reports,
    destination,
    history,
    asOf: new Date(at),
    // An order that was imported later was not unknown when its promise broke.
    registeredAt: null,
    arm: armOf(customerId, policy),
  };
  return parcels.map((parcel) => ({ ...shared, ...parcel }));
}

function nothingYet({ order, customerId }: BrokenOrder): PastOutcome {
  return { orderId: order.id, customerId, incidents: [], awards: [], calls: [], withheld: 0 };
}

function asSimulated(award: DecidedAward, at: number): SimulatedAward {
  return { kind: award.kind, status: award.status, ...measureOf(award), rule: award.rule, at };
}
