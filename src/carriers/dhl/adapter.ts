import type { CarrierAdapter } from '../adapter.js';
import { parseDhl } from './parse.js';
import { dhlVerifier, signDhl } from './verify.js';

/** DHL Unified Push: the carrier itself, several parcels a call, vouched for by a static token alone. See README.md. */
export const dhl: CarrierAdapter = {
  source: 'dhl',
  title: 'DHL',
  secretVariable: 'DHL_WEBHOOK_SECRET',
  secretKind: 'text',
  carrier: 'dhl',
  trust: 'hint',
  weakness:
    'DHL signs nothing: whoever knows the token can report any scan of any DHL parcel, or change one on the way.',
  answersHead: false,
  verifier: dhlVerifier,
  parse: parseDhl,
  sign: signDhl,
};
