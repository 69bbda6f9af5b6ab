import { issueTickets } from '../queue/outbox-store.js';
import type { TransactionStage } from '../queue/run-ticket.js';
import { judgeOrders } from './judge-orders.js';

/**
 * judge-promises: compares what happened to an order with what was promised, and decides what the customer gets.
 * Reads:    orders, shipments, tracking events, contacts, the customer's awards, the policy, the till, the breaker
 * Writes:   verdicts, incidents, awards, tasks, due dates, the till, events, outbox(grant-awards)   one transaction
 * Twice:    an unchanged answer is not recorded; awards are unique by order, incident, class and step.
 * If lost:  the deadline watch and the sweep judge again.
 */
export const judgePromises: TransactionStage['run'] = async (deps, { sql, ticket }) => {
  const { ids, trigger, trace } = ticket;
  const { outcomes, newAwards } = await judgeOrders(deps, sql, { ids, trigger, trace });
  const pending = newAwards.filter(({ status }) => status === 'pending').map(({ id }) => id);
  const next = await issueTickets(sql, { stage: 'grant-awards', ids: pending, trigger, trace });
  const changed = outcomes.filter((outcome) => outcome.changed).length;
  return { next, counts: { orders: outcomes.length, changed, awards: newAwards.length } };
};
