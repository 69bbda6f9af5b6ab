import type { AwardKind, DecidedStatus } from '../compensation/award.js';
import type { Verdict } from '../promises/verdict.js';
import { type Change, type ComparedOrder, type Cost, SIDES, type Sides, type WeekCost } from './compare-outcomes.js';
import type { SideReport, Simulation } from './simulate.js';

/** The JSON form of a simulation, as `makegood policy simulate --json` prints it. Quantities of money are in minor units. */
export interface SimulationAnswer extends Sides<SideAnswer> {
  readonly asOf: string;
  readonly since: string | null;
  /** Those that are counted, and whose they are. */
  readonly orders: number;
  readonly customers: number;
  readonly totals: readonly (Sides<Cost> & { readonly unit: string })[];
  readonly weeks: readonly WeekCost[];
  readonly changes: { readonly orders: ChangeCounts; readonly customers: ChangeCounts };
  readonly mostDifferent: readonly (Sides<OrderAnswer> & { readonly orderId: string; readonly customerId: string })[];
  /** The file with the plot; null when none was asked for. */
  readonly svg: string | null;
}

export interface SideAnswer extends Omit<SideReport, 'awards'> {
  readonly name: string;
  /** Null for a policy that is not stored. */
  readonly version: number | null;
  readonly awards: readonly ({ readonly kind: AwardKind } & StatusCounts)[];
}

interface StatusCounts {
  readonly given: number;
  readonly held: number;
  readonly awaitingApproval: number;
}

type ChangeCounts = Readonly<Record<'winners' | 'losers' | 'mixed' | 'same', number>>;

export interface OrderAnswer {
  readonly verdict: Verdict;
  readonly lateDays: number | null;
  readonly awards: readonly {
    readonly kind: AwardKind;
    readonly status: DecidedStatus;
    readonly unit: string;
    readonly quantity: number;
    readonly rule: string;
    readonly at: string;
  }[];
  /** The rules that ask for a call. */
  readonly calls: readonly string[];
}

export function simulationAnswer(
  simulation: Simulation,
  about: Sides<{ readonly name: string; readonly version: number | null }> & { readonly svg: string | null },
): SimulationAnswer {
  const { asOf, since, orders, customers, totals, weeks, changes, mostDifferent, sides } = simulation;
  const sideAnswer = (side: keyof Sides<unknown>): SideAnswer => {
    const { awards, ...rest } = sides[side];
    const counts = Object.entries(awards).sort(([one], [other]) => (one < other ? -1 : 1));
    return {
      name: about[side].name,
      version: about[side].version,
      ...rest,
      awards: counts.map(([kind, { pending, held, awaiting_approval }]) => ({
        kind: kind as AwardKind,
        given: pending,
        held,
        awaitingApproval: awaiting_approval,
      })),
    };
  };
  return {
    asOf: asOf.toISOString(),
    since: since?.toISOString() ?? null,
    orders,
    customers,
    active: sideAnswer('active'),
    candidate: sideAnswer('candidate'),
    totals,
    weeks,
    changes: { orders: changeCounts(changes.orders), customers: changeCounts(changes.customers) },
    mostDifferent: mostDifferent.map(orderAnswer),
    svg: about.svg,
  };
}

function changeCounts({ winner, loser, mixed, same }: Readonly<Record<Change, number>>): ChangeCounts {
  return { winners: winner, losers: loser, mixed, same };
}

function orderAnswer({ orderId, customerId, answers, outcomes }: ComparedOrder): SimulationAnswer['mostDifferent'][0] {
  const [active, candidate] = SIDES.map((side): OrderAnswer => {
    const outcome = outcomes[side];
    const awards = (outcome?.awards ?? []).map(({ at, ...award }) => ({ ...award, at: new Date(at).toISOString() }));
    return { ...answers[side], awards, calls: outcome?.calls ?? [] };
  }) as [OrderAnswer, OrderAnswer];
  return { orderId, customerId, active, candidate };
}
