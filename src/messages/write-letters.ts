import { addDaysTo, localDateOf } from '../calendar.js';
import type { AwardIncident } from '../compensation/incident.js';
import type { Sql } from '../db/database.js';
import type { Deps } from '../deps.js';
import { newId } from '../ids.js';
import type { LetterFacts } from '../promises/letter-facts.js';
import { parseMailbox } from './address.js';
import {
  type Letter,
  type LetterAward,
  type NoticeFacts,
  type NoticeKind,
  SERVICE_LETTERS,
  templateFor,
} from './letter.js';
import { linkToken } from './links.js';
import {
  findTellable,
  findTellableNotices,
  type NewMessage,
  queueMessages,
  type TellableDecision,
  type TellableNotice,
} from './message-store.js';
import { renderLetter } from './render.js';

/**
 * Writes the letters of decisions that are complete and not told of yet, and of notices. Customers without an address get none.
 * @param ids of decisions and notices
 */
export async function writeLetters(deps: Deps, sql: Sql, ids: readonly string[], now: Date): Promise<void> {
  const { config } = deps;
  const domain = parseMailbox(config.mailFrom)?.address.split('@').at(-1) ?? 'localhost';
  const decisions = (await findTellable(sql, ids)).flatMap((decision): NewMessage[] => {
    if (decision.email === null) return [];
    const id = newId();
    const letter = { ...letterOf(decision, config.shopName), answerUrls: answerUrlsOf(deps, id) };
    const { decisionId, orderId, customerId } = decision;
    const { template } = letter;
    const part = 1 + (decision.letters[template] ?? 0);
    const messageId = `<${decisionId}.${template}${part === 1 ? '' : `.${part}`}@${domain}>`;
    const awardIds = decision.awards.map(({ id }) => id);
    const rendered = renderLetter(letter, deps.texts);
    const base = { id, orderId, customerId, decisionId, noticeId: null, template, part, awardIds };
    return [{ ...base, toAddress: decision.email, messageId, letter, rendered }];
  });
  const notices = (await findTellableNotices(sql, ids)).flatMap((notice): NewMessage[] => {
    if (notice.email === null) return [];
    const id = newId();
    const letter = {
      ...letterOfNotice(notice, config.shopName),
      unsubscribeUrl: unsubscribeUrlOf(deps, notice.kind, id),
    };
    const { noticeId, orderId, customerId, kind } = notice;
    const messageId = `<${noticeId}.${kind}@${domain}>`;
    const base = { id, orderId, customerId, decisionId: null, noticeId, template: kind, part: 1, awardIds: [] };
    return [{ ...base, toAddress: notice.email, messageId, letter, rendered: renderLetter(letter, deps.texts) }];
  });
  await queueMessages(sql, [...decisions, ...notices], now);
}

function answerUrlsOf({ config, linkKey }: Deps, id: string): NonNullable<Letter['answerUrls']> {
  const url = `${config.publicUrl}/answers/${linkToken(linkKey, 'answer', id)}`;
  return { yes: `${url}/yes`, no: `${url}/no` };
}

/** Only letters that one may do without can be ended. */
function unsubscribeUrlOf({ config, linkKey }: Deps, kind: NoticeKind, id: string): string | null {
  const isService = (SERVICE_LETTERS as readonly string[]).includes(kind);
  return isService ? `${config.publicUrl}/unsubscribe/${linkToken(linkKey, 'unsubscribe', id)}` : null;
}

function letterOfNotice(notice: TellableNotice, shopName: string): Letter {
  const facts = reviveFacts<NoticeFacts>(notice.facts);
  return {
    ...facts,
    template: notice.kind,
    shopName,
    customer: { name: notice.name, locale: notice.locale },
    orderId: notice.orderId,
    awards: facts.awards ?? [],
    isTopUp: false,
  };
}

function letterOf(decision: TellableDecision, shopName: string): Letter {
  const facts = reviveFacts<LetterFacts>(decision.facts);
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
function reviveFacts<T>(json: unknown): T {
  return JSON.parse(JSON.stringify(json), (key, value) =>
    INSTANTS.has(key) && typeof value === 'string' ? new Date(value) : value,
  );
}

/** A letter as it was stored with its message. */
export function reviveLetter(json: unknown): Letter {
  return reviveFacts<Letter>(json);
}
