import type { AwardStatus, Remedy } from '../compensation/award.js';
import type { Incident } from '../compensation/incident.js';
import { type LocalFormat, localFormat } from '../local-format.js';
import {
  dayPoint,
  happenedPoint,
  NOTHING_MORE,
  promisedPoint,
  showRemedy,
  type TalkingFacts,
} from './talking-points.js';

/** What the record says of an order whose promise was broken. */
export interface BrokenOrder extends Pick<TalkingFacts, 'orderId' | 'letter'> {
  readonly incidents: readonly Incident[];
  /** Everything that was decided for it, by policy and by hand. */
  readonly awards: readonly { readonly remedy: Remedy; readonly status: AwardStatus }[];
}

/** What a personal call is about, as it stood when it was proposed. */
export interface PersonalCallFacts {
  /** Why this customer, in phrases. */
  readonly reasons: readonly string[];
  readonly asOf: Date;
  /** That of the customer, in which the days of contacts are told. */
  readonly timeZone: string;
  /** Oldest first. */
  readonly orders: readonly BrokenOrder[];
  /** When the customer got in touch before; oldest first. */
  readonly contacts: readonly { readonly at: Date; readonly channel: string; readonly reason: string }[];
  /** What came of what people did for this customer before; oldest first. */
  readonly done: readonly {
    readonly kind: string;
    readonly at: Date;
    readonly outcome: string;
    readonly note: string | null;
  }[];
}

/**
 * The whole history on one page for the person who calls: why this customer, each broken promise with what happened and what was
 * given, what was talked about before, and what not to promise. English, days and times as at each destination. A pure function.
 */
export function personalCallPoints({ reasons, asOf, timeZone, orders, contacts, done }: PersonalCallFacts): string[] {
  const format = localFormat({ locale: 'en-US', timeZone, asOf });
  const day = (at: Date) => format.day(format.dayOf(at));
  return [
    `Chosen for a personal call: ${reasons.join('; ')}.`,
    ...orders.flatMap((order) => pointsOf(order)),
    ...contactPoints(contacts, format),
    ...done.map(
      ({ kind, at, outcome, note }) => `A ${kind} ended on ${day(at)}: ${outcome}${note === null ? '' : ` (${note})`}.`,
    ),
    NOTHING_MORE,
  ];
}

function pointsOf(order: BrokenOrder): string[] {
  const said = order.incidents.flatMap((incident) => SAID[incident] ?? []);
  const noDay = dayPoint(order);
  return [
    promisedPoint(order),
    happenedPoint(order),
    ...said,
    ...awardPoints(order),
    ...(noDay === null ? [] : [noDay]),
  ];
}

/** What neither the promise nor the scans say. */
const SAID: Partial<Record<Incident, string>> = {
  not_received: 'The customer has said that it did not arrive.',
  damaged: 'It is known to have come damaged.',
  service: 'It was found to be poor while the customer used it.',
};

function awardPoints({ awards }: BrokenOrder): string[] {
  const points = awards.flatMap(({ remedy, status }) => SAID_OF_AWARD[status](showRemedy(remedy)));
  return points.length > 0 ? points : ['Nothing was given for it.'];
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** What was declined or taken back the customer never had. */
const SAID_OF_AWARD: Readonly<Record<AwardStatus, (what: string) => string[]>> = {
  applied: (what) => [`We gave ${what}.`],
  pending: (what) => [`We give ${what}: it is on its way.`],
  held: (what) => [`${capital(what)} still waits for a person here: do not mention it.`],
  awaiting_approval: (what) => [`${capital(what)} still waits for a person here: do not mention it.`],
  failed: (what) => [`${capital(what)} could not be carried out: see to it before you call.`],
  declined: () => [],
  reversed: () => [],
};

function contactPoints(contacts: PersonalCallFacts['contacts'], format: LocalFormat): string[] {
  if (contacts.length === 0) return ['The customer has not got in touch, and does not expect the call.'];
  return contacts.map(
    ({ at, channel, reason }) =>
      `The customer got in touch on ${format.day(format.dayOf(at))} (${channel}, ${reason.replaceAll('_', ' ')}).`,
  );
}
