import type { Fact } from './blocks.js';
import { expectedOn, occasionName, orderIdOf, toldInHours, type Writing } from './letter-words.js';
import type { FactName } from './text-rules.js';

/** Order, promise, reality: the letter at a glance. Of the rows that were asked for, those that there is something for. */
export function factRows(writing: Writing, wanted: readonly FactName[]): Fact[] {
  const values = valuesOf(writing);
  return wanted.flatMap((name) => {
    const value = values[name];
    return value === null ? [] : [{ label: writing.phrases.say(`fact.${name}`), value }];
  });
}

function valuesOf(writing: Writing): Readonly<Record<FactName, string | null>> {
  const { letter, phrases, format } = writing;
  const { promise, metAt, metBy, deliveredAt, occasion } = letter;
  const full = (at: Date) => format.fullDay(format.dayOf(at));
  const atTime = (at: Date) => phrases.say('value.dayAndTime', { day: full(at), time: format.time(at) });
  const exact = (at: Date) => (toldInHours(writing) ? atTime(at) : full(at));
  const expected = expectedOn(letter.estimate, writing);
  const deliveredValue = deliveredAt === null ? null : full(deliveredAt);
  return {
    order: orderIdOf(letter),
    promised: 'on' in promise ? format.fullDay(promise.on) : atTime(promise.at),
    neededFor:
      occasion === null
        ? null
        : phrases.say('value.occasion', { day: format.fullDay(occasion.on), name: occasionName(letter) }),
    firstAttempt: metAt !== null && metBy === 'attempted' ? exact(metAt) : null,
    atPickupPoint: metAt !== null && metBy === 'available_for_pickup' ? exact(metAt) : null,
    delivered: metAt !== null && metBy === 'delivered' ? exact(metAt) : deliveredValue,
    expectedNow: deliveredAt === null && metBy !== 'delivered' && expected !== null ? format.fullDay(expected) : null,
  };
}
