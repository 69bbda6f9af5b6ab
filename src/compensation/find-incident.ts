import { addMinutes } from 'date-fns';
import { unreachable } from '../errors.js';
import type { DeclineCode } from './award.js';
import type { DecisionCase, ReportedService } from './decision-input.js';
import type { Incident } from './incident.js';
import type { Policy } from './policy.js';
import { dayCount } from './wording.js';

export type Finding =
  | {
      readonly outcome: 'incident';
      readonly incident: Incident;
      readonly because: string;
      /** Set when the fault lies where the policy gives no award: the customer is told, not paid. */
      readonly excludedBy: DeclineCode | null;
    }
  | {
      readonly outcome: 'none';
      readonly declinedBecause: DeclineCode;
      readonly because: string;
      /** When the passing of time alone turns this into an incident; null when it does not, or the verdict must change. */
      readonly decidesAgainAt: Date | null;
    };

/** Which incident one shipment is, if any. What was said comes before what the scans say, and what was measured first of all. */
export function findIncident(input: DecisionCase, policy: Policy): Finding {
  return withExclusion(poor(input) ?? reported(input) ?? judged(input, policy), input, policy);
}

/**
 * What is to be thought of an earlier incident of this shipment now. What was reported no scan refutes. A parcel that
 * is lost, damaged or returned did not come in time either, so it says nothing against `late`; what came after all was not
 * lost.
 */
export function reconsider(
  earlier: Incident,
  input: DecisionCase,
  policy: Policy,
): { readonly state: 'open'; readonly finding: IncidentFinding } | { readonly state: 'refuted' | 'unknown' } {
  for (const found of [poor(input), reported(input), judged(input, policy)]) {
    const finding = found && withExclusion(found, input, policy);
    if (finding?.outcome === 'incident' && finding.incident === earlier) return { state: 'open', finding };
  }
  const { verdict } = input.judgement;
  if (earlier === 'not_received' || earlier === 'service' || verdict === 'uncertain') return { state: 'unknown' };
  const worse = verdict === 'lost' || verdict === 'damaged' || verdict === 'returned';
  return { state: earlier === 'late' && worse ? 'unknown' : 'refuted' };
}

export type IncidentFinding = Extract<Finding, { outcome: 'incident' }>;

function withExclusion(found: Finding, input: DecisionCase, policy: Policy): Finding {
  if (found.outcome === 'none') return found;
  const exclusion = policy.noAwardFor.find(
    ({ incident, fault }) => incident === found.incident && fault === input.judgement.fault,
  );
  return { ...found, excludedBy: exclusion?.code ?? null };
}

/** A service that was measured and found poor: no parcel has a part in it. */
function poor({ reports, asOf }: DecisionCase): Finding | null {
  const found = poorService({ reports, asOf });
  return found && incident('service', `the service was poor (${found.kind}), reported for ${iso(found.at)}`);
}

/** Of several reports the first that was made known by now: an order has one incident of a kind. */
export function poorService({ reports, asOf }: Pick<DecisionCase, 'reports' | 'asOf'>): ReportedService | null {
  return reports
    .filter(({ at }) => at <= asOf)
    .reduce<ReportedService | null>((first, one) => (first === null || one.at < first.at ? one : first), null);
}

/**
 * An incident that a contact opens stands on the customer's word: the verdict and its silence do not matter to it. A download
 * that is missing a person looks into: there is nothing to send again.
 */
function reported({ contacts, asOf, digital, firstDeliveredAt }: DecisionCase): Finding | null {
  const known = contacts.filter(({ at }) => at <= asOf);
  const missing = known.find(
    ({ reason, at }) => reason === 'not_received' && !digital && firstDeliveredAt !== null && at >= firstDeliveredAt,
  );
  if (missing) {
    return incident('not_received', `not received, the customer said at ${iso(missing.at)}, after a delivered scan`);
  }
  const broken = known.find(({ reason }) => reason === 'damaged');
  return broken ? incident('damaged', `damaged, the customer said at ${iso(broken.at)}`) : null;
}

function judged(input: DecisionCase, policy: Policy): Finding {
  const { verdict, lateDays } = input.judgement;
  switch (verdict) {
    case 'on_time':
      return none('kept', 'the promise was kept');
    case 'pending':
      return none('not_due', 'the promise is still running');
    case 'uncertain':
      return none('uncertain', 'the scans do not settle whether the promise was kept');
    case 'cancelled':
      return none('cancelled', 'the shipment was cancelled');
    case 'damaged':
    case 'returned':
      return incident(verdict, `the verdict is ${verdict}`);
    case 'late':
      return incident('late', 'the verdict is late');
    case 'lost':
      return unsettled(input, policy) ?? incident('lost', 'the verdict is lost');
    case 'overdue': {
      const due = (lateDays ?? 0) >= policy.overdueAfterDays;
      const measured = `overdue by ${dayCount(lateDays ?? 0)}, an incident from ${dayCount(policy.overdueAfterDays)} on`;
      if (!due) return none('not_due', measured);
      return unsettled(input, policy) ?? incident('late', measured);
    }
    default:
      return unreachable(verdict);
  }
}

/**
 * Not due yet when the verdict rests on silence and the order has not been known for long enough: of an order that was
 * imported with its promise already past, the scans may still be on their way in.
 */
function unsettled({ judgement, registeredAt, asOf }: DecisionCase, { settleMinutes }: Policy): Finding | null {
  if (!judgement.restsOnSilence || registeredAt === null) return null;
  const until = addMinutes(registeredAt, settleMinutes);
  if (asOf >= until) return null;
  const because = `${judgement.verdict} rests on silence, and the order is known only since ${iso(registeredAt)}: wait ${settleMinutes} minutes`;
  return { outcome: 'none', declinedBecause: 'not_due', because, decidesAgainAt: until };
}

function incident(kind: Incident, because: string): Finding {
  return { outcome: 'incident', incident: kind, because, excludedBy: null };
}

function none(declinedBecause: DeclineCode, because: string): Finding {
  return { outcome: 'none', declinedBecause, because, decidesAgainAt: null };
}

function iso(at: Date): string {
  return at.toISOString();
}
