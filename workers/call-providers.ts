import type { Deps } from '../src/deps.js';
import { runStage } from './run-stage.js';

export const callProviders = (deps: Deps) => runStage(deps, 'call-providers');
