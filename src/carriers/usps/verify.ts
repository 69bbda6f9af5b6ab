import type { IncomingHttpHeaders } from 'node:http';
import { AppError } from '../../errors.js';
import type { Verifier } from '../adapter.js';
import { headerOf, hmacOf, verifySignature } from '../signatures.js';
import { isObject } from '../wire-reader.js';

const SIGNATURE_HEADER = 'x-hmac';
const FORMER_HEADER = 'hmac-header';

interface Envelope {
  readonly timestamp: string;
  readonly payload: string;
}

/** Null for a document without both of the strings that are signed. */
function envelopeOf(document: unknown): Envelope | null {
  if (!isObject(document)) return null;
  const { timestamp, payload } = document;
  return typeof timestamp === 'string' && typeof payload === 'string' ? { timestamp, payload } : null;
}

/**
 * Base64 of HMAC-SHA256 over the envelope's `timestamp` and `payload`, one behind the other, as the strings that they are
 * once the envelope is parsed. Source: two receivers that cite the specification of USPS Subscriptions.
 */
function signatureOf({ timestamp, payload }: Envelope, secret: string): string {
  return hmacOf(secret, 'base64', timestamp, payload);
}

/** The former header counts only where the present one was not sent at all. */
function headerIn(headers: IncomingHttpHeaders): string {
  return headers[SIGNATURE_HEADER] === undefined ? FORMER_HEADER : SIGNATURE_HEADER;
}

export const uspsVerifier: Verifier = {
  over: 'document',
  hasSignature: (headers) => headerOf(headers, headerIn(headers)) !== null,
  verify(request) {
    const envelope = envelopeOf(request.document);
    if (envelope === null) return 'refused';
    return verifySignature(request, headerIn(request.headers), (secret) => signatureOf(envelope, secret));
  },
};

/** @throws AppError `invalid_request` when the body is no envelope with `timestamp` and `payload` */
export function signUsps({ rawBody, secret }: { rawBody: Buffer; secret: string }): Record<string, string> {
  const envelope = envelopeIn(rawBody);
  if (envelope === null) {
    throw new AppError(
      'invalid_request',
      'USPS signs the strings timestamp and payload of a JSON object: one is missing.',
    );
  }
  return { [SIGNATURE_HEADER]: signatureOf(envelope, secret) };
}

function envelopeIn(rawBody: Buffer): Envelope | null {
  try {
    return envelopeOf(JSON.parse(rawBody.toString('utf8')));
  } catch {
    return null;
  }
}
