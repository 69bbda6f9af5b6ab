import type { Deps } from '../deps.js';
import { type OverdueTicket, relayAllTickets, takeOverdueTickets } from './outbox-store.js';
import type { Schedule, ScheduleName } from './queues.js';
import { isUrgent, STAGES } from './ticket.js';

/** Tickets brought back in one go. */
const RELAY_SIZE = 1_000;

/** relay-outbox: puts tickets on the queue that are overdue and not on it. @returns how many */
export async function relayOutbox(deps: Pick<Deps, 'db' | 'queues' | 'log'>): Promise<number> {
  let relayed = 0;
  for (;;) {
    const tickets = await deps.db.transaction((sql) => takeOverdueTickets(sql, RELAY_SIZE));
    const missing = await notOnQueue(deps.queues, tickets);
    await deps.queues.enqueueAgain(missing);
    relayed += missing.length;
    if (tickets.length < RELAY_SIZE) break;
  }
  if (relayed > 0) deps.log.info({ tickets: relayed }, 'relay-outbox');
  return relayed;
}

/**
 * In a flood tickets are overdue because the queue is long: as long as at least as many jobs wait, they are taken to be
 * among them, and are looked at again later. Tickets for another try were never on the queue; what a person waits for is not
 * left behind a flood for a guess.
 */
async function notOnQueue(queues: Deps['queues'], tickets: readonly OverdueTicket[]): Promise<OverdueTicket[]> {
  const isSure = ({ attempts, trigger }: OverdueTicket) => attempts > 0 || isUrgent(trigger);
  const missing = tickets.filter(isSure);
  for (const stage of STAGES) {
    const ofStage = tickets.filter((ticket) => ticket.stage === stage && !isSure(ticket));
    if (ofStage.length > 0 && (await queues.countWaiting(stage)) < ofStage.length) missing.push(...ofStage);
  }
  return missing;
}

/** At the start of a worker: what another left behind when it died does not wait for its time. */
export async function relayLeftovers(deps: Pick<Deps, 'db' | 'queues' | 'log'>): Promise<void> {
  await deps.db.transaction((sql) => relayAllTickets(sql));
  await relayOutbox(deps);
}

/**
 * Notices a queue that was wiped (FLUSHALL, DROP SCHEMA) by its missing schedules, and makes everything new: the schedules,
 * and a job for every ticket. Nothing else was there that counts.
 */
export async function healQueue(
  deps: Pick<Deps, 'db' | 'queues' | 'log'>,
  schedules: Readonly<Partial<Record<ScheduleName, Schedule>>>,
): Promise<void> {
  const missing = await deps.queues.ensureSchedules(schedules);
  if (missing.length === 0) return;
  const tickets = await deps.db.transaction((sql) => relayAllTickets(sql));
  await relayOutbox(deps);
  deps.log.info({ schedules: missing, tickets }, 'queue: schedules were missing and stand again');
}
