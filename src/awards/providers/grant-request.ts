import type { AwardKind, ShippingSpeed } from '../../compensation/award.js';
import type { AwardIncident } from '../../compensation/incident.js';
import type { GrantRequest, ProviderReferences } from './provider.js';

/** An award with its order and customer, as the database has them. */
export interface AwardRow {
  readonly id: string;
  readonly order_id: string;
  readonly customer_id: string;
  readonly kind: string;
  readonly incident: string;
  readonly months: number | null;
  readonly amount_minor: number | null;
  readonly currency: string | null;
  readonly points: number | null;
  readonly shipping: string | null;
  readonly ship_on: string | null;
  readonly expires_at: Date | null;
  readonly reason: string;
  readonly email: string | null;
  readonly name: string | null;
  readonly phone: string | null;
  readonly locale: string | null;
  readonly destination_country: string | null;
  readonly destination_region: string | null;
  readonly destination_postal_code: string | null;
  readonly provider_references: unknown;
}

/** What a provider is asked for an award. Pure. */
export function grantRequestOf(
  row: AwardRow,
  call: { readonly idempotencyKey: string; readonly attempt: number },
): GrantRequest {
  const hasAmount = row.amount_minor !== null && row.currency !== null;
  return {
    awardId: row.id,
    ...call,
    orderId: row.order_id,
    customerId: row.customer_id,
    kind: row.kind as AwardKind,
    amount: hasAmount ? { amountMinor: row.amount_minor, currency: row.currency } : null,
    months: row.months,
    points: row.points,
    shipping: row.shipping as ShippingSpeed | null,
    shipOn: row.ship_on,
    expiresAt: row.expires_at,
    reason: row.reason,
    incident: row.incident as AwardIncident,
    customer: { email: row.email, name: row.name, phone: row.phone, locale: row.locale },
    destination: {
      country: row.destination_country,
      region: row.destination_region,
      postalCode: row.destination_postal_code,
    },
    references: (row.provider_references ?? {}) as ProviderReferences,
  };
}

/** The key under which an award is asked for, whoever is asked and however often. */
export function idempotencyKeyOf(awardId: string): string {
  return `award_${awardId}`;
}
