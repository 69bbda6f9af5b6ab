import type { Remedy } from '../compensation/award.js';
import { noticeDeclined } from '../compensation/notice-store.js';
import { showMoney } from '../compensation/wording.js';
import { recordAudit } from '../db/audit-store.js';
import type { Sql } from '../db/database.js';
import { readNow } from '../db/now.js';
import type { Deps } from '../deps.js';
import { AppError, assert } from '../errors.js';
import { newId } from '../ids.js';
import type { Money } from '../money.js';
import { issueTickets } from '../queue/outbox-store.js';
import type { Ticket } from '../queue/ticket.js';
import { agentStops, type Person, proposerOf } from './agent-limits.js';
import { budgeted } from './budgeted.js';
import { holdKey } from './hold-key.js';
import {
  countAsSpent,
  loadGivenBy,
  loadOrderBounds,
  lockAwards,
  lockOrderOfAward,
  nameAmount,
  proposeAnew,
  type Review,
  type ReviewedAward,
  settleAwards,
} from './review-store.js';
import { startOfDay } from './start-of-day.js';
import { refuseBeyondOrder, remedyWith } from './worth.js';

/** How much, as whoever decides saw it: of the three the one that the award's kind has. */
export interface Worth {
  readonly amount?: Money | undefined;
  readonly months?: number | undefined;
  readonly points?: number | undefined;
}

export interface ReviewRequest {
  readonly person: Person;
  readonly reason: string;
}

/**
 * Lets an award through that waits for a person: it is granted like any other from there on. Who proposed it never approves
 * it. `expected` binds the approval to what was looked at: if it has changed since, nothing is approved. An award in a
 * currency that the policy has no amounts for is worth what `expected.amount` names. That the breaker is open or a budget
 * is spent stops nobody who has looked at this very award.
 * @throws AppError `not_found`, `already_decided`, `own_proposal`, `amount_changed`, `invalid_request`
 */
export function approveAward(deps: Deps, id: string, request: ReviewRequest & { readonly expected: Worth }) {
  return review(deps, id, request, 'award.approve', async (sql, award, made) => {
    refuseUnless(award, ['held', 'awaiting_approval']);
    if (award.proposedBy === proposerOf(request.person)) return 'own';
    const named = await settleWorth(sql, award, request.expected);
    await settleAwards(sql, [award.id], 'pending', made);
    const { policy } = await deps.policies.active(sql);
    await countAsSpent(
      sql,
      made.at,
      budgeted([{ class: award.class, amountMinor: null, currency: null, ...named }], policy),
    );
    return { stage: 'grant-awards', ids: [award.id], details: { stoppedBy: award.stoppedBy, ...(named ?? {}) } };
  });
}

/**
 * Ends an award that was not given: one that waits, one that failed, one that no provider was asked for yet. What a person let
 * through is decided, but for what nobody is there to carry out. What else its decision gave is told without it; where that is
 * nothing, a customer who had got in touch is told so.
 * @throws AppError `not_found`, `already_decided`, `amount_changed`
 */
export function declineAward(deps: Deps, id: string, request: ReviewRequest & { readonly expected: Worth }) {
  return review(deps, id, request, 'award.decline', async (sql, award, made) => {
    refuseUnless(award, ['held', 'awaiting_approval', 'failed', 'pending']);
    if (award.status === 'pending' && award.asked)
      throw new AppError('already_decided', 'A provider has been asked for this award: wait for its answer.');
    if (award.status === 'pending' && award.reviewed && deps.config.remedyProviders.has(award.kind))
      throw new AppError('already_decided', 'It was let through and is being given: reverse it when it is there.');
    refuseOtherWorth(award, request.expected);
    await settleAwards(sql, [award.id], 'declined', made);
    const notices = await noticeDeclined(sql, [award.decisionId], made.at);
    return { stage: 'send-messages', ids: [award.decisionId, ...notices], details: { stoppedBy: award.stoppedBy } };
  });
}

/**
 * Tries an award again that failed: what made the provider refuse it is mended.
 * @throws AppError `not_found`, `already_decided`
 */
export function retryAward(deps: Deps, id: string, request: ReviewRequest) {
  return review(deps, id, request, 'award.retry', async (sql, award, made) => {
    refuseUnless(award, ['failed']);
    await settleAwards(sql, [award.id], 'pending', made);
    return { stage: 'grant-awards', ids: [award.id], details: {} };
  });
}

/**
 * Names another amount for an award that waits. Whoever does so is its proposer from there on, so somebody else must
 * approve it, also where the amount is within the limits: it was stopped for a reason.
 * @throws AppError `not_found`, `already_decided`, `invalid_request`
 */
