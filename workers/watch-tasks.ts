import type { Deps } from '../src/deps.js';
import { watchTasks as watch } from '../src/promises/watch-tasks.js';

export const watchTasks = (deps: Deps) =>
  deps.queues.openWorker('watch-tasks', async () => void (await watch(deps)), { concurrency: 1 });
