import type { Verifier } from '../adapter.js';
import { verifyStaticSecret } from '../signatures.js';

const TOKEN_HEADER = 'x-dhl-webhook-token';

/** DHL signs nothing. It sends the token that the subscription chose, in the header that the subscription chose. */
export const dhlVerifier: Verifier = {
  over: 'bytes',
  verify: (request) => verifyStaticSecret(request, TOKEN_HEADER),
};

export function signDhl({ secret }: { secret: string }): Record<string, string> {
  return { [TOKEN_HEADER]: secret };
}
