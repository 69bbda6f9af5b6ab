import type { Deps } from '../src/deps.js';
import { sweepByClock } from '../src/promises/sweep.js';

export const sweep = (deps: Deps) =>
  deps.queues.openWorker(
    'sweep',
    async (job) => {
      await sweepByClock(deps, { onProgress: (done, total) => job.updateProgress({ done, total }) });
    },
    { concurrency: 1 },
  );
