import {
  type DecidedForOrder,
  lockHistories,
  type NewAward,
  recordAwards,
  withDecided,
} from '../compensation/award-store.js';
import { countSettled, type SettledCounts, watchBreaker } from '../compensation/breaker-store.js';
import { poorService } from '../compensation/find-incident.js';
import { historyDaysOf, type Policy } from '../compensation/policy.js';
import { spentBy, type Till } from '../compensation/till.js';
import { lockTill, recordSpent } from '../compensation/till-store.js';
import type { Sql } from '../db/database.js';
import { readNow } from '../db/now.js';
import type { Deps } from '../deps.js';
import { brokenEvent, type NewEvent } from '../events/event.js';
import { recordEvents } from '../events/event-store.js';
import type { Trigger } from '../queue/ticket.js';
import { loadScans, loadShipmentsOfOrders, type Shipment } from '../shipments/shipment-store.js';
import { decideOne, type JudgedOutcome, type LookedAt, look } from './decide-order.js';
import { noticeJudged } from './notice-judged.js';
import { type Verdict, worstIndex } from './verdict.js';
import { type JudgedOrder, lockOrders, recordVerdicts, saveLooked, type VerdictRow } from './verdict-store.js';

export interface JudgedOrders {
  /** The instant as of which was judged. */
  readonly asOf: Date;
  /** The orders as they were looked at, and what came of each, in the same order. */
  readonly looked: readonly LookedAt[];
  readonly outcomes: readonly JudgedOutcome[];
  readonly newAwards: readonly NewAward[];
  /** What the customers are to be told of besides: ids of notices that have a letter. */
  readonly notices: readonly string[];
}

/**
 * Judges orders and records what changed: the one place where a verdict is made, for webhooks, deadlines, agents and the
 * sweep alike. Orders, then customers, then the till are taken, each in one order. Unknown ids are left out.
 * @param work.asOf judge with what was known then; now, when it is left out
 */
export async function judgeOrders(
  deps: Pick<Deps, 'policies' | 'clock' | 'log' | 'config'>,
  sql: Sql,
  work: { ids: readonly string[]; asOf?: Date | undefined; trigger: Trigger; trace: string },
): Promise<JudgedOrders> {
  const { policy, version } = await deps.policies.active(sql);
  const orders = await lockOrders(sql, work.ids);
  // Read when the orders are ours: who waited for them must not judge as of an instant before the last judgement.
  const now = await readNow(sql, deps.clock);
  const asOf = work.asOf ?? now;
  const shipments = await loadShipmentsOfOrders(
    sql,
    orders.map((order) => order.id),
  );
  const scans = await loadScans(sql, shipments);
  const byOrder = new Map<string, Shipment[]>(orders.map((order) => [order.id, []]));
  for (const shipment of shipments) byOrder.get(shipment.orderId)?.push(shipment);
  const looked = orders.map((order) => look(order, byOrder.get(order.id) ?? [], scans, policy, asOf));

  // Only whose promise was broken, or who says so, may get something, and only then must limits and till be looked at.
  const open = looked.filter(mayGet);
  const histories = await lockHistories(sql, [...new Set(open.map(({ order }) => order.customerId))], asOf, {
    orderIds: open.map(({ order }) => order.id),
    days: historyDaysOf(policy),
  });
  // A look back in time says nothing of what carriers report now.
  const news = work.asOf === undefined ? settledNews(looked, policy) : { settled: 0, late: 0 };
  // Counted before money is decided on; where there is none to decide on at the end, so that the minute is held for a moment only.
  if (open.length > 0) await countSettled(sql, now, news);
  if (news.late > 0) {
    if (await watchBreaker(sql, now, { policy, version })) deps.log.error(news, 'breaker: tripped, money has stopped');
  }
  const till =
    open.length === 0
      ? NO_TILL
      : await lockTill(
          sql,
          now,
          open.map(({ order }) => order.total.currency),
        );
  const spent = new Map<string, number>();

  const verdicts: VerdictRow[] = [];
  const decided: DecidedForOrder[] = [];
  const outcomes: JudgedOutcome[] = [];
  for (const one of looked) {
    const history = histories.get(one.order.customerId) ?? [];
    const result = decideOne(one, history, tillOf(till, spent, one.order), { policy, version });
    outcomes.push(result.outcome);
    if (result.row) verdicts.push(result.row);
    if (result.row && result.decided) {
      decided.push({ ...result.decided, decisionId: result.row.id, history });
      histories.set(one.order.customerId, withDecided(history, result.decided, asOf));
      for (const [currency, minor] of Object.entries(spentBy(result.outcome.decision, policy))) {
        spent.set(currency, (spent.get(currency) ?? 0) + minor);
      }
    }
  }

  await recordVerdicts(sql, verdicts, {
    judgedAt: asOf,
    policyVersion: version,
    trigger: work.trigger,
    trace: work.trace,
  });
  const newAwards = await recordAwards(sql, decided, { decidedAt: asOf, policyVersion: version });
  await recordSpent(sql, now, spent);
  const answers = new Map(verdicts.map((row) => [row.orderId, row]));
  const saved = outcomes.map(({ orderId, decision }, index) => ({
    id: orderId,
    dueAt: dueAt(looked[index], decision),
    answer: answers.get(orderId) ?? null,
  }));
  await saveLooked(sql, saved, asOf);
  if (open.length === 0) await countSettled(sql, now, news);
  if (work.asOf === undefined) await recordEvents(sql, brokenNews(looked, outcomes, { at: now, mode: policy.mode }));
  const judged = looked.flatMap((one, index) => {
    const outcome = outcomes[index];
    return outcome ? [{ looked: one, outcome }] : [];
  });
  // A look back in time tells nobody anything.
  const notices = work.asOf ? [] : await noticeJudged(deps, sql, judged, { policy, asOf, histories });
  return { asOf, looked, outcomes, newAwards, notices };
}

