import type { AwardIncident } from '../compensation/incident.js';
import type { LetterAward } from '../compensation/letter-award.js';
import type { LetterFacts } from '../promises/letter-facts.js';
import { NOTICE_KINDS } from '../promises/notice-kinds.js';
import type { NoticeFacts } from '../promises/notices.js';
import type { Verdict } from '../promises/verdict.js';

export type { LetterAward } from '../compensation/letter-award.js';

/** Every letter there is. These names are stored with each message and shown by the API: never rename one. */
export const TEMPLATE_NAMES = [
  'order-confirmed',
  'shipped',
  'at-risk',
  'late-delivered',
  'late-overdue',
  'second-failure',
  'third-failure',
  'occasion-missed',
  'top-up',
  'lost',
  'not-received',
  'damaged',
  'returned',
  'service-refund',
  'award-approved',
  'goodwill',
  'declined',
  'correction',
] as const;
export type TemplateName = (typeof TEMPLATE_NAMES)[number];

/** Letters that tell of what a person gave or approved: somebody has looked, and they are not one apology more. */
const BY_PEOPLE: readonly TemplateName[] = ['goodwill', 'award-approved'];
/** Letters that tell of a delivery that came late, or has not come: what may be said to have happened again. */
export const OF_LATENESS: readonly TemplateName[] = [
  'late-delivered',
  'late-overdue',
  'second-failure',
  'third-failure',
  'occasion-missed',
  'top-up',
];
/** Letters that apologise for something: they are what a customer can get too many of. */
export const APOLOGIES: readonly TemplateName[] = TEMPLATE_NAMES.filter(
  (name) => !BY_PEOPLE.includes(name) && !(NOTICE_KINDS as readonly string[]).includes(name),
);

/**
 * The facts of one letter, and all that its text depends on: the same facts give the same words for ever, so that a
 * retry is a copy and not a second letter. Strings that a customer or a shop wrote may hold anything; rendering makes
 * them safe.
 */
export interface Letter extends LetterFacts {
  readonly template: TemplateName;
  readonly shopName: string;
  /** `locale` is a BCP 47 tag and decides the language and how dates and money look; missing or unusable: `en-US`. */
  readonly customer: { readonly name: string | null; readonly locale: string | null };
  readonly orderId: string;
  /** In the order to be told. In a top-up the differences, not the totals. */
  readonly awards: readonly LetterAward[];
  /** Something was given, and told, for the same incident before. */
  readonly isTopUp: boolean;
  /** The person who signs. Left out, or null: the team does. */
  readonly signedBy?: { readonly name: string; readonly role: string | null } | null;
  /** Where the customer says whether it made things right; only in letters that make up for something. */
  readonly answerUrls?: { readonly yes: string; readonly no: string } | null;
  /** Where the customer ends letters of this kind; only in those that one may do without. */
  readonly unsubscribeUrl?: string | null;
  /** Of a correction: what was not right. `came_in_time`: the apology; `reversed`: what it said was given, which is `awards`. */
  readonly correctionOf?: NoticeFacts['correctionOf'];
}

/**
 * Which letter tells of a decision. `occasionMissed`: an award or a call of this very decision was for the missed
 * occasion; it goes before everything else of a late order, because the occasion is what the customer feels.
 */
export function templateFor(decision: {
  readonly incident: AwardIncident;
  readonly verdict: Verdict;
  readonly occasionMissed: boolean;
  readonly isTopUp: boolean;
  /** A letter told of another part of the same decision before: this part waited for a person. */
  readonly isAddition: boolean;
  /** Other orders of the customer that went wrong, and of which they were told lately. */
  readonly earlierFailures: number;
}): TemplateName {
  if (decision.isAddition) return 'award-approved';
  switch (decision.incident) {
    case 'late':
      if (decision.occasionMissed) return 'occasion-missed';
      if (decision.isTopUp) return 'top-up';
      if (decision.earlierFailures > 0) return decision.earlierFailures === 1 ? 'second-failure' : 'third-failure';
      return decision.verdict === 'late' ? 'late-delivered' : 'late-overdue';
    case 'not_received':
      return 'not-received';
    case 'service':
      return 'service-refund';
    case 'lost':
    case 'damaged':
    case 'returned':
      return decision.incident;
    case 'manual':
      return 'goodwill';
    default:
      return decision.incident satisfies never;
  }
}
