import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config.js';
import { asDatabaseError, type Database, isDatabaseAway } from '../db/database.js';
import type { Deps } from '../deps.js';
import { assert } from '../errors.js';
import { failpoint } from '../failpoint.js';
import { inLanes } from '../in-lanes.js';
import { GroupCommit } from '../inbox/group-commit.js';
import type { EffectStage, Retry } from '../queue/run-ticket.js';
import { TICKET_SIZE } from '../queue/ticket.js';
import { isAddressDead } from './bounce.js';
import { type ClaimedMessage, COPY_AFTER_MS, claimMessages } from './claim-letters-store.js';
import { settleLetterAlarms } from './letter-alarms-store.js';
import {
  deliverLocally,
  type Notes,
  noteProgress,
  type Outcome,
  type SendRecord,
  suppressDead,
} from './message-store.js';
import { composeMime, type OutgoingMail } from './mime.js';
import type { DueMessage } from './put-off-store.js';
import type { SendOutcome } from './send-outcome.js';
import { freshenLetters, renderedOf, writeLetters } from './write-letters.js';

/** Waits between tries. A server that is down at night is back in the morning: the last wait repeats until GIVE_UP. */
const RETRY_WAITS_S = [5, 30, 120, 600, 1_800, 3_600];
/** Tries of a letter: with the waits above about four days, longer than any outage that nobody was called for. */
const MAX_ATTEMPTS = 100;

/**
 * send-messages: writes the letters of decisions that are complete and of notices, and sends each when it may leave: claimed, handed over, recorded.
 * Reads:    awards, verdicts, notices, customers, messages, ledger, mail rate
 * Writes:   messages, mailbox, mail rate, alarms   a transaction a step, so that it is always known how far a letter got
 * Twice:    one message per decision and template, or notice, claimed for one try at a time; what may have left is not sent again.
 * If lost:  the sweep finds decisions nobody was told of, and letters that are not sent.
 */
export const sendMessages: EffectStage['run'] = async (deps, { ticket, now }) => {
  const { config, clock } = deps;
  const startedAt = performance.now();
  const { claimed, putOff, unknown } = await deps.db.transaction(async (sql) => {
    await writeLetters(deps, sql, ticket.ids, now);
    const freshen = (due: readonly DueMessage[]) => freshenLetters(deps, sql, due, now);
    const taken = await claimMessages(sql, ticket.ids, { terms: config, clock, now, freshen });
    await settleLetterAlarms(sql, config, now);
    return taken;
  });
  failpoint('send-messages:messages-claimed');
  const tries = await inLanes(claimed, AT_ONCE, (message) => sendOne(deps, message, now));
  // Only now may one's failure halve the batch: none of the other letters is under way any more.
  const results = tries.map((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value;
  });
  if (results.some(({ status }) => status === 'failed' || status === 'unknown')) {
    await deps.db.transaction((sql) => settleLetterAlarms(sql, config, now));
  }
  const again = claimed.flatMap((message, index) => laterOf(message, results[index] as SendRecord, now));
  // Waits begin when the ticket ends, and a run with a slow server takes its time.
  const end = new Date(now.getTime() + performance.now() - startedAt);
  const count = (status: SendRecord['status']) => results.filter((result) => result.status === status).length;
  return {
    retries: retriesOf([...putOff.map((message) => ({ ...message, at: message.sendAfter })), ...again], end),
    counts: {
      sent: count('sent'),
      retried: count('queued'),
      failed: count('failed'),
      unknown: unknown + count('unknown'),
      putOff: putOff.length,
    },
  };
};

/** When to come back to a letter, and why. */
interface Later {
  readonly tellsOf: string;
  readonly at: Date;
  readonly reason: string;
}

function laterOf({ tellsOf, attempt }: ClaimedMessage, record: SendRecord, now: Date): readonly Later[] {
  const waitS = RETRY_WAITS_S[Math.min(attempt, RETRY_WAITS_S.length) - 1] ?? 0;
  const reason = record.response;
  if (record.status === 'queued') return [{ tellsOf, at: new Date(now.getTime() + waitS * 1_000), reason }];
  return record.status === 'unknown' && record.copyAt !== null ? [{ tellsOf, at: record.copyAt, reason }] : [];
}

/** Letters that are due so soon after another share its ticket. Longer, and turns are taken late; shorter, and a flood is a ticket a letter. */
const SHARED_TICKET_MS = 2_000;

/** Tickets for what is to be come back to: each letter at its own time, at the earliest then. */
function retriesOf(later: readonly Later[], now: Date): Retry[] {
  const inOrder = [...later].sort((one, other) => one.at.getTime() - other.at.getTime());
  const groups: Later[][] = [];
  for (const one of inOrder) {
    const group = groups.at(-1);
    const [first] = group ?? [];
    if (group && first && one.at.getTime() - first.at.getTime() <= SHARED_TICKET_MS) group.push(one);
    else groups.push([one]);
  }
  return groups.map((group) => ({
    ids: [...new Set(group.map(({ tellsOf }) => tellsOf))],
    waitS: Math.max(0, Math.ceil(((group.at(-1)?.at.getTime() ?? 0) - now.getTime()) / 1_000)),
    reason: group[0]?.reason ?? '',
  }));
}

/**
 * Letters of one ticket under way at once: some more than the mailer has connections, for those that wait for their outcome to be
 * written. Fewer, and connections stand idle meanwhile; more, and a crash leaves more letters of which nobody knows.
 */
const AT_ONCE = 40;

