import type { Deps } from '../src/deps.js';
import { sweepByClock } from '../src/promises/sweep.js';

/** @param stopping the process ends: what is under way stops where the next run can go on */
export const sweep = (deps: Deps, _own: ReadonlySet<string>, stopping: AbortSignal) =>
  deps.queues.openWorker(
    'sweep',
    async (job) => {
      await sweepByClock(deps, { stopping, onProgress: (done, total) => job.updateProgress({ done, total }) });
    },
    { concurrency: 1 },
  );
