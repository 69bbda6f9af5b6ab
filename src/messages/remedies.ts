import type { Block } from './blocks.js';
import type { LetterAward } from './letter.js';
import type { Writing } from './letter-words.js';

/**
 * What was done about it, as blocks: everything in the past tense, because it has happened, with its exact amount.
 * Nothing when nothing was given and nobody is going to call.
 */
export function remedyBlocks(writing: Writing): Block[] {
  const { letter, phrases } = writing;
  const blocks: Block[] = [];
  if (letter.awards.length > 0) {
    const opening = phrases.say(letter.isTopUp ? 'remedies.openingAgain' : 'remedies.opening');
    blocks.push({ kind: 'paragraph', text: opening });
    blocks.push({ kind: 'list', items: letter.awards.map((award) => remedyLine(award, writing)) });
  }
  if (letter.callPlanned) blocks.push({ kind: 'paragraph', text: phrases.say('remedies.call') });
  return blocks;
}

/** Of a correction: what it was said that the customer had, and has not. */
export function withdrawnBlocks(writing: Writing): Block[] {
  const { awards, correctionOf } = writing.letter;
  if (correctionOf !== 'reversed' || awards.length === 0) return [];
  return [{ kind: 'list', items: awards.map((award) => withdrawnLine(award, writing)) }];
}

function remedyLine(award: LetterAward, { letter, phrases, format }: Writing): string {
  const again = letter.isTopUp;
  const fullDay = (on: string | null) => (on === null ? null : format.fullDay(on));
  const day = (on: string | null | undefined) => (on ? format.day(on) : null);
  switch (award.kind) {
    case 'membership_extension':
      return phrases.sayCount('remedy.membership_extension', award.months, { again, until: fullDay(award.endsOn) });
    case 'store_credit': {
      const amount = format.money(award.amount);
      return phrases.say('remedy.store_credit', { amount, again, until: fullDay(award.expiresOn) });
    }
    case 'refund':
    case 'shipping_refund': {
      const amount = format.money(award.amount);
      return phrases.say(`remedy.${award.kind}`, { amount, arrivesDay: day(award.arrivesOn) });
    }
    case 'points':
      return phrases.sayCount('remedy.points', award.points, { again, until: fullDay(award.expiresOn) });
    case 'replacement': {
      const { twoDayShipping } = award;
      const [leavesDay, arrivesDay] = [day(award.shipsOn), day(award.arrivesOn)];
      return phrases.say('remedy.replacement', { twoDayShipping, leavesDay, arrivesDay });
    }
    case 'gift':
      return phrases.say('remedy.gift');
    default:
      return award satisfies never;
  }
}

function withdrawnLine(award: LetterAward, { phrases, format }: Writing): string {
  switch (award.kind) {
    case 'membership_extension':
      return phrases.sayCount('withdrawn.membership_extension', award.months);
    case 'points':
      return phrases.sayCount('withdrawn.points', award.points);
    case 'store_credit':
    case 'refund':
    case 'shipping_refund':
      return phrases.say(`withdrawn.${award.kind}`, { amount: format.money(award.amount) });
    case 'replacement':
    case 'gift':
      return phrases.say(`withdrawn.${award.kind}`);
    default:
      return award satisfies never;
  }
}

/**
 * What was given in a few words, for the subject: `one free month and $20.00 credit added`. Null when there is nothing to
 * say. A gift is left out: it is better as a surprise.
 */
export function remedySummary(writing: Writing, language: string): string | null {
  const { letter, phrases, format } = writing;
  if (letter.template === 'correction') return null;
  const again = letter.isTopUp;
  const added: string[] = [];
  const others: string[] = [];
  for (const award of letter.awards) {
    switch (award.kind) {
      case 'membership_extension':
        added.push(phrases.sayCount('summary.membership_extension', award.months, { again }));
        break;
      case 'store_credit':
        added.push(phrases.say('summary.store_credit', { amount: format.money(award.amount), again }));
        break;
      case 'points':
        added.push(phrases.sayCount('summary.points', award.points, { again }));
        break;
      case 'refund':
      case 'shipping_refund':
        others.push(phrases.say(`summary.${award.kind}`, { amount: format.money(award.amount) }));
        break;
      case 'replacement':
        others.push(phrases.say('summary.replacement'));
        break;
      case 'gift':
        break;
      default:
        award satisfies never;
    }
  }
  if (added.length > 0) others.push(phrases.say('summary.added', { what: listOf(added, language) }));
  if (others.length === 0) return letter.callPlanned ? phrases.say('summary.call') : null;
  return others.join(', ');
}

/** `a`, `a and b`, `a, b, and c`. */
function listOf(items: readonly string[], language: string): string {
  return new Intl.ListFormat(language, { type: 'conjunction' }).format(items);
}
