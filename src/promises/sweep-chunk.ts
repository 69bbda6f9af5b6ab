import type { Sql } from '../db/database.js';
import type { Deps } from '../deps.js';
import { AppError, ERROR_CODES } from '../errors.js';
import { failpoint } from '../failpoint.js';
import { issueTickets } from '../queue/outbox-store.js';
import { type JudgedOrders, judgeOrders } from './judge-orders.js';
import { carryOn } from './judge-promises.js';
import type { JudgedChunk } from './sweep-counts.js';

type Work = Parameters<typeof judgeOrders>[2];
type Outcome = Omit<JudgedChunk, 'ids' | 'asOf'>;

/**
 * Judges a chunk of a sweep in one transaction with the tickets that come of it. One order that cannot be judged must not
 * cost the others their night: as with any batch, halves find it, and it is set aside.
 * @param options.note what else is written in the transaction, once it is known what the chunk came to; of a chunk that
 *   had to be halved, in one of its own after all halves
 */
export async function judgeChunk(
  deps: Deps,
  work: Work,
  options: { readonly dryRun: boolean; readonly note: (sql: Sql, outcome: Outcome) => Promise<void> },
): Promise<Outcome> {
  try {
    return await judgeWhole(deps, work, options);
  } catch (error) {
    if (helpsToWait(error) || error instanceof RunTakenOver) throw error;
    const outcome = await judgeHalves(deps, work, options.dryRun, error);
    await deps.db.transaction((sql) => options.note(sql, outcome));
    return outcome;
  }
}

/** Somebody else carries the run on: what was done in this transaction is undone, and they do it. */
export class RunTakenOver extends Error {
  constructor(run: string) {
    super(`the connection that held this sweep (${run}) was lost, and another process carries it on`);
  }
}

async function judgeWhole(
  deps: Deps,
  work: Work,
  { dryRun, note }: { readonly dryRun: boolean; readonly note: (sql: Sql, outcome: Outcome) => Promise<void> },
): Promise<Outcome> {
  try {
    const { outcome, tickets } = await deps.db.transaction(async (sql) => {
      const result = await judgeOrders(deps, sql, work);
      if (dryRun) throw new RolledBack(result);
      const issued = await carryOn(sql, result, work);
      const judged = outcomeOf(result);
      await note(sql, judged);
      failpoint('sweep:before-commit');
      return { outcome: judged, tickets: issued };
    });
    failpoint('sweep:after-commit');
    await deps.queues.announce(tickets);
    return outcome;
  } catch (error) {
    if (error instanceof RolledBack) return outcomeOf(error.result);
    throw error;
  }
}

async function judgeHalves(deps: Deps, work: Work, dryRun: boolean, error: unknown): Promise<Outcome> {
  const { ids, trigger, trace } = work;
  if (ids.length > 1) {
    const middle = Math.ceil(ids.length / 2);
    const one = await judgeHalf(deps, { ...work, ids: ids.slice(0, middle) }, dryRun);
    const other = await judgeHalf(deps, { ...work, ids: ids.slice(middle) }, dryRun);
    return {
      looked: [...one.looked, ...other.looked],
      outcomes: [...one.outcomes, ...other.outcomes],
      failed: one.failed + other.failed,
    };
  }
  deps.log.error({ err: error, trace }, 'sweep: an order cannot be judged');
  if (!dryRun) {
    // Its own ticket fails as well, and is set aside where it is looked for.
    const tickets = await deps.db.transaction((sql) =>
      issueTickets(sql, { stage: 'judge-promises', ids, trigger, trace }),
    );
    await deps.queues.announce(tickets);
  }
  return { looked: [], outcomes: [], failed: 1 };
}

async function judgeHalf(deps: Deps, work: Work, dryRun: boolean): Promise<Outcome> {
  try {
    return await judgeWhole(deps, work, { dryRun, note: async () => {} });
  } catch (error) {
    if (helpsToWait(error)) throw error;
    return judgeHalves(deps, work, dryRun, error);
  }
}

const outcomeOf = ({ looked, outcomes }: JudgedOrders): Outcome => ({ looked, outcomes, failed: 0 });

function helpsToWait(error: unknown): boolean {
  return error instanceof AppError && ERROR_CODES[error.code].retry;
}

/** A dry run does everything, looks at it, and undoes it. */
class RolledBack extends Error {
  readonly result: JudgedOrders;
  constructor(result: JudgedOrders) {
    super('dry run');
    this.result = result;
  }
}
