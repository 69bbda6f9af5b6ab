import type { AwardKind, DecidedStatus } from '../compensation/award.js';
import type { Policy } from '../compensation/policy.js';
import { VERDICTS, type Verdict } from '../promises/verdict.js';
import {
  type Changes,
  type ComparedOrder,
  type Cost,
  countChanges,
  findMostDifferent,
  type SIDES,
  type Sides,
  totalCosts,
  type WeekCost,
  weeklyCosts,
} from './compare-outcomes.js';
import { decidePast, type PastOutcome } from './decide-past.js';
import { type BrokenOrder, judgePastOrder, judgesAlike, type PastAnswer, type PastOrder } from './judge-past-order.js';

/** What one policy would have done. */
export interface SideReport {
  /** By kind, only those that occur. */
  readonly awards: Readonly<Partial<Record<AwardKind, Readonly<Record<DecidedStatus, number>>>>>;
  /** Calls to make. */
  readonly tasks: number;
  readonly ordersWithIncident: number;
  /** What the holdout arm did not get. */
  readonly awardsWithheld: number;
  readonly verdicts: Readonly<Record<Verdict, number>>;
}

/** A policy beside another over the same past. */
export interface Simulation {
  /** As of when was judged. */
  readonly asOf: Date;
  /** Only orders whose promise ended then or later are counted; null: all. */
  readonly since: Date | null;
  readonly orders: number;
  readonly customers: number;
  readonly sides: Sides<SideReport>;
  readonly weeks: readonly WeekCost[];
  readonly totals: readonly (Sides<Cost> & { readonly unit: string })[];
  readonly changes: Changes;
  readonly mostDifferent: readonly ComparedOrder[];
}

/** A simulation that is being fed. */
export interface OpenSimulation {
  /** Judges orders, in any order and in chunks of any size: neither matters. Keeps of them what was broken. */
  add(orders: readonly PastOrder[]): void;
  /** Decides all of them by both policies, and compares. */
  finish(onProgress?: (done: number, total: number) => void): Simulation;
}

/** More would not be read. */
const MOST_DIFFERENT = 10;

/** One broken order, with what of it does not depend on a policy. */
interface Kept {
  readonly counted: boolean;
  readonly customerId: string;
  readonly total: ComparedOrder['total'];
  readonly answers: Sides<PastAnswer>;
}

/**
 * Runs two policies over the recorded past side by side. Earlier orders than `since` are no part of the counts, and still of the
 * history that limits look at.
 */
export function startSimulation(
  policies: Sides<Policy>,
  { asOf, since }: { readonly asOf: Date; readonly since: Date | null },
): OpenSimulation {
  const alike = judgesAlike(policies.active, policies.candidate);
  const verdicts = { active: noVerdicts(), candidate: noVerdicts() };
  const broken: Sides<BrokenOrder[]> = { active: [], candidate: [] };
  const kept = new Map<string, Kept>();
  const customers = new Set<string>();
  let counted = 0;

  return {
    add(orders) {
      for (const order of orders) {
        const isCounted = since === null || order.promisedUntil >= since;
        const active = judgePastOrder(order, policies.active, asOf);
        const candidate = alike ? active : judgePastOrder(order, policies.candidate, asOf);
        const { customerId } = order;
        if (isCounted) {
          counted++;
          customers.add(customerId);
          verdicts.active[active.answer.verdict]++;
          verdicts.candidate[candidate.answer.verdict]++;
        }
        if (active.broken) broken.active.push(active.broken);
        if (candidate.broken) broken.candidate.push(candidate.broken);
        if (active.broken || candidate.broken) {
          const answers = { active: active.answer, candidate: candidate.answer };
          kept.set(order.order.id, { counted: isCounted, customerId, total: order.order.total, answers });
        }
      }
    },

    finish(onProgress = () => {}) {
      const total = stepsOf(broken.active) + stepsOf(broken.candidate);
      const ofActive = decidePast(broken.active, policies.active, (done) => onProgress(done, total));
      const before = stepsOf(broken.active);
      const ofCandidate = decidePast(broken.candidate, policies.candidate, (done) => onProgress(before + done, total));

      const compared: ComparedOrder[] = [];
      for (const [orderId, { counted: isCounted, ...order }] of kept) {
        const outcomes = { active: ofActive.get(orderId) ?? null, candidate: ofCandidate.get(orderId) ?? null };
        if (isCounted && (outcomes.active || outcomes.candidate)) compared.push({ orderId, ...order, outcomes });
      }
      const weeks = weeklyCosts(compared);
      return {
        asOf,
        since,
        orders: counted,
        customers: customers.size,
        sides: {
          active: { ...sideReport(compared, 'active'), verdicts: verdicts.active },
          candidate: { ...sideReport(compared, 'candidate'), verdicts: verdicts.candidate },
        },
        weeks,
        totals: totalCosts(weeks),
        changes: countChanges(compared, { orders: counted, customers: customers.size }),
        mostDifferent: findMostDifferent(compared, policies.active, MOST_DIFFERENT),
      };
    },
  };
}

function stepsOf(orders: readonly BrokenOrder[]): number {
  return orders.reduce((sum, { decidedAt }) => sum + decidedAt.length, 0);
}

function noVerdicts(): Record<Verdict, number> {
  return Object.fromEntries(VERDICTS.map((verdict) => [verdict, 0])) as Record<Verdict, number>;
}

function sideReport(compared: readonly ComparedOrder[], side: (typeof SIDES)[number]): Omit<SideReport, 'verdicts'> {
  const outcomes = compared.flatMap(({ outcomes: both }): PastOutcome[] => (both[side] ? [both[side]] : []));
  const awards: Partial<Record<AwardKind, Record<DecidedStatus, number>>> = {};
  for (const { kind, status } of outcomes.flatMap((outcome) => outcome.awards)) {
    const counts = awards[kind] ?? { pending: 0, held: 0, awaiting_approval: 0 };
    awards[kind] = counts;
    counts[status]++;
  }
  return {
    awards,
    tasks: outcomes.reduce((sum, { calls }) => sum + calls.length, 0),
    ordersWithIncident: outcomes.length,
    awardsWithheld: outcomes.reduce((sum, { withheld }) => sum + withheld, 0),
  };
}
