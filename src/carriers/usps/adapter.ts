import type { CarrierAdapter } from '../adapter.js';
import { parseUsps } from './parse.js';
import { signUsps, uspsVerifier } from './verify.js';

/** USPS Subscriptions: an envelope around the whole history as a JSON text, whose two signed parts are inside. See README.md. */
export const usps: CarrierAdapter = {
  source: 'usps',
  title: 'USPS',
  secretVariable: 'USPS_WEBHOOK_SECRET',
  secretKind: 'text',
  carrier: 'usps',
  trust: 'signed',
  weakness: null,
  answersHead: false,
  verifier: uspsVerifier,
  parse: parseUsps,
  sign: signUsps,
};
