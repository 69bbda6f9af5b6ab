import type { Verifier } from '../adapter.js';
import { verifyStaticSecret } from '../signatures.js';

/** Despite its name it holds the webhook's secret. Source: `notify_subscribers` of Karrio's server. */
const SECRET_HEADER = 'x-event-id';

/** Nothing of the body is signed: the secret alone tells Karrio from a stranger. */
export const karrioVerifier: Verifier = {
  over: 'bytes',
  verify: (request) => verifyStaticSecret(request, SECRET_HEADER),
};

export function signKarrio({ secret }: { secret: string }): Record<string, string> {
  return { [SECRET_HEADER]: secret };
}
