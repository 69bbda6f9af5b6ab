import { fillIn, type ValuesOf, type Variables } from './text-source.js';

/** A phrase with a `count`, of which there is one for each plural form of the language, as `Intl.PluralRules` knows them. */
interface Counted<V extends Variables> {
  readonly counted: true;
  readonly variables: V;
}

const AGAIN = { again: 'flag', until: 'sometimes' } as const;
const NONE = {} as const;
const counted = <V extends Variables>(variables: V): Counted<V> => ({ counted: true, variables });

/** Every short text that the code puts together with others, with what it is given. All are in `phrases.json`. */
export const PHRASES = {
  // What was promised.
  'promised.day': { day: 'always' },
  'promised.time': { day: 'always', time: 'always' },

  // How late, as in "a day late": `late` alone, the others within sentences.
  late: { delay: 'always' },
  'delay.days': counted(NONE),
  'delay.hours': counted(NONE),
  'delay.minutes': counted(NONE),
  'delay.hoursAndMinutes': { hours: 'always', minutes: 'always' },
  'delay.lessThanAMinute': NONE,

  // What happened, as whole sentences, and when.
  'when.day': { day: 'always' },
  'when.time': { time: 'always' },
  'when.timeAndDay': { time: 'always', day: 'always' },
  'happened.delivered': { when: 'always', delay: 'sometimes' },
  'happened.attempted': { when: 'always', delay: 'sometimes' },
  'happened.atPickupPoint': { when: 'always', delay: 'sometimes' },
  'happened.stillOut': { day: 'always', time: 'sometimes', delay: 'sometimes', inPart: 'flag' },

  // Where it is, as whole sentences.
  'where.expected': { day: 'always' },
  'where.expectedWithYou': { day: 'always' },
  'where.dayUnknown': NONE,
  'where.lastNews': { day: 'always', state: 'sometimes' },
  'where.handedOver': { day: 'always' },
  'where.waitingThere': NONE,
  'where.notYet': NONE,
  'lastNews.pre_transit': NONE,
  'lastNews.in_transit': NONE,
  'lastNews.out_for_delivery': NONE,
  'lastNews.attempted': NONE,
  'lastNews.available_for_pickup': NONE,
  'lastNews.delivered': NONE,
  'lastNews.exception': NONE,
  'lastNews.return_to_sender': NONE,

  // What held it up, as a whole sentence.
  'cause.weather': NONE,
  'cause.customs': NONE,
  'cause.security': NONE,
  'cause.misrouted': NONE,

  // The parcels of an order.
  'parcels.heading': counted(NONE),
  'parcel.line': { carrier: 'always', trackingNumber: 'always', state: 'always', expectedDay: 'sometimes' },
  'parcel.link': NONE,
  'parcel.pre_transit': NONE,
  'parcel.in_transit': NONE,
  'parcel.out_for_delivery': NONE,
  'parcel.attempted': NONE,
  'parcel.available_for_pickup': NONE,
  'parcel.delivered': { day: 'sometimes' },
  'parcel.exception': NONE,
  'parcel.return_to_sender': NONE,
  'parcel.cancelled': NONE,
  'parcel.unknown': NONE,

  // The table at the end: labels, and how values are written.
  'fact.order': NONE,
  'fact.promised': NONE,
  'fact.neededFor': NONE,
  'fact.firstAttempt': NONE,
  'fact.atPickupPoint': NONE,
  'fact.delivered': NONE,
  'fact.expectedNow': NONE,
  'value.dayAndTime': { day: 'always', time: 'always' },
  'value.occasion': { day: 'always', name: 'sometimes' },

  // What was given.
  'remedies.opening': NONE,
  'remedies.openingAgain': NONE,
  'remedies.call': NONE,
  'remedy.membership_extension': counted(AGAIN),
  'remedy.store_credit': { amount: 'always', ...AGAIN },
  'remedy.points': counted(AGAIN),
  'remedy.refund': { amount: 'always', arrivesDay: 'sometimes' },
  'remedy.shipping_refund': { amount: 'always', arrivesDay: 'sometimes' },
  'remedy.replacement': { twoDayShipping: 'flag', leavesDay: 'sometimes', arrivesDay: 'sometimes' },
  'remedy.gift': NONE,

  // The same in a few words, for the subject.
  'summary.membership_extension': counted({ again: 'flag' }),
  'summary.store_credit': { amount: 'always', again: 'flag' },
  'summary.points': counted({ again: 'flag' }),
  'summary.added': { what: 'always' },
  'summary.refund': { amount: 'always' },
  'summary.shipping_refund': { amount: 'always' },
  'summary.replacement': NONE,
  'summary.call': NONE,
  'summary.madeGood': NONE,

  // What was taken back, or could not be given.
  'withdrawn.membership_extension': counted(NONE),
  'withdrawn.store_credit': { amount: 'always' },
  'withdrawn.points': counted(NONE),
  'withdrawn.refund': { amount: 'always' },
  'withdrawn.shipping_refund': { amount: 'always' },
  'withdrawn.replacement': NONE,
  'withdrawn.gift': NONE,

  // Around every letter.
  reply: NONE,
  'answer.yes': NONE,
  'answer.no': NONE,
  'unsubscribe.link': NONE,
} as const satisfies Record<string, Variables | Counted<Variables>>;

