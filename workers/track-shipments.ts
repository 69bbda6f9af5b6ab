import type { Deps } from '../src/deps.js';
import { runStage } from './run-stage.js';

export const trackShipments = (deps: Deps, own: ReadonlySet<string>) => runStage(deps, 'track-shipments', own);
