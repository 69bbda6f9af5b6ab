import type { ParcelFact } from '../promises/letter-facts.js';
import type { Block } from './blocks.js';
import { expectedOn, type Writing } from './letter-words.js';
import { singleLine, webAddress } from './outside-text.js';

/** Too small cuts real numbers (some carriers have 40 characters), too big lets one fill the screen. */
const TRACKING_NUMBER_LENGTH = 50;
const CARRIER_LENGTH = 40;

/**
 * Where each parcel is, when there are several, or the one is still on its way. One that has come is told of in the
 * sentences already.
 */
export function parcelBlocks(writing: Writing): Block[] {
  const parcels = writing.letter.parcels ?? [];
  const [first] = parcels;
  if (first === undefined || (parcels.length === 1 && first.status === 'delivered')) return [];
  return [
    { kind: 'paragraph', text: writing.phrases.sayCount('parcels.heading', parcels.length) },
    { kind: 'parcels', items: parcels.map((parcel) => itemOf(parcel, writing)) },
  ];
}

function itemOf(parcel: ParcelFact, writing: Writing) {
  const { phrases, format } = writing;
  const expected = parcel.status === 'delivered' ? null : expectedOn(parcel.estimate, writing);
  const url = webAddress(parcel.trackingUrl);
  const text = phrases.say('parcel.line', {
    carrier: singleLine(parcel.carrier, CARRIER_LENGTH),
    trackingNumber: singleLine(parcel.trackingNumber, TRACKING_NUMBER_LENGTH),
    state: stateOf(parcel, writing),
    expectedDay: expected === null ? null : format.day(expected),
  });
  return { text, link: url === null ? null : { label: phrases.say('parcel.link'), url } };
}

function stateOf({ status, deliveredAt }: ParcelFact, { phrases, format }: Writing): string {
  if (status !== 'delivered') return phrases.say(`parcel.${status}`);
  return phrases.say('parcel.delivered', { day: deliveredAt === null ? null : format.day(format.dayOf(deliveredAt)) });
}
