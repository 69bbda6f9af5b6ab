import { type AwardClass, counts, measureOf, measureOfPast, type PastAward } from '../compensation/award.js';
import type { Decision } from '../compensation/decide.js';
import { isRefundBesides } from '../compensation/top-up.js';
import type { RecordedFigures } from './replay-decision.js';

/** An award of an order as the audit looks at it. */
export interface StandingAward extends PastAward {
  /** By the policy, and not by a person. */
  readonly byPolicy: boolean;
  /** A person has approved, declined, released or reversed it, and answers for what it is. */
  readonly reviewed: boolean;
}

/** So much of a unit (`months`, `points`, `replacement` or a currency) in a class. */
export interface Quantity {
  readonly class: AwardClass;
  readonly unit: string;
  readonly quantity: number;
}

/**
 * What is due and was not given. Nothing of a class in which a person has decided or a provider has refused: then that is
 * on record, and has a reason or an alarm of its own. Waiting awards count as given: they wait in the open.
 * @param due what rules and limits give the order from scratch
 */
export function dueAndNotPaid(
  due: Pick<Decision, 'incident' | 'awards'>,
  awards: readonly StandingAward[],
): (Quantity & { readonly rule: string })[] {
  return due.awards.flatMap((award) => {
    const ofClass = awards.filter((one) => one.incident === due.incident && one.class === award.class);
    if (ofClass.some((one) => one.reviewed || !counts(one))) return [];
    const { unit, quantity } = measureOf(award);
    const { incident } = due;
    const besides =
      award.kind === 'refund' && incident !== null
        ? awards.filter((one) => isRefundBesides(one, incident) && counts(one))
        : [];
    const measures = [...ofClass, ...besides].flatMap((one) => measureOfPast(one) ?? []);
    const alike = measures.filter((one) => one.unit === unit);
    // One award of a class makes up for the incident, whatever it is: what cannot be compared is not topped up.
    if (measures.length > 0 && alike.length === 0) return [];
    const had = alike.reduce((sum, one) => sum + one.quantity, 0);
    if (measures.length > 0 && had >= quantity) return [];
    return [{ class: award.class, unit, quantity: quantity - had, rule: award.rule }];
  });
}

/** More than is earned as things stand now. `accountedFor`: the record shows it, or a person answers for it. */
export interface Surplus extends Quantity {
  readonly accountedFor: boolean;
}

/**
 * What an order was given beyond what it earns as things stand. A correction of tracking that came late does that, and then
 * the record says so; without a word of it in the record nobody knows why it was given.
 * @param surplus what of `awards` is too much, by the rules
 */
export function paidAndNotDue(
  surplus: readonly Quantity[],
  awards: readonly StandingAward[],
  recorded: RecordedFigures | null,
): Surplus[] {
  const merged = new Map(surplus.map((one) => [`${one.class} ${one.unit}`, one]));
  return [...merged.values()].map((one) => {
    const quantity = quantityOf(surplus, one);
    const isShown = quantityOf(recorded?.overCompensation ?? [], one) >= quantity;
    const isReviewed = awards.some((award) => award.class === one.class && award.reviewed && counts(award));
    return { class: one.class, unit: one.unit, quantity, accountedFor: isShown || isReviewed };
  });
}

function quantityOf(list: readonly Quantity[], wanted: Quantity): number {
  return list
    .filter((one) => one.class === wanted.class && one.unit === wanted.unit)
    .reduce((sum, { quantity }) => sum + quantity, 0);
}
