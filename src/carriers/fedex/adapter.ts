import type { CarrierAdapter } from '../adapter.js';
import { parseFedex } from './parse.js';
import { fedexVerifier, signFedex } from './verify.js';

/** FedEx Advanced Integrated Visibility: the whole history, newest scan first, signed over the raw body. See README.md. */
export const fedex: CarrierAdapter = {
  source: 'fedex',
  title: 'FedEx',
  secretVariable: 'FEDEX_WEBHOOK_SECRET',
  secretKind: 'text',
  carrier: 'fedex',
  trust: 'signed',
  weakness: null,
  answersHead: false,
  verifier: fedexVerifier,
  parse: parseFedex,
  sign: signFedex,
};
