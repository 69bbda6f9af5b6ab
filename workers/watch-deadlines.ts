import type { Deps } from '../src/deps.js';
import { watchDeadlines as watch } from '../src/promises/watch-deadlines.js';

export const watchDeadlines = (deps: Deps) =>
  deps.queues.openWorker('watch-deadlines', async () => void (await watch(deps)), { concurrency: 1 });
