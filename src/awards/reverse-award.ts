import { noticeReversed } from '../compensation/notice-store.js';
import { recordAudit } from '../db/audit-store.js';
import { readNow } from '../db/now.js';
import type { Deps } from '../deps.js';
import { AppError } from '../errors.js';
import { awardEvent } from '../events/event.js';
import { recordEvents } from '../events/event-store.js';
import { newId } from '../ids.js';
import { issueTickets } from '../queue/outbox-store.js';
import { formatQuantity } from './format-quantity.js';
import { bookTransfers } from './ledger-store.js';
import { lockAwardToReverse, markReversed, type ReversibleAward } from './reverse-store.js';

export interface ReversalRequest {
  /** For the audit: `key:<name>`. */
  readonly actor: string;
  /** For the award: `key:<id of the API key>`. */
  readonly reviewer: string;
  readonly reason: string;
  /** Takes back what is left where some of it is spent. Without it nothing is taken then. */
  readonly partial?: boolean;
  /** Of what another provider gave: it was reversed there, and is only noted here. */
  readonly recordOnly?: boolean;
}

export interface ReversalAnswer {
  readonly awardId: string;
  readonly status: 'reversed';
  /** The compensating transfer; null where the ledger had given nothing. */
  readonly transferId: string | null;
  readonly unit: string | null;
  /** What was taken back, in the unit. */
  readonly amount: number | null;
  /** What the customer keeps of it, because it is used. */
  readonly kept: number | null;
}

/**
 * Takes back what an award gave, by a compensating transfer from that very grant; the award and its grant stay as they are in
 * history. A later correction of tracking never comes here: only a person takes back. A customer whom a letter had told of it is
 * told that it was taken back.
 * @throws AppError `not_found`, `already_decided` (reversed before), `already_spent`, `not_reversible`
 */
export async function reverseAward(
  deps: Pick<Deps, 'db' | 'clock'> & Partial<Pick<Deps, 'queues'>>,
  awardId: string,
  request: ReversalRequest,
): Promise<ReversalAnswer> {
  const { actor, reviewer, reason } = request;
  const trace = newId();
  const { reversed, tickets } = await deps.db.transaction(async (sql) => {
    const award = await lockAwardToReverse(sql, awardId);
    if (award === null) throw new AppError('not_found', 'There is no award with this id.');
    const now = await readNow(sql, deps.clock);
    const taking = whatToTake(award, request);
    const transferId = taking === null ? null : newId();
    if (taking !== null && transferId !== null) {
      const { grant, unit, amount } = taking;
      const transfer = { id: transferId, kind: 'reversal', customerId: award.customerId, unit, amount } as const;
      await bookTransfers(sql, [{ ...transfer, ofTransfer: grant, actor, reason }], now);
    }
    await markReversed(sql, awardId, { by: reviewer, at: now, reason });
    const takenBack = taking && { unit: taking.unit, amount: taking.amount, kept: taking.kept };
    await recordEvents(sql, [awardEvent('award.reversed', award, now, takenBack)]);
    const answer = {
      awardId,
      status: 'reversed',
      transferId,
      unit: taking?.unit ?? null,
      amount: taking?.amount ?? null,
      kept: taking?.kept ?? null,
    } as const;
    await recordAudit(sql, {
      at: now,
      actor,
      action: 'award.reverse',
      subject: awardId,
      reason,
      details: { ...answer, orderId: award.orderId, kind: award.kind, provider: award.provider },
    });
    const notices = await noticeReversed(sql, { awardId, quantity: answer.amount }, now);
    const issued = await issueTickets(sql, { stage: 'send-messages', ids: notices, trigger: 'agent', trace });
    return { reversed: answer, tickets: issued };
  });
  // Who has no queue at hand leaves it to the relay.
  await deps.queues?.announce(tickets);
  return reversed;
}

/** Null: nothing of it is in the ledger, and it is only noted. @throws AppError when it cannot be reversed like this */
function whatToTake(
  award: ReversibleAward,
  { partial = false, recordOnly = false }: ReversalRequest,
): { grant: string; unit: string; amount: number; kept: number } | null {
  const { status, provider, grant, unit, granted, remaining } = award;
  if (status === 'reversed') throw new AppError('already_decided', 'It was reversed before.');
  if (status !== 'applied') {
    throw new AppError(
      'not_reversible',
      `It is ${status}: nothing was given that could be taken back. Decline it instead.`,
    );
  }
  if (grant === null || unit === null || granted === null || remaining === null) {
    if (recordOnly) return null;
    const where = provider ?? 'another system';
    throw new AppError(
      'not_reversible',
      `It was carried out by ${where}. Reverse it there, then repeat this with recordOnly: true to have it noted.`,
    );
  }
  if (recordOnly) {
    throw new AppError(
      'not_reversible',
      'It is in the ledger, which takes it back itself: repeat this without recordOnly.',
    );
  }
  const whole = formatQuantity({ unit, amount: granted });
  if (remaining === 0) throw new AppError('already_spent', `Nothing is left of the ${whole}.`);
  if (remaining < granted && !partial) {
    const left = formatQuantity({ unit, amount: remaining });
    throw new AppError(
      'already_spent',
      `${left} is left of the ${whole}. Repeat this with partial: true to take that back.`,
    );
  }
  return { grant, unit, amount: remaining, kept: granted - remaining };
}
