import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../logger.js';
import type { JobQueue, JobWorker, QueueBackend, QueueJob } from './backend.js';
import { isUrgent, STAGES, type StageName, type Ticket } from './ticket.js';

/** Work that comes by the clock and not by a ticket. */
export const SCHEDULES = ['watch-deadlines', 'watch-awards', 'watch-tasks', 'sweep', 'audit-awards'] as const;
export type ScheduleName = (typeof SCHEDULES)[number];

/** When a schedule runs: every so many milliseconds, or by a cron pattern in a time zone. */
export type Schedule = { readonly every: number } | { readonly pattern: string; readonly tz: string };

/** A schedule whose next run is so long past lost its job, and would never run again. Shorter, and a busy queue looks dead. */
const SCHEDULE_LATE_MS = 60_000;

/** Closing a queue is a matter of milliseconds; longer, and the stop of the process runs out of time. */
const CLOSE_TIMEOUT_MS = 2_000;

/**
 * So many jobs are added one by one. On PostgreSQL adding them at once makes and drops two temporary tables, however few they
 * are, which costs more than some single ones; and a batch of the door is one ticket.
 */
const FEW_JOBS = 5;

/** What the queue is told of a ticket. */
export type Announced = Pick<Ticket, 'id' | 'stage' | 'trigger'>;

/** The queues of all stages and schedules, on one backend. */
export interface Queues {
  readonly kind: QueueBackend['kind'];
  /** Tells workers of tickets that are committed. Never throws: what does not reach the queue, the relay brings later. */
  announce(tickets: readonly Announced[]): Promise<void>;
  /** As announce, but under new job ids: a job of a dead worker must not keep its ticket from another. @throws when the queue is away */
  enqueueAgain(tickets: readonly Announced[]): Promise<void>;
  /** Jobs of a stage that wait for a worker. */
  countWaiting(stage: StageName): Promise<number>;
  openWorker(
    name: StageName | ScheduleName,
    process: (job: QueueJob) => Promise<void>,
    options: { concurrency: number },
  ): JobWorker;
  /** Makes sure that the schedules stand. @returns the names of those that were missing, as after the queue was wiped */
  ensureSchedules(schedules: Readonly<Partial<Record<ScheduleName, Schedule>>>): Promise<ScheduleName[]>;
  check(): Promise<void>;
  close(): Promise<void>;
}

/** Prepares the backend and opens a queue for each stage and schedule. */
export async function openQueues(backend: QueueBackend, log: Logger): Promise<Queues> {
  await backend.prepare();
  const queues = new Map<string, JobQueue>();
  for (const name of [...STAGES, ...SCHEDULES]) queues.set(name, backend.openQueue(name));
  const queueOf = (name: string): JobQueue => {
    const queue = queues.get(name);
    if (!queue) throw new Error(`assertion failed: no queue ${name}`);
    return queue;
  };

  const enqueue = async (tickets: readonly Announced[], suffix: string): Promise<void> => {
    for (const stage of STAGES) {
      const jobs = tickets
        .filter((ticket) => ticket.stage === stage)
        // The id makes a second announcement of a waiting ticket no second job. It guards nothing else.
        .map((ticket) => ({
          name: stage,
          data: { ticket: ticket.id },
          opts: { jobId: `t-${ticket.id}${suffix}`, lifo: isUrgent(ticket.trigger) },
        }));
      if (jobs.length > FEW_JOBS) await queueOf(stage).addBulk(jobs);
      else for (const { name, data, opts } of jobs) await queueOf(stage).add(name, data, opts);
    }
  };

  const ensureSchedules: Queues['ensureSchedules'] = async (schedules) => {
    const ensure = async (name: ScheduleName): Promise<boolean> => {
      const schedule = schedules[name];
      if (!schedule) return true;
      const queue = queueOf(name);
      const standing = await queue.getJobScheduler(name);
      const isAlive = standing && Number(standing.next ?? 0) > Date.now() - SCHEDULE_LATE_MS;
      if (isAlive && matches(standing, schedule)) return true;
      await queue.upsertJobScheduler(name, schedule, { name, data: {} });
      return Boolean(isAlive);
    };
    const stood = await Promise.all(SCHEDULES.map(ensure));
    return SCHEDULES.filter((_, index) => !stood[index]);
  };

  return {
    kind: backend.kind,
    enqueueAgain: (tickets) => enqueue(tickets, `-${Date.now().toString(36)}`),
    async countWaiting(stage) {
      const counts = await queueOf(stage).getJobCounts('waiting', 'prioritized');
      return (counts.waiting ?? 0) + (counts.prioritized ?? 0);
    },
    async announce(tickets) {
      if (tickets.length === 0) return;
      try {
        await enqueue(tickets, '');
      } catch (error) {
        log.warn({ err: error, tickets: tickets.length }, 'queue: not reached, the relay brings these tickets later');
      }
    },
    openWorker: (name, process, options) => backend.openWorker(name, process, options),
    async ensureSchedules(schedules) {
      try {
        return await ensureSchedules(schedules);
      } catch (error) {
        if (!isGone(error)) throw error;
        await backend.prepare();
        return ensureSchedules(schedules);
      }
    },
    check: () => backend.check(),
    async close() {
      // A backend that is away answers no farewell.
      const closed = Promise.all([...queues.values()].map((queue) => queue.close()));
      await Promise.race([closed, sleep(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
      await backend.close();
    },
  };
}

/** Undefined table, schema or function: somebody dropped what BullMQ keeps in PostgreSQL. */
function isGone(error: unknown): boolean {
  return ['42P01', '3F000', '42883'].includes(String((error as { code?: unknown }).code));
}

function matches(standing: { every?: unknown; pattern?: unknown; tz?: unknown }, wanted: Schedule): boolean {
  if ('every' in wanted) return Number(standing.every) === wanted.every;
  return standing.pattern === wanted.pattern && standing.tz === wanted.tz;
}
