import { recordAudit } from '../db/audit-store.js';
import type { Deps } from '../deps.js';
import { AppError } from '../errors.js';
import { newId } from '../ids.js';
import type { JudgedOutcome } from './decide-order.js';
import { judgeOrders } from './judge-orders.js';
import { carryOn } from './judge-promises.js';
import { findOrderByNumber, loadVerdictAnswer, type VerdictAnswerRow } from './verdict-store.js';

export interface RecheckAnswer {
  /** null: it had not been judged before. */
  readonly before: VerdictAnswerRow | null;
  readonly after: VerdictAnswerRow;
  readonly changed: boolean;
  readonly awards: number;
  readonly trace: string;
}

/**
 * Judges one order again now, for an agent, without waiting behind anything. It is the same judgement as any other, so it
 * can find what was missed, and never pays twice.
 * @throws AppError `not_found`
 */
export async function recheck(
  deps: Deps,
  orderId: string,
  request: { readonly actor: string; readonly reason: string | null },
): Promise<RecheckAnswer> {
  const trace = newId();
  const { answer, tickets } = await deps.db.transaction(async (sql) => {
    const before = await loadVerdictAnswer(sql, orderId);
    const judged = await judgeOrders(deps, sql, { ids: [orderId], trigger: 'recheck', trace });
    const { asOf, outcomes, newAwards } = judged;
    const outcome = outcomes[0];
    if (!outcome) throw new AppError('not_found', 'There is no order with this id.');
    const after = { ...answerOf(outcome), judgedAt: asOf, policyVersion: (await deps.policies.active(sql)).version };
    await recordAudit(sql, {
      at: asOf,
      actor: request.actor,
      action: 'order.recheck',
      subject: orderId,
      reason: request.reason,
      details: {
        before: outcome.before,
        after: outcome.judgement.verdict,
        awards: newAwards.map(({ id }) => id),
        trace,
      },
    });
    const issued = await carryOn(sql, judged, { trigger: 'recheck', trace });
    return { answer: { before, after, changed: outcome.changed, awards: newAwards.length, trace }, tickets: issued };
  });
  await deps.queues.announce(tickets);
  return answer;
}

/** The order that a parcel belongs to. @throws AppError `not_found`, also when several orders share it: name the order then */
export async function orderOfParcel(deps: Deps, parcel: { carrier: string; trackingNumber: string }): Promise<string> {
  const orders = await findOrderByNumber(deps.db.pool, parcel);
  const [orderId, ...others] = orders;
  if (orderId === undefined)
    throw new AppError('not_found', 'No order has a parcel with this carrier and tracking number.');
  if (others.length > 0)
    throw new AppError('not_found', `Several orders have this parcel (${orders.join(', ')}): name one of them.`);
  return orderId;
}

function answerOf({ judgement, decision }: JudgedOutcome) {
  return {
    verdict: judgement.verdict,
    metAt: judgement.metAt,
    lateMinutes: judgement.lateMinutes,
    lateDays: judgement.lateDays,
    fault: judgement.fault,
    incident: decision.incident,
    declinedBecause: decision.declinedBecause,
  };
}
