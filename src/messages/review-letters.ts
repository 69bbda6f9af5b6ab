import type { Person } from '../awards/agent-limits.js';
import { holdKey } from '../awards/hold-key.js';
import { recordAudit } from '../db/audit-store.js';
import type { Sql } from '../db/database.js';
import { readNow } from '../db/now.js';
import type { Deps } from '../deps.js';
import { AppError } from '../errors.js';
import { newId } from '../ids.js';
import { issueTickets } from '../queue/outbox-store.js';
import { settleLetterAlarms } from './letter-alarms-store.js';
import { type LetterView, lockLetter, type MessageStatus, queueLetter, settleLetter } from './letter-view-store.js';

export interface LetterRequest {
  readonly person: Person;
  readonly reason: string;
}

/**
 * Lets a letter go that is held: it is sent like any other.
 * @throws AppError `not_found`, `already_decided`
 */
export function releaseLetter(deps: Deps, id: string, request: LetterRequest): Promise<void> {
  return review(deps, id, request, 'message.release', async (sql, letter) => {
    refuseUnless(letter, ['held'], 'is held');
    await queueLetter(sql, id, null);
    return { sends: true };
  });
}

/**
 * Ends a letter that has not arrived, for good: what it tells of counts as told, so that no other letter tells of it.
 * @throws AppError `not_found`, `already_decided`
 */
export function withdrawLetter(deps: Deps, id: string, request: LetterRequest): Promise<void> {
  return review(deps, id, request, 'message.withdraw', async (sql, letter) => {
    refuseUnless(letter, ['held', 'queued', 'failed', 'bounced', 'blocked'], 'waits, or has not arrived');
    await settleLetter(sql, id, { status: 'withdrawn', response: 'a person withdrew it', sentAt: null });
    return { sends: false };
  });
}

/**
 * Sends a letter again of which nobody knows whether it arrived, or that did not: the same bytes under the same Message-ID, so that
 * whoever has both sees that they are one.
 * @throws AppError `not_found`, `already_decided`
 */
export function resendLetter(deps: Deps, id: string, request: LetterRequest): Promise<void> {
  return review(deps, id, request, 'message.resend', async (sql, letter, at) => {
    refuseUnless(letter, ['unknown', 'failed', 'bounced', 'blocked'], 'may not have arrived');
    await queueLetter(sql, id, at);
    return { sends: true };
  });
}

/**
 * Says what became of a letter of which nobody knew: it arrived, or it was lost.
 * @throws AppError `not_found`, `already_decided`
 */
export function settleUnknownLetter(
  deps: Deps,
  id: string,
  request: LetterRequest & { readonly outcome: 'arrived' | 'lost' },
): Promise<void> {
  return review(deps, id, request, 'message.settle', async (sql, letter, at) => {
    refuseUnless(letter, ['unknown'], 'is unknown');
    await settleLetter(
      sql,
      id,
      request.outcome === 'arrived'
        ? { status: 'sent', response: 'a person says that it arrived', sentAt: letter.handoverAt ?? at }
        : { status: 'failed', response: 'a person says that it did not arrive', sentAt: null },
    );
    return { sends: false, outcome: request.outcome };
  });
}

/** One transaction: the key and the letter are taken, `decide` decides, the audit says so, and a ticket sends what is to be sent. */
async function review(
  deps: Deps,
  id: string,
  { person, reason }: LetterRequest,
  action: 'message.release' | 'message.withdraw' | 'message.resend' | 'message.settle',
  decide: (sql: Sql, letter: LetterView, at: Date) => Promise<{ readonly sends: boolean; readonly outcome?: string }>,
): Promise<void> {
  const tickets = await deps.db.transaction(async (sql) => {
    await holdKey(sql, person, { alone: false });
    const letter = await lockLetter(sql, id);
    if (!letter) throw new AppError('not_found', 'There is no letter with this id.');
    const at = await readNow(sql, deps.clock);
    const { sends, ...details } = await decide(sql, letter, at);
    const { orderId, template, status, tellsOf } = letter;
    await settleLetterAlarms(sql, deps.config, at);
    await recordAudit(sql, {
      at,
      actor: person.actor,
      action,
      subject: id,
      reason,
      details: { orderId, template, was: status, ...details, keyId: person.keyId },
    });
    const work = { stage: 'send-messages', ids: sends ? [tellsOf] : [], trigger: 'agent', trace: newId() } as const;
    return issueTickets(sql, work);
  });
  await deps.queues.announce(tickets);
}

function refuseUnless(letter: LetterView, statuses: readonly MessageStatus[], wanted: string): void {
  if (statuses.includes(letter.status)) return;
  throw new AppError('already_decided', `This letter is ${letter.status}: this is for one that ${wanted}.`);
}
