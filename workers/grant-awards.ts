import type { Deps } from '../src/deps.js';
import { runStage } from './run-stage.js';

export const grantAwards = (deps: Deps) => runStage(deps, 'grant-awards');
