import { performance } from 'node:perf_hooks';
import { readNow } from '../db/now.js';
import type { Deps } from '../deps.js';
import { failpoint } from '../failpoint.js';
import { inLanes } from '../in-lanes.js';
import type { EffectStage, Retry } from '../queue/run-ticket.js';
import {
  claimDelivery,
  endHopeless,
  findWaiting,
  recordDelivered,
  recordFailedTry,
  type WaitingDelivery,
} from './delivery-store.js';
import { postEvent } from './post-event.js';

/** Endpoints at once in one batch. Fewer, and slow ones hold others up. */
const ENDPOINTS_AT_ONCE = 20;
/** Deliveries at once to one endpoint. More, and they flood it after an outage, and take connections to the database from others. */
const TO_ONE_AT_ONCE = 2;
/** How long one batch goes on with one endpoint. Longer, and the others' next events wait for it; what is left comes back. */
const BATCH_MS = 10_000;

/**
 * deliver-events: sends events to the shop's own systems and records what they answer: claimed, sent, recorded.
 * Reads:    events, endpoints and their secrets
 * Writes:   deliveries, the state of endpoints, alarms, audit   a transaction a step, so that it is known what may have arrived
 * Twice:    a delivery is claimed for one try at a time; what a dead process sent is sent again, under the same webhook-id.
 * If lost:  the sweep finds deliveries that nobody makes.
 */
export const deliverEvents: EffectStage['run'] = async (deps, { ticket }) => {
  const { ids } = ticket;
  const { waiting, ended, now } = await deps.db.transaction(async (sql) => {
    const at = await readNow(sql, deps.clock);
    const hopeless = await endHopeless(sql, ids, at);
    return { waiting: await findWaiting(sql, ids), ended: hopeless, now: at };
  });
  const byEndpoint = new Map<string, WaitingDelivery[]>();
  for (const one of waiting.filter(({ dueAt }) => dueAt <= now)) {
    byEndpoint.set(one.endpointId, [...(byEndpoint.get(one.endpointId) ?? []), one]);
  }
  const until = performance.now() + BATCH_MS;
  const results = await inLanes([...byEndpoint.values()], ENDPOINTS_AT_ONCE, async (ones) => {
    const tries = await inLanes(ones, TO_ONE_AT_ONCE, ({ id }) => deliverOne(deps, id, until));
    return tries.map(settledValue);
  });
  // Only now may one's failure end the batch: none of the others is under way any more.
  const outcomes = results.flatMap(settledValue);

  const [left, end] = await deps.db.transaction(async (sql) => [
    await findWaiting(sql, ids),
    await readNow(sql, deps.clock),
  ]);
  const count = (outcome: Outcome) => outcomes.filter((one) => one === outcome).length;
  return {
    retries: retriesOf(left, end),
    counts: { delivered: count('delivered'), failed: ended + count('failed'), waiting: left.length },
  };
};

/** Each at its own time, those of one second together. */
function retriesOf(left: readonly WaitingDelivery[], now: Date): Retry[] {
  const byWait = new Map<number, WaitingDelivery[]>();
  for (const one of left) {
    const waitS = Math.max(1, Math.ceil((one.dueAt.getTime() - now.getTime()) / 1_000));
    byWait.set(waitS, [...(byWait.get(waitS) ?? []), one]);
  }
  return [...byWait].map(([waitS, ones]) => ({
    ids: ones.map(({ id }) => id),
    waitS,
    reason: ones.find(({ lastError }) => lastError !== null)?.lastError ?? 'not delivered yet',
  }));
}

type Outcome = 'delivered' | 'pending' | 'failed';

async function deliverOne(deps: Deps, id: string, until: number): Promise<Outcome> {
  if (performance.now() > until) return 'pending';
  const delivery = await deps.db.transaction(async (sql) => claimDelivery(sql, id, await readNow(sql, deps.clock)));
  if (delivery === null) return 'pending';
  failpoint('deliver-events:claimed-delivery');
  const answer = await postEvent(delivery, { allowsPrivate: deps.config.allowsPrivateAddresses });
  failpoint('deliver-events:answered');
  const chance = Math.random();
  const outcome = await deps.db.transaction(async (sql): Promise<Outcome> => {
    const now = await readNow(sql, deps.clock);
    if (answer.outcome === 'failed') return recordFailedTry(sql, delivery, { ...answer, chance }, now);
    await recordDelivered(sql, delivery, answer, now);
    return 'delivered';
  });
  failpoint('deliver-events:recorded');
  if (answer.outcome === 'failed') {
    const { endpointId, attempt } = delivery;
    deps.log.warn({ delivery: id, endpoint: endpointId, attempt, outcome, status: answer.status }, 'deliver-events');
  }
  return outcome;
}

function settledValue<T>(settled: PromiseSettledResult<T>): T {
  if (settled.status === 'rejected') throw settled.reason;
  return settled.value;
}
