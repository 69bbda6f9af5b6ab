import { issueTickets } from '../queue/outbox-store.js';
import type { TransactionStage } from '../queue/run-ticket.js';
import { lockGrantable, postTransfers } from './ledger-store.js';

/**
 * grant-awards: turns decided awards into ledger entries. Kinds that the ledger cannot grant stay pending, to be seen.
 * Reads:    awards, ledger accounts
 * Writes:   transfers, entries, award state, outbox(send-messages)   one transaction
 * Twice:    unique (award_id) on transfers; only awards that are still pending are taken.
 * If lost:  the sweep finds pending awards that can be granted.
 */
export const grantAwards: TransactionStage['run'] = async (_deps, { sql, ticket, now }) => {
  const awards = await lockGrantable(sql, ticket.ids);
  if (awards.length > 0) await postTransfers(sql, awards, now);
  const decisions = [...new Set(awards.map(({ decisionId }) => decisionId))];
  const { trigger, trace } = ticket;
  const next = await issueTickets(sql, { stage: 'send-messages', ids: decisions, trigger, trace });
  return { next, counts: { awards: awards.length } };
};
