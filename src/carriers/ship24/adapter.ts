import type { CarrierAdapter } from '../adapter.js';
import { parseShip24 } from './parse.js';
import { ship24Verifier, signShip24 } from './verify.js';

/** Ship24: an aggregator that sends changes, of one parcel or of several, behind a static secret. See README.md. */
export const ship24: CarrierAdapter = {
  source: 'ship24',
  title: 'Ship24',
  secretVariable: 'SHIP24_WEBHOOK_SECRET',
  secretKind: 'text',
  carrier: null,
  trust: 'hint',
  weakness: 'Ship24 signs nothing: whoever knows the secret it sends can say anything about any parcel, at any time.',
  answersHead: true,
  verifier: ship24Verifier,
  parse: parseShip24,
  sign: signShip24,
};
