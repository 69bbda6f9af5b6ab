import type { Verifier } from '../adapter.js';
import { headerOf, hmacOf, isTimely, unixSecondsToMs, verifySignature } from '../signatures.js';

const SIGNATURE_HEADER = 'signature';
const TIMESTAMP_HEADER = 'timestamp';

/**
 * The lower-case hex of HMAC-SHA256 over the text of the timestamp header, which must be near to now. The body is no part of
 * it. Source: the sample of TrackingMore's webhook documentation, which its own prose contradicts.
 */
export const trackingmoreVerifier: Verifier = {
  over: 'bytes',
  verify: (request) => {
    const timestamp = headerOf(request.headers, TIMESTAMP_HEADER);
    if (timestamp === null || !isTimely(unixSecondsToMs(timestamp), request.now)) return 'refused';
    return verifySignature(request, SIGNATURE_HEADER, (secret) => hmacOf(secret, 'hex', timestamp));
  },
};

export function signTrackingmore({ secret, now }: { secret: string; now: Date }): Record<string, string> {
  const timestamp = String(Math.floor(now.getTime() / 1000));
  return { [SIGNATURE_HEADER]: hmacOf(secret, 'hex', timestamp), [TIMESTAMP_HEADER]: timestamp };
}
