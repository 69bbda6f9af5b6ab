import type { CarrierAdapter } from '../adapter.js';
import { parseShipengine } from './parse.js';
import { shipengineVerifier, signShipengine } from './verify.js';

/** ShipEngine, and ShipStation on top of it: an aggregator that sends the whole record, signed with RSA. See README.md. */
export const shipengine: CarrierAdapter = {
  source: 'shipengine',
  title: 'ShipEngine',
  secretVariable: 'SHIPENGINE_WEBHOOK_SECRET',
  secretKind: 'key_set',
  carrier: null,
  trust: 'signed',
  weakness: null,
  answersHead: false,
  verifier: shipengineVerifier,
  parse: parseShipengine,
  sign: signShipengine,
};
