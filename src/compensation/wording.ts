import { formatMoney, type Money } from '../money.js';
import type { DecidedAward, DeclineCode } from './award.js';

/** Agents read explanations in English, whatever the customer's language is. */
export function showMoney(money: Money): string {
  return formatMoney(money, 'en-US');
}

export function dayCount(days: number): string {
  return days === 1 ? '1 day' : `${days} days`;
}

export function minuteCount(minutes: number): string {
  return minutes === 1 ? '1 minute' : `${minutes} minutes`;
}

export function monthCount(months: number): string {
  return months === 1 ? '1 month' : `${months} months`;
}

export function pointCount(points: number): string {
  return points === 1 ? '1 point' : `${points} points`;
}

/** So much of a unit: `months`, `points`, `replacement`, or minor units of a currency. */
export function showMeasure(quantity: number, unit: string): string {
  if (unit === 'months') return monthCount(quantity);
  if (unit === 'points') return pointCount(quantity);
  if (unit === 'replacement') return quantity === 1 ? 'a replacement' : `${quantity} replacements`;
  if (!/^[A-Z]{3}$/.test(unit)) return `${quantity} ${unit}`;
  return showMoney({ amountMinor: quantity, currency: unit });
}

/** The last line of an explanation. */
export function summaryOf(awards: readonly DecidedAward[], declinedBecause: DeclineCode | null): string {
  if (declinedBecause !== null) return `Nothing is given: ${declinedBecause}.`;
  return `Given: ${awards.map(({ kind, status, reason }) => `${kind} by ${reason} (${status})`).join('; ')}.`;
}
