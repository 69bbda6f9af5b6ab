import type { RemedyKind } from '../compensation/award.js';

/** Who can carry out an award. */
export type RemedyProvider = 'ledger' | 'webhook' | 'stripe' | 'shopify';

/**
 * Who can carry out what. The ledger carries out what is kept in it, and does so where nobody else is named; money that goes
 * back the way it came, and parcels, need somebody outside. A call is a task for a person and has no provider.
 */
export const REMEDY_PROVIDERS = {
  membership_extension: ['ledger', 'webhook', 'stripe'],
  store_credit: ['ledger', 'webhook', 'stripe', 'shopify'],
  points: ['ledger', 'webhook'],
  refund: ['webhook', 'stripe', 'shopify'],
  shipping_refund: ['webhook', 'stripe', 'shopify'],
  replacement: ['webhook'],
  gift: ['webhook'],
} as const satisfies Record<RemedyKind, readonly RemedyProvider[]>;
