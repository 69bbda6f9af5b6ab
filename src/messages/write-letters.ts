import type { AwardIncident } from '../compensation/incident.js';
import { letterAwardOf } from '../compensation/letter-award.js';
import type { Sql } from '../db/database.js';
import type { Deps } from '../deps.js';
import type { LetterFacts } from '../promises/letter-facts.js';
import { parseMailbox } from './address.js';
import { type Letter, type NoticeFacts, templateFor } from './letter.js';
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
    const letter = letterOf(decision, config.shopName);
    const { decisionId, orderId, customerId } = decision;
    const { template } = letter;
    const part = 1 + (decision.letters[template] ?? 0);
    const messageId = `<${decisionId}.${template}${part === 1 ? '' : `.${part}`}@${domain}>`;
    const awardIds = decision.awards.map(({ id }) => id);
    const rendered = renderLetter(letter);
    const base = { orderId, customerId, decisionId, noticeId: null, template, part, awardIds };
    return [{ ...base, toAddress: decision.email, messageId, letter, rendered }];
  });
  const notices = (await findTellableNotices(sql, ids)).flatMap((notice): NewMessage[] => {
    if (notice.email === null) return [];
    const letter = letterOfNotice(notice, config.shopName);
    const { noticeId, orderId, customerId, kind } = notice;
    const messageId = `<${noticeId}.${kind}@${domain}>`;
    const base = { orderId, customerId, decisionId: null, noticeId, template: kind, part: 1, awardIds: [] };
    return [{ ...base, toAddress: notice.email, messageId, letter, rendered: renderLetter(letter) }];
  });
  await queueMessages(sql, [...decisions, ...notices], now);
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
    awards: decision.awards.map((award) => letterAwardOf(award, facts.promise.timeZone)),
    isTopUp,
  };
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
