import type { AwardIncident } from '../compensation/incident.js';
import { letterAwardOf } from '../compensation/letter-award.js';
import type { Config } from '../config.js';
import type { Sql } from '../db/database.js';
import type { Deps } from '../deps.js';
import { newId } from '../ids.js';
import type { LetterFacts } from '../promises/letter-facts.js';
import { type NoticeKind, SERVICE_LETTERS } from '../promises/notice-kinds.js';
import type { NoticeFacts } from '../promises/notices.js';
import { deliverable, parseMailbox } from './address.js';
import { countEarlierFailures, isBeyondLimit, type PastApology, rememberedSince } from './apologies.js';
import { loadPastApologies, lockCustomersOf } from './apology-store.js';
import { loadCurrentStates, rewriteLetters } from './current-state-store.js';
import { freshFacts } from './fresh-facts.js';
import { APOLOGIES, type Letter, OF_LATENESS, templateFor } from './letter.js';
import { checkAmounts } from './letter-amounts-store.js';
import type { LetterTexts } from './letter-texts.js';
import { linkToken } from './links.js';
import {
  findTellable,
  findTellableNotices,
  type NewMessage,
  queueMessages,
  type TellableDecision,
  type TellableNotice,
} from './message-store.js';
import type { DueMessage } from './put-off-store.js';
import { type RenderedLetter, renderLetter } from './render.js';

/**
 * Writes the letters of decisions that are complete and not told of yet, and of notices. Customers without an address get none. What
 * would be an apology too many waits for a person. Customers are held meanwhile, so that two at once count right.
 * @param ids of decisions and notices
 */
export async function writeLetters(deps: Deps, sql: Sql, ids: readonly string[], now: Date): Promise<void> {
  await lockCustomersOf(sql, ids);
  const decisions = await findTellable(sql, ids);
  const customers = decisions.map(({ customerId }) => customerId);
  const past = await loadPastApologies(sql, customers, rememberedSince(now));
  const messages: NewMessage[] = [];
  for (const decision of decisions) {
    if (decision.email === null) continue;
    const apologies = past.get(decision.customerId) ?? [];
    const message = messageOf(deps, { ...decision, email: decision.email }, apologies, now);
    messages.push(message);
    if (!APOLOGIES.includes(message.template)) continue;
    const { orderId } = decision;
    const wasLate = OF_LATENESS.includes(message.template);
    past.set(decision.customerId, [...apologies, { orderId, at: now, isHeld: message.held !== null, wasLate }]);
  }
  for (const notice of await findTellableNotices(sql, ids)) {
    if (notice.email !== null) messages.push(messageOfNotice(deps, { ...notice, email: notice.email }));
  }
  await checkAmounts(sql, messages);
  await queueMessages(sql, messages, now);
}

type Addressed<T> = T & { readonly email: string };

function messageOf(
  deps: Deps,
  decision: Addressed<TellableDecision>,
  past: readonly PastApology[],
  now: Date,
): NewMessage {
  const { config } = deps;
  const id = newId();
  const failures = countEarlierFailures(past, decision.orderId, now);
  const known = { earlierFailures: failures, now };
  const letter = { ...letterOf(decision, config, known), answerUrls: answerUrlsOf(deps, id) };
  const { decisionId, orderId, customerId } = decision;
  const { template } = letter;
  const part = 1 + (decision.letters[template] ?? 0);
  const isOneTooMany = APOLOGIES.includes(template) && isBeyondLimit(past, config.apologyLimit, now);
  return {
    id,
    orderId,
    customerId,
    decisionId,
    noticeId: null,
    template,
    part,
    awardIds: decision.awards.map(({ id }) => id),
    toAddress: deliverable(decision.email) ?? decision.email,
    messageId: `<${decisionId}.${template}${part === 1 ? '' : `.${part}`}@${domainOf(config)}>`,
    letter,
    rendered: renderLetter(letter, deps.texts),
    held: isOneTooMany ? `the customer has ${config.apologyLimit} apologies of the last 14 days already` : null,
  };
}