const NO_TILL: Till = { breakerOpen: false, spentToday: {} };

/** The till as the next order of the batch finds it; of its own currency alone, which is all that its record needs. */
function tillOf(till: Till, spent: ReadonlyMap<string, number>, { total: { currency } }: JudgedOrder): Till {
  const spentToday = (till.spentToday[currency] ?? 0) + (spent.get(currency) ?? 0);
  return { breakerOpen: till.breakerOpen, spentToday: { [currency]: spentToday } };
}

/**
 * A promise that was kept can still be followed by "it is not here", "it is broken", or by a poor service; and of one that turns out to have
 * been kept after all it must be known what was given.
 */
function mayGet({ order, cases }: LookedAt): boolean {
  const { contacts, reports, last } = order;
  return (
    contacts.length > 0 ||
    reports.length > 0 ||
    last?.incident != null ||
    cases.some(({ judgement }) => BROKEN.has(judgement.verdict))
  );
}

/** Of what a breaker counts: whether an order was found kept or broken, and whether late. */
function groupOf(verdict: Verdict | undefined): 'kept' | 'late' | 'broken' | null {
  if (verdict === 'on_time') return 'kept';
  if (verdict === 'late' || verdict === 'overdue') return 'late';
  return verdict !== undefined && BROKEN.has(verdict) ? 'broken' : null;
}

/**
 * Orders of which something is known that was not known before. Old ones that are only now registered are no news. A service that
 * was reported to be poor counts as late: whatever floods us with reports must not pay itself out.
 */
function settledNews(looked: readonly LookedAt[], policy: Policy): SettledCounts {
  const groups = looked.flatMap((one) => {
    const { order, cases } = one;
    const judgements = cases.map(({ judgement }) => judgement);
    const verdict = judgements[worstIndex(judgements)]?.verdict;
    // That a download is there is no promise kept: thousands of them would hide that every parcel is late.
    const ofVerdict = order.digitalAt === null ? groupOf(verdict) : null;
    const group = isNewlyPoor(one, policy) ? 'late' : ofVerdict;
    return order.backfill || group === null || group === groupOf(order.last?.verdict) ? [] : [group];
  });
  return { settled: groups.length, late: groups.filter((group) => group === 'late').length };
}

/** Reported to be poor, where nothing was known to be wrong before, and the policy makes good for it. */
function isNewlyPoor({ order: { reports, last }, cases }: LookedAt, { rules }: Policy): boolean {
  const [one] = cases;
  return (
    one !== undefined &&
    last?.incident == null &&
    poorService({ reports, asOf: one.input.asOf }) !== null &&
    rules.some(({ when }) => when.incident?.includes('service') ?? true)
  );
}

/**
 * Orders whose promise was not known to be broken, or not in this way; what the policy only records is told too. Of those that
 * were registered long after, nobody is told.
 */
function brokenNews(
  looked: readonly LookedAt[],
  outcomes: readonly JudgedOutcome[],
  { at, mode }: { at: Date; mode: string },
): NewEvent[] {
  return looked.flatMap(({ order }, index) => {
    const outcome = outcomes[index];
    if (!outcome || order.backfill || outcome.decision.incident === null) return [];
    const { judgement } = outcome;
    const wasKnown = order.last?.verdict === judgement.verdict && order.last.incident !== null;
    if (!BROKEN.has(judgement.verdict) || wasKnown) return [];
    return [brokenEvent({ orderId: order.id, customerId: order.customerId, judgement, mode, at })];
  });
}

const BROKEN: ReadonlySet<Verdict> = new Set(['late', 'overdue', 'lost', 'damaged', 'returned']);

/**
 * The first instant at which time alone can change the verdict of a shipment, or the decision. At once where a poor service was
 * just made good for and something else may be wrong too: one judgement finds one incident, and no scan may come any more.
 */
function dueAt(looked: LookedAt | undefined, decision: JudgedOutcome['decision']): Date | null {
  const candidates = [...(looked?.cases.map(({ judgement }) => judgement.changesAt) ?? []), decision.decidesAgainAt];
  if (looked && decision.incident === 'service' && decision.awards.length > 0 && mayHideMore(looked)) {
    candidates.push(looked.cases[0]?.input.asOf ?? null);
  }
  return candidates.reduce((first, at) => (at !== null && (first === null || at < first) ? at : first), null);
}

function mayHideMore({ order, cases }: LookedAt): boolean {
  return order.contacts.length > 0 || cases.some(({ judgement }) => BROKEN.has(judgement.verdict));
}
