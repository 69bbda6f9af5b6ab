import { showMeasure } from '../compensation/wording.js';

/** What is kept in the ledger, for the people of the shop: `$20.00`, `1 month`, `300 points`. */
export function formatQuantity({ unit, amount }: { readonly unit: string; readonly amount: number }): string {
  return showMeasure(amount, unit === 'membership_months' ? 'months' : unit);
}
