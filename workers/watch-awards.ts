import { watchAwards as watch } from '../src/awards/watch-awards.js';
import type { Deps } from '../src/deps.js';

export const watchAwards = (deps: Deps) =>
  deps.queues.openWorker('watch-awards', async () => void (await watch(deps)), { concurrency: 1 });
