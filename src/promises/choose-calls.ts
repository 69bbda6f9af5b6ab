import { subHours } from 'date-fns';
import { localDateOf, startOfLocalDay } from '../calendar.js';
import { lockCustomers } from '../compensation/award-store.js';
import { isMember } from '../compensation/conditions.js';
import { firstDeliveredAt } from '../compensation/first-delivered-at.js';
import type { Policy } from '../compensation/policy.js';
import { recordAudits } from '../db/audit-store.js';
import type { Sql } from '../db/database.js';
import { readNow } from '../db/now.js';
import type { Deps } from '../deps.js';
import { assert } from '../errors.js';
import { loadScans, loadShipmentsOfOrders } from '../shipments/shipment-store.js';
import { nextCallAt } from './call-time.js';
import {
  type CandidateTerms,
  countProposed,
  insertPersonalCalls,
  loadCandidates,
  loadGiven,
  loadTalkedBefore,
  type NewPersonalCall,
  PERSONAL_CALL,
  takeTurn,
} from './choose-calls-store.js';
import { look } from './decide-order.js';
import { letterFactsOf } from './letter-facts.js';
import { type BrokenOrder, personalCallPoints } from './personal-call-points.js';
import { type CandidateIncident, type RankedCall, rankCalls } from './rank-calls.js';
import { worstIndex } from './verdict.js';
import { type JudgedOrder, lockOrders } from './verdict-store.js';

export interface ChosenCalls {
  /** Calls that were proposed now; of a dry run, that would be. */
  readonly proposed: number;
  /** Customers whom the policy would have rung, if there were no most for a day. */
  readonly candidates: number;
  /** Calls that had been proposed on the same day before. */
  readonly proposedBefore: number;
  /** The most for a day. */
  readonly perDay: number;
}

/** Orders that a caller is told of, the latest. Fewer, and a bad week is told by halves; more, and nobody reads them before a call. */
const MOST_ORDERS = 8;

/**
 * Proposes a few customers whom a person should simply ring, as many a day as the policy says: a day of SWEEP_TIME_ZONE, however
 * often and by however many it is done at once. Each is a call for the order of the customer's latest incident, in the customer's
 * hours, with the whole history in its talking points.
 */
export async function chooseCalls(
  deps: Pick<Deps, 'db' | 'clock' | 'config' | 'policies' | 'log'>,
  { dryRun = false }: { readonly dryRun?: boolean } = {},
): Promise<ChosenCalls> {
  const chosen = await deps.db.transaction(async (sql) => {
    const { policy, version } = await deps.policies.active(sql);
    const { perDay, lookBackDays, minimumIncidents, notAgainWithinDays } = policy.personalCalls;
    // A policy that only decides for the record makes nobody call.
    if (perDay === 0 || policy.mode !== 'active') return { proposed: 0, candidates: 0, proposedBefore: 0, perDay };
    if (!dryRun) await takeTurn(sql);
    const asOf = await readNow(sql, deps.clock);
    const { sweepTimeZone } = deps.config;
    const proposedBefore = await countProposed(sql, startOfLocalDay(localDateOf(asOf, sweepTimeZone), sweepTimeZone));
    const terms: CandidateTerms = {
      asOf,
      since: subHours(asOf, lookBackDays * 24),
      minimumIncidents,
      notCalledSince: subHours(asOf, notAgainWithinDays * 24),
      customerIds: null,
    };
    const candidates = rankCalls(await loadCandidates(sql, terms), { asOf, lookBackDays });
    const first = candidates.slice(0, Math.max(0, perDay - proposedBefore));
    const proposed = dryRun ? first.length : await propose(sql, first, { policy, version, terms });
    return { proposed, candidates: candidates.length, proposedBefore, perDay };
  });
  if (chosen.proposed > 0) deps.log.info({ ...chosen, dryRun }, 'personal calls proposed');
  return chosen;
}

