import { remedyOfPast } from '../compensation/award.js';
import type { ContactReason } from '../compensation/decision-input.js';
import { dayCount } from '../compensation/wording.js';
import { type LocalFormat, localFormat } from '../local-format.js';
import type { OrderRecord, ParcelRecord } from './order-record.js';
import { LOOKS_BACK_DAYS, madeGoodBefore, showRemedy } from './talking-points.js';

/** What the customer said, and what the record holds against it. */
export interface CaseFacts {
  readonly record: OrderRecord;
  /** `not_made_right`: so the customer answered to the letter that told what was given. */
  readonly contact: {
    readonly reason: ContactReason | 'not_made_right';
    readonly channel: string;
    readonly at: Date;
  };
  /** What the customer wrote besides; left out or null: nothing. */
  readonly words?: string | null;
  readonly now: Date;
}

/**
 * What the record says for whoever looks at a case that a contact opened, one sentence each: what the customer says, what was
 * promised, what came of it, what the carriers told, what was given, how often the customer was made good and got in touch
 * before. English, days and times as at the destination. A pure function.
 */
export function casePoints(facts: CaseFacts): string[] {
  const { record, now } = facts;
  const format = localFormat({ locale: 'en-US', timeZone: record.promise.timeZone, asOf: now });
  return [
    said(facts, format),
    ...(facts.words ? [inTheirWords(facts.words)] : []),
    promised(record, format),
    answered(record, format),
    ...parcels(record, format),
    ...given(record),
    madeGoodBefore(record.orderId, now, record.awards),
    before(facts, format),
    'Promise nothing that is not on this list.',
  ];
}

/** What a customer wrote, as a point of its own. */
export const inTheirWords = (words: string): string => `In their own words: ${words}`;

const at = (instant: Date, format: LocalFormat): string =>
  `${format.day(format.dayOf(instant))}, ${format.time(instant)}`;

function said({ record, contact }: CaseFacts, format: LocalFormat): string {
  if (contact.reason === 'not_made_right') {
    return `The customer says that what we did about order ${record.orderId} did not make it right (${contact.channel}, ${at(contact.at, format)}).`;
  }
  const happened = {
    not_received: 'was not received',
    damaged: 'arrived damaged',
    late: 'is late',
    other: 'needs a look',
  }[contact.reason];
  return `The customer says that order ${record.orderId} ${happened} (${contact.channel}, ${at(contact.at, format)}).`;
}

function promised({ promise }: OrderRecord, format: LocalFormat): string {
  return `It was promised for ${'on' in promise ? format.day(promise.on) : at(promise.at, format)}.`;
}

function answered({ answer }: OrderRecord, format: LocalFormat): string {
  if (answer === null) return 'It has not been judged before.';
  const { verdict, metAt, lateDays } = answer;
  const met = metAt === null ? '' : `, met on ${at(metAt, format)}`;
  const late = lateDays === null || lateDays < 1 ? '' : `, ${dayCount(lateDays)} late`;
  return `Verdict before this contact: ${verdict}${met}${late}.`;
}

/** Parcels that are told of one by one. More, and the points are read by nobody: the order shows all of them. */
const MOST_PARCELS = 5;

function parcels({ parcels }: OrderRecord, format: LocalFormat): string[] {
  if (parcels.length === 0) return ['No parcel of it is known.'];
  const more = parcels.length - MOST_PARCELS;
  return [
    ...parcels.slice(0, MOST_PARCELS).map((parcel) => parcelLine(parcel, format)),
    ...(more > 0 ? [`And parcels besides: ${more}.`] : []),
  ];
}

function parcelLine({ carrier, trackingNumber, lastScan, deliveredAt }: ParcelRecord, format: LocalFormat): string {
  const name = `Parcel ${carrier} ${trackingNumber}`;
  if (lastScan === null) return `${name}: the carrier has told nothing of it.`;
  const when = lastScan.isExact ? at(lastScan.at, format) : format.day(format.dayOf(lastScan.at));
  const delivered =
    deliveredAt === null ? 'no scan says delivered' : `shown as delivered on ${format.day(format.dayOf(deliveredAt))}`;
  return `${name}: ${delivered}; last told of on ${when} (${lastScan.status}).`;
}

function given({ awards, orderId }: OrderRecord): string[] {
  const ofOrder = awards.filter((award) => award.orderId === orderId);
  const lines = ofOrder.flatMap((award) => {
    const remedy = remedyOfPast(award);
    if (remedy === null) return [];
    const what = showRemedy(remedy);
    switch (award.status) {
      case 'applied':
        return [`Given for it: ${what} (${award.incident}).`];
      case 'pending':
        return [`Decided and being carried out: ${what} (${award.incident}).`];
      case 'held':
      case 'awaiting_approval':
      case 'failed':
        return [`Waits for a person here, do not mention it: ${what} (${award.incident}).`];
      default:
        return [`Not given, ${award.status}: ${what} (${award.incident}).`];
    }
  });
  return lines.length > 0 ? lines : ['Nothing was given for it so far.'];
}

/** The last contacts that are named; the number counts them all. */
const NAMED_CONTACTS = 3;

function before({ record: { contacts } }: CaseFacts, format: LocalFormat): string {
  if (contacts.length === 0) return `The customer had not got in touch in the ${LOOKS_BACK_DAYS} days before.`;
  const named = contacts
    .slice(-NAMED_CONTACTS)
    .map(({ reason, at: then }) => `${reason} on ${format.day(format.dayOf(then))}`);
  const times = contacts.length === 1 ? 'once' : `${contacts.length} times`;
  return `The customer got in touch ${times} in the ${LOOKS_BACK_DAYS} days before: ${contacts.length > NAMED_CONTACTS ? 'last ' : ''}${named.join(', ')}.`;
}
