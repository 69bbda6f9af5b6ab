import { recordAudit } from '../db/audit-store.js';
import { readNow } from '../db/now.js';
import type { Deps } from '../deps.js';
import { AppError } from '../errors.js';
import { casePoints, inTheirWords } from '../promises/case-points.js';
import { loadOrderRecord } from '../promises/contact-store.js';
import { LOOKS_BACK_DAYS } from '../promises/talking-points.js';
import { addTalkingPoint, openCase } from '../promises/task-store.js';
import { findLinkedLetter, type LinkedLetter, saveAnswer } from './answer-store.js';
import { readLinkToken } from './links.js';

const DAY_MS = 86_400_000;
/** Who says that it did not make things right has waited once already: a person looks within four hours. */
const PRIORITY_CASE_MS = 4 * 3_600_000;

/**
 * Notes what a customer answers to "Did this make it right?". No opens a case with the history attached, one for each incident;
 * one that was closed before opens again. The same answer twice changes nothing, and another one counts from then on.
 * @param words what the customer wrote besides; null: nothing
 * @returns the letter, with the answer that it has now
 * @throws AppError `not_found` for a token that is in no letter of ours, `rate_limited` when too much is written already
 */
export async function recordAnswer(
  deps: Pick<Deps, 'db' | 'clock' | 'linkKey'>,
  token: string,
  { answer, words }: { readonly answer: 'yes' | 'no'; readonly words: string | null },
): Promise<LinkedLetter> {
  const messageId = readLinkToken(deps.linkKey, 'answer', token);
  return deps.db.transaction(async (sql) => {
    const letter = messageId === null ? null : await findLinkedLetter(sql, messageId, { lock: true });
    if (messageId === null || letter === null || letter.incident === null) throw noSuchLink();
    if (letter.answer === answer && words === null) return letter;
    const now = await readNow(sql, deps.clock);
    await saveAnswer(sql, messageId, answer, now);
    const { orderId, customerId, incident } = letter;
    const since = new Date(now.getTime() - LOOKS_BACK_DAYS * DAY_MS);
    const record = answer === 'no' ? await loadOrderRecord(sql, orderId, { contactId: null, since, now }) : null;
    const taskId =
      record === null
        ? null
        : await openCase(sql, {
            orderId,
            customerId,
            incident,
            rule: 'not-made-right',
            at: now,
            now,
            dueAt: new Date(now.getTime() + PRIORITY_CASE_MS),
            talkingPoints: casePoints({
              record,
              contact: { reason: 'not_made_right', channel: 'letter', at: now },
              words,
              now,
            }),
          });
    // A case that was open already has not heard this.
    if (taskId !== null && words !== null && !(await addTalkingPoint(sql, taskId, inTheirWords(words)))) {
      throw new AppError(
        'rate_limited',
        'Enough is written here already. Reply to the mail: a person reads every answer.',
      );
    }
    await recordAudit(sql, {
      at: now,
      actor: 'customer',
      action: 'letter.answer',
      subject: messageId,
      reason: null,
      details: { orderId, answer, taskId },
    });
    return { ...letter, answer };
  });
}

/** The letter of a link, to be shown before anything is answered. @throws AppError `not_found` */
export async function showLinkedLetter(
  deps: Pick<Deps, 'db' | 'linkKey'>,
  purpose: 'answer' | 'unsubscribe',
  token: string,
): Promise<LinkedLetter> {
  const messageId = readLinkToken(deps.linkKey, purpose, token);
  const letter = messageId === null ? null : await findLinkedLetter(deps.db.pool, messageId, { lock: false });
  if (letter === null || (purpose === 'answer' && letter.incident === null)) throw noSuchLink();
  return letter;
}

function noSuchLink(): AppError {
  return new AppError('not_found', 'This link is in no letter of ours.');
}
