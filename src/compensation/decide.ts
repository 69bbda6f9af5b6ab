import { assert } from '../errors.js';
import { type Verdict, worstIndex } from '../promises/verdict.js';
import type { DecidedAward, DeclineCode } from './award.js';
import type { DecisionCase } from './decision-input.js';
import { type Finding, findIncident } from './find-incident.js';
import { INCIDENTS, type Incident } from './incident.js';
import { applyLimits, type Proposal } from './limits.js';
import type { Policy } from './policy.js';
import { applyRules, type DecidedTask, mostGenerous, type RulesOutcome } from './rules.js';
import { topUp } from './top-up.js';
import { dayCount } from './wording.js';

/** What an order gets, and why. */
export interface Decision {
  readonly verdict: Verdict;
  /** The place of the shipment whose verdict is the order's. */
  readonly worst: number;
  /** The place of the shipment whose incident is the order's: what a letter tells of. */
  readonly leading: number;
  readonly incident: Incident | null;
  /** At most one of each class. */
  readonly awards: readonly DecidedAward[];
  readonly tasks: readonly DecidedTask[];
  /** Null whenever an award is given, in whatever status. */
  readonly declinedBecause: DeclineCode | null;
  /** Plain sentences for an agent: the policy, each rule tried, the numbers used, the limits. */
  readonly explanation: readonly string[];
  /**
   * The next instant at which time alone changes the decision though no verdict changes; null when it does not. Windows
   * of limits that slide on are left out: what was not given for a limit is not given later for the limit's passing.
   */
  readonly decidesAgainAt: Date | null;
}

/** One shipment, as far as it can be looked at by itself. */
interface Assessment {
  readonly place: number;
  readonly input: DecisionCase;
  readonly finding: Finding;
  readonly rules: RulesOutcome;
}

const NO_RULES: RulesOutcome = { candidates: [], tasks: [], trace: [] };

/**
 * Decides an order of one shipment. A pure function; `policyVersion` is only named in the explanation, null for a policy
 * that is not stored.
 */
export function decide(input: DecisionCase, policy: Policy, policyVersion: number | null): Decision {
  return decideForOrder([input], policy, policyVersion);
}

/**
 * Decides an order: incident, rules, the most generous of each class, top-up, limits, in this order. Rules are tried on
 * each shipment; everything after that on all that share the order's incident together, so that three boxes late are
 * made good once, by the most generous of the three, and what one box does not earn takes nothing from another.
 * @param cases one of each shipment, at least one, all of one order at one instant
 */
export function decideForOrder(cases: readonly DecisionCase[], policy: Policy, policyVersion: number | null): Decision {
  const [order] = cases;
  assert(order !== undefined, 'an order is decided by at least one shipment');
  assert(
    cases.every((one) => one.order.id === order.order.id && one.asOf.getTime() === order.asOf.getTime()),
    'the shipments that are decided together are of one order and one instant',
  );
  const worst = worstIndex(cases.map(({ judgement }) => judgement));
  const assessments = cases.map((input, place): Assessment => {
    const finding = findIncident(input, policy);
    const rules = finding.outcome === 'incident' ? applyRules(input, finding, policy) : NO_RULES;
    return { place, input, finding, rules };
  });
  const leader = leading(assessments);
  const { finding } = leader;
  const verdict = cases[worst]?.judgement.verdict ?? order.judgement.verdict;
  const explanation = [
    `Policy "${policy.name}", version ${policyVersion ?? 'not stored'}, as of ${order.asOf.toISOString()}.`,
    ...assessments.flatMap((assessment) => explainShipment(assessment, cases.length)),
  ];
  const common = { verdict, worst, leading: leader.place, decidesAgainAt: nextChange(assessments) };
  if (finding.outcome === 'none') {
    const { declinedBecause } = finding;
    explanation.push(`Nothing is given: ${declinedBecause}.`);
    return { ...common, incident: null, awards: [], tasks: [], declinedBecause, explanation };
  }

  const { incident } = finding;
  const sharing = assessments.filter((one) => one.finding.outcome === 'incident' && one.finding.incident === incident);
  const given = giveTogether(sharing, incident, order, policy);
  const declinedBecause =
    given.awards.length > 0 ? null : (given.declinedBecause ?? finding.excludedBy ?? ('no_rule' as const));
  explanation.push(...given.trace, summary(given.awards, declinedBecause));
  const tasks = mergeTasks(sharing);
  return { ...common, incident, awards: given.awards, tasks, declinedBecause, explanation };
}

