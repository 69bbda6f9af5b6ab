import { addDaysTo, localDateOf } from '../calendar.js';
import type { AwardIncident } from '../compensation/incident.js';
import type { Sql } from '../db/database.js';
import type { Deps } from '../deps.js';
import type { LetterFacts } from '../promises/letter-facts.js';
import { parseMailbox } from './address.js';
import { type Letter, type LetterAward, templateFor } from './letter.js';
import { findTellable, queueMessages, type TellableDecision } from './message-store.js';

/** Writes the letters of decisions that are complete and not told of yet. Customers without an address get none. */
export async function writeLetters(deps: Deps, sql: Sql, decisionIds: readonly string[], now: Date): Promise<void> {
  const decisions = await findTellable(sql, decisionIds);
  const domain = parseMailbox(deps.config.mailFrom)?.address.split('@').at(-1) ?? 'localhost';
  const messages = decisions.flatMap((decision) => {
    if (decision.email === null) return [];
    const letter = letterOf(decision, deps.config.shopName);
    const { decisionId, orderId, customerId } = decision;
    const { template } = letter;
    const part = 1 + (decision.letters[template] ?? 0);
    const messageId = `<${decisionId}.${template}${part === 1 ? '' : `.${part}`}@${domain}>`;
    const awardIds = decision.awards.map(({ id }) => id);
    return [
      { orderId, customerId, decisionId, template, part, awardIds, toAddress: decision.email, messageId, letter },
    ];
  });
  await queueMessages(sql, messages, now);
}

function letterOf(decision: TellableDecision, shopName: string): Letter {
  const facts = reviveFacts(decision.facts);
  const { isTopUp, isAddition } = decision;
  const incident = decision.incident as AwardIncident;
  // The first letter about a missed occasion is about that; a later top-up is not told as if it were news.
  const template = templateFor({
    incident,
    verdict: facts.verdict,
    occasionMissed: facts.occasion !== null && !isTopUp,
    isTopUp,
    isAddition,
  });
  return {
    ...facts,
    template,
    shopName,
    customer: { name: decision.name, locale: decision.locale },
    orderId: decision.orderId,
    awards: decision.awards.map((award) => toLetterAward(award, facts.promise.timeZone)),
    isTopUp,
  };
}

function toLetterAward(award: TellableDecision['awards'][number], timeZone: string): LetterAward {
  const amount = { amountMinor: award.amount_minor ?? 0, currency: award.currency ?? '' };
  const expiresOn = award.expires_at === null ? null : lastDayOf(new Date(award.expires_at), timeZone);
  switch (award.kind) {
    case 'membership_extension':
      return { kind: 'membership_extension', months: award.months ?? 0, endsOn: null };
    case 'store_credit':
      return { kind: 'store_credit', amount, expiresOn };
    case 'points':
      return { kind: 'points', points: award.points ?? 0, expiresOn };
    case 'refund':
    case 'shipping_refund':
      return { kind: award.kind, amount, arrivesOn: null };
    case 'replacement':
      return {
        kind: 'replacement',
        twoDayShipping: award.shipping === 'two_day',
        shipsOn: award.ship_on,
        arrivesOn: null,
      };
    case 'gift':
      return { kind: 'gift' };
    default:
      throw new Error(`assertion failed: no letter can tell of ${award.kind}`);
  }
}

/** The last day on which the whole day can be used: the day on which it ends is told as the day before. */
function lastDayOf(expiresAt: Date, timeZone: string): string {
  return addDaysTo(localDateOf(expiresAt, timeZone), -1);
}

const INSTANTS = new Set(['asOf', 'metAt', 'deliveredAt', 'at']);

/** Stored facts are JSON: their instants become dates again. */
export function reviveFacts(json: unknown): LetterFacts {
  return JSON.parse(JSON.stringify(json), (key, value) =>
    INSTANTS.has(key) && typeof value === 'string' ? new Date(value) : value,
  );
}
