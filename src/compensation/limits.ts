import {
  type AwardClass,
  counts,
  type DecidedAward,
  type DecidedStatus,
  type DeclineCode,
  type Remedy,
} from './award.js';
import type { DecisionCase } from './decision-input.js';
import type { Incident } from './incident.js';
import { countPast, selects } from './past-awards.js';
import type { Limit, Policy } from './policy.js';
import { scaled } from './remedy-of-rule.js';
import { showMoney } from './wording.js';

/** An award that the rules and the top-up came to. */
export interface Proposal {
  readonly remedy: Remedy;
  readonly class: AwardClass;
  readonly rule: string;
  readonly reason: string;
  readonly unknownCurrency: boolean;
}

export interface LimitsOutcome {
  readonly awards: readonly DecidedAward[];
  /** Codes of the limits for which something is not given at all. */
  readonly declined: readonly DeclineCode[];
  readonly trace: readonly string[];
}

/**
 * From the least restrictive to the most; the last that applies wins. `held` is a doubt about the facts or the risk, and
 * comes before `awaiting_approval`, which asks a second person for an amount that is not in doubt. Whoever releases a
 * held award sees in `stoppedBy` that it still wants approval.
 */
const BY_RESTRICTION = ['pending', 'awaiting_approval', 'held'] as const satisfies DecidedStatus[];

type Stop = { readonly by: string; readonly status: Exclude<DecidedStatus, 'pending'> };

/** Holds each proposal against each limit of the policy. What is owed passes them all. */
export function applyLimits(
  proposals: readonly Proposal[],
  incident: Incident,
  input: DecisionCase,
  policy: Policy,
): LimitsOutcome {
  const awards: DecidedAward[] = [];
  const declined: DeclineCode[] = [];
  const trace: string[] = [];
  const reaches = policy.limits.map((limit) => ({ limit, ...reach(limit, proposals, incident, input, policy) }));
  for (const { limit, concerned, beyond, count } of reaches) {
    if (concerned.length > 0)
      trace.push(`Limit ${limit.id}: ${count}; ${beyond ? `beyond it, ${limit.beyond}` : 'within it'}.`);
  }
  for (const proposal of proposals) {
    const stops: Stop[] = proposal.unknownCurrency ? [{ by: 'currency', status: 'held' }] : [];
    const codes: DeclineCode[] = [];
    for (const { limit, concerned, beyond } of reaches) {
      if (!beyond || !concerned.includes(proposal)) continue;
      if (limit.beyond === 'held' || limit.beyond === 'awaiting_approval') {
        stops.push({ by: limit.id, status: limit.beyond });
      } else {
        codes.push(limit.beyond);
      }
    }
    declined.push(...codes);
    if (codes.length === 0) awards.push(award(proposal, stops));
  }
  return { awards, declined, trace };
}

function award(proposal: Proposal, stops: readonly Stop[]): DecidedAward {
  const { remedy, class: name, rule, reason } = proposal;
  const status = BY_RESTRICTION.findLast((candidate) => stops.some((stop) => stop.status === candidate)) ?? 'pending';
  return { ...remedy, class: name, status, rule, reason, stoppedBy: stops.map(({ by }) => by) };
}

interface Reach {
  /** The proposals that the limit is about. */
  readonly concerned: readonly Proposal[];
  readonly beyond: boolean;
  /** The numbers it was held against, in words. */
  readonly count: string;
}

function reach(
  limit: Limit,
  proposals: readonly Proposal[],
  incident: Incident,
  input: DecisionCase,
  policy: Policy,
): Reach {
  const concerned = proposals.filter(
    (proposal) =>
      policy.classes[proposal.class]?.owed !== true &&
      selects(limit.for, { class: proposal.class, kind: proposal.remedy.kind, incident }, policy),
  );
  if (limit.counts === 'amount_of_order') return reachOfAmount(limit, concerned, input, policy);

  const before = countPast(limit, input, policy);
  const atMostInTrial = input.membership?.trial ? limit.atMostInTrial : undefined;
  const atMost = Math.min(limit.atMost, atMostInTrial ?? limit.atMost);
  const what = limit.counts === 'orders' ? 'other orders with one' : 'on other orders';
  const most = `this one included at most ${atMost}${atMostInTrial === undefined ? '' : ' in trial'}`;
  const count = `${before} ${what} in the last ${limit.days} days, ${most}`;
  return { concerned, beyond: before + 1 > atMost, count };
}

/** What this order had, over all its incidents, and what it gets now, against the most that needs no second person. */
function reachOfAmount(
  limit: Extract<Limit, { counts: 'amount_of_order' }>,
  concerned: readonly Proposal[],
  { order, history }: DecisionCase,
  policy: Policy,
): Reach {
  const { currency } = order.total;
  const had = history.filter(
    (past) =>
      past.orderId === order.id &&
      past.amount?.currency === currency &&
      counts(past) &&
      selects(limit.for, past, policy),
  );
  const before = had.reduce((sum, { amount }) => sum + (amount?.amountMinor ?? 0), 0);
  const now = concerned.reduce((sum, { remedy }) => sum + ('amount' in remedy ? remedy.amount.amountMinor : 0), 0);
  const show = (amountMinor: number) => showMoney({ amountMinor, currency });
  const count = `${show(before)} before and ${show(now)} now on this order`;
  const atMost = scaled(limit.atMostMinor, currency, policy);
  // Without a limit in this currency nobody can say that the amount is small enough.
  if (atMost === null) return { concerned, beyond: true, count: `${count}, and no most is named in ${currency}` };
  return { concerned, beyond: before + now > atMost, count: `${count}, at most ${show(atMost)}` };
}
