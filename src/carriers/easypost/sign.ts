import { SIGNATURE_HEADER, signatureOf } from './verify.js';

/** The headers with which EasyPost would send this body. For the demo and tests, which play the carrier. */
export function signEasypost(rawBody: Buffer | string, secret: string): Record<string, string> {
  return { [SIGNATURE_HEADER]: signatureOf(Buffer.from(rawBody), secret) };
}