/** @returns for how many a call was made; whoever turned out otherwise meanwhile is left out */
async function propose(
  sql: Sql,
  first: readonly RankedCall[],
  { policy, version, terms }: { policy: Policy; version: number; terms: CandidateTerms },
): Promise<number> {
  if (first.length === 0) return 0;
  const { asOf, since } = terms;
  // In the order in which everybody takes them. From here on nobody judges these orders, or has these customers called.
  const told = first.flatMap(({ incidents }) => ordersOf(incidents));
  const orders = new Map((await lockOrders(sql, told)).map((order) => [order.id, order]));
  const customerIds = await lockCustomers(
    sql,
    first.map(({ customerId }) => customerId),
  );
  const { lookBackDays } = policy.personalCalls;
  const still = rankCalls(await loadCandidates(sql, { ...terms, customerIds }), { asOf, lookBackDays });
  const broken = await loadBrokenOrders(sql, orders, { policy, asOf });
  const talkedBefore = await loadTalkedBefore(
    sql,
    still.map(({ customerId, incidents }) => ({ customerId, orderIds: ordersOf(incidents) })),
    since,
  );

  const calls: NewPersonalCall[] = [];
  for (const { customerId, incidents, reasons } of still) {
    const latest = incidents.at(-1);
    const order = latest && orders.get(latest.orderId);
    // An incident of a moment ago: there will be another night.
    if (!latest || !order) continue;
    const { timeZone } = order.promise;
    const orderIds = ordersOf(incidents);
    const talked = talkedBefore.get(customerId) ?? { contacts: [], done: [] };
    const ofCustomer = orderIds.flatMap((id) => {
      const known = broken.get(id);
      const kinds = incidents.filter(({ orderId }) => orderId === id).map(({ incident }) => incident);
      return known ? [{ ...known, incidents: kinds }] : [];
    });
    calls.push({
      orderId: order.id,
      customerId,
      incident: latest.incident,
      dueAt: nextCallAt(asOf, timeZone, policy.calls),
      timeZone,
      talkingPoints: personalCallPoints({ reasons, asOf, timeZone, orders: ofCustomer, ...talked }),
    });
  }
  const proposed = await insertPersonalCalls(sql, calls, asOf);
  await recordAudits(
    sql,
    proposed.map(({ id, orderId, incident }) => ({
      at: asOf,
      actor: 'makegood',
      action: 'task.propose',
      subject: id,
      reason: null,
      details: { orderId, kind: 'call', rule: PERSONAL_CALL, incident, policyVersion: version },
    })),
  );
  return proposed.length;
}

/** The orders of the latest incidents, each once, that of the very latest last. */
function ordersOf(incidents: readonly CandidateIncident[]): string[] {
  const newestFirst = incidents.map(({ orderId }) => orderId).reverse();
  return [...new Set(newestFirst)].slice(0, MOST_ORDERS).reverse();
}

/** What the record says of these orders as of now, judged by the same function as always. */
async function loadBrokenOrders(
  sql: Sql,
  orders: ReadonlyMap<string, JudgedOrder>,
  { policy, asOf }: { policy: Policy; asOf: Date },
): Promise<Map<string, Omit<BrokenOrder, 'incidents'>>> {
  const shipments = await loadShipmentsOfOrders(sql, [...orders.keys()]);
  const scans = await loadScans(sql, shipments);
  const given = await loadGiven(sql, [...orders.keys()]);
  return new Map(
    [...orders.values()].map((order) => {
      const own = shipments.filter(({ orderId }) => orderId === order.id);
      const { cases } = look(order, own, scans, policy, asOf);
      const worst = cases[worstIndex(cases.map(({ judgement }) => judgement))];
      assert(worst, 'an order has a parcel, if only one that nobody has shipped');
      const { input, judgement } = worst;
      const { promise } = input;
      const { occasion } = order;
      const known = { judgement, promise, occasion, asOf, firstDeliveredAt: firstDeliveredAt(input) };
      const letter = letterFactsOf(known, worst, [], {
        parcels: cases,
        isMember: isMember(order, policy),
        declinedBecause: null,
        service: null,
      });
      return [order.id, { orderId: order.id, letter, awards: given.get(order.id) ?? [] }];
    }),
  );
}
