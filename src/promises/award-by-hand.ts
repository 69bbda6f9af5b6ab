import { agentStops, type Person, proposerOf } from '../awards/agent-limits.js';
import { budgeted } from '../awards/budgeted.js';
import { holdKey } from '../awards/hold-key.js';
import { countAsSpent, loadGivenBy, loadOrderBounds } from '../awards/review-store.js';
import { startOfDay } from '../awards/start-of-day.js';
import { refuseBeyondOrder, remedyWith } from '../awards/worth.js';
import type { AwardClass, DecidedAward, Remedy, RemedyKind, ShippingSpeed } from '../compensation/award.js';
import { lockHistories, recordAwards } from '../compensation/award-store.js';
import type { Policy } from '../compensation/policy.js';
import { scaled } from '../compensation/remedy-of-rule.js';
import { lockTill } from '../compensation/till-store.js';
import { monthCount, pointCount, showMoney } from '../compensation/wording.js';
import { recordAudit } from '../db/audit-store.js';
import type { Sql } from '../db/database.js';
import type { Deps } from '../deps.js';
import { AppError, assert } from '../errors.js';
import { newId } from '../ids.js';
import type { Money } from '../money.js';
import type { Ticket } from '../queue/ticket.js';
import { loadFirstDelivery, recordHandDecision } from './award-by-hand-store.js';
import { judgeOrders } from './judge-orders.js';
import { carryOn } from './judge-promises.js';
import type { LetterFacts } from './letter-facts.js';
import { type JudgedOrder, lockOrders } from './verdict-store.js';

/** What somebody wants to give: a kind with the one measure that it has. */
export interface AwardByHand {
  readonly kind: RemedyKind;
  readonly amount?: Money | undefined;
  readonly months?: number | undefined;
  readonly points?: number | undefined;
  readonly shipping?: ShippingSpeed | undefined;
  readonly reason: string;
}

/** Where an award by hand belongs. Points are worth something to whoever collects them, as credit is. */
const CLASSES: Readonly<Record<AwardByHand['kind'], AwardClass>> = {
  membership_extension: 'membership',
  store_credit: 'money',
  shipping_refund: 'money',
  points: 'money',
  refund: 'entitlement',
  replacement: 'fulfilment',
  gift: 'care',
};

/**
 * Gives a customer something that no rule found, in the caller's transaction. The order is judged first, so that what it is
 * due by itself counts; then everything it was given and what this key gave today is held against the limits of the
 * caller's role, and what is beyond them waits for another person. The breaker and the budget of the day stop it like any other.
 * The order and its customer are held meanwhile, and the key before them: two awards at once are counted one after the other.
 * @returns the id of the award, and the tickets to announce after COMMIT
 * @throws AppError `not_found`, `invalid_request`
 */
export async function awardByHand(
  deps: Deps,
  sql: Sql,
  orderId: string,
  person: Person,
  wanted: AwardByHand,
): Promise<{ awardId: string; tickets: Ticket[] }> {
  const trace = newId();
  await holdKey(sql, person, { alone: true });
  const judged = await judgeOrders(deps, sql, { ids: [orderId], trigger: 'agent', trace });
  const [order] = await lockOrders(sql, [orderId]);
  const [outcome] = judged.outcomes;
  if (!order || !outcome) throw new AppError('not_found', 'There is no order with this id.');
  const { asOf } = judged;
  const scope = { orderIds: [orderId], days: 0 };
  const history = (await lockHistories(sql, [order.customerId], asOf, scope)).get(order.customerId) ?? [];
  const bounds = await loadOrderBounds(sql, orderId);
  const remedy: Remedy =
    wanted.kind === 'replacement' ? replacementOf(wanted) : remedyWith(wanted, wanted, bounds.currency);
  refuseBeyondOrder(remedy, bounds);

  const { policy, version } = await deps.policies.active(sql);
  const today = await loadGivenBy(sql, proposerOf(person), startOfDay(asOf));
  const limits = agentStops(person, remedy, { onOrder: bounds.given, today }, policy);
  const award = await passTheTill(sql, asOf, awardOf(remedy, wanted.reason, limits), policy);
  const decisionId = newId();
  await recordHandDecision(sql, {
    id: decisionId,
    orderId,
    judgedAt: asOf,
    policyVersion: version,
    trace,
    explanation: [`By hand: ${show(remedy)}, ${wanted.reason}`, ...sayStops(award)],
    decision: {
      answer: { incident: 'manual', awards: [award], tasks: [], declinedBecause: null },
      earned: [],
      withheld: [],
      overCompensation: [],
    },
    facts: await factsOf(sql, order, outcome.judgement, asOf),
  });
  const [recorded] = await recordAwards(
    sql,
    [
      {
        orderId,
        customerId: order.customerId,
        decisionId,
        incident: 'manual',
        awards: [award],
        tasks: [],
        history,
      },
    ],
    { decidedAt: asOf, policyVersion: version, proposedBy: proposerOf(person) },
  );
  assert(recorded, 'an award was recorded');
  await recordAudit(sql, {
    at: asOf,
    actor: person.actor,
    action: 'award.by_hand',
    subject: recorded.id,
    reason: wanted.reason,
    details: { orderId, keyId: person.keyId, ...remedy, status: award.status, stoppedBy: award.stoppedBy, trace },
  });
  const { newAwards, notices } = judged;
  const tickets = await carryOn(sql, { newAwards: [...newAwards, recorded], notices }, { trigger: 'agent', trace });
  return { awardId: recorded.id, tickets };
}

