import type { Deps } from '../src/deps.js';
import { PIPELINE } from '../src/pipeline.js';
import type { JobWorker } from '../src/queue/backend.js';
import { runTicket } from '../src/queue/run-ticket.js';
import type { StageName } from '../src/queue/ticket.js';

/** Opens the worker of a stage: each job names a ticket, and the ticket is run. Whatever fails outside stays a ticket. */
export function runStage(deps: Deps, name: StageName): JobWorker {
  const stage = PIPELINE[name];
  return deps.queues.openWorker(
    name,
    async ({ data }) => {
      await runTicket(deps, stage, String(data.ticket));
    },
    { concurrency: stage.concurrency },
  );
}
