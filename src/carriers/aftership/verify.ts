import type { Verifier } from '../adapter.js';
import { hmacOf, verifySignature } from '../signatures.js';

const SIGNATURE_HEADER = 'aftership-hmac-sha256';

/**
 * The base64 of HMAC-SHA256 over the raw bytes, keyed by the secret as it stands, in UTF-8. Source: AfterShip's page on
 * webhook signatures.
 */
export const aftershipVerifier: Verifier = {
  over: 'bytes',
  verify: (request) =>
    verifySignature(request, SIGNATURE_HEADER, (secret) => hmacOf(secret, 'base64', request.rawBody)),
};

export function signAftership({ rawBody, secret }: { rawBody: Buffer; secret: string }): Record<string, string> {
  return { [SIGNATURE_HEADER]: hmacOf(secret, 'base64', rawBody) };
}
