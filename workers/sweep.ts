import type { Deps } from '../src/deps.js';
import { sweep as sweepAll } from '../src/promises/sweep.js';

export const sweep = (deps: Deps) =>
  deps.queues.openWorker(
    'sweep',
    async (job) => {
      await sweepAll(deps, { onProgress: (done, total) => job.updateProgress({ done, total }) });
    },
    { concurrency: 1 },
  );
