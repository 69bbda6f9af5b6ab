import { hash } from 'node:crypto';
import type { Arm } from './decision-input.js';
import type { Policy } from './policy.js';

/** Fine enough for two decimals of a percent: 2^48 places. */
const PLACE_DIGITS = 12;
const PLACES = 16 ** PLACE_DIGITS;

/**
 * In which arm a customer is, in all their orders. The same salt gives every customer the same place for ever, so a
 * holdout that grows keeps all whom it held out before, and one that shrinks takes in nobody new.
 */
export function armOf(customerId: string, { holdout }: Pick<Policy, 'holdout'>): Arm {
  const digest = hash('sha256', JSON.stringify([holdout.salt, customerId]));
  const place = Number.parseInt(digest.slice(0, PLACE_DIGITS), 16) / PLACES;
  return place * 100 < holdout.percent ? 'holdout' : 'treated';
}
