import type { AwardKind, ShippingSpeed } from '../../compensation/award.js';
import type { AwardIncident } from '../../compensation/incident.js';
import type { Money } from '../../money.js';
import type { RemedyProvider } from '../remedy-providers.js';

/** Somebody outside who carries out awards. The ledger is no such: it grants within our own transaction. */
export type ProviderName = Exclude<RemedyProvider, 'ledger'>;

/** Whoever grants something for real. It keeps no state: what is known of an award comes with each request. */
export interface Provider {
  readonly name: ProviderName;
  /**
   * Grants an award, or finds that it was granted. Asked again with the same key it must not grant a second time; what it
   * cannot leave to the key, because the other side forgets keys, it looks for first from the second attempt on. Never throws.
   * @param signal ends the try; what had left by then may have arrived
   */
  grant(request: GrantRequest, signal: AbortSignal): Promise<GrantOutcome>;
}

export interface GrantRequest {
  readonly awardId: string;
  /** The same at each attempt, for ever. */
  readonly idempotencyKey: string;
  /** 1 at the first. From 2 on an earlier attempt may have done it. */
  readonly attempt: number;
  readonly orderId: string;
  readonly customerId: string;
  readonly kind: AwardKind;
  /** What is given: the one of these that the kind has; the others are null. */
  readonly amount: Money | null;
  readonly months: number | null;
  readonly points: number | null;
  readonly shipping: ShippingSpeed | null;
  /** The calendar date on which a replacement leaves. */
  readonly shipOn: string | null;
  readonly expiresAt: Date | null;
  /** One sentence for the agent. */
  readonly reason: string;
  readonly incident: AwardIncident;
  readonly customer: {
    readonly email: string | null;
    readonly name: string | null;
    readonly phone: string | null;
    readonly locale: string | null;
  };
  readonly destination: {
    readonly country: string | null;
    readonly region: string | null;
    readonly postalCode: string | null;
  };
  readonly references: ProviderReferences;
}

/** How the providers know the order, as the shop told it. */
export interface ProviderReferences {
  readonly stripe?: {
    readonly paymentIntent?: string | null;
    readonly customer?: string | null;
    readonly subscription?: string | null;
  } | null;
  readonly shopify?: { readonly order?: string | null; readonly customer?: string | null } | null;
}

export type GrantOutcome =
  | { readonly outcome: 'granted'; readonly receipt: Readonly<Record<string, unknown>> }
  /** For good: the award becomes `failed`, and a person looks. */
  | { readonly outcome: 'refused'; readonly reason: string }
  /** Down, slow, busy, or its answer was lost: it is asked again with the same key, not before `afterS` seconds. */
  | { readonly outcome: 'again'; readonly reason: string; readonly afterS?: number };

/** How long one attempt may take in all. Shorter, and slow shops are asked twice; longer, and a batch waits for one that hangs. */
export const GRANT_TIMEOUT_MS = 15_000;

/** What may differ between the real thing and a test. */
export interface ProviderOptions {
  readonly timeoutMs?: number;
}
