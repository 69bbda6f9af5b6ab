import { addDays } from 'date-fns';
import { shipOnOf } from '../compensation/ship-on.js';
import { awardEvent } from '../events/event.js';
import { recordEvents } from '../events/event-store.js';
import { issueTickets } from '../queue/outbox-store.js';
import type { TransactionStage } from '../queue/run-ticket.js';
import {
  type DatedAward,
  dateAwards,
  handOver,
  holdForBreaker,
  lockPending,
  type PendingAward,
} from './grant-store.js';
import { postTransfers } from './ledger-store.js';

/**
 * grant-awards: turns decided awards into ledger entries, and hands those that the ledger cannot carry out to who can.
 * Reads:    awards, ledger accounts, the breaker, the policies they were decided by
 * Writes:   transfers, entries, lots, award state, events, outbox(send-messages, call-providers)   one transaction
 * Twice:    unique (award_id) on transfers; only awards that are still pending are taken.
 * If lost:  the sweep finds pending awards that can be granted.
 */
export const grantAwards: TransactionStage['run'] = async (deps, { sql, ticket, now }) => {
  const { trigger, trace } = ticket;
  const held = await holdForBreaker(sql, ticket.ids);
  const pending = await lockPending(sql, ticket.ids);
  const dates = await datesOf(pending);
  await dateAwards(sql, [...dates.values()]);
  const going = pending.map((award) => ({
    ...award,
    expiresAt: award.expiresAt ?? dates.get(award.id)?.expiresAt ?? null,
  }));

  // Who was asked once stays the one who is asked, whatever is configured now: another provider would pay a second time.
  const { remedyProviders } = deps.config;
  const providerOf = (award: PendingAward) => award.provider ?? remedyProviders.get(award.kind) ?? null;
  const awards = going.filter((award) => providerOf(award) === 'ledger');
  const others = going.filter((award) => ![null, 'ledger'].includes(providerOf(award)));
  if (awards.length > 0) await postTransfers(sql, awards, now);
  await recordEvents(
    sql,
    awards.map((award) => awardEvent('award.applied', { ...award, provider: 'ledger' }, now)),
  );
  const handedOver = others.map(({ id }) => id);
  await handOver(sql, handedOver, others.map(providerOf));
  const decisions = [...new Set(awards.map(({ decisionId }) => decisionId))];
  const next = [
    ...(await issueTickets(sql, { stage: 'send-messages', ids: decisions, trigger, trace })),
    ...(await issueTickets(sql, { stage: 'call-providers', ids: handedOver, trigger, trace })),
  ];
  return { next, counts: { awards: awards.length, handedOver: handedOver.length, held } };

  /** When what is given ends, and when a parcel leaves, both counted from now on: what was held did not lose its time. */
  async function datesOf(ones: readonly PendingAward[]): Promise<Map<string, DatedAward>> {
    const dated = new Map<string, DatedAward>();
    for (const { id, kind, policyVersion } of ones) {
      if (kind !== 'store_credit' && kind !== 'points' && kind !== 'replacement') continue;
      const { expiry, fulfilment } = await deps.policies.version(sql, policyVersion);
      const days = kind === 'store_credit' ? expiry.storeCreditDays : kind === 'points' ? expiry.pointsDays : null;
      dated.set(id, {
        id,
        expiresAt: days === null ? null : addDays(now, days),
        shipOn: kind === 'replacement' ? shipOnOf(now, fulfilment) : null,
      });
    }
    return dated;
  }
};
