import { randomUUID } from 'node:crypto';
import type { GrantOutcome, GrantRequest, Provider } from '../../src/awards/providers/provider.js';
import type { Behaviour } from './provider-server.js';

/** A request for an award of its own; anything can be replaced. */
export function grantRequest(changes: Partial<GrantRequest> = {}): GrantRequest {
  const awardId = randomUUID();
  return {
    awardId,
    idempotencyKey: `award_${awardId}`,
    attempt: 1,
    orderId: 'o-1',
    customerId: 'c-1',
    kind: 'refund',
    amount: { amountMinor: 599, currency: 'USD' },
    months: null,
    points: null,
    shipping: null,
    shipOn: null,
    expiresAt: null,
    reason: 'late-shipping-back: the shipping paid comes back.',
    incident: 'late',
    customer: { email: 'ann@example.com', name: 'Ann Lee', phone: null, locale: 'en-US' },
    destination: { country: 'US', region: 'NY', postalCode: '10001' },
    references: {
      stripe: { paymentIntent: 'pi_usd', customer: 'cus_1', subscription: 'sub_1' },
      shopify: { order: 'gid://shopify/Order/1', customer: 'gid://shopify/Customer/1' },
    },
    ...changes,
  };
}

/** What is no trouble on a machine that does much else. */
export const PATIENT_MS = 20_000;
/** How long a first attempt waits for a server that is told not to answer. */
export const HASTY_MS = 1_500;

/** Whether these make whoever asks wait for longer than it will. */
export function keepWaiting(behaviours: readonly Behaviour[]): boolean {
  return behaviours.some((one) => one === 'hang' || (typeof one === 'object' && 'payAndWaitMs' in one));
}

/**
 * One attempt after the other until an answer is final, as the stage makes them; each outcome.
 * @param providerWith the provider with this timeout: the first attempt is hasty where the server will not answer it
 */
export async function grantUntilAnswered(
  providerWith: (timeoutMs: number) => Provider,
  behaviours: readonly Behaviour[],
  request: GrantRequest,
  between: () => void = () => {},
): Promise<GrantOutcome[]> {
  const outcomes: GrantOutcome[] = [];
  for (let attempt = 1; attempt <= 5; attempt++) {
    const provider = providerWith(attempt === 1 && keepWaiting(behaviours) ? HASTY_MS : PATIENT_MS);
    const outcome = await provider.grant({ ...request, attempt }, AbortSignal.timeout(PATIENT_MS));
    outcomes.push(outcome);
    if (outcome.outcome !== 'again') break;
    between();
  }
  return outcomes;
}
