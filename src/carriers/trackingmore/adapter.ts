import type { CarrierAdapter } from '../adapter.js';
import { parseTrackingmore } from './parse.js';
import { signTrackingmore, trackingmoreVerifier } from './verify.js';

/** TrackingMore: an aggregator that sends the checkpoints of two carriers, and signs the time alone. See README.md. */
export const trackingmore: CarrierAdapter = {
  source: 'trackingmore',
  title: 'TrackingMore',
  secretVariable: 'TRACKINGMORE_WEBHOOK_SECRET',
  secretKind: 'text',
  carrier: null,
  trust: 'hint',
  weakness:
    'TrackingMore signs a timestamp and not the body: whoever sees one call can send any other for five minutes.',
  answersHead: false,
  verifier: trackingmoreVerifier,
  parse: parseTrackingmore,
  sign: signTrackingmore,
};
