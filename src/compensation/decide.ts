import { assert } from '../errors.js';
import { type Verdict, worstIndex } from '../promises/verdict.js';
import { type AwardClass, counts, type DecidedAward, type DeclineCode, measureOf } from './award.js';
import type { DecisionCase } from './decision-input.js';
import { type Finding, findIncident, reconsider } from './find-incident.js';
import { INCIDENTS, type Incident } from './incident.js';
import { applyLimits, type Proposal } from './limits.js';
import { type Earned, overCompensationOf, type Standing, type Surplus } from './over-compensation.js';
import type { Policy } from './policy.js';
import { applyRules, type Candidate, type DecidedTask, mostGenerous, type RulesOutcome } from './rules.js';
import { topUp } from './top-up.js';
import { dayCount, showMeasure, summaryOf } from './wording.js';

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
  /** What the rules alone come to, the most generous of each class: before top-up, limits and arm. */
  readonly earned: readonly Earned[];
  /** What the holdout arm did not get, as everybody else would have got it. */
  readonly withheld: readonly DecidedAward[];
  /** What this order was given beyond what it earns as things stand now. Shown, and never taken back. */
  readonly overCompensation: readonly Surplus[];
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
 * Decides an order: by its incident, except that a service that was reported to be poor hides no other incident when it gives
 * nothing, or was decided on before.
 * @param cases one of each shipment, at least one, all of one order at one instant
 */
export function decideForOrder(cases: readonly DecisionCase[], policy: Policy, policyVersion: number | null): Decision {
  const decision = decideLeading(cases, cases, policy, policyVersion);
  if (decision.incident !== 'service') return decision;
  const wasDecided = wasGiven('service', cases);
  if (!wasDecided && decision.awards.length > 0) return decision;
  const silent = cases.map((one) => ({ ...one, reports: one.reports.filter(({ at }) => at > one.asOf) }));
  const besides = decideLeading(silent, cases, policy, policyVersion);
  if (besides.incident === null) return decision;
  const why = wasDecided ? 'which was decided on before' : 'for which nothing is to be given';
  const told = `The service was reported to be poor, ${why}: the next incident is looked at.`;
  const [policyLine, ...rest] = besides.explanation;
  const tasks = wasDecided ? besides.tasks : [...besides.tasks, ...decision.tasks];
  return { ...besides, tasks, explanation: [...(policyLine === undefined ? [] : [policyLine]), told, ...rest] };
}

/** Whether the order has an award for the incident, whatever became of it. */
function wasGiven(incident: Incident, [one]: readonly DecisionCase[]): boolean {
  return one?.history.some((past) => past.orderId === one.order.id && past.incident === incident) === true;
}

/**
 * Decides an order: incident, rules, the most generous of each class, top-up, limits, arm, in this order. Rules are tried on
 * each shipment; everything after that on all that share the order's incident together, so that three boxes late are
 * made good once, by the most generous of the three, and what one box does not earn takes nothing from another.
 * @param known the same with all that is known, for what was given before
 */
function decideLeading(
  cases: readonly DecisionCase[],
  known: readonly DecisionCase[],
  policy: Policy,
  policyVersion: number | null,
): Decision {
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
  const overCompensation = surplusOf(known, policy);
  const common = { verdict, worst, leading: leader.place, decidesAgainAt: nextChange(assessments), overCompensation };
  const surplus = overCompensation.map(
    ({ class: name, unit, quantity }) => `${showMeasure(quantity, unit)} of ${name}`,
  );
  if (surplus.length > 0) {
    explanation.push(`Given before, and more than is earned now: ${surplus.join(', ')}. Nothing is taken back.`);
  }
  if (finding.outcome === 'none') {
    const { declinedBecause } = finding;
    explanation.push(summaryOf([], declinedBecause));
    const nothing = { awards: [], tasks: [], earned: [], withheld: [] };
    return { ...common, ...nothing, incident: null, declinedBecause, explanation };
  }

  const { incident } = finding;
  const sharing = assessments.filter((one) => one.finding.outcome === 'incident' && one.finding.incident === incident);
  const given = giveTogether(sharing, incident, order, policy);
  const tasks = tasksOf(sharing, order, policy);
  const declinedBecause = whyNothing(given, tasks.withheld.length > 0, finding.excludedBy);
  explanation.push(...given.trace, ...tasks.trace, summaryOf(given.awards, declinedBecause));
  const { awards, earned, withheld } = given;
  return { ...common, incident, awards, tasks: tasks.given, declinedBecause, explanation, earned, withheld };
}

