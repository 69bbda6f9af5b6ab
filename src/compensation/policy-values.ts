import { z } from 'zod';
import { isCalendarDate, isTimeZone } from '../calendar.js';

/*
 * The small parts of a policy document: numbers with their bounds, names, dates, amounts. Each says what it expects in a
 * form that a person who edits the file understands.
 */

/** Far above any real amount, and low enough that an amount times a currency's factor stays a safe integer. */
const MOST_MINOR = 100_000_000_000;
const MOST_DAYS = 3_650;
const MOST_MINUTES = 1_000_000;

export const days = z.int().min(0).max(MOST_DAYS);
export const atLeastADay = z.int().min(1).max(MOST_DAYS);
export const minutes = z.int().min(0).max(MOST_MINUTES);
export const count = z.int().min(0).max(1_000_000);

/** Two decimals at most: that is what percentOf computes exactly. */
export const percentage = z
  .number()
  .refine((value) => Number.isInteger(Number((value * 100).toFixed(6))), 'a percentage has at most two decimals');
export const percentUpTo = (most: number) => percentage.positive().max(most);

// A control character (NUL above all) could be written here but not stored.
export const line = (most: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(most)
    .regex(/^\P{Cc}*$/u, 'one line, without control characters');
export const identifier = z
  .string()
  .max(64)
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'small letters, digits and single hyphens, such as late-2');
export const listOf = <const T extends readonly [string, ...string[]]>(values: T) => z.array(z.enum(values)).min(1);
export const linesOf = (most: number) => z.array(line(most)).min(1);

export const currencyCode = z.string().regex(/^[A-Z]{3}$/, 'is not a currency, three capital letters');
export const countries = z
  .array(z.string().regex(/^[A-Z]{2}$/, 'a country as two capital letters, such as US'))
  .describe('Countries as ISO 3166-1 has them, such as US.');

export const calendarDate = z
  .string()
  .refine(isCalendarDate, 'a calendar date, such as 2026-11-05')
  .meta({ format: 'date' });
export const clockTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of day, such as 15:00');
export const timeZone = z.string().refine(isTimeZone, 'an IANA time zone, such as America/New_York');

/**
 * An amount that stands in the policy itself: a number, scaled by the factor of the order's currency, or exact amounts by
 * currency, which are taken as they are.
 * @param least 1 where an amount of nothing would be a mistake
 */
export const minorAmount = (least: 0 | 1 = 0) =>
  z.union([z.int().min(least).max(MOST_MINOR), z.record(currencyCode, z.int().min(least).max(MOST_MINOR))]);
export type MinorAmount = z.infer<ReturnType<typeof minorAmount>>;

/** `min` and `max` of the same thing, both included. */
export const rangeOf = (bound: z.ZodInt) =>
  z
    .strictObject({
      min: bound.default(0).describe('The least, included.'),
      max: bound.optional().describe('The most, included; without it there is no most.'),
    })
    .refine(({ min, max }) => max === undefined || min <= max, { path: ['max'], message: 'max is less than min' });

/** Whether a least is no more than a most, as far as both can be compared: a number with a number, a currency with itself. */
export function inOrder(least: MinorAmount | undefined, most: MinorAmount | undefined): boolean {
  if (least === undefined || most === undefined) return true;
  if (typeof least === 'number' && typeof most === 'number') return least <= most;
  if (typeof least === 'number' || typeof most === 'number') return true;
  return Object.entries(least).every(([currency, minor]) => minor <= (most[currency] ?? Number.POSITIVE_INFINITY));
}
