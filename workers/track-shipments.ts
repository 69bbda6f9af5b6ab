import type { Deps } from '../src/deps.js';
import { runStage } from './run-stage.js';

export const trackShipments = (deps: Deps) => runStage(deps, 'track-shipments');