/**
 * The shipment that says which incident the order has: the worst of those that earn something, else of those that are
 * an incident, else of all. Of equally bad ones, that with the incident named first.
 */
function leading(assessments: readonly Assessment[]): Assessment {
  const incidents = assessments.filter(({ finding }) => finding.outcome === 'incident').sort(byIncident);
  const earning = incidents.filter(({ finding }) => finding.outcome === 'incident' && finding.excludedBy === null);
  const group = [earning, incidents].find((candidates) => candidates.length > 0) ?? assessments;
  const found = group[worstIndex(group.map(({ input }) => input.judgement))];
  assert(found, 'there is at least one shipment');
  return found;
}

function byIncident(one: Assessment, other: Assessment): number {
  const rank = ({ finding }: Assessment) => (finding.outcome === 'incident' ? INCIDENTS.indexOf(finding.incident) : -1);
  return rank(one) - rank(other);
}

interface Given {
  readonly awards: readonly DecidedAward[];
  /** Why candidates came to nothing; null when there was no candidate. */
  readonly declinedBecause: DeclineCode | null;
  readonly trace: readonly string[];
}

function giveTogether(sharing: readonly Assessment[], incident: Incident, order: DecisionCase, policy: Policy): Given {
  const trace: string[] = [];
  const candidates = sharing.flatMap(({ rules }) => rules.candidates);
  const proposals: Proposal[] = [];
  for (const candidate of mostGenerous(candidates)) {
    const { rule, arithmetic, unknownCurrency } = candidate;
    const rivals = candidates.filter((one) => one.rule.class === rule.class && one !== candidate).length;
    if (rivals > 0) trace.push(`Class ${rule.class}: ${rule.id} is the most generous (${arithmetic}).`);
    const { remedy, because } = topUp(candidate, { orderId: order.order.id, incident, history: order.history });
    if (because !== null) trace.push(`Top-up of ${rule.class} by ${rule.id}: ${because}.`);
    if (remedy === null) continue;
    const reason = because === null ? `${rule.id}: ${arithmetic}` : `${rule.id}: ${arithmetic}; ${because}`;
    proposals.push({ remedy, class: rule.class, rule: rule.id, reason, unknownCurrency });
  }
  const limited = applyLimits(proposals, incident, order, policy);
  const paid = candidates.length > 0 ? 'already_compensated' : null;
  return {
    awards: limited.awards,
    declinedBecause: limited.declined[0] ?? paid,
    trace: [...trace, ...limited.trace],
  };
}

/** One task of a rule, however many shipments call for it. */
function mergeTasks(sharing: readonly Assessment[]): DecidedTask[] {
  const byRule = new Map(sharing.flatMap(({ rules }) => rules.tasks).map((task) => [task.rule, task]));
  return [...byRule.values()];
}

/** A silence that has not lasted long enough, or a contact dated after `asOf`. */
function nextChange(assessments: readonly Assessment[]): Date | null {
  const instants = assessments.flatMap(({ finding, input }) => [
    ...(finding.outcome === 'none' && finding.decidesAgainAt !== null ? [finding.decidesAgainAt] : []),
    ...input.contacts.filter(({ at }) => at > input.asOf).map(({ at }) => at),
  ]);
  return instants.reduce<Date | null>((first, at) => (first === null || at < first ? at : first), null);
}

function explainShipment({ place, input, finding, rules }: Assessment, shipments: number): string[] {
  const { verdict, promisedUntil, metAt, lateDays, lateMinutes, fault } = input.judgement;
  const facts = [
    `promised until ${promisedUntil.toISOString()}`,
    ...(metAt ? [`met at ${metAt.toISOString()}`] : []),
    ...(lateDays === null ? [] : [`${dayCount(lateDays)} (${lateMinutes} minutes) late`]),
    ...(fault ? [`fault ${fault}`] : []),
  ];
  const found =
    finding.outcome === 'incident'
      ? `Incident ${finding.incident}: ${finding.because}.`
      : `No incident (${finding.declinedBecause}), so no rule is tried: ${finding.because}.`;
  const lines = [`Verdict ${verdict}: ${facts.join(', ')}.`, found, ...rules.trace];
  return shipments === 1 ? lines : lines.map((line) => `Shipment ${place + 1} of ${shipments}: ${line}`);
}

function summary(awards: readonly DecidedAward[], declinedBecause: DeclineCode | null): string {
  if (declinedBecause !== null) return `Nothing is given: ${declinedBecause}.`;
  return `Given: ${awards.map(({ kind, status, reason }) => `${kind} by ${reason} (${status})`).join('; ')}.`;
}
