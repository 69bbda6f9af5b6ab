import type { CarrierAdapter } from '../adapter.js';
import { parseEasypost } from './parse.js';
import { verifyEasypost } from './verify.js';

/** EasyPost: an aggregator that sends the whole tracker, oldest scan first, signed over the raw body. See README.md. */
export const easypost: CarrierAdapter = {
  source: 'easypost',
  secretVariable: 'EASYPOST_WEBHOOK_SECRET',
  verify: verifyEasypost,
  parse: parseEasypost,
};
