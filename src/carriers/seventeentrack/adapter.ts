import type { CarrierAdapter } from '../adapter.js';
import { parseSeventeentrack } from './parse.js';
import { seventeentrackVerifier, signSeventeentrack } from './verify.js';

/** 17TRACK: an aggregator that sends the histories of all carriers involved, signed over the raw body. See README.md. */
export const seventeentrack: CarrierAdapter = {
  source: 'seventeentrack',
  title: '17TRACK',
  secretVariable: 'SEVENTEENTRACK_WEBHOOK_SECRET',
  secretKind: 'text',
  carrier: null,
  trust: 'signed',
  weakness: null,
  answersHead: false,
  verifier: seventeentrackVerifier,
  parse: parseSeventeentrack,
  sign: signSeventeentrack,
};
