import { readNow } from '../db/now.js';
import type { Deps } from '../deps.js';
import { failpoint } from '../failpoint.js';
import { inLanes } from '../in-lanes.js';
import { issueTickets } from '../queue/outbox-store.js';
import type { EffectStage } from '../queue/run-ticket.js';
import type { Ticket } from '../queue/ticket.js';
import { holdForBreaker } from './grant-store.js';
import {
  type CallableAward,
  claimCall,
  findCallable,
  holdCustomers,
  recordGranted,
  recordRefused,
  recordUnanswered,
} from './provider-call-store.js';
import { tidyJson, tidyText } from './providers/answer-text.js';
import type { GrantOutcome, GrantRequest, Provider } from './providers/provider.js';

/** Waits between tries; the last one repeats for ever. An award that is owed is never given up by a machine. */
const RETRY_WAITS_S = [5, 30, 120, 600, 1_800, 3_600];
/** An end for a try whose provider does not keep its own. Longer than theirs, or they never get to say what happened. */
const LONGEST_TRY_MS = 30_000;
/** Awards asked for at once. More, and a shop's own system is flooded by our outage's end; fewer, and a batch lasts. */
const AT_ONCE = 6;
/** Tries in a row that came to nothing, after which the others of the batch are not made: who is down, is down for all. */
const DOWN_AFTER = AT_ONCE;

/**
 * call-providers: asks whoever carries an award out, outside, and records the answer: claimed, asked, recorded.
 * Reads:    awards, orders, customers, the breaker
 * Writes:   provider calls, award state, events, alarms, outbox(send-messages)   a transaction a step, so that it is known what may have been done
 * Twice:    one call per award, its idempotency key fixed; its customer is held while it lasts; what an earlier try did is found.
 * If lost:  the sweep finds pending awards that nobody is asking for.
 */
export const callProviders: EffectStage['run'] = async (deps, { ticket }) => {
  await deps.db.transaction((sql) => holdForBreaker(sql, ticket.ids));
  const awards = await findCallable(deps.db.pool, ticket.ids);
  if (awards.length === 0) return { retries: [], next: [], counts: { granted: 0, refused: 0, again: 0 } };
  const byCustomer = new Map<string, CallableAward[]>();
  for (const award of awards) byCustomer.set(award.customerId, [...(byCustomer.get(award.customerId) ?? []), award]);

  const results = await holdCustomers(deps.db, [...byCustomer.keys()], async (held) => {
    const down = new Map<string, number>();
    const tries = await inLanes([...byCustomer.entries()], AT_ONCE, async ([customerId, ones]) => {
      const answers: Answer[] = [];
      for (const award of ones) {
        // Who holds the customer may be at another award, so that this one is to be come back to.
        answers.push(
          held.has(customerId)
            ? await callFor(deps, ticket, award, down)
            : { award, outcome: 'again', reason: 'another worker is at an award of the same customer' },
        );
      }
      return answers;
    });
    // Only now may one's failure end the batch: none of the others is under way any more.
    return tries.flatMap((one) => {
      if (one.status === 'rejected') throw one.reason;
      return one.value;
    });
  });

  const again = results.filter((answer) => answer.outcome === 'again');
  const count = (outcome: Answer['outcome']) => results.filter((answer) => answer.outcome === outcome).length;
  const usualWaitS = RETRY_WAITS_S[Math.min(ticket.attempts, RETRY_WAITS_S.length - 1)] ?? 0;
  return {
    retries:
      again.length === 0
        ? []
        : [
            {
              ids: again.map(({ award }) => award.id),
              waitS: Math.max(usualWaitS, ...again.map(({ afterS }) => afterS ?? 0)),
              reason: again[0]?.reason ?? '',
            },
          ],
    next: results.flatMap(({ next }) => next ?? []),
    counts: { granted: count('granted'), refused: count('refused'), again: again.length },
  };
};

/** What became of one award in this batch. */
interface Answer {
  readonly award: CallableAward;
  readonly outcome: GrantOutcome['outcome'] | 'gone';
  readonly reason?: string;
  readonly afterS?: number | undefined;
  readonly next?: readonly Ticket[];
}

async function callFor(deps: Deps, ticket: Ticket, award: CallableAward, down: Map<string, number>): Promise<Answer> {
  const provider = deps.providers.get(award.provider);
  if (!provider) return { award, outcome: 'again', reason: `${award.provider} is not set up` };
  if ((down.get(award.provider) ?? 0) >= DOWN_AFTER) {
    return { award, outcome: 'again', reason: `${award.provider} does not answer, so it was not asked for this one` };
  }
  const claim = await deps.db.transaction(async (sql) => claimCall(sql, award.id, await readNow(sql, deps.clock)));
  if (claim.outcome === 'gone') return { award, outcome: 'gone' };
  failpoint('call-providers:claimed-award');
  const answer: GrantOutcome = claim.outcome === 'granted' ? claim : await ask(deps, provider, claim.request);
  failpoint('call-providers:answered');
  down.set(award.provider, answer.outcome === 'again' ? (down.get(award.provider) ?? 0) + 1 : 0);
  const attempt = claim.outcome === 'claimed' ? claim.request.attempt : 0;
  // Should this fail, the answer is not lost: asked again under the same key, the provider says it again.
  const next = await deps.db.transaction(async (sql) => {
    const now = await readNow(sql, deps.clock);
    const { trigger, trace } = ticket;
    switch (answer.outcome) {
      case 'granted': {
        const receipt = tidyJson(answer.receipt) as Record<string, unknown>;
        const decision = await recordGranted(sql, award.id, receipt, now);
        const ids = decision === null ? [] : [decision];
        return issueTickets(sql, { stage: 'send-messages', ids, trigger, trace });
      }
      case 'refused':
        await recordRefused(sql, { awardId: award.id, attempt }, tidyText(answer.reason), now);
        return [];
      case 'again':
        await recordUnanswered(sql, { awardId: award.id, attempt }, tidyText(answer.reason));
        return [];
    }
  });
  failpoint('call-providers:recorded');
  if (answer.outcome !== 'granted') {
    // What a provider says may name the customer, and stands with the call.
    const { outcome } = answer;
    deps.log.warn({ award: award.id, provider: award.provider, attempt, outcome }, 'call-providers');
  }
  return {
    award,
    outcome: answer.outcome,
    next,
    ...(answer.outcome === 'granted' ? {} : { reason: tidyText(answer.reason) }),
    ...(answer.outcome === 'again' ? { afterS: answer.afterS } : {}),
  };
}

async function ask(deps: Deps, provider: Provider, request: GrantRequest): Promise<GrantOutcome> {
  try {
    return await provider.grant(request, AbortSignal.timeout(LONGEST_TRY_MS));
  } catch (error) {
    // A mistake of ours, and no reason to forget what is owed.
    deps.log.error({ err: error, award: request.awardId, provider: provider.name }, 'call-providers: failed by itself');
    return { outcome: 'again', reason: `asking ${provider.name} failed by itself` };
  }
}