function whyNothing(given: Given, taskWithheld: boolean, excludedBy: DeclineCode | null): DeclineCode | null {
  if (given.awards.length > 0) return null;
  if (given.withheld.length > 0) return 'holdout';
  return given.declinedBecause ?? excludedBy ?? (taskWithheld ? 'holdout' : 'no_rule');
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
  readonly earned: readonly Earned[];
  readonly withheld: readonly DecidedAward[];
  /** Why candidates came to nothing; null when there was no candidate. */
  readonly declinedBecause: DeclineCode | null;
  readonly trace: readonly string[];
}

function giveTogether(sharing: readonly Assessment[], incident: Incident, order: DecisionCase, policy: Policy): Given {
  const trace: string[] = [];
  const candidates = sharing.flatMap(({ rules }) => rules.candidates);
  const best = mostGenerous(candidates);
  const proposals: Proposal[] = [];
  for (const candidate of best) {
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
  const common = { earned: best.map(earnedBy), declinedBecause: limited.declined[0] ?? paid };
  const withheld = limited.awards.filter((award) => isWithheld(award.class, order, policy));
  if (withheld.length === 0) {
    return { ...common, awards: limited.awards, withheld, trace: [...trace, ...limited.trace] };
  }
  // What is withheld takes no room of any limit from what is given.
  const rest = applyLimits(
    proposals.filter((proposal) => !isWithheld(proposal.class, order, policy)),
    incident,
    order,
    policy,
  );
  const names = withheld.map(({ rule, kind }) => `${rule} (${kind})`).join(', ');
  const told = `The customer is held out of goodwill, to measure its effect: withheld are ${names}.`;
  return { ...common, awards: rest.awards, withheld, trace: [...trace, ...limited.trace, told] };
}

/** Goodwill is withheld from the holdout arm; what is owed never is. */
function isWithheld(name: AwardClass, { arm }: DecisionCase, { classes }: Policy): boolean {
  return arm === 'holdout' && classes[name]?.goodwill === true && classes[name]?.owed !== true;
}

function earnedBy({ rule, remedy }: Candidate): Earned {
  return { class: rule.class, ...measureOf(remedy), rule: rule.id };
}

/** One task of a rule, however many shipments call for it. */
function tasksOf(
  sharing: readonly Assessment[],
  order: DecisionCase,
  policy: Policy,
): { readonly given: DecidedTask[]; readonly withheld: DecidedTask[]; readonly trace: string[] } {
  const all = [...new Map(sharing.flatMap(({ rules }) => rules.tasks).map((task) => [task.rule, task])).values()];
  const goodwill = new Set(policy.rules.filter((rule) => isWithheld(rule.class, order, policy)).map((rule) => rule.id));
  const withheld = all.filter(({ rule }) => goodwill.has(rule));
  const trace = withheld.map(({ rule }) => `The customer is held out of goodwill: no call by ${rule}.`);
  return { given: all.filter(({ rule }) => !goodwill.has(rule)), withheld, trace };
}

/** What the order was given beyond what its incidents earn now, over all its shipments. */
function surplusOf(cases: readonly DecisionCase[], policy: Policy): Surplus[] {
  const [order] = cases;
  const given = order?.history.filter((past) => past.orderId === order.order.id && counts(past)) ?? [];
  if (given.length === 0) return [];
  return overCompensationOf(given, (incident): Standing => {
    const looked = cases.map((input) => ({ input, ...reconsider(incident, input, policy) }));
    const candidates = looked.flatMap((one) =>
      one.state === 'open' ? applyRules(one.input, one.finding, policy).candidates : [],
    );
    if (looked.some(({ state }) => state === 'open')) {
      return { state: 'open', earned: mostGenerous(candidates).map(earnedBy) };
    }
    return { state: looked.every(({ state }) => state === 'refuted') ? 'refuted' : 'unknown', earned: [] };
  });
}

/** A silence that has not lasted long enough, or a contact or report dated after `asOf`. */
function nextChange(assessments: readonly Assessment[]): Date | null {
  const instants = assessments.flatMap(({ finding, input }) => [
    ...(finding.outcome === 'none' && finding.decidesAgainAt !== null ? [finding.decidesAgainAt] : []),
    ...[...input.contacts, ...input.reports].filter(({ at }) => at > input.asOf).map(({ at }) => at),
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
