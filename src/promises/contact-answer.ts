import { givenWords, promisedWords } from '../compensation/customer-wording.js';
import type { ContactReason } from '../compensation/decision-input.js';
import { unreachable } from '../errors.js';
import { type LocalFormat, localFormat } from '../local-format.js';
import type { TrackingStatus } from '../shipments/tracking-event.js';
import type { OrderRecord, ParcelRecord } from './order-record.js';
import type { DeliveryPromise } from './promise.js';
import { boundOf } from './verdict.js';

/**
 * What can be told a customer who gets in touch about an order, to be read out as it stands: what was promised, whether it is
 * late, what the carrier last told, and what happens by itself. True as of now and not as of the last verdict; an amount
 * is named only when it was given. Days and times as the customer's locale writes them, at the destination. English.
 * A pure function.
 */
export function contactAnswer(
  record: OrderRecord,
  contact: { readonly reason: ContactReason; readonly now: Date },
): string {
  const told = { record, ...contact, format: formatOf(record, contact.now) };
  return [...standing(told), ...saysOtherwise(told)].join(' ');
}

interface Told {
  readonly record: OrderRecord;
  readonly reason: ContactReason;
  readonly now: Date;
  readonly format: LocalFormat;
}

const formatOf = ({ locale, promise }: OrderRecord, now: Date): LocalFormat =>
  localFormat({ locale, timeZone: promise.timeZone, asOf: now });

const LOOKING = 'One of us is looking at it personally.';

function standing(told: Told): string[] {
  const { answer, parcels } = told.record;
  const verdict = answer?.verdict ?? 'pending';
  const isThere = parcels.length > 0 && parcels.every(({ deliveredAt }) => deliveredAt !== null);
  // The scan is there already, the verdict on it is not.
  if (isThere && (verdict === 'pending' || verdict === 'overdue')) {
    return [
      ...recorded(told).slice(0, 1),
      ...news(told),
      'Whether it came in time is being looked at.',
      ...given(told),
    ];
  }
  switch (verdict) {
    case 'pending':
      return running(told);
    case 'overdue':
      return [
        ...recorded(told).slice(0, 1),
        'It should have reached you by then, and has not: it is late. We are sorry.',
        ...news(told),
        ...done(told),
      ];
    case 'on_time':
      return [...recorded(told).slice(0, 2), ...given(told)];
    case 'late':
    case 'lost':
    case 'damaged':
    case 'returned':
      return [...recorded(told).slice(0, 2), 'We are sorry.', ...done(told)];
    case 'uncertain':
    case 'cancelled':
      return [...recorded(told), ...given(told)];
    default:
      return unreachable(verdict);
  }
}

/** The wording that was recorded with the answer; of rows that have none, the promise alone. */
function recorded({ record: { answer, promise }, format }: Told): readonly string[] {
  return answer !== null && answer.wording.length > 0 ? answer.wording : [promisedWords(promise, format)];
}

function running(told: Told): string[] {
  const { record, now, format } = told;
  const promise = nextPromise(record);
  const { promisedUntil, inclusive } = boundOf(promise, 0);
  const isOver = inclusive ? now > promisedUntil : now >= promisedUntil;
  if (isOver) {
    const over = 'on' in promise ? 'That day is over' : 'That time has passed';
    return [
      promisedWords(promise, format),
      `${over}, and whether it came in time is being looked at.`,
      ...news(told),
      ...given(told),
    ];
  }
  return [
    promisedWords(promise, format),
    `${notOver(promise, told)}, so it is not late.`,
    ...news(told),
    ...given(told),
    byItself(record),
  ];
}

function notOver(promise: DeliveryPromise, { now, format }: Told): string {
  if ('at' in promise) return 'That time has not passed';
  return format.dayOf(now) < promise.on ? 'That day is still to come' : 'That day is not over where it goes to';
}

/** Of the parcels that are not there, the promise that ends first. */
function nextPromise({ promise, parcels }: OrderRecord): DeliveryPromise {
  const [first = promise] = parcels
    .filter(({ deliveredAt }) => deliveredAt === null)
    .map((parcel) => parcel.promise ?? promise)
    .sort((a, b) => boundOf(a, 0).promisedUntil.getTime() - boundOf(b, 0).promisedUntil.getTime());
  return first;
}

/** What is due, not what would be nice: of some orders nothing is given but what is owed. */
function byItself({ answer, backfill }: OrderRecord): string {
  const notice = 'If it comes too late, we notice it by ourselves';
  const mode = answer?.mode ?? (backfill ? 'backfill' : 'active');
  return mode === 'active' ? `${notice} and see to what is due to you: you do not have to ask.` : `${notice}.`;
}

