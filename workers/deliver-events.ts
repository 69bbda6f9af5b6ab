import type { Deps } from '../src/deps.js';
import { runStage } from './run-stage.js';

export const deliverEvents = (deps: Deps) => runStage(deps, 'deliver-events');
