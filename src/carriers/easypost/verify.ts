import { createHmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { anySecret, equalInConstantTime } from '../signatures.js';

/** As Node's HTTP server spells it. */
export const SIGNATURE_HEADER = 'x-hmac-signature';

/**
 * The header EasyPost sends over a body: `hmac-sha256-hex=` and the lower-case hex of HMAC-SHA256 over the raw bytes,
 * keyed by the secret in Unicode form NFKD, in UTF-8. Source: `validateWebhook` of EasyPost's client libraries.
 */
export function signatureOf(rawBody: Buffer, secret: string): string {
  const digest = createHmac('sha256', secret.normalize('NFKD')).update(rawBody).digest('hex');
  return `hmac-sha256-hex=${digest}`;
}

/**
 * True when `X-Hmac-Signature` is what one of the secrets gives over exactly these bytes. Parsing and writing the JSON
 * again changes them (`136.0` becomes `136`). A missing, empty or repeated header is false. Never throws.
 */
export function verifyEasypost(rawBody: Buffer, headers: IncomingHttpHeaders, secrets: readonly string[]): boolean {
  const sent = headers[SIGNATURE_HEADER];
  if (typeof sent !== 'string' || sent === '') return false;
  return anySecret(secrets, (secret) => equalInConstantTime(sent, signatureOf(rawBody, secret)));
}
