import type { Verifier } from '../adapter.js';
import { hmacOf, verifySignature } from '../signatures.js';

const SIGNATURE_HEADER = 'sendcloud-signature';

/** Lower-case hex of HMAC-SHA256 over the raw bytes. Source: the webhooks page of sendcloud.dev, and its vector. */
export const sendcloudVerifier: Verifier = {
  over: 'bytes',
  verify: (request) => verifySignature(request, SIGNATURE_HEADER, (secret) => hmacOf(secret, 'hex', request.rawBody)),
};

export function signSendcloud({ rawBody, secret }: { rawBody: Buffer; secret: string }): Record<string, string> {
  return { [SIGNATURE_HEADER]: hmacOf(secret, 'hex', rawBody) };
}
