import type { Config } from '../src/config.js';
import type { Schedule, ScheduleName } from '../src/queue/queues.js';

/**
 * Deadlines are looked for this often. A promise that ran out is noticed within this time and what judging takes; the
 * product promises a minute.
 */
const WATCH_EVERY_MS = 15_000;

/** Credit that ends, and awards that wait for too long, are looked for this often. */
const WATCH_AWARDS_EVERY_MS = 60_000;
/** Tasks that are overdue are looked for this often. More seldom, and whoever leads hears of them late. */
const WATCH_TASKS_EVERY_MS = 60_000;
/** The audit looks at what the sweep has done: some hours after it, and not when the shop opens. */
const AUDIT_PATTERN = '10 5 * * *';

/** What runs by the clock. BullMQ keeps one of each, however many workers there are. */
export function schedulesOf({ sweepCron, sweepTimeZone }: Config): Record<ScheduleName, Schedule> {
  return {
    'watch-deadlines': { every: WATCH_EVERY_MS },
    'watch-awards': { every: WATCH_AWARDS_EVERY_MS },
    'watch-tasks': { every: WATCH_TASKS_EVERY_MS },
    sweep: { pattern: sweepCron, tz: sweepTimeZone },
    'audit-awards': { pattern: AUDIT_PATTERN, tz: sweepTimeZone },
  };
}
