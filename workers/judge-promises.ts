import type { Deps } from '../src/deps.js';
import { runStage } from './run-stage.js';

export const judgePromises = (deps: Deps) => runStage(deps, 'judge-promises');
