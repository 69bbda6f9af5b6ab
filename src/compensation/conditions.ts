import { localDateOf } from '../calendar.js';
import type { DecisionCase } from './decision-input.js';
import type { Incident } from './incident.js';
import type { Conditions, Policy } from './policy.js';
import { dayCount, showMoney } from './wording.js';

/** What the conditions of a rule are held against. */
export interface Facts {
  readonly incident: Incident;
  readonly input: DecisionCase;
  readonly policy: Policy;
}

/** Whether one condition holds, the fact it was held against, and whom the rule is for: phrases for the explanation. */
export interface Check {
  readonly holds: boolean;
  readonly fact: string;
  readonly wanted: string;
}

/**
 * One function a condition, and no code for any single rule: a policy can combine them as it likes. A condition added
 * to the schema must be added here, the compiler sees to it.
 */
const CONDITIONS: {
  readonly [Name in keyof Conditions]-?: (wanted: NonNullable<Conditions[Name]>, facts: Facts) => Check;
} = {
  incident: (wanted, { incident }) => ({
    holds: wanted.includes(incident),
    fact: `incident ${incident}`,
    wanted: wanted.join(' or '),
  }),
  member: (wanted, { input, policy }) => {
    const { membership } = input;
    const member = membership !== null && !policy.notMembers.includes(membership.tier);
    const tier = membership === null ? '' : ` (tier ${membership.tier})`;
    return {
      holds: member === wanted,
      fact: `${member ? 'a member' : 'not a member'}${tier}`,
      wanted: wanted ? 'members' : 'others than members',
    };
  },
  lateDays: ({ min, max }, { input }) => {
    const { lateDays } = input.judgement;
    return {
      holds: lateDays !== null && lateDays >= min && (max === undefined || lateDays <= max),
      fact: lateDays === null ? 'lateness not measured' : `${dayCount(lateDays)} late`,
      wanted: max === undefined ? `${min} days or more` : `${min} to ${max} days`,
    };
  },
  shippingPaid: (wanted, { input }) => {
    const { shippingPaid } = input.order;
    const paid = shippingPaid.amountMinor > 0;
    return {
      holds: paid === wanted,
      fact: paid ? `${showMoney(shippingPaid)} paid for shipping` : 'no shipping paid',
      wanted: wanted ? 'paid shipping' : 'free shipping',
    };
  },
  occasionMissed: (wanted, { input }) => {
    const { missed, fact } = occasionMissed(input);
    return { holds: missed === wanted, fact, wanted: wanted ? 'missed occasions' : 'orders without a missed occasion' };
  },
};

/** Holds the conditions against the facts, in the order in which the rule names them. */
export function checkConditions(when: Conditions, facts: Facts): Check[] {
  return Object.entries(when).flatMap(([name, wanted]) => {
    if (wanted === undefined) return [];
    // The entries of an object lose the tie between key and value, which the table's type guarantees.
    const check = CONDITIONS[name as keyof Conditions] as (wanted: unknown, facts: Facts) => Check;
    return [check(wanted, facts)];
  });
}

/**
 * Promised on or before the occasion's date, and come, or still not there, after it. All three are local dates at the
 * destination: what came in the evening of the day itself came in time for it.
 */
export function occasionMissed({ occasion, promise, judgement, asOf }: DecisionCase): {
  missed: boolean;
  fact: string;
} {
  if (occasion === null) return { missed: false, fact: 'no occasion is known' };
  const promisedOn = 'on' in promise ? promise.on : localDateOf(promise.at, promise.timeZone);
  const what = `${occasion.name} on ${occasion.on}, promised for ${promisedOn}`;
  const { verdict, metAt } = judgement;
  const until = verdict === 'late' ? metAt : verdict === 'overdue' ? asOf : null;
  if (until === null) return { missed: false, fact: `${what}, and neither late nor overdue` };
  const untilOn = localDateOf(until, promise.timeZone);
  const missed = promisedOn <= occasion.on && untilOn > occasion.on;
  return { missed, fact: `${what}, ${verdict === 'late' ? 'came' : 'not there yet'} on ${untilOn}` };
}
