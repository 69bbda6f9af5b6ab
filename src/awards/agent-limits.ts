import type { PastAward, Remedy } from '../compensation/award.js';
import type { Policy } from '../compensation/policy.js';
import { scaled } from '../compensation/remedy-of-rule.js';

/** Who decides something by hand: the key, what it may do, and its name for the audit. */
export interface Person {
  readonly keyId: string;
  readonly role: string;
  readonly actor: string;
}

/** As an award says who proposed it: by the key's id, so that a name that was given twice confuses nobody. */
export const proposerOf = ({ keyId }: Person): string => `key:${keyId}`;

/** An award as far as it uses up what a person may give. */
export type GivenAward = Pick<PastAward, 'kind' | 'incident' | 'months' | 'points' | 'amount'>;

/** What counts against the limits: awards that were declined, reversed or failed are left out. */
export interface GivenSoFar {
  /** Everything that this order was given, by policy and by hand. */
  readonly onOrder: readonly GivenAward[];
  /** What this key proposed today, for any order. */
  readonly today: readonly GivenAward[];
}

/** What of a policy bounds what people give. */
type Terms = Pick<Policy, 'manual' | 'currencies'>;

/** The months that one person gives to one order by hand. Two decide on more: they are worth what the policy cannot say. */
const MONTHS_PER_ORDER = { agent: 1, supervisor: 12 };

/**
 * What makes an award by hand wait for another person: `agent-limit`, `agent-day-limit`, both or neither. Money counts with
 * all that the order was given, so that a second look is due however many steps lead there; a day counts by key, whatever
 * the currencies. A currency that the policy has no amounts for waits, and so do points, which no policy limits. Months
 * and replacements have limits of their own, and as many of them a day as the policy has orders in a day's money.
 */
export function agentStops(
  { role }: Pick<Person, 'role'>,
  remedy: Remedy,
  { onOrder, today }: GivenSoFar,
  policy: Terms,
): string[] {
  const rank = role === 'agent' ? 'agent' : 'supervisor';
  const { perOrderMinor, perDayMinor } = policy.manual[rank];
  if (remedy.kind === 'points') return ['agent-limit'];
  if ('amount' in remedy) {
    const { amountMinor, currency } = remedy.amount;
    const within = (awards: readonly GivenAward[], limit: typeof perOrderMinor) => {
      const most = scaled(limit, currency, policy);
      const given = sumIn(currency, awards, limit, policy);
      return most !== null && given !== null && given + amountMinor <= most;
    };
    return stops(within(onOrder, perOrderMinor), within(today, perDayMinor));
  }
  const ordersADay = ordersInADay(policy, rank);
  if (remedy.kind === 'membership_extension') {
    const most = MONTHS_PER_ORDER[rank];
    const monthsOf = (awards: readonly GivenAward[]) =>
      awards
        .filter(({ incident }) => incident === 'manual')
        .reduce((sum, { months }) => sum + (months ?? 0), remedy.months);
    return stops(monthsOf(onOrder) <= most, monthsOf(today) <= most * ordersADay);
  }
  const replacementsOf = (awards: readonly GivenAward[]) => awards.filter(({ kind }) => kind === 'replacement').length;
  return stops(replacementsOf(onOrder) === 0, replacementsOf(today) < ordersADay);
}

function stops(withinOrder: boolean, withinDay: boolean): string[] {
  return [...(withinOrder ? [] : ['agent-limit']), ...(withinDay ? [] : ['agent-day-limit'])];
}

/**
 * All amounts in one currency: those in another count as the same share of the limit, so that nobody gives a day's money in
 * each currency. Null when the policy has no limit in one of them.
 */
function sumIn(
  currency: string,
  awards: readonly GivenAward[],
  limit: Parameters<typeof scaled>[0],
  policy: Terms,
): number | null {
  const most = scaled(limit, currency, policy);
  let sum = 0;
  for (const { amount } of awards) {
    if (!amount) continue;
    if (amount.currency === currency) {
      sum += amount.amountMinor;
      continue;
    }
    const theirs = scaled(limit, amount.currency, policy);
    if (most === null || theirs === null || theirs === 0) return null;
    sum += Math.ceil((amount.amountMinor * most) / theirs);
  }
  return sum;
}

/** How many orders one person may give the most to in a day, in the currency that the policy's amounts are in. */
function ordersInADay(policy: Terms, rank: 'agent' | 'supervisor'): number {
  const { perOrderMinor, perDayMinor } = policy.manual[rank];
  const [currency = 'USD'] = Object.keys(policy.currencies);
  const perOrder = scaled(perOrderMinor, currency, policy) ?? 0;
  const perDay = scaled(perDayMinor, currency, policy) ?? 0;
  return perOrder > 0 ? Math.max(1, Math.floor(perDay / perOrder)) : 1;
}
