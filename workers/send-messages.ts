import type { Deps } from '../src/deps.js';
import { runStage } from './run-stage.js';

export const sendMessages = (deps: Deps) => runStage(deps, 'send-messages');
