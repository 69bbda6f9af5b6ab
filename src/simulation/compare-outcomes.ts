import type { Policy } from '../compensation/policy.js';
import type { PastOutcome } from './decide-past.js';
import { isoWeekOf } from './iso-week.js';
import type { PastAnswer } from './judge-past-order.js';

/** For each of the two policies. */
export interface Sides<T> {
  readonly active: T;
  readonly candidate: T;
}
export const SIDES = ['active', 'candidate'] as const satisfies (keyof Sides<unknown>)[];

/** How much of a unit: given at once, and waiting for a person (held, or awaiting approval). */
export interface Cost {
  readonly given: number;
  readonly waiting: number;
}

/** `unit`: a currency, with quantities in its minor units, or `months`, `points`, `replacement`. */
export interface WeekCost extends Sides<Cost> {
  readonly unit: string;
  /** By ISO 8601, of the instant of the decision in UTC, as `2026-W48`. */
  readonly week: string;
}

/**
 * What becomes of somebody under the candidate. A winner gets more of something and less of nothing; a loser the other way
 * round; mixed is more of one and less of another. What waits for a person is worth less than the same given at once, and more
 * than nothing.
 */
export type Change = 'winner' | 'loser' | 'mixed' | 'same';

/** An order as both policies treat it. */
export interface ComparedOrder {
  readonly orderId: string;
  readonly customerId: string;
  readonly total: { readonly amountMinor: number; readonly currency: string };
  readonly answers: Sides<PastAnswer>;
  readonly outcomes: Sides<PastOutcome | null>;
}

/** Quantities by unit; a call is a unit of its own. */
type Worth = Map<string, { given: number; all: number }>;

export interface Changes {
  readonly orders: Readonly<Record<Change, number>>;
  readonly customers: Readonly<Record<Change, number>>;
}

/**
 * Who wins and who loses. A customer is the sum of their orders.
 * @param everybody how many orders, and how many customers, there are; those that get nothing from either policy are the same
 */
export function countChanges(
  compared: readonly ComparedOrder[],
  everybody: { readonly orders: number; readonly customers: number },
): Changes {
  const orders = { winner: 0, loser: 0, mixed: 0, same: everybody.orders - compared.length };
  const byCustomer = new Map<string, Sides<Worth>>();
  for (const { customerId, outcomes } of compared) {
    const worths = { active: worthOf(outcomes.active), candidate: worthOf(outcomes.candidate) };
    orders[changeBetween(worths)]++;
    const soFar = byCustomer.get(customerId);
    if (soFar === undefined) byCustomer.set(customerId, worths);
    else for (const side of SIDES) addWorth(soFar[side], worths[side]);
  }
  const customers = { winner: 0, loser: 0, mixed: 0, same: everybody.customers - byCustomer.size };
  for (const worths of byCustomer.values()) customers[changeBetween(worths)]++;
  return { orders, customers };
}

/** The orders that differ most, the most different first. Where two differ alike, by their ids. */
export function findMostDifferent(
  compared: readonly ComparedOrder[],
  policy: Policy,
  most: number,
): readonly ComparedOrder[] {
  return compared
    .map((order) => ({ order, difference: differenceOf(order, policy) }))
    .filter(({ difference }) => difference > 0)
    .sort((a, b) => b.difference - a.difference || (a.order.orderId < b.order.orderId ? -1 : 1))
    .slice(0, most)
    .map(({ order }) => order);
}

/** What both policies cost, by unit and week, in this order. */
export function weeklyCosts(compared: readonly ComparedOrder[]): WeekCost[] {
  const rows = new Map<string, { unit: string; week: string; active: MutableCost; candidate: MutableCost }>();
  for (const { outcomes } of compared) {
    for (const side of SIDES) {
      for (const { unit, quantity, status, at } of outcomes[side]?.awards ?? []) {
        // Held in a currency in which the policy has no amounts: a person names the amount.
        if (quantity === 0) continue;
        const week = isoWeekOf(at);
        const key = `${unit} ${week}`;
        const row = rows.get(key) ?? { unit, week, active: noCost(), candidate: noCost() };
        rows.set(key, row);
        row[side][status === 'pending' ? 'given' : 'waiting'] += quantity;
      }
    }
  }
  return [...rows.entries()].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, row]) => row);
}

/** The sums over all weeks, by unit. */
export function totalCosts(weeks: readonly WeekCost[]): (Sides<Cost> & { readonly unit: string })[] {
  const totals = new Map<string, { unit: string; active: MutableCost; candidate: MutableCost }>();
  for (const { unit, ...costs } of weeks) {
    const total = totals.get(unit) ?? { unit, active: noCost(), candidate: noCost() };
    totals.set(unit, total);
    for (const side of SIDES) {
      total[side].given += costs[side].given;
      total[side].waiting += costs[side].waiting;
    }
  }
  return [...totals.values()];
}

type MutableCost = { given: number; waiting: number };
const noCost = (): MutableCost => ({ given: 0, waiting: 0 });

function worthOf(outcome: PastOutcome | null): Worth {
  const worth: Worth = new Map();
  for (const { unit, quantity, status } of outcome?.awards ?? []) {
    add(worth, unit, status === 'pending' ? quantity : 0, quantity);
  }
  for (const _call of outcome?.calls ?? []) add(worth, 'call', 1, 1);
  return worth;
}

function add(worth: Worth, unit: string, given: number, all: number): void {
  const soFar = worth.get(unit) ?? { given: 0, all: 0 };
  worth.set(unit, { given: soFar.given + given, all: soFar.all + all });
}

function addWorth(worth: Worth, other: Worth): void {
  for (const [unit, { given, all }] of other) add(worth, unit, given, all);
}

function changeBetween({ active, candidate }: Sides<Worth>): Change {
  const differences = [...new Set([...active.keys(), ...candidate.keys()])].flatMap((unit) => {
    const [before, after] = [active.get(unit), candidate.get(unit)];
    return [(after?.given ?? 0) - (before?.given ?? 0), (after?.all ?? 0) - (before?.all ?? 0)];
  });
  const more = differences.some((difference) => difference > 0);
  const less = differences.some((difference) => difference < 0);
  if (more && less) return 'mixed';
  return more ? 'winner' : less ? 'loser' : 'same';
}

/**
 * What a unit weighs beside a minor unit of the policy's own money, to put orders in a row and for nothing else. A replacement
 * weighs what the order cost.
 */
const WEIGHTS: Readonly<Record<string, number>> = { months: 1000, points: 1, call: 500 };
const LEAST_REPLACEMENT = 1000;

function differenceOf({ outcomes, total }: ComparedOrder, policy: Policy): number {
  const [active, candidate] = [worthOf(outcomes.active), worthOf(outcomes.candidate)];
  const inPolicyMoney = (currency: string) => 100 / (policy.currencies[currency] ?? 100);
  const weightOf = (unit: string) =>
    unit === 'replacement'
      ? Math.max(LEAST_REPLACEMENT, total.amountMinor * inPolicyMoney(total.currency))
      : (WEIGHTS[unit] ?? inPolicyMoney(unit));
  return [...new Set([...active.keys(), ...candidate.keys()])].reduce((sum, unit) => {
    const [before, after] = [active.get(unit), candidate.get(unit)];
    const given = Math.abs((after?.given ?? 0) - (before?.given ?? 0));
    const all = Math.abs((after?.all ?? 0) - (before?.all ?? 0));
    return sum + ((given + all) / 2) * weightOf(unit);
  }, 0);
}
