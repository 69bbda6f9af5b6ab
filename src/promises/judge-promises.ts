import type { Sql } from '../db/database.js';
import { issueTickets } from '../queue/outbox-store.js';
import type { TransactionStage } from '../queue/run-ticket.js';
import type { Ticket, Trigger } from '../queue/ticket.js';
import { type JudgedOrders, judgeOrders } from './judge-orders.js';

/**
 * judge-promises: compares what happened to an order with what was promised, and decides what the customer gets.
 * Reads:    orders, shipments, tracking events, estimates, contacts, reported incidents, the customer's awards, messages, the policy, the till, the breaker
 * Writes:   verdicts, incidents, awards, tasks, notices, due dates, the till, events,
 *           outbox(grant-awards, send-messages)   one transaction
 * Twice:    an unchanged answer is not recorded; awards are unique by order, incident, class and step, notices by order, kind and part.
 * If lost:  the deadline watch and the sweep judge again.
 */
export const judgePromises: TransactionStage['run'] = async (deps, { sql, ticket }) => {
  const { ids, trigger, trace } = ticket;
  const judged = await judgeOrders(deps, sql, { ids, trigger, trace });
  const { outcomes, newAwards, notices } = judged;
  const next = await carryOn(sql, judged, { trigger, trace });
  const changed = outcomes.filter((outcome) => outcome.changed).length;
  return { next, counts: { orders: outcomes.length, changed, awards: newAwards.length, notices: notices.length } };
};

/** Tickets for what came of judging: what is to be granted, and what is to be told. */
export async function carryOn(
  sql: Sql,
  { newAwards, notices }: Pick<JudgedOrders, 'newAwards' | 'notices'>,
  { trigger, trace }: { readonly trigger: Trigger; readonly trace: string },
): Promise<Ticket[]> {
  const pending = newAwards.filter(({ status }) => status === 'pending').map(({ id }) => id);
  return [
    ...(await issueTickets(sql, { stage: 'grant-awards', ids: pending, trigger, trace })),
    ...(await issueTickets(sql, { stage: 'send-messages', ids: notices, trigger, trace })),
  ];
}
