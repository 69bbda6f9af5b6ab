import { setTimeout as sleep } from 'node:timers/promises';
import { readNow } from '../src/db/now.js';
import type { Deps } from '../src/deps.js';
import { sweepByClock } from '../src/promises/sweep.js';
import { findLastSweep } from '../src/promises/sweep-store.js';
import { catchUpDeadlines } from '../src/promises/watch-deadlines.js';
import type { JobWorker } from '../src/queue/backend.js';
import { healQueue, relayLeftovers, relayOutbox } from '../src/queue/relay.js';
import { auditAwards } from './audit-awards.js';
import { callProviders } from './call-providers.js';
import { deliverEvents } from './deliver-events.js';
import { grantAwards } from './grant-awards.js';
import { judgePromises } from './judge-promises.js';
import { schedulesOf } from './schedules.js';
import { sendMessages } from './send-messages.js';
import { sweep } from './sweep.js';
import { trackShipments } from './track-shipments.js';
import { watchAwards } from './watch-awards.js';
import { watchDeadlines } from './watch-deadlines.js';
import { watchTasks } from './watch-tasks.js';

/** Every worker there is, by the name that `--only` takes. */
export const WORKERS = {
  'track-shipments': trackShipments,
  'judge-promises': judgePromises,
  'grant-awards': grantAwards,
  'call-providers': callProviders,
  'send-messages': sendMessages,
  'deliver-events': deliverEvents,
  'watch-deadlines': watchDeadlines,
  'watch-awards': watchAwards,
  'watch-tasks': watchTasks,
  sweep,
  'audit-awards': auditAwards,
} as const;
export type WorkerName = keyof typeof WORKERS;

/** How often tickets are looked for that nobody took. Longer, and a retry is late by as much. */
const RELAY_EVERY_MS = 2_000;
/** How often it is checked that the schedules stand: so long a wiped queue stands still at the most. */
const HEAL_EVERY_MS = 10_000;
/** A day, and some time for the sweep of this night to come first. */
const SWEEP_OVERDUE_MS = 26 * 60 * 60 * 1000;

/** Starts workers. @returns a function that lets the batches under way finish, and stops */
export async function startWorkers(deps: Deps, only: readonly WorkerName[]): Promise<() => Promise<void>> {
  const schedules = schedulesOf(deps.config);
  await Promise.all([deps.queues.ensureSchedules(schedules), relayLeftovers(deps)]);
  const stopping = new AbortController();
  const own: ReadonlySet<string> = new Set(only);
  const workers: JobWorker[] = only.map((name) => WORKERS[name](deps, own, stopping.signal));
  await Promise.all(workers.map((worker) => worker.waitUntilReady()));
  const stopRelay = repeat(deps, 'relay-outbox', RELAY_EVERY_MS, relayAfterTrouble(deps));
  const stopHealing = repeat(deps, 'heal-queue', HEAL_EVERY_MS, () => healQueue(deps, schedules));
  const stopCatchingUp = only.includes('watch-deadlines')
    ? repeat(deps, 'watch-deadlines', HEAL_EVERY_MS, () => catchUpDeadlines(deps))
    : async () => {};
  // A tick of the clock that nobody was there for does not come again, and a night that a crash has ended does not wait for the next.
  const overdueSweep = only.includes('sweep') ? catchUpSweep(deps, stopping.signal) : Promise.resolve();

  return async () => {
    stopping.abort();
    await Promise.all([stopRelay(), stopHealing(), stopCatchingUp()]);
    await Promise.all(workers.map(closeInTime));
    await overdueSweep;
  };
}

/** The relay; after the database or queue was away it brings everything back at once, not when its time has come. */
function relayAfterTrouble(deps: Deps): () => Promise<unknown> {
  let trouble = false;
  return async () => {
    try {
      await (trouble ? relayLeftovers(deps) : relayOutbox(deps));
      trouble = false;
    } catch (error) {
      trouble = true;
      throw error;
    }
  };
}

/** A queue that is away keeps its workers from closing. Its tickets stay; longer than letters take, nobody waits for it. */
const CLOSE_TIMEOUT_MS = 18_000;

async function closeInTime(worker: JobWorker): Promise<void> {
  await Promise.race([worker.close(), sleep(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
}

async function catchUpSweep(deps: Deps, stopping: AbortSignal): Promise<void> {
  try {
    const last = await findLastSweep(deps.db.pool);
    const now = await readNow(deps.db.pool, deps.clock);
    const isOverdue = last !== null && now.getTime() - last.getTime() > SWEEP_OVERDUE_MS;
    await sweepByClock(deps, { stopping, onlyUnfinished: !isOverdue });
  } catch (error) {
    deps.log.warn({ err: error }, 'sweep: the overdue one failed, the next night brings another');
  }
}

/** Does something again and again, never twice at once; a failure is said and the next time it is tried again. */
function repeat(deps: Deps, name: string, everyMs: number, work: () => Promise<unknown>): () => Promise<void> {
  let running: Promise<void> = Promise.resolve();
  let busy = false;
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    running = work()
      .then(
        () => {},
        (error) => deps.log.warn({ err: error }, `${name}: failed, tried again`),
      )
      .finally(() => {
        busy = false;
      });
  }, everyMs);
  return async () => {
    clearInterval(timer);
    await running;
  };
}