function replacementOf({ amount, months, points, shipping = 'two_day' }: AwardByHand): Remedy {
  for (const [field, value] of Object.entries({ amount, months, points })) {
    if (value === undefined) continue;
    const errors = [{ field, message: 'a replacement is worth what the order was' }];
    throw new AppError('invalid_request', `A replacement has no ${field}.`, { errors });
  }
  return { kind: 'replacement', shipping };
}

function awardOf(remedy: Remedy, reason: string, stoppedBy: readonly string[]): DecidedAward {
  assert(remedy.kind in CLASSES, 'a task is not given by hand');
  const status = stoppedBy.length > 0 ? 'awaiting_approval' : 'pending';
  return { ...remedy, class: CLASSES[remedy.kind], status, rule: 'manual', reason, stoppedBy };
}

/** An open breaker holds it, whatever it is; so does a budget that is spent, if it is of what the budget is about. */
async function passTheTill(sql: Sql, asOf: Date, award: DecidedAward, policy: Policy): Promise<DecidedAward> {
  const columns = {
    class: award.class,
    amountMinor: 'amount' in award ? award.amount.amountMinor : null,
    currency: 'amount' in award ? award.amount.currency : null,
  };
  const money = budgeted([columns], policy);
  const till = await lockTill(
    sql,
    asOf,
    money.map(({ currency }) => currency),
  );
  const stops = till.breakerOpen ? ['breaker'] : [];
  const { dailyBudget } = policy;
  for (const { amountMinor, currency } of money) {
    const atMost = dailyBudget === null ? null : scaled(dailyBudget.atMostMinor, currency, policy);
    if (atMost === null || (till.spentToday[currency] ?? 0) + amountMinor > atMost) stops.push('daily-budget');
  }
  if (stops.length > 0) return { ...award, status: 'held', stoppedBy: [...award.stoppedBy, ...stops] };
  if (award.status === 'pending') await countAsSpent(sql, asOf, money);
  return award;
}

function sayStops({ status, stoppedBy }: DecidedAward): string[] {
  if (status === 'pending') return ['Within the limits of who gave it.'];
  return [`${status === 'held' ? 'Held' : 'Waits for another person'}: ${stoppedBy.join(', ')}.`];
}

/** What a letter tells where no promise was broken. */
async function factsOf(
  sql: Sql,
  order: JudgedOrder,
  { verdict, metAt, lateDays, lateMinutes }: Pick<LetterFacts, 'verdict' | 'metAt' | 'lateDays' | 'lateMinutes'>,
  asOf: Date,
): Promise<LetterFacts> {
  return {
    asOf,
    promise: order.promise,
    verdict,
    metAt,
    metBy: null,
    deliveredAt: await loadFirstDelivery(sql, order.id),
    lateDays,
    lateMinutes,
    lastScan: null,
    estimate: null,
    occasion: null,
    callPlanned: false,
  };
}

function show(remedy: Remedy): string {
  if ('amount' in remedy) return `${remedy.kind} of ${showMoney(remedy.amount)}`;
  if ('months' in remedy) return `${remedy.kind} of ${monthCount(remedy.months)}`;
  return 'points' in remedy ? pointCount(remedy.points) : 'a replacement';
}
