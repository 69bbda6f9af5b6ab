import { z } from 'zod';
import { isCalendarDate, isTimeZone, isWallClockTime, parseInstant } from '../calendar.js';
import type { FieldError } from '../errors.js';
import { type EventTime, EXCEPTION_KINDS, TRACKING_STATUSES, type TrackingEvent } from '../shipments/tracking-event.js';
import type { DeliveryPromise } from './promise.js';
import type { Judgement, VerdictCase } from './verdict.js';

/*
 * The JSON form of a verdict case and of its answer: what `makegood judge` and `makegood decide` read and print, and
 * the pieces of it that the HTTP interface shares. Errors name the field and say what is expected there.
 */

/** Too small: a shop with slow parcels cannot say so. Too big: the bound leaves the range of a `Date`. */
const MOST_GRACE_MINUTES = 1_000_000;
const MOST_LOST_AFTER_DAYS = 3650;

const INSTANT = 'an ISO 8601 instant with offset, such as 2026-11-05T12:00:00-05:00';
const CALENDAR_DATE = 'a calendar date, such as 2026-11-05';
const TIME_ZONE = 'an IANA time zone, such as America/New_York';
const WALL_CLOCK_TIME = 'a local time without offset, such as 2026-11-05T23:59:00';

/** Years in which parcels travel. Others stand for "no date" (0001-01-01, 9999-12-31), and their neighbours overflow. */
const FIRST_YEAR = 1970;
const LAST_YEAR = 2200;

function isPlausible(isoText: string): boolean {
  const year = Number.parseInt(isoText, 10);
  return year >= FIRST_YEAR && year <= LAST_YEAR && !isoText.startsWith('+');
}

/** An ISO 8601 instant with its offset, as text; a `Date` afterwards. Without an offset it would be nobody's instant. */
export const instantSchema = z
  .string(expecting(INSTANT))
  .meta({ format: 'date-time' })
  .transform((text, context): Date => {
    const instant = parseInstant(text);
    return instant !== null && isPlausible(instant.toISOString())
      ? instant
      : refuse(context, `expected ${INSTANT}, ${got(text)}`);
  });

/** A date of the calendar, `yyyy-MM-dd`. */
export const calendarDateSchema = textThat((text) => isCalendarDate(text) && isPlausible(text), CALENDAR_DATE).meta({
  format: 'date',
});

/** The name of an IANA time zone. */
const timeZoneSchema = textThat(isTimeZone, TIME_ZONE).meta({ description: TIME_ZONE });

const wallClockSchema = textThat((text) => isWallClockTime(text) && isPlausible(text), WALL_CLOCK_TIME).meta({
  description: WALL_CLOCK_TIME,
});

/** `{on, timeZone}` or `{at, timeZone}`: a date or an instant, at the destination. */
export const promiseSchema = z
  .object(
    { on: calendarDateSchema.optional(), at: instantSchema.optional(), timeZone: timeZoneSchema },
    expecting('an object with `on` or `at`, and `timeZone`'),
  )
  .transform(({ on, at, timeZone }, context): DeliveryPromise => {
    if (on !== undefined && at === undefined) return { on, timeZone };
    if (at !== undefined && on === undefined) return { at, timeZone };
    return refuse(context, `expected exactly one of \`on\` and \`at\`, got ${on === undefined ? 'none' : 'both'}`);
  });

/** A scan: its status, exactly one of `at`, `local` and `on`, and optionally `timeZone`, `exception` and `disputed`. */
export const eventSchema = z
  .object(
    {
      status: z.enum(TRACKING_STATUSES, expecting(`one of ${TRACKING_STATUSES.join(', ')}`)),
      at: instantSchema.optional(),
      local: wallClockSchema.optional(),
      on: calendarDateSchema.optional(),
      timeZone: timeZoneSchema.optional(),
      exception: z.enum(EXCEPTION_KINDS, expecting(`one of ${EXCEPTION_KINDS.join(', ')}`)).nullish(),
      disputed: z.boolean(expecting('true or false')).default(false),
    },
    expecting('an object with `status` and one of `at`, `local` and `on`'),
  )
  .transform(({ status, exception, disputed, ...times }, context): TrackingEvent => {
    const [time, ...others] = timesOf(times);
    if (time === undefined || others.length > 0) {
      return refuse(context, `expected exactly one of \`at\`, \`local\` and \`on\`, got ${time ? 'several' : 'none'}`);
    }
    return { status, time, exception: exception ?? null, disputed };
  });

const caseFields = {
  promise: promiseSchema,
  graceMinutes: countUpTo(MOST_GRACE_MINUTES, 'minutes').default(0),
  asOf: instantSchema,
  attemptCounts: z.boolean(expecting('true or false')).default(true),
  lostAfterDays: countUpTo(MOST_LOST_AFTER_DAYS, 'days').default(7),
  shipBy: instantSchema.nullish().transform((shipBy) => shipBy ?? null),
  events: z.array(eventSchema, expecting('a list of events')),
};

