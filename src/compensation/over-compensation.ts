import { type AwardClass, counts, measureOfPast, type PastAward } from './award.js';
import type { Incident } from './incident.js';

/** What one class earns, in its unit: `months`, `points`, `replacement` or a currency. */
export interface Earned {
  readonly class: AwardClass;
  readonly unit: string;
  readonly quantity: number;
  readonly rule: string;
}

/** How much more of a unit was given than is earned. */
export interface Surplus {
  readonly class: AwardClass;
  readonly unit: string;
  readonly quantity: number;
}

/** What stands of an incident as things are now. */
export interface Standing {
  /** `open`: this incident, and what it earns; `refuted`: it turned out not to be so; `unknown`: nothing says so. */
  readonly state: 'open' | 'refuted' | 'unknown';
  readonly earned: readonly Earned[];
}

/**
 * What an order was given for its incidents beyond what they earn now, after scans came late or were corrected. What a person
 * gave by hand was never earned, and is left out; so is what was given in another unit than is earned, which cannot be
 * compared. Shown, so that a shop sees what wrong scans cost; nothing is taken back.
 */
export function overCompensationOf(
  given: readonly PastAward[],
  standingOf: (incident: Incident) => Standing,
): Surplus[] {
  const surplus = new Map<string, { class: AwardClass; unit: string; quantity: number }>();
  for (const { incident, class: name, unit, quantity } of sumsOf(given)) {
    const { state, earned } = standingOf(incident);
    if (state === 'unknown') continue;
    const ofClass = state === 'refuted' ? [] : earned.filter((one) => one.class === name);
    if (ofClass.length > 0 && ofClass.every((one) => one.unit !== unit)) continue;
    const beyond = quantity - ofClass.reduce((sum, one) => (one.unit === unit ? sum + one.quantity : sum), 0);
    if (beyond <= 0) continue;
    const key = `${name} ${unit}`;
    const before = surplus.get(key)?.quantity ?? 0;
    surplus.set(key, { class: name, unit, quantity: before + beyond });
  }
  // By name: the order of the history says nothing.
  return [...surplus.entries()].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, beyond]) => beyond);
}

interface Given extends Surplus {
  readonly incident: Incident;
}

/** What reached the customer, by incident, class and unit. */
function sumsOf(given: readonly PastAward[]): Given[] {
  const sums = new Map<string, Given>();
  for (const past of given) {
    const measure = measureOfPast(past);
    if (past.incident === 'manual' || measure === null || !counts(past)) continue;
    const { incident, class: name } = past;
    const key = `${incident} ${name} ${measure.unit}`;
    const before = sums.get(key)?.quantity ?? 0;
    sums.set(key, { incident, class: name, unit: measure.unit, quantity: before + measure.quantity });
  }
  return [...sums.values()];
}
