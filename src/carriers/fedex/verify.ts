import type { Verifier } from '../adapter.js';
import { hmacOf, verifySignature } from '../signatures.js';

const SIGNATURE_HEADER = 'fdx-signature';

/**
 * Base64 of HMAC-SHA256 over the raw bytes, keyed by the webhook project's security token in UTF-8. Source: the validation
 * process of FedEx's webhook guide; a line there speaks of hex, but its code makes base64.
 */
function signatureOf(rawBody: Buffer, secret: string): string {
  return hmacOf(secret, 'base64', rawBody);
}

/** Only base64 as FedEx writes it, padding included: one body has one right header. */
export const fedexVerifier: Verifier = {
  over: 'bytes',
  verify: (request) => verifySignature(request, SIGNATURE_HEADER, (secret) => signatureOf(request.rawBody, secret)),
};

export function signFedex({ rawBody, secret }: { rawBody: Buffer; secret: string }): Record<string, string> {
  return { [SIGNATURE_HEADER]: signatureOf(rawBody, secret) };
}
