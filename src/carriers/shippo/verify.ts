import type { Verifier } from '../adapter.js';
import { headerOf, hmacOf, isTimely, unixSecondsToMs, verifySignature } from '../signatures.js';

const SIGNATURE_HEADER = 'shippo-auth-signature';

/**
 * The whole header: `t=`, unix seconds as sent, `,v1=` and the lower-case hex of HMAC-SHA256 over those seconds, a dot and the
 * raw bytes. Source: docs.goshippo.com, Webhook Security.
 */
function headerValueOf(seconds: string, rawBody: Buffer, secret: string): string {
  return `t=${seconds},v1=${hmacOf(secret, 'hex', `${seconds}.`, rawBody)}`;
}

/** Good for five minutes. The header is compared as a whole, so that exactly these two parts in this order are a signature. */
export const shippoVerifier: Verifier = {
  over: 'bytes',
  verify: (request) => {
    const seconds = secondsOf(headerOf(request.headers, SIGNATURE_HEADER) ?? '');
    if (!isTimely(unixSecondsToMs(seconds), request.now)) return 'refused';
    return verifySignature(request, SIGNATURE_HEADER, (secret) => headerValueOf(seconds, request.rawBody, secret));
  },
};

/** What stands between `t=` and the first comma; empty where the header does not begin so. */
function secondsOf(header: string): string {
  return header.startsWith('t=') ? header.slice(2, Math.max(2, header.indexOf(','))) : '';
}

export function signShippo(request: { rawBody: Buffer; secret: string; now: Date }): Record<string, string> {
  const seconds = String(Math.floor(request.now.getTime() / 1000));
  return { [SIGNATURE_HEADER]: headerValueOf(seconds, request.rawBody, request.secret) };
}
