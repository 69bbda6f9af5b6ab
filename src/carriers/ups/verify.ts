import type { Verifier } from '../adapter.js';
import { verifyStaticSecret } from '../signatures.js';

const CREDENTIAL_HEADER = 'credential';

/** UPS signs nothing. It sends back the credential that the subscription named, the same with every call. */
export const upsVerifier: Verifier = {
  over: 'bytes',
  verify: (request) => verifyStaticSecret(request, CREDENTIAL_HEADER),
};

export function signUps({ secret }: { secret: string }): Record<string, string> {
  return { [CREDENTIAL_HEADER]: secret };
}
