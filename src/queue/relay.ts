import type { Deps } from '../deps.js';
import { relayAllTickets, takeOverdueTickets } from './outbox-store.js';
import type { Schedule, ScheduleName } from './queues.js';

/** Tickets brought back in one go. */
const RELAY_SIZE = 1_000;

/** relay-outbox: puts tickets on the queue that are overdue. @returns how many */
export async function relayOutbox(deps: Pick<Deps, 'db' | 'queues' | 'log'>): Promise<number> {
  let relayed = 0;
  for (;;) {
    const tickets = await deps.db.transaction((sql) => takeOverdueTickets(sql, RELAY_SIZE));
    await deps.queues.enqueue(tickets);
    relayed += tickets.length;
    if (tickets.length < RELAY_SIZE) break;
  }
  if (relayed > 0) deps.log.info({ tickets: relayed }, 'relay-outbox');
  return relayed;
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
  deps.log.info({ schedules: missing, tickets }, 'queue: schedules were missing and stand again');
}
