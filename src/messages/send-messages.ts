import { setTimeout as sleep } from 'node:timers/promises';
import { isDatabaseAway } from '../db/database.js';
import type { Deps } from '../deps.js';
import { assert } from '../errors.js';
import { failpoint } from '../failpoint.js';
import { inLanes } from '../in-lanes.js';
import type { EffectStage } from '../queue/run-ticket.js';
import {
  type ClaimedMessage,
  claimMessages,
  deliverLocally,
  markHandover,
  recordOutcome,
  type SendRecord,
} from './message-store.js';
import { composeMime, type OutgoingMail } from './mime.js';
import { renderLetter } from './render.js';
import type { SendOutcome } from './send-outcome.js';
import { reviveLetter, writeLetters } from './write-letters.js';

/** Waits between tries. A server that is down at night is back in the morning: the last wait repeats until GIVE_UP. */
const RETRY_WAITS_S = [5, 30, 120, 600, 1_800, 3_600];
/** Tries of a letter: with the waits above about four days, longer than any outage that nobody was called for. */
const MAX_ATTEMPTS = 100;

/**
 * send-messages: writes the letters of decisions that are complete and of notices, and sends each: claimed, handed over, recorded.
 * Reads:    awards, verdicts, notices, customers, messages
 * Writes:   messages, mailbox   a transaction a step, so that it is always known how far a letter got
 * Twice:    one message per decision and template, or notice, claimed for one try at a time; what may have left is not sent again.
 * If lost:  the sweep finds decisions nobody was told of, and letters that are not sent.
 */
export const sendMessages: EffectStage['run'] = async (deps, { ticket, now }) => {
  const { claimed, unknown } = await deps.db.transaction(async (sql) => {
    await writeLetters(deps, sql, ticket.ids, now);
    return claimMessages(sql, ticket.ids);
  });
  failpoint('send-messages:messages-claimed');
  const tries = await inLanes(claimed, AT_ONCE, (message) => sendOne(deps, message, now));
  // Only now may one's failure halve the batch: none of the other letters is under way any more.
  const results = tries.map((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value;
  });
  const again = claimed.filter((_, index) => results[index]?.status === 'queued');
  const count = (status: SendRecord['status']) => results.filter((result) => result.status === status).length;
  const attempt = Math.min(...again.map((message) => message.attempt));
  return {
    retry:
      again.length === 0
        ? null
        : {
            ids: [...new Set(again.map(({ tellsOf }) => tellsOf))],
            waitS: RETRY_WAITS_S[Math.min(attempt, RETRY_WAITS_S.length) - 1] ?? 0,
            reason: results.find((result) => result.status === 'queued')?.response ?? '',
          },
    counts: {
      sent: count('sent'),
      retried: again.length,
      failed: count('failed'),
      unknown: unknown + count('unknown'),
    },
  };
};

/** Letters under way at once. More, and they take the connections to the database from those who wait for an answer. */
const AT_ONCE = 6;

async function sendOne(deps: Deps, message: ClaimedMessage, now: Date): Promise<SendRecord> {
  const mail: OutgoingMail = {
    from: deps.config.mailFrom,
    to: message.toAddress,
    messageId: message.messageId,
    date: message.createdAt,
    ...(message.rendered ?? renderLetter(reviveLetter(message.letter), deps.texts)),
  };
  const { mailer } = deps;
  if (!mailer) return keepLocally(deps, message, mail, now);

  const outcome = await mailer.send(mail, async () => {
    assert(await markHandover(deps.db, message), 'this try is still the current one');
    failpoint('send-messages:handover');
  });
  failpoint('send-messages:answered');
  const record = toRecord(outcome, message, now);
  await recordSurely(deps, message, record);
  failpoint('send-messages:recorded');
  if (record.status !== 'sent') {
    deps.log.warn(
      {
        message: message.id,
        attempt: message.attempt,
        status: record.status,
        outcome: outcome.outcome,
        code: codeOf(outcome),
      },
      'send-messages',
    );
  }
  return record;
}

/** How often, a second apart, a known answer is offered to a database that is away. Given up, it is known to nobody. */
const RECORD_TRIES = 15;

/** What the mail server said is known only here: a database that is away for a moment must not make `unknown` of it. */
async function recordSurely(deps: Deps, message: ClaimedMessage, record: SendRecord): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await deps.db.transaction((sql) => recordOutcome(sql, message, record));
    } catch (error) {
      if (!isDatabaseAway(error) || attempt === RECORD_TRIES) throw error;
      await sleep(1_000);
    }
  }
}

async function keepLocally(deps: Deps, message: ClaimedMessage, mail: OutgoingMail, now: Date): Promise<SendRecord> {
  const source = await composeMime(mail);
  const record: SendRecord = { status: 'sent', sentAt: now, response: 'kept in the local mailbox' };
  const { messageId, toAddress } = message;
  await deps.db.transaction(async (sql) => {
    await deliverLocally(sql, { messageId, toAddress, subject: mail.subject, source, receivedAt: now });
    await recordOutcome(sql, message, record);
  });
  failpoint('send-messages:recorded');
  return record;
}

/** What the server says may name the customer, and stands with the message; the log gets its number. */
function codeOf(outcome: SendOutcome): number | null {
  return outcome.outcome === 'refused' ? outcome.code : null;
}

function toRecord(outcome: SendOutcome, { attempt }: ClaimedMessage, now: Date): SendRecord {
  switch (outcome.outcome) {
    case 'sent':
      return { status: 'sent', sentAt: now, response: outcome.response };
    case 'unknown':
      return { status: 'unknown', response: outcome.reason };
    case 'refused':
      if (outcome.permanent) return { status: 'failed', response: outcome.reason };
      return { status: attempt < MAX_ATTEMPTS ? 'queued' : 'failed', response: outcome.reason };
    case 'unreachable':
      return { status: attempt < MAX_ATTEMPTS ? 'queued' : 'failed', response: outcome.reason };
  }
}
