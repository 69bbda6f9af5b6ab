import type { CarrierAdapter } from '../adapter.js';
import { parseAftership } from './parse.js';
import { aftershipVerifier, signAftership } from './verify.js';

/** AfterShip: an aggregator that sends all checkpoints, oldest first, signed over the raw body. See README.md. */
export const aftership: CarrierAdapter = {
  source: 'aftership',
  title: 'AfterShip',
  secretVariable: 'AFTERSHIP_WEBHOOK_SECRET',
  secretKind: 'text',
  carrier: null,
  trust: 'signed',
  weakness: null,
  answersHead: false,
  verifier: aftershipVerifier,
  parse: parseAftership,
  sign: signAftership,
};
