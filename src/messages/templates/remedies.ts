import type { LocalFormat } from '../../local-format.js';
import type { Letter, LetterAward } from '../letter.js';
import { type Block, paragraph } from './content.js';
import type { Phrases } from './phrases.js';

/**
 * What was done about it, as blocks: everything in the past tense, because it has happened, with its exact amount.
 * Nothing when nothing was given and nobody is going to call.
 */
export function remedyBlocks(letter: Letter, phrases: Phrases): readonly Block[] {
  const blocks: Block[] = [];
  if (letter.awards.length > 0) {
    const opening = letter.isTopUp
      ? 'We have added the difference already.'
      : 'To make up for it, we have already done this for you.';
    blocks.push(paragraph(opening, 'There is nothing you need to do.'));
    blocks.push({
      kind: 'list',
      items: letter.awards.map((award) => remedyLine(award, letter.isTopUp, phrases.format)),
    });
  }
  if (letter.callPlanned) {
    blocks.push(
      paragraph(
        'We also want to tell you in person that we are sorry. One of us will telephone you and ask what would help.',
      ),
    );
  }
  return blocks;
}

function remedyLine(award: LetterAward, again: boolean, format: LocalFormat): string {
  switch (award.kind) {
    case 'membership_extension': {
      const months = again
        ? counted(award.months, 'One more free month', 'more free months')
        : counted(award.months, 'One free month', 'free months');
      const until = award.endsOn === null ? '' : `, which now runs until ${format.fullDay(award.endsOn)}`;
      return `${months}, added to your membership${until}.`;
    }
    case 'store_credit': {
      const credit = `${again ? 'Another ' : ''}${format.money(award.amount)} of credit, in your account now`;
      return award.expiresOn === null ? `${credit}.` : `${credit} and good until ${format.fullDay(award.expiresOn)}.`;
    }
    case 'refund':
      return `${format.money(award.amount)}, refunded the way you paid. ${refundArrival(award.arrivesOn, format)}`;
    case 'shipping_refund':
      return `Your shipping costs of ${format.money(award.amount)}, refunded the way you paid. ${refundArrival(award.arrivesOn, format)}`;
    case 'points': {
      const points = `${format.number(award.points)} ${again ? 'more ' : ''}points, in your account now`;
      return award.expiresOn === null ? `${points}.` : `${points} and good until ${format.fullDay(award.expiresOn)}.`;
    }
    case 'replacement': {
      const how = award.twoDayShipping ? 'sent to you by two-day shipping' : 'sent to you';
      const leaves = award.shipsOn ? ` It leaves on ${format.day(award.shipsOn)}.` : '';
      const when = award.arrivesOn === null ? '' : ` It should be with you on ${format.day(award.arrivesOn)}.`;
      return `A replacement, ${how}, at no cost to you.${leaves}${when}`;
    }
    case 'gift':
      return 'A small gift from us, sent to you as well.';
    default:
      return award satisfies never;
  }
}

function refundArrival(arrivesOn: string | null, format: LocalFormat): string {
  return arrivesOn === null
    ? 'How soon you see it depends on your bank.'
    : `You should see it by ${format.day(arrivesOn)}.`;
}

/**
 * The same in a few words, for the subject: `one free month and $20.00 credit added`. Null when there is nothing to
 * say. A gift is left out: it is better as a surprise.
 */
export function remedySummary(letter: Letter, format: LocalFormat): string | null {
  const more = letter.isTopUp ? 'more ' : '';
  const added: string[] = [];
  const others: string[] = [];
  for (const award of letter.awards) {
    switch (award.kind) {
      case 'membership_extension':
        added.push(counted(award.months, `one ${more}free month`, `${more}free months`));
        break;
      case 'store_credit':
        added.push(`${format.money(award.amount)} ${more}credit`);
        break;
      case 'points':
        added.push(`${format.number(award.points)} ${more}points`);
        break;
      case 'refund':
        others.push(`${format.money(award.amount)} refunded`);
        break;
      case 'shipping_refund':
        others.push(`${format.money(award.amount)} shipping refunded`);
        break;
      case 'replacement':
        others.push('a replacement is on its way');
        break;
      case 'gift':
        break;
      default:
        award satisfies never;
    }
  }
  if (added.length > 0) others.push(`${added.join(' and ')} added`);
  if (others.length === 0) return letter.callPlanned ? 'we will call you' : null;
  return others.join(', ');
}

function counted(count: number, one: string, many: string): string {
  return count === 1 ? one : `${count} ${many}`;
}
