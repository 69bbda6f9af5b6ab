import type { Verifier } from '../adapter.js';
import { hmacOf, verifySignature } from '../signatures.js';

const SIGNATURE_HEADER = 'x-hmac-signature';

/**
 * `hmac-sha256-hex=` and the lower-case hex of HMAC-SHA256 over the raw bytes, keyed by the secret in Unicode form NFKD, in
 * UTF-8. Source: `validateWebhook` of EasyPost's client libraries.
 */
function signatureOf(rawBody: Buffer, secret: string): string {
  return `hmac-sha256-hex=${hmacOf(secret.normalize('NFKD'), 'hex', rawBody)}`;
}

/** Over exactly the bytes sent: parsing and writing the JSON again changes them (`136.0` becomes `136`). */
export const easypostVerifier: Verifier = {
  over: 'bytes',
  verify: (request) => verifySignature(request, SIGNATURE_HEADER, (secret) => signatureOf(request.rawBody, secret)),
};

export function signEasypost({ rawBody, secret }: { rawBody: Buffer; secret: string }): Record<string, string> {
  return { [SIGNATURE_HEADER]: signatureOf(rawBody, secret) };
}