/** A whole case. Other keys (an expected answer, the order, a carrier's estimate) are left to whoever knows them. */
const verdictCaseSchema = z.object(caseFields, expecting('an object with `promise`, `asOf` and `events`'));

export type ParsedCase =
  /** `rest`: the keys of the document that are no part of a verdict case, untouched. */
  | { readonly outcome: 'ok'; readonly case: VerdictCase; readonly rest: Record<string, unknown> }
  | { readonly outcome: 'invalid'; readonly errors: FieldError[] };

/** Reads the JSON form of a verdict case. Settings that are left out have the defaults 0, true and 7. */
export function parseVerdictCase(json: unknown): ParsedCase {
  const parsed = verdictCaseSchema.safeParse(json);
  if (!parsed.success) return { outcome: 'invalid', errors: fieldErrorsOf(parsed.error) };
  const rest = Object.entries(json as object).filter(([key]) => !Object.hasOwn(caseFields, key));
  return { outcome: 'ok', case: parsed.data, rest: Object.fromEntries(rest) };
}

/** The JSON form of a judgement; instants are in UTC with `Z` and milliseconds. */
export interface VerdictAnswer {
  readonly verdict: string;
  readonly promisedUntil: string;
  readonly metAt: string | null;
  readonly lateMinutes: number | null;
  readonly lateDays: number | null;
  readonly fault: string | null;
}

export function verdictAnswer({
  verdict,
  promisedUntil,
  metAt,
  lateMinutes,
  lateDays,
  fault,
}: Judgement): VerdictAnswer {
  return {
    verdict,
    promisedUntil: promisedUntil.toISOString(),
    metAt: metAt?.toISOString() ?? null,
    lateMinutes,
    lateDays,
    fault,
  };
}

/**
 * What a zod error says, one entry a field, with paths such as `events[2].at`; the path of the document itself is
 * empty. Of a union it tells about the alternative that came closest.
 */
export function fieldErrorsOf(error: z.ZodError): FieldError[] {
  return error.issues.flatMap((issue) => fieldErrorsOfIssue(issue, []));
}

function fieldErrorsOfIssue(issue: z.core.$ZodIssue, parents: readonly PropertyKey[]): FieldError[] {
  const path = [...parents, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ field: fieldPath([...path, key]), message: 'is not a known field' }));
  }
  if (issue.code === 'invalid_union') {
    const [closest] = [...issue.errors].sort((a, b) => depthOf(b) - depthOf(a) || a.length - b.length);
    if (closest) return closest.flatMap((inner) => fieldErrorsOfIssue(inner, path));
  }
  return [{ field: fieldPath(path), message: issue.message }];
}

/** How far into the value an alternative of a union got before it failed. */
function depthOf(issues: readonly z.core.$ZodIssue[]): number {
  return issues.reduce((deepest, { path }) => Math.max(deepest, path.length), 0);
}

function fieldPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((soFar, step) => {
    if (typeof step === 'number') return `${soFar}[${step}]`;
    const key = String(step);
    if (!/^[\p{L}_$][\p{L}\p{N}_$-]*$/u.test(key)) return `${soFar}[${JSON.stringify(key)}]`;
    return soFar === '' ? key : `${soFar}.${key}`;
  }, '');
}

function timesOf({
  at,
  local,
  on,
  timeZone,
}: Partial<Record<'local' | 'on' | 'timeZone', string | undefined>> & { at?: Date | undefined }): EventTime[] {
  const zone = timeZone === undefined ? {} : { timeZone };
  return [
    ...(at === undefined ? [] : [{ at }]),
    ...(local === undefined ? [] : [{ local, ...zone }]),
    ...(on === undefined ? [] : [{ on, ...zone }]),
  ];
}

function textThat(passes: (text: string) => boolean, what: string) {
  return z.string(expecting(what)).refine(passes, expecting(what));
}

function countUpTo(most: number, unit: string) {
  const whole = expecting(`a whole number of ${unit}, 0 to ${most}`);
  return z.int(whole).min(0, whole).max(most, whole);
}

/** The message of a value of the wrong kind, and of one that is not there. */
function expecting(what: string): { error: (issue: { readonly input?: unknown }) => string } {
  return {
    error: ({ input }) => (input === undefined ? `is missing: expected ${what}` : `expected ${what}, ${got(input)}`),
  };
}

/** A refused value in few words. Control characters come out escaped, and long texts cut. */
function got(value: unknown): string {
  if (typeof value === 'string') return `got ${JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)}`;
  if (Array.isArray(value)) return 'got a list';
  return typeof value === 'object' && value !== null ? 'got an object' : `got ${String(value)}`;
}

function refuse(context: z.RefinementCtx, message: string): never {
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
}