function messageOfNotice(deps: Deps, notice: Addressed<TellableNotice>): NewMessage {
  const { config } = deps;
  const { noticeId, orderId, customerId, kind } = notice;
  const id = newId();
  const letter = { ...letterOfNotice(notice, config), unsubscribeUrl: unsubscribeUrlOf(deps, kind, id) };
  return {
    id,
    orderId,
    customerId,
    decisionId: null,
    noticeId,
    template: kind,
    part: 1,
    awardIds: [],
    toAddress: deliverable(notice.email) ?? notice.email,
    messageId: `<${noticeId}.${kind}@${domainOf(config)}>`,
    letter,
    rendered: renderLetter(letter, deps.texts),
    held: null,
  };
}

function domainOf({ mailFrom }: Config): string {
  return parseMailbox(mailFrom)?.address.split('@').at(-1) ?? 'localhost';
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

function letterOfNotice(notice: TellableNotice, { shopName, signers }: Config): Letter {
  const facts = reviveFacts<NoticeFacts>(notice.facts);
  return {
    ...facts,
    template: notice.kind,
    shopName,
    customer: { name: notice.name, locale: notice.locale },
    orderId: notice.orderId,
    awards: facts.awards ?? [],
    isTopUp: false,
    signedBy: signers.usual,
  };
}

function letterOf(
  decision: TellableDecision,
  { shopName, signers }: Config,
  { earlierFailures, now }: { earlierFailures: number; now: Date },
): Letter {
  const facts = freshFacts(reviveFacts<LetterFacts>(decision.facts), decision.current, now);
  const { isTopUp, isAddition } = decision;
  const incident = decision.incident as AwardIncident;
  // A missed occasion is told once, also where the wait for it was told before.
  const template = templateFor({
    incident,
    verdict: facts.verdict,
    occasionMissed: facts.occasion !== null && !decision.knowsOccasion,
    isTopUp,
    isAddition,
    earlierFailures,
  });
  const wentWrongAgain = earlierFailures > 0 && APOLOGIES.includes(template);
  return {
    ...facts,
    template,
    shopName,
    customer: { name: decision.name, locale: decision.locale },
    orderId: decision.orderId,
    awards: decision.awards.map((award) => letterAwardOf(award, facts.promise.timeZone)),
    isTopUp,
    signedBy: (wentWrongAgain ? signers.senior : null) ?? signers.usual,
  };
}

/**
 * Letters that waited for another day, and were never tried, are written anew where the order has come on since: what was true when
 * it was decided may not be when it leaves. From the first try on the words stay.
 */
export async function freshenLetters(
  { texts }: Pick<Deps, 'texts'>,
  sql: Sql,
  due: readonly DueMessage[],
  now: Date,
): Promise<readonly DueMessage[]> {
  const waited = due.filter(({ attempts, decisionId, letter }) => {
    return attempts === 0 && decisionId !== null && letter.verdict === 'overdue' && letter.metAt === null;
  });
  const states = await loadCurrentStates(
    sql,
    waited.map(({ id }) => id),
  );
  const anew = waited.flatMap(({ id, letter: stored }) => {
    const [letter, current] = [reviveLetter(stored), states.get(id)];
    const fresh = current ? freshFacts(letter, current, now) : letter;
    if (fresh === letter) return [];
    const template = letter.template === 'late-overdue' && fresh.metAt !== null ? 'late-delivered' : letter.template;
    const written = { ...fresh, template } as const;
    return [{ id, template, letter: written, rendered: renderLetter(written, texts) }];
  });
  await rewriteLetters(sql, anew, now);
  const byId = new Map(anew.map(({ id, letter }) => [id, letter]));
  return due.map((message) => ({ ...message, letter: byId.get(message.id) ?? message.letter }));
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

/** The words of a stored letter: as they were written or, where a release wrote it that kept none, as they read now. */
export function renderedOf(
  { rendered, letter }: { rendered: RenderedLetter | null; letter: unknown },
  texts: LetterTexts,
): RenderedLetter {
  return rendered ?? renderLetter(reviveLetter(letter), texts);
}
