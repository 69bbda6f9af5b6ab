import { occasionMissed } from '../compensation/conditions.js';
import type { Incident } from '../compensation/incident.js';
import { dayCount } from '../compensation/wording.js';
import type { DeliveryPromise } from './promise.js';
import type { Verdict } from './verdict.js';

/** A broken promise that still stands as one, with what the record says of its order now. */
export interface CandidateIncident {
  readonly orderId: string;
  readonly incident: Incident;
  readonly openedAt: Date;
  readonly promise: DeliveryPromise;
  readonly occasion: { readonly name: string; readonly on: string } | null;
  readonly verdict: Verdict;
  readonly metAt: Date | null;
}

/** Somebody who had a bad time with us and may be rung. */
export interface CallCandidate {
  readonly customerId: string;
  /** Oldest first; never none. */
  readonly incidents: readonly CandidateIncident[];
  /** How often the customer got in touch in the same time, or about one of these orders. */
  readonly contacts: number;
}

export interface RankedCall extends CallCandidate {
  /** Why, in phrases for whoever calls. */
  readonly reasons: readonly string[];
}

/** Worse than late: the customer has not got it, or not whole, or not as good. */
const GRAVE = {
  lost: 'a parcel was lost',
  not_received: 'a parcel did not arrive',
  damaged: 'a parcel came damaged',
  returned: 'a parcel went back',
  service: 'a service was poor',
} as const satisfies Partial<Record<Incident, string>>;

/**
 * Whom to ring first: who had more broken promises, then who missed an occasion, then who lost more than time; and of those
 * alike, who never got in touch, because nobody has talked with them yet. What remains alike goes by the latest incident, and
 * by the id, so that the order is always the same. A pure function.
 */
export function rankCalls(
  candidates: readonly CallCandidate[],
  { asOf, lookBackDays }: { readonly asOf: Date; readonly lookBackDays: number },
): RankedCall[] {
  return candidates
    .map((candidate) => ({ candidate, weight: weigh(candidate, asOf) }))
    .sort((one, other) => compare(one.weight, other.weight))
    .map(({ candidate, weight }) => ({ ...candidate, reasons: reasonsOf(candidate, weight, lookBackDays) }));
}

interface Weight {
  readonly incidents: number;
  readonly missed: readonly string[];
  readonly grave: readonly (keyof typeof GRAVE)[];
  readonly silent: boolean;
  readonly latestAt: number;
  readonly customerId: string;
}

function weigh({ customerId, incidents, contacts }: CallCandidate, asOf: Date): Weight {
  const missed = incidents.flatMap(({ occasion, promise, verdict, metAt }) =>
    occasion !== null && occasionMissed({ occasion, promise, judgement: { verdict, metAt }, asOf }).missed
      ? [occasion.name]
      : [],
  );
  return {
    incidents: incidents.length,
    missed: [...new Set(missed)],
    grave: incidents.flatMap(({ incident }) => (incident === 'late' ? [] : [incident])),
    silent: contacts === 0,
    latestAt: Math.max(...incidents.map(({ openedAt }) => openedAt.getTime())),
    customerId,
  };
}

function compare(one: Weight, other: Weight): number {
  return (
    other.incidents - one.incidents ||
    Number(other.missed.length > 0) - Number(one.missed.length > 0) ||
    other.grave.length - one.grave.length ||
    Number(other.silent) - Number(one.silent) ||
    other.latestAt - one.latestAt ||
    (one.customerId < other.customerId ? -1 : 1)
  );
}

function reasonsOf({ contacts }: CallCandidate, { incidents, missed, grave }: Weight, lookBackDays: number): string[] {
  const many = incidents === 1 ? 'a broken promise' : `${incidents} broken promises`;
  const times = contacts === 1 ? 'once' : `${contacts} times`;
  return [
    `${many} within ${dayCount(lookBackDays)}`,
    ...missed.map((name) => `${name} was missed`),
    ...new Set(grave.map((incident) => GRAVE[incident])),
    contacts === 0 ? 'the customer has not got in touch' : `the customer got in touch ${times}`,
  ];
}
