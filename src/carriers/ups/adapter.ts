import type { CarrierAdapter } from '../adapter.js';
import { parseUps } from './parse.js';
import { signUps, upsVerifier } from './verify.js';

/** UPS Track Alert: the carrier itself, one scan a call, vouched for by a static credential alone. See README.md. */
export const ups: CarrierAdapter = {
  source: 'ups',
  title: 'UPS',
  secretVariable: 'UPS_WEBHOOK_SECRET',
  secretKind: 'text',
  carrier: 'ups',
  trust: 'hint',
  weakness:
    'UPS signs nothing: whoever knows the credential can report any scan of any UPS parcel, or change one on the way.',
  answersHead: false,
  verifier: upsVerifier,
  parse: parseUps,
  sign: signUps,
};
