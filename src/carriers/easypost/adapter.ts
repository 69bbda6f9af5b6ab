import type { CarrierAdapter } from '../adapter.js';
import { parseEasypost } from './parse.js';
import { easypostVerifier, signEasypost } from './verify.js';

/** EasyPost: an aggregator that sends the whole tracker, oldest scan first, signed over the raw body. See README.md. */
export const easypost: CarrierAdapter = {
  source: 'easypost',
  title: 'EasyPost',
  secretVariable: 'EASYPOST_WEBHOOK_SECRET',
  secretKind: 'text',
  carrier: null,
  trust: 'signed',
  weakness: null,
  answersHead: false,
  verifier: easypostVerifier,
  parse: parseEasypost,
  sign: signEasypost,
};