/** What the carriers told last of what is not there yet, and what they expect. */
function news(told: Told): string[] {
  const { parcels } = told.record;
  if (parcels.length === 0) return ['By our record it has not been handed to a carrier yet.'];
  const open = parcels.flatMap((parcel, index) => (parcel.deliveredAt === null ? [{ parcel, index }] : []));
  const isOne = parcels.length === 1;
  const count = isOne
    ? []
    : [`It comes in ${parcels.length} parcels; delivered so far: ${parcels.length - open.length}.`];
  return [
    ...count,
    ...(open.length > 0 || !isOne ? open : [{ parcel: parcels[0] as ParcelRecord, index: 0 }])
      .slice(0, MOST_PARCELS)
      .flatMap(({ parcel, index }) => newsOf(parcel, isOne ? 'it' : `parcel ${index + 1}`, told)),
  ];
}

/** Parcels that are told of one by one. More, and nobody listens. */
const MOST_PARCELS = 3;

function newsOf({ lastScan, estimate, deliveredAt }: ParcelRecord, subject: string, { format, now }: Told): string[] {
  if (lastScan === null) return [`The carrier has not told us anything of ${subject} yet.`, ...guess()];
  const day = format.day(format.dayOf(lastScan.at));
  const when = lastScan.isExact ? `${day}, ${format.time(lastScan.at)}` : day;
  return [`The carrier last told us of ${subject} on ${when}: ${STATUS_WORDS[lastScan.status]}.`, ...guess()];

  /** One that lies behind us is known to be wrong. */
  function guess(): string[] {
    if (estimate === null || deliveredAt !== null) return [];
    const on = 'on' in estimate ? estimate.on : format.dayOf(estimate.at);
    if (on < format.dayOf(now)) return [];
    return [`The carrier expects to deliver ${subject} on ${format.day(on)}: that is a guess, and no promise.`];
  }
}

const STATUS_WORDS: Readonly<Record<TrackingStatus, string>> = {
  pre_transit: 'it had been announced, and not handed over yet',
  in_transit: 'it was on its way',
  out_for_delivery: 'it was out for delivery',
  attempted: 'a delivery had been tried',
  available_for_pickup: 'it was ready to be collected',
  delivered: 'it had been delivered',
  exception: 'something had held it up',
  return_to_sender: 'it was on its way back to us',
  cancelled: 'it had been cancelled',
  unknown: 'there was news that does not say where it is',
};

/** What is done about a broken promise, from what has become of its awards since. */
function done(told: Told): string[] {
  const { answer, awards, orderId } = told.record;
  const sentences = given(told);
  if (sentences.length > 0) return sentences;
  if (awards.some((award) => award.orderId === orderId)) return ['One of us has looked at it personally.'];
  // Nothing was decided to be given: the record says why, and names no amount.
  if (answer?.hasIncident) return answer.wording.slice(2).filter((sentence) => sentence !== 'We are sorry.');
  return ['We keep an eye on it by ourselves: you do not have to ask again.'];
}

/** What the order was given, and what is still under way: of that no amount, because it may come to nothing. */
function given({ record: { awards, orderId }, format }: Told): string[] {
  const ofOrder = awards.filter((award) => award.orderId === orderId);
  const words = givenWords(
    ofOrder.filter(({ status }) => status === 'applied'),
    format,
  );
  const sentences = words === null ? [] : [`For it you have been given ${words}.`];
  const has = (...statuses: string[]) => ofOrder.some(({ status }) => statuses.includes(status));
  if (has('pending')) sentences.push(words === null ? 'Making good for it is under way.' : 'More for it is under way.');
  if (has('held', 'awaiting_approval', 'failed'))
    sentences.push(words === null ? LOOKING : 'One of us is looking at the rest of it personally.');
  return sentences;
}

/** The customer's own word against the record, and what follows from it. */
function saysOtherwise({ record, reason }: Told): string[] {
  switch (reason) {
    case 'damaged':
      return ['You told us that it reached you damaged: one of us looks at that personally.'];
    case 'not_received':
      return ['You told us that you have not received it: one of us looks at that personally.'];
    case 'late':
    case 'other':
      return record.answer?.verdict === 'on_time' && !record.answer.hasIncident
        ? ['That is what the carrier reports. If it is not with you, tell us so, and one of us looks for it.']
        : [];
    default:
      return unreachable(reason);
  }
}