export type PhraseKey = keyof typeof PHRASES;
type CountedKey = { [Key in PhraseKey]: (typeof PHRASES)[Key] extends Counted<Variables> ? Key : never }[PhraseKey];
type PlainKey = Exclude<PhraseKey, CountedKey>;
type VariablesOfCounted<Key extends CountedKey> = (typeof PHRASES)[Key] extends Counted<infer V> ? V : never;

/** The variables of a phrase, and whether it has plural forms. */
export function rulesOfPhrase(key: PhraseKey): { readonly variables: Variables; readonly isCounted: boolean } {
  const rules = PHRASES[key] as Variables | Counted<Variables>;
  return 'counted' in rules && rules.counted === true
    ? { variables: { count: 'always', ...(rules as Counted<Variables>).variables }, isCounted: true }
    : { variables: rules as Variables, isCounted: false };
}

export type PluralForms = Partial<Record<Intl.LDMLPluralRule, string>>;
/** All phrases of a language, as they were checked. */
export type PhraseTexts = Readonly<Record<PlainKey, string> & Record<CountedKey, PluralForms>>;

/** The phrases of a language, filled in. `number` is how the customer's locale writes numbers. */
export interface Phrases {
  say<Key extends PlainKey>(key: Key, ...values: ArgumentsOf<(typeof PHRASES)[Key]>): string;
  sayCount<Key extends CountedKey>(key: Key, count: number, ...values: ArgumentsOf<VariablesOfCounted<Key>>): string;
}

/** Nothing to fill in: nothing to pass. */
type ArgumentsOf<V> = V extends Variables ? (keyof V extends never ? [] : [values: ValuesOf<V>]) : never;

export function phrasesOf(texts: PhraseTexts, language: string, number: (value: number) => string): Phrases {
  const plural = new Intl.PluralRules(language);
  return {
    say: (key, ...[values]) => fillIn(texts[key], { ...values }),
    sayCount(key, count, ...[values]) {
      const forms: PluralForms = texts[key];
      return fillIn(forms[plural.select(count)] ?? forms.other ?? '', { ...values, count: number(count) });
    },
  };
}

/** The plural forms that a language has, and those of them without which small numbers have none. */
export function pluralFormsOf(language: string): {
  readonly all: readonly string[];
  readonly needed: readonly string[];
} {
  const plural = new Intl.PluralRules(language);
  const needed = new Set<string>(['other']);
  for (let count = 0; count <= 100; count++) needed.add(plural.select(count));
  return { all: plural.resolvedOptions().pluralCategories, needed: [...needed] };
}
