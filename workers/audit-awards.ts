import type { Deps } from '../src/deps.js';
import { auditAwards as audit } from '../src/promises/audit-awards.js';

export const auditAwards = (deps: Deps) =>
  deps.queues.openWorker(
    'audit-awards',
    async (job) => {
      await audit(deps, { onProgress: (done, total) => job.updateProgress({ done, total }) });
    },
    { concurrency: 1 },
  );
