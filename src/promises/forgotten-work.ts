import type { Deps } from '../deps.js';
import { findForgottenDeliveries } from '../events/delivery-store.js';
import { issueDeliveries } from '../events/event-store.js';
import { issueTickets } from '../queue/outbox-store.js';
import type { Ticket } from '../queue/ticket.js';
import { type Findings, SHOWN } from './sweep-counts.js';
import {
  findForgottenAwards,
  findUnbookedAwards,
  findUnjudgedOrders,
  findUnmatchedNumbers,
  findUntoldDecisions,
  findUntrackedNumbers,
} from './sweep-store.js';

/** Work that somebody should have done and had not, from webhook to letter: how much of each. */
export interface ForgottenWork {
  /** Tracking numbers with scans that were not added up. */
  readonly numbers: number;
  /** Settled orders that were not judged with their latest scans. */
  readonly orders: number;
  /** Awards that nothing stops, and nobody grants. */
  readonly awards: number;
  /** Decisions of which the customer was not told. */
  readonly decisions: number;
  /** Events that nobody is delivering. */
  readonly deliveries: number;
  /** Awards that are said to be booked, and are not in the ledger: for a person, nothing is booked by guessing. */
  readonly unbooked: number;
}

/** A number is looked for in vain when carriers have told of it for so long. Shorter, and orders that are on their way in count. */
const UNMATCHED_AFTER_MS = 24 * 60 * 60 * 1000;

/**
 * Holds inbox, verdicts, awards, ledger and letters against each other, and issues tickets for what was left behind: each
 * stage does its own again.
 * @param options.asOfNow false: nothing is judged anew, as that would overrule what a sweep as of an earlier time has just found
 */
export async function findForgottenWork(
  deps: Deps,
  { trace, dryRun, asOfNow, now }: { trace: string; dryRun: boolean; asOfNow: boolean; now: Date },
): Promise<{ forgotten: ForgottenWork; unmatched: Findings }> {
  // What nobody carries out is not forgotten: it waits, and an alarm says so.
  const grantable = [...deps.config.remedyProviders.keys()];
  const { found, tickets } = await deps.db.transaction(async (sql) => {
    const numbers = asOfNow ? await findUntrackedNumbers(sql) : [];
    const orders = asOfNow ? await findUnjudgedOrders(sql) : [];
    const awards = await findForgottenAwards(sql, grantable);
    const decisions = await findUntoldDecisions(sql);
    const deliveries = await findForgottenDeliveries(sql);
    const unbooked = await findUnbookedAwards(sql);
    const unmatched = await findUnmatchedNumbers(sql, new Date(now.getTime() - UNMATCHED_AFTER_MS), SHOWN);
    const issued: Ticket[] = [];
    if (!dryRun) {
      const common = { trigger: 'sweep', trace } as const;
      issued.push(...(await issueTickets(sql, { stage: 'track-shipments', ids: numbers, ...common })));
      issued.push(...(await issueTickets(sql, { stage: 'judge-promises', ids: orders, ...common })));
      issued.push(...(await issueTickets(sql, { stage: 'grant-awards', ids: awards, ...common })));
      issued.push(...(await issueTickets(sql, { stage: 'send-messages', ids: decisions, ...common })));
      await issueDeliveries(sql, deliveries);
    }
    const counts = {
      numbers: numbers.length,
      orders: orders.length,
      awards: awards.length,
      decisions: decisions.length,
      deliveries: deliveries.length,
      unbooked: unbooked.length,
    };
    const first = unmatched.newest.map(({ carrier, trackingKey }) => `${carrier} ${trackingKey}`);
    return { found: { forgotten: counts, unmatched: { count: unmatched.count, first } }, tickets: issued };
  });
  await deps.queues.announce(tickets);
  return found;
}
