import type { TemplateName } from './letter.js';
import type { Presence, Variables } from './text-source.js';

/** The languages that letters can be in. English is what everybody gets whose own is not there. */
export const LANGUAGES = ['en', 'de', 'es', 'pt'] as const;
export type Language = (typeof LANGUAGES)[number];

/** What the code composes, and a text only places: each on a line of its own. */
export type BlockName = 'remedies' | 'withdrawn' | 'facts' | 'parcels' | 'letter' | 'answers' | 'unsubscribe';

/** The rows of the table at the end of a letter. */
export type FactName =
  | 'order'
  | 'promised'
  | 'neededFor'
  | 'firstAttempt'
  | 'atPickupPoint'
  | 'delivered'
  | 'expectedNow';

/** What can stand in a text, and what has to. */
export interface TextRules<V extends Variables = Variables> {
  readonly variables: V;
  readonly blocks: readonly BlockName[];
  /** Blocks and variables without which the letter would not say what it is for. */
  readonly required: readonly string[];
}

export interface LetterRules extends TextRules {
  /** The rows that `{{> facts}}` may show; each only where it is known. */
  readonly facts: readonly FactName[];
}

const ANY = {
  orderId: 'always',
  shopName: 'always',
  /** `for Thursday, November 5`, or `by 6:00 PM EST on Thursday, November 5`. */
  promised: 'always',
  /** A day was promised, and not a time. */
  dayPromised: 'flag',
  isMember: 'flag',
} as const satisfies Variables;

const HAPPENED = {
  ...ANY,
  /** Promise against reality, a whole sentence: `It came on Friday, November 6, a day late.` */
  whatHappened: 'always',
  /** `a day late`. */
  lateness: 'sometimes',
} as const satisfies Variables;

const LATE = {
  ...HAPPENED,
  /** It has not come, nor been brought. */
  stillOut: 'flag',
  /** Where it is and when it comes, as whole sentences. */
  whereItIs: 'sometimes',
  /** What held it up, a whole sentence. */
  cause: 'sometimes',
  callPlanned: 'flag',
} as const satisfies Variables;

const EXPECTED = {
  ...ANY,
  /** `Monday, November 9`, and `November 9`: both or none. */
  expectedDay: 'sometimes',
  expectedShortDay: 'sometimes',
} as const satisfies Variables;

const ALL_FACTS = [
  ['order', 'promised', 'neededFor'],
  ['firstAttempt', 'atPickupPoint', 'delivered', 'expectedNow'],
].flat() as FactName[];
const WITHOUT_EXPECTED = ALL_FACTS.filter((fact) => fact !== 'expectedNow');
const PROMISE = ['order', 'promised'] as const;

const makesGood = (variables: Variables, facts: readonly FactName[]): LetterRules => ({
  variables,
  blocks: ['remedies', 'facts', 'parcels'],
  required: ['remedies', 'orderId'],
  facts,
});
const tells = (
  variables: Variables,
  facts: readonly FactName[],
  also: { readonly blocks?: readonly BlockName[]; readonly required?: readonly string[] } = {},
): LetterRules => ({
  variables,
  blocks: also.blocks ?? ['facts', 'parcels'],
  required: ['orderId', ...(also.required ?? [])],
  facts,
});

/** What the text of each letter can and must say. The texts are held against this when they are loaded. */
export const LETTER_RULES: Readonly<Record<TemplateName, LetterRules>> = {
  'order-confirmed': tells(ANY, PROMISE, { required: ['promised'] }),
  shipped: tells(EXPECTED, ['order', 'promised', 'expectedNow'], { required: ['parcels', 'promised'] }),
  'at-risk': tells({ ...EXPECTED, cause: 'sometimes' }, ['order', 'promised', 'expectedNow'], {
    required: ['promised', 'expectedDay'],
  }),
  'late-delivered': makesGood(LATE, ALL_FACTS),
  'late-overdue': makesGood(LATE, ALL_FACTS),
  'second-failure': makesGood(LATE, ALL_FACTS),
  'third-failure': makesGood(LATE, ALL_FACTS),
  'occasion-missed': makesGood(
    // The name of the occasion is the shop's own label, such as `christmas`: it needs brackets, not grammar.
    { ...LATE, occasionDay: 'sometimes', occasionShortDay: 'sometimes', occasionName: 'sometimes' },
    ALL_FACTS,
  ),
  'top-up': makesGood(LATE, ALL_FACTS),
  lost: makesGood({ ...ANY, lastNewsDay: 'sometimes' }, WITHOUT_EXPECTED),
  // The delivery is what is in dispute: as a plain fact it would contradict the customer.
  'not-received': makesGood({ ...ANY, deliveredDay: 'sometimes' }, PROMISE),
  damaged: makesGood(ANY, ALL_FACTS),
  returned: makesGood(ANY, WITHOUT_EXPECTED),
  'service-refund': makesGood({ ...ANY, serviceTitle: 'sometimes' }, ['order']),
  'award-approved': makesGood(ANY, WITHOUT_EXPECTED),
  goodwill: makesGood(ANY, PROMISE),
  declined: tells(
    { ...HAPPENED, customerFault: 'flag', customs: 'flag', forceMajeure: 'flag', reviewed: 'flag' },
    WITHOUT_EXPECTED,
    { required: ['customerFault', 'customs', 'forceMajeure', 'reviewed'] },
  ),
  correction: tells({ ...HAPPENED, cameInTime: 'flag', reversed: 'flag' }, PROMISE, {
    blocks: ['withdrawn', 'facts', 'parcels'],
    required: ['withdrawn', 'cameInTime', 'reversed'],
  }),
};

/** What stands around every letter. */
export const FRAME_RULES = {
  variables: {
    shopName: 'always',
    /** That somebody reads what is answered: the phrase `reply`. */
    replyLine: 'always',
    customerName: 'sometimes',
    signerName: 'sometimes',
    signerRole: 'sometimes',
    /** The letter makes up for something. */
    makesGood: 'flag',
    canAnswer: 'flag',
    canUnsubscribe: 'flag',
  },
  blocks: ['letter', 'answers', 'unsubscribe'],
  required: ['letter', 'replyLine', 'answers', 'canAnswer', 'unsubscribe', 'canUnsubscribe', 'signerName', 'shopName'],
} as const satisfies TextRules<Record<string, Presence>>;
