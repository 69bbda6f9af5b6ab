import type { Verifier } from '../adapter.js';
import { verifyStaticSecret } from '../signatures.js';

const SECRET_HEADER = 'authorization';
const PREFIX = 'Bearer ';

/** The secret itself, in every call. Nothing of the body is signed, and no time. Source: docs.ship24.com/webhooks. */
export const ship24Verifier: Verifier = {
  over: 'bytes',
  verify: (request) => verifyStaticSecret(request, SECRET_HEADER, PREFIX),
};

export function signShip24({ secret }: { secret: string }): Record<string, string> {
  return { [SECRET_HEADER]: PREFIX + secret };
}
