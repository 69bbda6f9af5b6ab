import { formatMoney, type Money } from '../money.js';

/** Agents read explanations in English, whatever the customer's language is. */
export function showMoney(money: Money): string {
  return formatMoney(money, 'en-US');
}

export function dayCount(days: number): string {
  return days === 1 ? '1 day' : `${days} days`;
}

export function monthCount(months: number): string {
  return months === 1 ? '1 month' : `${months} months`;
}
