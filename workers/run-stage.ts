import type { Deps } from '../src/deps.js';
import { PIPELINE } from '../src/pipeline.js';
import type { JobWorker } from '../src/queue/backend.js';
import { runTicket } from '../src/queue/run-ticket.js';
import type { StageName, Ticket } from '../src/queue/ticket.js';

/** Stages that are all in the database: what comes of a small ticket is carried on at once, where this process works on them. */
const CARRIED_ON: ReadonlySet<StageName> = new Set(['judge-promises', 'grant-awards']);

/** Larger tickets are of a flood: on the queue they wait for each other, and are done together. */
const FEW_IDS = 10;

/**
 * Opens the worker of a stage: each job names a ticket, and the ticket is run. Whatever fails outside stays a ticket. The tickets that
 * come of it go on the queue, but for those that this process can do right after: a scan becomes an award without waiting in two more
 * lines.
 * @param own the stages that this process works on
 */
export function runStage(deps: Deps, name: StageName, own: ReadonlySet<string> = new Set()): JobWorker {
  const stage = PIPELINE[name];
  const carriesOn = (ticket: Ticket) =>
    CARRIED_ON.has(ticket.stage) && own.has(ticket.stage) && ticket.ids.length <= FEW_IDS;
  return deps.queues.openWorker(
    name,
    async ({ data }) => {
      const outcome = await runTicket(deps, stage, String(data.ticket), { carriesOn });
      if (outcome.outcome === 'done') await carryOn(deps, outcome.next.filter(carriesOn), carriesOn);
    },
    { concurrency: stage.concurrency },
  );
}

/** One that fails goes the way of all tickets, with those that are still to be done: over the queue, or with the relay. */
async function carryOn(deps: Deps, tickets: readonly Ticket[], carriesOn: (ticket: Ticket) => boolean): Promise<void> {
  const todo = [...tickets];
  try {
    for (let next = todo[0]; next !== undefined; next = todo[0]) {
      const outcome = await runTicket(deps, PIPELINE[next.stage], next.id, { carriesOn });
      todo.shift();
      if (outcome.outcome === 'done') todo.push(...outcome.next.filter(carriesOn));
    }
  } catch (error) {
    await deps.queues.announce(todo);
    throw error;
  }
}
