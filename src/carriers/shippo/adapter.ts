import type { CarrierAdapter } from '../adapter.js';
import { parseShippo } from './parse.js';
import { shippoVerifier, signShippo } from './verify.js';

/** Shippo: an aggregator that sends the whole track, oldest scan first, signed with its time over the raw body. See README.md. */
export const shippo: CarrierAdapter = {
  source: 'shippo',
  title: 'Shippo',
  secretVariable: 'SHIPPO_WEBHOOK_SECRET',
  secretKind: 'text',
  carrier: null,
  trust: 'signed',
  weakness: null,
  answersHead: false,
  verifier: shippoVerifier,
  parse: parseShippo,
  sign: signShippo,
};
