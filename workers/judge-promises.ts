import type { Deps } from '../src/deps.js';
import { runStage } from './run-stage.js';

export const judgePromises = (deps: Deps, own: ReadonlySet<string>) => runStage(deps, 'judge-promises', own);
