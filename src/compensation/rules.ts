import { measureOf } from './award.js';
import { checkConditions } from './conditions.js';
import type { DecisionCase } from './decision-input.js';
import type { Finding } from './find-incident.js';
import type { Policy, Rule } from './policy.js';
import { type Giving, remedyOfRule } from './remedy-of-rule.js';

/** What one rule would give for one shipment, before it is compared, topped up and limited. */
export interface Candidate extends Giving {
  readonly rule: Rule;
  /** The place of the rule in the policy: where two give the same, the first stands. */
  readonly place: number;
}

export interface DecidedTask {
  readonly kind: 'call';
  readonly rule: string;
}

export interface RulesOutcome {
  readonly candidates: readonly Candidate[];
  readonly tasks: readonly DecidedTask[];
  /** One sentence a rule, tried in the order of the policy. */
  readonly trace: readonly string[];
}

/**
 * Tries each rule of the policy on the incident of one shipment. An excluded fault takes away the awards, not the tasks:
 * the customer is told, not paid, and a call is a way to tell.
 */
export function applyRules(
  input: DecisionCase,
  finding: Extract<Finding, { outcome: 'incident' }>,
  policy: Policy,
): RulesOutcome {
  const candidates: Candidate[] = [];
  const tasks: DecidedTask[] = [];
  const trace: string[] = [];
  for (const [place, rule] of policy.rules.entries()) {
    const checks = checkConditions(rule.when, { incident: finding.incident, input, policy });
    const failed = checks.find(({ holds }) => !holds);
    if (failed) {
      trace.push(`Rule ${rule.id} does not apply: ${failed.fact}, the rule is for ${failed.wanted}.`);
      continue;
    }
    const applies = `Rule ${rule.id} applies (${checks.map(({ fact }) => fact).join('; ')})`;
    const giving = remedyOfRule(rule, input.order, policy);
    if (giving === null) {
      tasks.push({ kind: 'call', rule: rule.id });
      trace.push(`${applies}: a call.`);
    } else if (finding.excludedBy !== null) {
      trace.push(`${applies}, but gives no award: ${finding.excludedBy}.`);
    } else if (measureOf(giving.remedy).quantity === 0 && !giving.unknownCurrency) {
      trace.push(`${applies}, but gives nothing: ${giving.arithmetic}.`);
    } else {
      candidates.push({ ...giving, rule, place });
      trace.push(`${applies}: ${giving.remedy.kind}, ${giving.arithmetic}.`);
    }
  }
  return { candidates, tasks, trace };
}

/**
 * The most generous candidate of each class, in the order of the policy. Only what shares a unit can be compared: where
 * rules of a class give different units, the first rule's unit stands.
 */
export function mostGenerous(candidates: readonly Candidate[]): Candidate[] {
  const best = new Map<string, Candidate>();
  for (const candidate of [...candidates].sort((one, other) => one.place - other.place)) {
    const standing = best.get(candidate.rule.class);
    if (standing === undefined || isMore(candidate, standing)) best.set(candidate.rule.class, candidate);
  }
  return [...best.values()].sort((one, other) => one.place - other.place);
}

function isMore(one: Candidate, other: Candidate): boolean {
  const [left, right] = [measureOf(one.remedy), measureOf(other.remedy)];
  return left.unit === right.unit && left.quantity > right.quantity;
}