export function changeAward(deps: Deps, id: string, request: ReviewRequest & { readonly worth: Worth }) {
  return review(deps, id, request, 'award.change', async (sql, award, made) => {
    refuseUnless(award, ['held', 'awaiting_approval']);
    const order = await loadOrderBounds(sql, award.orderId);
    const remedy = remedyWith(award, request.worth, order.currency);
    const others = order.given.filter((other) => other.id !== award.id);
    refuseBeyondOrder(remedy, { ...order, given: others });
    const today = await loadGivenBy(sql, proposerOf(request.person), startOfDay(made.at));
    const { policy } = await deps.policies.active(sql);
    const so = { onOrder: others, today: today.filter((other) => other.id !== award.id) };
    const stops = agentStops(request.person, remedy, so, policy);
    const kept = award.stoppedBy.filter((stop) => !['currency', 'agent-limit', 'agent-day-limit'].includes(stop));
    // Whatever is proposed by hand in place of what was stopped waits for another person.
    const stoppedBy = [...new Set([...kept, ...stops])];
    const after = columnsOf(remedy);
    await proposeAnew(sql, award.id, {
      ...after,
      stoppedBy: stoppedBy.length > 0 ? stoppedBy : ['agent-limit'],
      proposedBy: proposerOf(request.person),
    });
    const before = { ...pickWorth(award), proposedBy: award.proposedBy, stoppedBy: award.stoppedBy };
    return { stage: null, ids: [], details: { before, after: { ...after, stoppedBy } } };
  });
}

interface Step {
  readonly stage: 'grant-awards' | 'send-messages' | null;
  readonly ids: readonly string[];
  readonly details: Readonly<Record<string, unknown>>;
}

/** One transaction: the key and the award are taken, `decide` decides, the audit says so, and a ticket carries it on. */
async function review(
  deps: Deps,
  id: string,
  { person, reason }: ReviewRequest,
  action: 'award.approve' | 'award.decline' | 'award.retry' | 'award.change',
  decide: (sql: Sql, award: ReviewedAward, made: Review) => Promise<Step | 'own'>,
): Promise<void> {
  const trace = newId();
  const { own, tickets } = await deps.db.transaction(async (sql) => {
    await holdKey(sql, person, { alone: action === 'award.change' });
    if (action === 'award.change') await lockOrderOfAward(sql, id);
    const [award] = await lockAwards(sql, [id]);
    if (!award) throw new AppError('not_found', 'There is no award with this id.');
    const at = await readNow(sql, deps.clock);
    const step = await decide(sql, award, { by: proposerOf(person), at, reason });
    const { orderId, status } = award;
    const refused = step === 'own';
    await recordAudit(sql, {
      at,
      actor: person.actor,
      action: refused ? 'award.own_proposal_refused' : action,
      subject: id,
      reason,
      details: { orderId, keyId: person.keyId, was: status, ...pickWorth(award), ...(refused ? {} : step.details) },
    });
    const issued: Ticket[] =
      refused || step.stage === null
        ? []
        : await issueTickets(sql, { stage: step.stage, ids: step.ids, trigger: 'agent', trace });
    return { own: refused, tickets: issued };
  });
  // Thrown only now: that it was tried stays in the audit.
  if (own) throw new AppError('own_proposal', 'You proposed this award yourself: another person must approve it.');
  await deps.queues.announce(tickets);
}

function refuseUnless(award: ReviewedAward, statuses: readonly ReviewedAward['status'][]): void {
  if (statuses.includes(award.status)) return;
  throw new AppError(
    'already_decided',
    `This award is ${award.status}: there is nothing left to decide about it here.`,
  );
}

/** @returns the money that goes out, null where none does */
async function settleWorth(sql: Sql, award: ReviewedAward, expected: Worth): Promise<Money | null> {
  const { amountMinor, currency } = award;
  if (amountMinor !== 0) {
    refuseOtherWorth(award, expected);
    return amountMinor === null || currency === null ? null : { amountMinor, currency };
  }
  const order = await loadOrderBounds(sql, award.orderId);
  const remedy = remedyWith(award, expected, order.currency);
  refuseBeyondOrder(remedy, { ...order, given: order.given.filter((other) => other.id !== award.id) });
  assert('amount' in remedy, 'only money can be worth nothing yet');
  await nameAmount(sql, award.id, remedy.amount.amountMinor, remedy.amount.currency);
  return remedy.amount;
}

function refuseOtherWorth(award: ReviewedAward, { amount, months, points }: Worth): void {
  const same =
    (amount === undefined || (amount.amountMinor === award.amountMinor && amount.currency === award.currency)) &&
    (months === undefined || months === award.months) &&
    (points === undefined || points === award.points);
  if (same) return;
  const { amountMinor, currency } = award;
  const now =
    amountMinor !== null && currency !== null
      ? showMoney({ amountMinor, currency })
      : `${award.months ?? award.points ?? 1} (${award.kind})`;
  throw new AppError('amount_changed', `This award is worth ${now} now. Look at it again before you decide.`);
}

function columnsOf(remedy: Remedy) {
  return {
    amountMinor: 'amount' in remedy ? remedy.amount.amountMinor : null,
    currency: 'amount' in remedy ? remedy.amount.currency : null,
    months: 'months' in remedy ? remedy.months : null,
    points: 'points' in remedy ? remedy.points : null,
  };
}

function pickWorth({ kind, amountMinor, currency, months, points }: ReviewedAward) {
  return { kind, amountMinor, currency, months, points };
}
