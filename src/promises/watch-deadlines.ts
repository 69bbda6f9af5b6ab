import { readNow } from '../db/now.js';
import type { Deps } from '../deps.js';
import { newId } from '../ids.js';
import { issueTickets } from '../queue/outbox-store.js';
import { TICKET_SIZE } from '../queue/ticket.js';
import { hasOrderDueBefore, takeDueOrders } from './verdict-store.js';

/**
 * watch-deadlines: finds orders for which time alone may have changed something (a promise that ran out, a silence that
 * lasted) and has them judged. One scan of one index for all time zones: the instant was computed when it became known.
 * Reads:    orders
 * Writes:   orders, outbox(judge-promises)   one transaction a batch
 * Twice:    an order that was taken is put off for ten minutes; judging it twice changes nothing.
 * If lost:  the next run finds it: a due date does not go away by itself.
 * @returns how many orders were due
 */
export async function watchDeadlines(deps: Deps): Promise<number> {
  let due = 0;
  for (;;) {
    const { taken, tickets } = await deps.db.transaction(async (sql) => {
      const ids = await takeDueOrders(sql, await readNow(sql, deps.clock), TICKET_SIZE);
      const work = { stage: 'judge-promises', ids, trigger: 'deadline', trace: newId() } as const;
      return { taken: ids.length, tickets: await issueTickets(sql, work) };
    });
    await deps.queues.announce(tickets);
    due += taken;
    if (taken < TICKET_SIZE) break;
  }
  if (due > 0) deps.log.info({ orders: due }, 'watch-deadlines');
  return due;
}

/** An order that has been due for so long was missed by the schedule. Shorter, and every process looks besides. */
const MISSED_AFTER_MS = 40_000;

/** Looks for deadlines when the schedule, for whatever reason, has not: the minute is promised by us, not by the queue. */
export async function catchUpDeadlines(deps: Deps): Promise<void> {
  const now = await readNow(deps.db.pool, deps.clock);
  if (await hasOrderDueBefore(deps.db.pool, new Date(now.getTime() - MISSED_AFTER_MS))) await watchDeadlines(deps);
}
