import { assert } from './errors.js';

/** An amount in minor units (cents, pence; yen have none) of an ISO 4217 currency. Always a whole number. */
export interface Money {
  readonly amountMinor: number;
  readonly currency: string;
}

/** ISO 4217's code for "no currency": of an order whose money nobody told us. No policy has amounts in it. */
export const NO_CURRENCY = 'XXX';

/** `percent` of an amount of minor units, rounded half up to the minor unit. */
export function percentOf(amountMinor: number, percent: number): number {
  assert(Number.isSafeInteger(amountMinor) && amountMinor >= 0, 'an amount is a whole number of minor units');
  // Exact in integers: percent may have up to two decimals, and 2^53 minor units would overflow a double product.
  const hundredths = BigInt(Math.round(percent * 100));
  return Number((BigInt(amountMinor) * hundredths + 5_000n) / 10_000n);
}

/** How many digits of a currency are minor units: two of the dollar, none of the yen. */
export function digitsOf(currency: string): number {
  return formatOf('en', currency).resolvedOptions().maximumFractionDigits ?? 2;
}

/** As the customer's own language writes it: `$20.00`, `20,00 €`, `R$ 20,00`. */
export function formatMoney({ amountMinor, currency }: Money, locale: string): string {
  const format = formatOf(locale, currency);
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
  return format.format(amountMinor / 10 ** digits);
}

/** Building a format costs a hundred times more than using it. Bounded, as locales come from outside. */
const formats = new Map<string, Intl.NumberFormat>();
const MOST_FORMATS = 500;

function formatOf(locale: string, currency: string): Intl.NumberFormat {
  const key = `${locale} ${currency}`;
  const known = formats.get(key);
  if (known) return known;
  if (formats.size >= MOST_FORMATS) formats.clear();
  const format = new Intl.NumberFormat(locale, { style: 'currency', currency });
  formats.set(key, format);
  return format;
}
