import { createHash } from 'node:crypto';
import type { Verifier } from '../adapter.js';
import { verifySignature } from '../signatures.js';

const SIGNATURE_HEADER = 'sign';

/**
 * Lower-case hex of SHA-256 over the raw bytes, a slash and the secret, which is the API key. Not an HMAC: 17TRACK's own
 * scheme since v2.
 */
function signatureOf(rawBody: Buffer, secret: string): string {
  return createHash('sha256').update(rawBody).update('/').update(secret).digest('hex');
}

/** Over exactly the bytes sent. No time is signed: what is sent again says nothing new. */
export const seventeentrackVerifier: Verifier = {
  over: 'bytes',
  verify: (request) => verifySignature(request, SIGNATURE_HEADER, (secret) => signatureOf(request.rawBody, secret)),
};

export function signSeventeentrack({ rawBody, secret }: { rawBody: Buffer; secret: string }): Record<string, string> {
  return { [SIGNATURE_HEADER]: signatureOf(rawBody, secret) };
}
