import { formatMoney } from '../money.js';

/** What is kept in the ledger, for the people of the shop: `$20.00`, `1 month`, `300 points`. */
export function formatQuantity({ unit, amount }: { readonly unit: string; readonly amount: number }): string {
  if (unit === 'membership_months') return `${amount} ${amount === 1 ? 'month' : 'months'}`;
  if (unit === 'points') return `${amount} ${amount === 1 ? 'point' : 'points'}`;
  return formatMoney({ amountMinor: amount, currency: unit }, 'en-US');
}
