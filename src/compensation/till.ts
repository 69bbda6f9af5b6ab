import { type AwardClass, counts, type DecidedAward, measureOf, measureOfPast, type PastAward } from './award.js';
import type { Decision } from './decide.js';
import type { DecisionCase } from './decision-input.js';
import type { Policy } from './policy.js';
import { scaled } from './remedy-of-rule.js';
import { showMeasure, showMoney, summaryOf } from './wording.js';

/** What depends on the till and not on the case: it is another one an hour later. */
export interface Till {
  /** The breaker has tripped, and nobody has reset it. */
  readonly breakerOpen: boolean;
  /** Minor units of the budgeted classes that were let through today, by currency; absent is nothing. */
  readonly spentToday: Readonly<Record<string, number>>;
}

/**
 * Passes what was decided by the till. It only ever stops or drops an award, and never makes one more: what a person
 * refused before is not proposed again, more of it waits for a person; an open breaker holds everything; beyond the budget of
 * the day awards of the budgeted classes are held, except what is owed.
 */
export function passTill(decision: Decision, input: DecisionCase, till: Till, policy: Policy): Decision {
  if (decision.awards.length === 0) return decision;
  const trace: string[] = [];
  const proposed = decision.awards.flatMap((award) => heedRefusals(award, decision, input, trace));
  const checked = till.breakerOpen ? proposed.map((award) => stop(award, 'breaker')) : proposed;
  if (till.breakerOpen && proposed.length > 0)
    trace.push('The breaker is open: money has stopped, everything is held.');
  const awards = keepToBudget(checked, till, policy, trace);

  const declinedBecause = awards.length > 0 ? null : 'already_compensated';
  // The last line says what came of it: what the till changed comes before it.
  const explanation = [...decision.explanation.slice(0, -1), ...trace, summaryOf(awards, declinedBecause)];
  return { ...decision, awards, declinedBecause, explanation };
}

/** What the pending awards of a decision take from the budget of the day, in minor units by currency. */
export function spentBy({ awards }: Pick<Decision, 'awards'>, policy: Policy): Record<string, number> {
  const spent: Record<string, number> = {};
  for (const award of awards) {
    if (award.status !== 'pending' || !isBudgeted(award, policy) || !('amount' in award)) continue;
    const { currency, amountMinor } = award.amount;
    spent[currency] = (spent[currency] ?? 0) + amountMinor;
  }
  return spent;
}

/**
 * Drops what comes to no more than a person refused before, or a provider would not carry out; holds what comes to more. What
 * is compared is the sum that this order would have had for the incident, then and now, because a top-up alone says nothing
 * of it.
 */
function heedRefusals(
  award: DecidedAward,
  { incident }: Decision,
  { order, history }: DecisionCase,
  trace: string[],
): DecidedAward[] {
  const alike = history.filter(
    (past) => past.orderId === order.id && past.incident === incident && past.class === award.class,
  );
  const refused = alike.filter((past) => !counts(past));
  if (refused.length === 0) return [award];
  const { unit, quantity } = measureOf(award);
  const levels = refused.map((past) => levelOf(past, alike, unit));
  const level = quantity + sumOf(alike.filter(counts), unit);
  const [status] = refused.map((past) => past.status);
  const refusal = `${award.rule}: an award of class ${award.class} for this incident was ${status} before`;
  if (levels.some((refusedLevel) => refusedLevel !== null && level <= refusedLevel)) {
    trace.push(`${refusal}, and this comes to no more (${showMeasure(level, unit)}): not proposed again.`);
    return [];
  }
  trace.push(`${refusal}, and this comes to more (${showMeasure(level, unit)}): held for a person.`);
  return [stop(award, 'refused-before')];
}

/** What the order would have had with a refused award; null in another unit, which cannot be compared. */
function levelOf(refused: PastAward, alike: readonly PastAward[], unit: string): number | null {
  const measure = measureOfPast(refused);
  if (measure === null || measure.unit !== unit) return null;
  const standing = alike.filter((past) => counts(past) && past.at <= refused.at);
  return measure.quantity + sumOf(standing, unit);
}

function sumOf(awards: readonly PastAward[], unit: string): number {
  return awards.reduce((sum, past) => {
    const measure = measureOfPast(past);
    return measure?.unit === unit ? sum + measure.quantity : sum;
  }, 0);
}

function keepToBudget(awards: readonly DecidedAward[], till: Till, policy: Policy, trace: string[]): DecidedAward[] {
  const { dailyBudget } = policy;
  if (dailyBudget === null) return [...awards];
  const spent = new Map(Object.entries(till.spentToday));
  return awards.map((award) => {
    if (award.status !== 'pending' || !isBudgeted(award, policy) || !('amount' in award)) return award;
    const { amountMinor, currency } = award.amount;
    const show = (minor: number) => showMoney({ amountMinor: minor, currency });
    const before = spent.get(currency) ?? 0;
    const atMost = scaled(dailyBudget.atMostMinor, currency, policy);
    // Without a budget in this currency nobody can say that there is room for it.
    if (atMost === null) {
      trace.push(`Budget of the day: none is named in ${currency}; ${award.rule} is held.`);
      return stop(award, 'daily-budget');
    }
    const count = `Budget of the day: ${show(before)} before and ${show(amountMinor)} now, at most ${show(atMost)}`;
    if (before + amountMinor > atMost) {
      trace.push(`${count}; beyond it, ${award.rule} is held.`);
      return stop(award, 'daily-budget');
    }
    spent.set(currency, before + amountMinor);
    return award;
  });
}

/** Whether the budget of the day is about such an award: it is of a class that the budget names, and not owed. */
export function isBudgeted(
  award: { readonly class: AwardClass },
  { dailyBudget, classes }: Pick<Policy, 'dailyBudget' | 'classes'>,
): boolean {
  return dailyBudget?.classes.includes(award.class) === true && classes[award.class]?.owed !== true;
}

function stop(award: DecidedAward, by: string): DecidedAward {
  return { ...award, status: 'held', stoppedBy: [...award.stoppedBy, by] };
}
