import { localDateOf } from '../calendar.js';
import { assert } from '../errors.js';
import type { DecisionCase } from './decision-input.js';
import { factApplies, isNamed, promisedDateOf } from './fact-applies.js';
import type { Incident } from './incident.js';
import { countPast } from './past-awards.js';
import type { Conditions, Policy } from './policy.js';
import { scaled } from './remedy-of-rule.js';
import { dayCount, minuteCount, showMoney } from './wording.js';

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
  verdict: (wanted, { input }) => ({
    holds: wanted.includes(input.judgement.verdict),
    fact: `verdict ${input.judgement.verdict}`,
    wanted: `verdicts ${wanted.join(' or ')}`,
  }),
  fault: (wanted, { input }) => {
    const { fault } = input.judgement;
    return {
      holds: fault !== null && wanted.includes(fault),
      fact: fault === null ? 'nobody’s fault is known' : `fault ${fault}`,
      wanted: `faults of ${wanted.join(' or ')}`,
    };
  },
  member: (wanted, { input, policy }) => {
    const { membership } = input;
    const member = isMember(input, policy);
    const tier = membership === null ? '' : ` (tier ${membership.tier})`;
    return {
      holds: member === wanted,
      fact: `${member ? 'a member' : 'not a member'}${tier}`,
      wanted: wanted ? 'members' : 'others than members',
    };
  },
  tier: (wanted, { input }) => {
    const { membership } = input;
    return {
      holds: membership !== null && wanted.includes(membership.tier),
      fact: membership === null ? 'no membership' : `tier ${membership.tier}`,
      wanted: `tiers ${wanted.join(' or ')}`,
    };
  },
  lateMinutes: (wanted, { input }) => lateness(input.judgement.lateMinutes, wanted, minuteCount, 'minutes'),
  lateDays: (wanted, { input }) => lateness(input.judgement.lateDays, wanted, dayCount, 'days'),
  occasion: (wanted, { input }) => {
    const name = input.occasion?.name;
    return {
      holds: name !== undefined && wanted.some((one) => sameText(one, name)),
      fact: name === undefined ? 'no occasion is known' : `occasion ${name}`,
      wanted: `the occasions ${wanted.join(' or ')}`,
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
  orderValue: ({ minMinor, maxMinor }, { input, policy }) => {
    const { amountMinor, currency } = input.order.total;
    const least = minMinor === undefined ? 0 : scaled(minMinor, currency, policy);
    const most = maxMinor === undefined ? Number.POSITIVE_INFINITY : scaled(maxMinor, currency, policy);
    const fact = `a total of ${showMoney(input.order.total)}`;
    if (least === null || most === null) {
      return { holds: false, fact, wanted: `totals in other currencies: no bounds are named in ${currency}` };
    }
    const show = (minor: number) => showMoney({ amountMinor: minor, currency });
    const wanted = maxMinor === undefined ? `${show(least)} or more` : `${show(least)} to ${show(most)}`;
    return { holds: amountMinor >= least && amountMinor <= most, fact, wanted: `totals of ${wanted}` };
  },
  destination: ({ countries, regions, postalCodes }, { input }) => {
    const { country = null, region = null, postalCode = null } = input.destination ?? {};
    const code = postalKeyOf(postalCode ?? '');
    const holds =
      (countries === undefined || (country !== null && countries.includes(country.toUpperCase()))) &&
      (regions === undefined || (region !== null && regions.some((one) => sameText(one, region)))) &&
      (postalCodes === undefined || (code !== '' && postalCodes.some((start) => code.startsWith(postalKeyOf(start)))));
    const known = [country, region, postalCode].filter((part) => part !== null);
    const wanted = [
      ...(countries ? [`countries ${countries.join(' or ')}`] : []),
      ...(regions ? [`regions ${regions.join(' or ')}`] : []),
      ...(postalCodes ? [`postal codes that begin with ${postalCodes.join(' or ')}`] : []),
    ];
    return {
      holds,
      fact: known.length === 0 ? 'the destination is not known' : `destination ${known.join(', ')}`,
      wanted: wanted.join(', '),
    };
  },
  carrier: (wanted, { input }) => ({
    holds: isNamed(input.carrier, wanted),
    fact: `carrier ${input.carrier ?? 'not known'}`,
    wanted: `parcels of ${wanted.join(' or ')}`,
  }),
  service: (wanted, { input }) => ({
    holds: isNamed(input.service, wanted),
    fact: `service ${input.service ?? 'not known'}`,
    wanted: `services ${wanted.join(' or ')}`,
  }),
  history: (wanted, { input, policy }) => {
    const before = countPast(wanted, input, policy);
    const { min, max, days, counts } = wanted;
    const what = counts === 'orders' ? 'other orders with such an award' : 'such awards on other orders';
    return {
      holds: before >= min && (max === undefined || before <= max),
      fact: `${before} ${what} in the last ${dayCount(days)}`,
      wanted: `${max === undefined ? `${min} or more` : `${min} to ${max}`} of them`,
    };
  },
  fact: ({ id, applies: wanted }, { input, policy }) => {
    const fact = policy.facts.find((one) => one.id === id);
    assert(fact !== undefined, 'a policy names only facts that it has');
    const { applies, because } = factApplies(fact, input);
    const source = `“${fact.says}” (${fact.source}, seen on ${fact.seenOn})`;
    return {
      holds: applies === wanted,
      fact: `fact ${id} ${applies ? 'applies' : 'does not apply'}: ${because}; ${source}`,
      wanted: `parcels to which it ${wanted ? 'applies' : 'does not apply'}`,
    };
  },
};

function lateness(
  late: number | null,
  { min, max }: { min: number; max?: number | undefined },
  count: (quantity: number) => string,
  unit: string,
): Check {
  return {
    holds: late !== null && late >= min && (max === undefined || late <= max),
    fact: late === null ? 'lateness not measured' : `${count(late)} late`,
    wanted: max === undefined ? `${min} ${unit} or more` : `${min} to ${max} ${unit}`,
  };
}

function sameText(one: string, other: string): boolean {
  return one.trim().toLowerCase() === other.trim().toLowerCase();
}

/** Postal codes are written with and without spaces and hyphens. */
function postalKeyOf(code: string): string {
  return code.replace(/[\s-]/g, '').toUpperCase();
}

/** Holds the conditions against the facts, in the order in which the rule names them. */
export function checkConditions(when: Conditions, facts: Facts): Check[] {
  return Object.entries(when).flatMap(([name, wanted]) => {
    if (wanted === undefined) return [];
    // The entries of an object lose the tie between key and value, which the table's type guarantees.
    const check = CONDITIONS[name as keyof Conditions] as (wanted: unknown, facts: Facts) => Check;
    return [check(wanted, facts)];
  });
}

/** Whether the customer is a member, as the policy means it. */
export function isMember(
  { membership }: Pick<DecisionCase, 'membership'>,
  { notMembers }: Pick<Policy, 'notMembers'>,
): boolean {
  return membership !== null && !notMembers.includes(membership.tier);
}

/**
 * Promised on or before the occasion's date, and come, or still not there, after it. All three are local dates at the
 * destination: what came in the evening of the day itself came in time for it.
 */
export function occasionMissed({
  occasion,
  promise,
  judgement,
  asOf,
}: Pick<DecisionCase, 'occasion' | 'promise' | 'asOf'> & {
  readonly judgement: Pick<DecisionCase['judgement'], 'verdict' | 'metAt'>;
}): {
  missed: boolean;
  fact: string;
} {
  if (occasion === null) return { missed: false, fact: 'no occasion is known' };
  const promisedOn = promisedDateOf({ promise });
  const what = `${occasion.name} on ${occasion.on}, promised for ${promisedOn}`;
  const { verdict, metAt } = judgement;
  const until = verdict === 'late' ? metAt : verdict === 'overdue' ? asOf : null;
  if (until === null) return { missed: false, fact: `${what}, and neither late nor overdue` };
  const untilOn = localDateOf(until, promise.timeZone);
  const missed = promisedOn <= occasion.on && untilOn > occasion.on;
  return { missed, fact: `${what}, ${verdict === 'late' ? 'came' : 'not there yet'} on ${untilOn}` };
}
