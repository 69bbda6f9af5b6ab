import { z } from 'zod';
import {
  atLeastADay,
  calendarDate,
  clockTime,
  countries,
  identifier,
  line,
  linesOf,
  minutes,
  percentage,
  timeZone,
} from './policy-values.js';

/** How a promise is judged. */
export const judgingSchema = z.strictObject({
  graceMinutes: minutes.describe('Added to the bound of every promise.'),
  attemptCounts: z
    .boolean()
    .describe('Whether a first delivery attempt, or arrival at a pickup point, keeps the promise.'),
  lostAfterDays: atLeastADay.describe('A parcel without news for so many days after its bound is lost.'),
  lostAfterDaysAbroad: atLeastADay
    .optional()
    .describe('The same for parcels that go abroad; without it, as at home. See shipsFrom.'),
  shipsFrom: countries
    .default([])
    .describe('Where the shop ships from. Any other destination is abroad; with none named, nothing is.'),
});

/** A share of the customers who get no goodwill, so that its effect can be measured. What is owed everybody gets. */
export const holdoutSchema = z.strictObject({
  percent: percentage.min(0).max(10).default(0).describe('Percent of the customers, 0 to 10.'),
  salt: line(64)
    .default('makegood')
    .describe('Decides, with the id of a customer, who is held out. Another salt is another experiment.'),
});

const daysUntilExpiry = z.int().min(1).max(36_500).nullable().default(null);
/** When what was given ends. Null: never. */
export const expirySchema = z.strictObject({
  storeCreditDays: daysUntilExpiry.describe('Days until store credit ends; null: never.'),
  pointsDays: daysUntilExpiry.describe('Days until points end; null: never.'),
});

export const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;

/** When a replacement leaves the warehouse. */
export const fulfilmentSchema = z.strictObject({
  cutOff: clockTime.default('15:00').describe('What is decided before it, on a working day, leaves the same day.'),
  timeZone: timeZone.default('UTC').describe('The zone of the warehouse.'),
  workdays: z
    .array(z.enum(WEEKDAYS))
    .min(1)
    .default(['monday', 'tuesday', 'wednesday', 'thursday', 'friday'])
    .describe('Days of the week on which parcels leave.'),
  holidays: z.array(calendarDate).max(1_000).default([]).describe('Dates on which no parcel leaves.'),
});

/** When a customer may be telephoned, by the clock at the destination. */
export const callsSchema = z
  .strictObject({
    from: clockTime.default('10:00').describe('Not before this time of day, at the destination.'),
    until: clockTime.default('18:00').describe('Not after this time of day, at the destination.'),
  })
  .refine(({ from, until }) => from < until, { path: ['until'], message: 'until is not after from' });

/** Calls that a policy may propose in a day. Fewer, and a large shop cannot call as many as it has people for; more, and nothing about it is personal. */
const MOST_PERSONAL_CALLS = 100;

/** Which customers a person should simply ring, and how many: the list is short on purpose. */
export const personalCallsSchema = z.strictObject({
  perDay: z.int().min(0).max(MOST_PERSONAL_CALLS).default(0).describe('Calls proposed in a day at the most; 0: none.'),
  lookBackDays: z.int().min(1).max(365).default(7).describe('Broken promises of so many days before are looked at.'),
  minimumIncidents: z.int().min(1).max(100).default(1).describe('Incidents in that time that it takes.'),
  notAgainWithinDays: atLeastADay
    .default(30)
    .describe('Who was to be called, by whatever rule, is left alone for so many days.'),
});

/**
 * What a carrier or a regulator says, with its source and when it was looked up: such things change yearly, so they are
 * data with dates.
 */
export const factSchema = z
  .strictObject({
    id: identifier.describe('Its name in the conditions of rules.'),
    kind: z.enum(['carrier', 'regulator']),
    says: line(500).describe('What it says, in one sentence.'),
    carriers: linesOf(100).optional().describe('Carriers it speaks of; without it, any.'),
    services: linesOf(100).optional().describe('Services it speaks of; without it, any.'),
    countries: countries.min(1).optional().describe('Destinations it speaks of; without it, any.'),
    validFrom: calendarDate.describe('The first promised date it holds for.'),
    validTo: calendarDate.nullable().describe('The last promised date it holds for; null: until further notice.'),
    source: line(300).describe('Who says so: an address or a document.'),
    seenOn: calendarDate.describe('When it was last looked up there.'),
  })
  .refine(({ validFrom, validTo }) => validTo === null || validFrom <= validTo, {
    path: ['validTo'],
    message: 'validTo is before validFrom',
  });
export type Fact = z.infer<typeof factSchema>;