/** A letter about to be handed over, or what its try came to. */
type Entry = { readonly handover: ClaimedMessage } | { readonly outcome: Outcome };

/**
 * Where handovers and outcomes are noted, of all tickets of a process: those that come while a commit is under way are the next
 * one. A commit costs about as much for thirty letters as for one.
 */
const BOOKS = new WeakMap<Database, GroupCommit<Entry, boolean>>();

function booksOf(db: Database): GroupCommit<Entry, boolean> {
  const open = BOOKS.get(db);
  if (open) return open;
  const books = new GroupCommit<Entry, boolean>((entries) => noteSurely(db, entries), {
    maxBatch: TICKET_SIZE,
    // Each letter under way waits here once at a time, and only so many are.
    maxWaiting: Number.POSITIVE_INFINITY,
    weightOf: () => 1,
    maxBatchWeight: TICKET_SIZE,
    maxWaitingWeight: Number.POSITIVE_INFINITY,
    lanes: 1,
  });
  BOOKS.set(db, books);
  return books;
}

/** The letter as a mail. What a person signs comes from that person, at the address of the shop. */
function mailOf({ config, texts }: Deps, message: ClaimedMessage): OutgoingMail {
  const { signedBy, shopName, unsubscribeUrl } = message.letter;
  return {
    from: config.mailFrom,
    ...(signedBy ? { fromName: `${signedBy.name} (${shopName})` } : {}),
    ...(config.mailReplyTo === null ? {} : { replyTo: config.mailReplyTo }),
    ...(unsubscribeUrl ? { unsubscribeUrl } : {}),
    to: message.toAddress,
    messageId: message.messageId,
    date: message.createdAt,
    ...renderedOf(message, texts),
  };
}

async function sendOne(deps: Deps, message: ClaimedMessage, now: Date): Promise<SendRecord> {
  const mail = mailOf(deps, message);
  const { mailer } = deps;
  if (!mailer) return keepLocally(deps, message, mail, now);

  const books = booksOf(deps.db);
  const outcome = await mailer.send(mail, async () => {
    assert(await books.submit({ handover: message }), 'this try is still the current one');
    failpoint('send-messages:handover');
  });
  failpoint('send-messages:answered');
  const record = toRecord(outcome, message, { now, unknownLetters: deps.config.unknownLetters });
  await books.submit({ outcome: { message, record } });
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

/**
 * What the mail server said is known only here: a database that is away for a moment must not make `unknown` of it.
 * @returns for each entry, false for a handover that must not be, because a later try has taken over
 */
async function noteSurely(db: Database, entries: readonly Entry[]): Promise<boolean[]> {
  const notes = {
    handovers: entries.flatMap((entry) => ('handover' in entry ? [entry.handover] : [])),
    outcomes: entries.flatMap((entry) => ('outcome' in entry ? [entry.outcome] : [])),
  };
  for (let attempt = 1; ; attempt++) {
    try {
      const handed = await note(db, notes);
      return entries.map((entry) => ('handover' in entry ? handed.has(entry.handover.id) : true));
    } catch (error) {
      // Said as what it is, so that nobody tries again with half of them.
      if (!isDatabaseAway(error) || attempt === RECORD_TRIES) throw asDatabaseError(error);
      await sleep(1_000);
    }
  }
}

/** One statement is a transaction of its own; only whose address is found dead needs more. */
function note(db: Database, notes: Notes): Promise<ReadonlySet<string>> {
  if (notes.outcomes.every(({ record }) => record.status !== 'failed')) return noteProgress(db.pool, notes);
  return db.transaction(async (sql) => {
    await suppressDead(sql, notes.outcomes);
    return noteProgress(sql, notes);
  });
}

async function keepLocally(deps: Deps, message: ClaimedMessage, mail: OutgoingMail, now: Date): Promise<SendRecord> {
  const source = await composeMime(mail);
  const record: SendRecord = { status: 'sent', sentAt: now, response: 'kept in the local mailbox' };
  const { messageId, toAddress } = message;
  await deps.db.transaction(async (sql) => {
    await deliverLocally(sql, { messageId, toAddress, subject: mail.subject, source, receivedAt: now });
    await noteProgress(sql, { handovers: [], outcomes: [{ message, record }] });
  });
  failpoint('send-messages:recorded');
  return record;
}

/** What the server says may name the customer, and stands with the message; the log gets its number. */
function codeOf(outcome: SendOutcome): number | null {
  return outcome.outcome === 'refused' ? outcome.code : null;
}

function toRecord(
  outcome: SendOutcome,
  { attempt, isCopy }: ClaimedMessage,
  { now, unknownLetters }: { readonly now: Date; readonly unknownLetters: Config['unknownLetters'] },
): SendRecord {
  switch (outcome.outcome) {
    case 'sent':
      return { status: 'sent', sentAt: now, response: outcome.response };
    case 'unknown':
      return {
        status: 'unknown',
        response: outcome.reason,
        copyAt: unknownLetters === 'resend' && !isCopy ? new Date(now.getTime() + COPY_AFTER_MS) : null,
      };
    case 'refused':
      if (outcome.permanent) {
        const deadSince = isAddressDead(outcome.code, outcome.reason) ? now : null;
        return { status: 'failed', response: outcome.reason, deadSince };
      }
      return againOrNot(outcome.reason, attempt);
    case 'unreachable':
      return againOrNot(outcome.reason, attempt);
  }
}

function againOrNot(response: string, attempt: number): SendRecord {
  return attempt < MAX_ATTEMPTS ? { status: 'queued', response } : { status: 'failed', response, deadSince: null };
}
