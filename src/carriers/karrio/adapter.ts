import type { CarrierAdapter } from '../adapter.js';
import { parseKarrio } from './parse.js';
import { karrioVerifier, signKarrio } from './verify.js';

/** Karrio: a self-hosted aggregator that sends the whole tracker, newest scan first, behind a static secret. See README.md. */
export const karrio: CarrierAdapter = {
  source: 'karrio',
  title: 'Karrio',
  secretVariable: 'KARRIO_WEBHOOK_SECRET',
  secretKind: 'text',
  carrier: null,
  trust: 'hint',
  weakness:
    'Karrio signs nothing: each call carries the same static secret, so whoever learns it can report any scan of any parcel.',
  answersHead: false,
  verifier: karrioVerifier,
  parse: parseKarrio,
  sign: signKarrio,
};
