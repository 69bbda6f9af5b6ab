import { sign, verify } from 'node:crypto';
import type { Verification, Verifier, WebhookRequest } from '../adapter.js';
import { headerOf, isTimely } from '../signatures.js';
import { isoInstant } from '../wire-time.js';
import { keysNamed, signingKeyOf } from './key-set.js';

const KEY_ID_HEADER = 'x-shipengine-rsa-sha256-key-id';
const SIGNATURE_HEADER = 'x-shipengine-rsa-sha256-signature';
const TIMESTAMP_HEADER = 'x-shipengine-timestamp';

/**
 * RSASSA-PKCS1-v1_5 with SHA-256 over the timestamp as sent, a point and the raw bytes, by the key of that id in any of the
 * key sets. Source: ShipStation's guide to the validation of webhooks.
 */
export const shipengineVerifier: Verifier = { over: 'bytes', verify: verifyShipengine };

/** The cheap checks come first: a stranger must not make us do RSA, or look for a key that there never was. */
function verifyShipengine({ rawBody, headers, secrets, now }: WebhookRequest): Verification {
  const kid = headerOf(headers, KEY_ID_HEADER);
  const sent = headerOf(headers, SIGNATURE_HEADER);
  const timestamp = headerOf(headers, TIMESTAMP_HEADER);
  if (kid === null || sent === null || timestamp === null) return 'refused';
  if (!isTimely(instantOf(timestamp), now)) return 'refused';
  const signature = Buffer.from(sent, 'base64');
  // Decoding is lenient: without this, many headers would be the same signature.
  if (signature.toString('base64') !== sent) return 'refused';
  const keys = keysNamed(kid, secrets);
  if (keys.length === 0) return 'unknown_key';
  const signed = signedBytes(timestamp, rawBody);
  return keys.some((key) => verify('sha256', signed, key, signature)) ? 'verified' : 'refused';
}

/** In epoch milliseconds; NaN for anything but an instant. */
function instantOf(timestamp: string): number {
  return isoInstant(timestamp) ?? Number.NaN;
}

function signedBytes(timestamp: string, rawBody: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${timestamp}.`), rawBody]);
}

/** @throws AppError `invalid_request` when the secret is no private RSA key as a JWK with its `kid` */
export function signShipengine(request: { rawBody: Buffer; secret: string; now: Date }): Record<string, string> {
  const { kid, key } = signingKeyOf(request.secret);
  const timestamp = `${request.now.toISOString().slice(0, 19)}Z`;
  return {
    [KEY_ID_HEADER]: kid,
    [SIGNATURE_HEADER]: sign('sha256', signedBytes(timestamp, request.rawBody), key).toString('base64'),
    [TIMESTAMP_HEADER]: timestamp,
  };
}
