import { tz } from '@date-fns/tz';
import { describe, expect, test } from '@jest/globals';
import { endOfDay } from 'date-fns';
import fc from 'fast-check';
import {
  addDaysTo,
  daysBetween,
  isCalendarDate,
  isTimeZone,
  isWallClockTime,
  localDateOf,
  parseInstant,
  readingsOf,
  readingsOfSkippedDate,
  startOfLocalDay,
  startOfNextLocalDay,
} from '../../src/calendar.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const ZONES = Intl.supportedValuesOf('timeZone');

const clocks = new Map<string, Intl.DateTimeFormat>();

/** What a clock on the wall shows, by the runtime's own formatter and nothing of ours. */
function wallClock(at: number, zone: string): string {
  const clock =
    clocks.get(zone) ??
    new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      fractionalSecondDigits: 3,
    });
  clocks.set(zone, clock);
  const parts = Object.fromEntries(clock.formatToParts(at).map(({ type, value }) => [type, value]));
  const date = `${parts.year}-${parts.month}-${parts.day}`;
  return `${date}T${parts.hour}:${parts.minute}:${parts.second}.${parts.fractionalSecond}`;
}

function wallDate(at: number, zone: string): string {
  return wallClock(at, zone).slice(0, 10);
}

const changesOfYear = new Map<string, number[]>();

/** About when in a year the clock of a zone changes, to the hour. */
function changesOf(year: number, zone: string): number[] {
  const known = changesOfYear.get(`${year} ${zone}`);
  if (known) return known;
  const ahead = (at: number) => Date.parse(`${wallClock(at, zone)}Z`) - at;
  const changes = Array.from({ length: 12 }, (_, month) => [Date.UTC(year, month), Date.UTC(year, month + 1)] as const)
    .filter(([from, to]) => ahead(from) !== ahead(to))
    .map(([from, to]) => {
      let [before, after] = [from, to];
      while (after - before > HOUR_MS) {
        const middle = Math.floor((before + after) / 2);
        if (ahead(middle) === ahead(from)) before = middle;
        else after = middle;
      }
      return after;
    });
  changesOfYear.set(`${year} ${zone}`, changes);
  return changes;
}

/** An instant in a zone: any, or within two days of a change of the clock, where all the trouble is. */
function placeAndTime(fromYear: number) {
  return fc
    .record({
      zone: fc.constantFrom(...ZONES),
      year: fc.integer({ min: fromYear, max: 2037 }),
      nearChange: fc.boolean(),
      which: fc.nat(),
      within: fc.integer({ min: -2 * DAY_MS, max: 2 * DAY_MS }),
      anyDay: fc.integer({ min: 0, max: 364 }),
    })
    .map(({ zone, year, nearChange, which, within, anyDay }) => {
      const changes = nearChange ? changesOf(year, zone) : [];
      const near = changes[which % Math.max(changes.length, 1)] ?? Date.UTC(year, 0, 1 + anyDay);
      return { zone, at: near + within };
    });
}

describe('local days begin and end at the right instant', () => {
  const days: [string, string, string, string, string][] = [
    ['an ordinary day', 'America/New_York', '2026-06-10', '2026-06-10T04:00:00.000Z', '2026-06-11T04:00:00.000Z'],
    ['23 hours', 'America/New_York', '2026-03-08', '2026-03-08T05:00:00.000Z', '2026-03-09T04:00:00.000Z'],
    ['25 hours', 'America/New_York', '2026-11-01', '2026-11-01T04:00:00.000Z', '2026-11-02T05:00:00.000Z'],
    ['London, 23 hours', 'Europe/London', '2026-03-29', '2026-03-29T00:00:00.000Z', '2026-03-29T23:00:00.000Z'],
    ['Sydney, 25 hours', 'Australia/Sydney', '2026-04-05', '2026-04-04T13:00:00.000Z', '2026-04-05T14:00:00.000Z'],
    ['23.5 hours', 'Australia/Lord_Howe', '2026-10-04', '2026-10-03T13:30:00.000Z', '2026-10-04T13:00:00.000Z'],
    ['24.5 hours', 'Australia/Lord_Howe', '2026-04-05', '2026-04-04T13:00:00.000Z', '2026-04-05T13:30:00.000Z'],
    ['no midnight', 'America/Sao_Paulo', '2017-10-15', '2017-10-15T03:00:00.000Z', '2017-10-16T02:00:00.000Z'],
    ['no midnight after it', 'Africa/Cairo', '2026-04-23', '2026-04-22T22:00:00.000Z', '2026-04-23T22:00:00.000Z'],
    ['no midnight', 'Africa/Cairo', '2026-04-24', '2026-04-23T22:00:00.000Z', '2026-04-24T21:00:00.000Z'],
    ['no midnight', 'America/Santiago', '2026-09-06', '2026-09-06T04:00:00.000Z', '2026-09-07T03:00:00.000Z'],
    ['a jump before midnight', 'America/Nuuk', '2024-03-31', '2024-03-31T01:00:00.000Z', '2024-04-01T01:00:00.000Z'],
    ['a gap before midnight', 'America/Toronto', '1919-03-31', '1919-03-31T04:30:00.000Z', '1919-04-01T04:00:00.000Z'],
    ['00:00 -> 23:00', 'America/Sao_Paulo', '2018-02-17', '2018-02-17T02:00:00.000Z', '2018-02-18T03:00:00.000Z'],
    [
      '00:00 -> 22:00',
      'America/Argentina/La_Rioja',
      '1991-02-28',
      '1991-02-28T02:00:00.000Z',
      '1991-03-01T04:00:00.000Z',
    ],
    ['01:00 -> 00:00', 'America/Havana', '2026-11-01', '2026-11-01T04:00:00.000Z', '2026-11-02T05:00:00.000Z'],
    ['00:01 -> 23:01', 'America/St_Johns', '2010-11-06', '2010-11-06T02:30:00.000Z', '2010-11-07T03:30:00.000Z'],
    ['after 00:01 -> 23:01', 'America/St_Johns', '2010-11-07', '2010-11-07T03:30:00.000Z', '2010-11-08T03:30:00.000Z'],
    ['02:00 -> 23:00', 'Antarctica/Casey', '2010-03-04', '2010-03-03T13:00:00.000Z', '2010-03-04T16:00:00.000Z'],
    [
      'the day before a skipped date',
      'Pacific/Apia',
      '2011-12-29',
      '2011-12-29T10:00:00.000Z',
      '2011-12-30T10:00:00.000Z',
    ],
    ['a skipped date', 'Pacific/Apia', '2011-12-30', '2011-12-30T10:00:00.000Z', '2011-12-30T10:00:00.000Z'],
    [
      'the day after a skipped date',
      'Pacific/Apia',
      '2011-12-31',
      '2011-12-30T10:00:00.000Z',
      '2011-12-31T10:00:00.000Z',
    ],
    ['45 minutes', 'Asia/Kathmandu', '2026-05-20', '2026-05-19T18:15:00.000Z', '2026-05-20T18:15:00.000Z'],
    ['UTC+14', 'Pacific/Kiritimati', '2026-07-01', '2026-06-30T10:00:00.000Z', '2026-07-01T10:00:00.000Z'],
    ['UTC-12', 'Etc/GMT+12', '2026-07-01', '2026-07-01T12:00:00.000Z', '2026-07-02T12:00:00.000Z'],
    ['leap day', 'Europe/London', '2028-02-29', '2028-02-29T00:00:00.000Z', '2028-03-01T00:00:00.000Z'],
    ['the last date of all', 'UTC', '9999-12-31', '9999-12-31T00:00:00.000Z', '+010000-01-01T00:00:00.000Z'],
  ];

  test.each(days)('%s: %s %s', (_, zone, on, start, next) => {
    expect(startOfLocalDay(on, zone).toISOString()).toBe(start);
    expect(startOfNextLocalDay(on, zone).toISOString()).toBe(next);
  });

  test('the first instant of a day is the first from which the wall never again shows an earlier date', () => {
    fc.assert(
      fc.property(placeAndTime(1973), ({ zone, at }) => {
        const on = wallDate(at, zone);
        const start = startOfLocalDay(on, zone).getTime();
        expect(wallDate(start - 1, zone) < on).toBe(true);
        for (let later = 0; later <= 30; later += 1.25) {
          expect(wallDate(start + later * HOUR_MS, zone) >= on).toBe(true);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('days follow one another without gap or overlap, and each instant has one', () => {
    fc.assert(
      fc.property(placeAndTime(1973), ({ zone, at }) => {
        const on = localDateOf(new Date(at), zone);
        expect(startOfLocalDay(on, zone).getTime()).toBeLessThanOrEqual(at);
        expect(startOfNextLocalDay(on, zone).getTime()).toBeGreaterThan(at);
        expect(startOfNextLocalDay(on, zone)).toEqual(startOfLocalDay(addDaysTo(on, 1), zone));
      }),
      { numRuns: 1000 },
    );
  });

  test('the local date is what the wall shows (since 2012 no zone has gone back to an earlier date)', () => {
    fc.assert(
      fc.property(placeAndTime(2012), ({ zone, at }) => {
        expect(localDateOf(new Date(at), zone)).toBe(wallDate(at, zone));
      }),
      { numRuns: 1000 },
    );
  });

  test('where the date goes back, its first minute belongs to the day before', () => {
    const sundayForAMinute = new Date('2010-11-07T02:30:30Z');
    expect(wallDate(sundayForAMinute.getTime(), 'America/St_Johns')).toBe('2010-11-07');
    expect(localDateOf(sundayForAMinute, 'America/St_Johns')).toBe('2010-11-06');
    expect(localDateOf(new Date('2010-11-07T03:29:59.999Z'), 'America/St_Johns')).toBe('2010-11-06');
    expect(localDateOf(new Date('2010-11-07T03:30:00Z'), 'America/St_Johns')).toBe('2010-11-07');
  });

  /**
   * date-fns looks for 23:59:59.999. Where the clock goes back over midnight there are two, it takes the first, and an
   * hour of the same date is still to come. Where the clock jumps to midnight (Nuuk, 23:00 -> 00:00) there is none, and
   * it takes an instant of the day after. The wall tells both, and only there may we differ.
   */
  test('agrees with endOfDay of date-fns, except where 23:59:59.999 comes twice or never', () => {
    let compared = 0;
    fc.assert(
      fc.property(placeAndTime(2012), ({ zone, at }) => {
        const on = localDateOf(new Date(at), zone);
        const next = startOfNextLocalDay(on, zone).getTime();
        const last = endOfDay(new Date(at), { in: tz(zone) }).getTime();
        if (wallDate(last, zone) !== on) expect(next).toBeLessThanOrEqual(last);
        else if (wallDate(last + 1, zone) === on) expect(next).toBeGreaterThan(last + 1);
        else {
          compared += 1;
          expect(next).toBe(last + 1);
        }
      }),
      { numRuns: 2000 },
    );
    expect(compared).toBeGreaterThan(1500);
  });

  test('what is remembered is forgotten in time, and the answers stay the same', () => {
    const start = () => startOfLocalDay('2026-06-10', 'Europe/London').toISOString();
    const first = start();
    for (let day = 0; day < 25_000; day += 1) startOfLocalDay(addDaysTo('1990-01-01', day), 'UTC');
    expect(start()).toBe(first);
  });

  const refused: [string, () => unknown][] = [
    ['an impossible date', () => startOfLocalDay('2026-02-30', 'UTC')],
    ['an unknown zone', () => startOfLocalDay('2026-02-28', 'Mars/Olympus')],
    ['an offset', () => startOfNextLocalDay('2026-02-28', '+05:00')],
    ['an unknown zone of an instant', () => localDateOf(new Date(0), 'x'.repeat(1000))],
    ['no instant', () => localDateOf(new Date(Number.NaN), 'UTC')],
    ['an impossible date to count from', () => daysBetween('2026-13-01', '2026-01-01')],
    ['an impossible date to add to', () => addDaysTo('today', 1)],
    ['a malformed wall-clock time', () => readingsOf('2026-02-28 12:00', 'UTC')],
  ];

  test.each(refused)('%s is refused as an invalid request', (_, call) => {
    expect(call).toThrow(expect.objectContaining({ name: 'AppError', code: 'invalid_request' }));
  });
});

describe('readings of a wall-clock time', () => {
  const readings: [string, string, string, string, string][] = [
    ['once', 'America/New_York', '2026-06-10T12:00:00', '2026-06-10T16:00:00.000Z', '2026-06-10T16:00:00.000Z'],
    [
      'twice, first second',
      'America/New_York',
      '2026-11-01T01:00:00',
      '2026-11-01T05:00:00.000Z',
      '2026-11-01T06:00:00.000Z',
    ],
    [
      'twice, last',
      'America/New_York',
      '2026-11-01T01:59:59.999',
      '2026-11-01T05:59:59.999Z',
      '2026-11-01T06:59:59.999Z',
    ],
    [
      'once just before',
      'America/New_York',
      '2026-11-01T00:59:59.999',
      '2026-11-01T04:59:59.999Z',
      '2026-11-01T04:59:59.999Z',
    ],
    [
      'once just after',
      'America/New_York',
      '2026-11-01T02:00:00',
      '2026-11-01T07:00:00.000Z',
      '2026-11-01T07:00:00.000Z',
    ],
    [
      'never, first second',
      'America/New_York',
      '2026-03-08T02:00:00',
      '2026-03-08T06:00:00.000Z',
      '2026-03-08T07:00:00.000Z',
    ],
    [
      'never, last',
      'America/New_York',
      '2026-03-08T02:59:59.999',
      '2026-03-08T06:59:59.999Z',
      '2026-03-08T07:59:59.999Z',
    ],
    [
      'once just before the gap',
      'America/New_York',
      '2026-03-08T01:59:59.999',
      '2026-03-08T06:59:59.999Z',
      '2026-03-08T06:59:59.999Z',
    ],
    [
      'once just after the gap',
      'America/New_York',
      '2026-03-08T03:00:00',
      '2026-03-08T07:00:00.000Z',
      '2026-03-08T07:00:00.000Z',
    ],
    [
      'half an hour twice',
      'Australia/Lord_Howe',
      '2026-04-05T01:45:00',
      '2026-04-04T14:45:00.000Z',
      '2026-04-04T15:15:00.000Z',
    ],
    [
      'half an hour never',
      'Australia/Lord_Howe',
      '2026-10-04T02:15:00',
      '2026-10-03T15:15:00.000Z',
      '2026-10-03T15:45:00.000Z',
    ],
    [
      'before a repeated midnight',
      'America/Sao_Paulo',
      '2018-02-17T23:30',
      '2018-02-18T01:30:00.000Z',
      '2018-02-18T02:30:00.000Z',
    ],
    [
      'on a date that was skipped',
      'Pacific/Apia',
      '2011-12-30T12:00:00',
      '2011-12-29T22:00:00.000Z',
      '2011-12-30T22:00:00.000Z',
    ],
    [
      'a minute of a date, twice',
      'America/St_Johns',
      '2010-11-07T00:00:30',
      '2010-11-07T02:30:30.000Z',
      '2010-11-07T03:30:30.000Z',
    ],
    ['far east', 'Pacific/Kiritimati', '2026-07-01T00:00:00', '2026-06-30T10:00:00.000Z', '2026-06-30T10:00:00.000Z'],
  ];

  test.each(readings)('%s: %s %s', (_, zone, local, earliest, latest) => {
    expect(readingsOf(local, zone)).toEqual({ earliest: new Date(earliest), latest: new Date(latest) });
  });

  test('what the wall shows at an instant can be read as that instant', () => {
    fc.assert(
      fc.property(placeAndTime(1973), ({ zone, at }) => {
        const local = wallClock(at, zone);
        const { earliest, latest } = readingsOf(local, zone);
        expect([earliest.getTime(), latest.getTime()]).toContain(at);
        expect(wallClock(earliest.getTime(), zone)).toBe(local);
        expect(wallClock(latest.getTime(), zone)).toBe(local);
      }),
      { numRuns: 1000 },
    );
  });

  test('a date that was skipped can be the day before the jump or the day after it', () => {
    expect(readingsOfSkippedDate('2011-12-30', 'Pacific/Apia')).toEqual({
      earliest: new Date('2011-12-29T10:00:00Z'),
      latest: new Date('2011-12-31T09:59:59.999Z'),
    });
  });
});

describe('names, dates and texts', () => {
  test.each([
    'America/New_York',
    'Asia/Kathmandu',
    'Asia/Katmandu',
    'Europe/Kyiv',
    'UTC',
    'GMT',
    'Etc/GMT+5',
    'america/new_york',
    'EST5EDT',
    'CET',
    'GB',
    'America/Argentina/Buenos_Aires',
    'Antarctica/Troll',
  ])('%s is a time zone', (name) => {
    expect(isTimeZone(name)).toBe(true);
    expect(isTimeZone(name)).toBe(true);
  });

  test.each([
    '',
    ' ',
    '+05:00',
    '-0500',
    'GMT+5',
    'GMT+05:00',
    'UTC+1',
    'Z',
    'IST',
    'PST',
    'BST',
    'SystemV/PST8',
    'Local',
    'Mars/Olympus',
    'America/New_York ',
    'America/New_York\0',
    'America/New_York\n',
    '__proto__',
    'constructor',
    'x'.repeat(100_000),
  ])('%j is none', (name) => {
    expect(isTimeZone(name)).toBe(false);
    expect(isTimeZone(name)).toBe(false);
  });

  test.each(['2026-11-05', '2028-02-29', '2000-02-29', '0001-01-01', '9999-12-31', '2011-12-30'])(
    '%s is a date',
    (on) => {
      expect(isCalendarDate(on)).toBe(true);
    },
  );

  test.each([
    '',
    '2026-02-30',
    '2026-02-29',
    '1900-02-29',
    '2026-04-31',
    '2026-13-01',
    '2026-00-10',
    '2026-01-00',
    '0000-01-01',
    '2026-1-5',
    '20261105',
    '2026-11-05T00:00:00',
    '2026-11-05\n',
    ' 2026-11-05',
    '+010000-01-01',
    '-000001-01-01',
    '05.11.2026',
  ])('%j is none', (on) => {
    expect(isCalendarDate(on)).toBe(false);
  });

  test.each([
    ['2026-11-05T12:00:00Z', '2026-11-05T12:00:00.000Z'],
    ['2026-11-05T12:00:00-05:00', '2026-11-05T17:00:00.000Z'],
    ['2026-11-05T12:00:00+0530', '2026-11-05T06:30:00.000Z'],
    ['2026-11-05T12:00:00+14', '2026-11-04T22:00:00.000Z'],
    ['2026-11-05T12:00Z', '2026-11-05T12:00:00.000Z'],
    ['2026-11-05T12:00:00.1Z', '2026-11-05T12:00:00.100Z'],
    ['2026-11-05T12:00:00.999999Z', '2026-11-05T12:00:00.999Z'],
    ['2028-02-29T23:59:59-00:00', '2028-02-29T23:59:59.000Z'],
  ])('%s is an instant', (text, instant) => {
    expect(parseInstant(text)?.toISOString()).toBe(instant);
  });

  test.each([
    '',
    'now',
    '2026-11-05',
    '2026-11-05T12:00:00',
    '2026-11-05 12:00:00Z',
    '2026-02-30T12:00:00Z',
    '2026-11-05T24:00:00Z',
    '2026-11-05T12:60:00Z',
    '2026-11-05T12:00:60Z',
    '2026-11-05T12:00:00+5',
    '2026-11-05T12:00:00+16:00',
    '2026-11-05T12:00:00+05:60',
    '2026-11-05T12:00:00ZZ',
    '2026-11-05T12:00:00Z\0',
    '2026-11-05T12:00:00.Z',
    '1762344000000',
  ])('%j is none', (text) => {
    expect(parseInstant(text)).toBeNull();
  });

  test('a wall-clock time has no offset', () => {
    expect(['2026-11-05T23:59', '2026-11-05T23:59:59', '2026-11-05T23:59:59.999'].every(isWallClockTime)).toBe(true);
    expect(['2026-11-05', '2026-11-05T23:59Z', '2026-11-05T25:00', '2026-02-30T12:00'].some(isWallClockTime)).toBe(
      false,
    );
  });

  test.each([
    ['2026-11-05', '2026-11-05', 0],
    ['2026-11-05', '2026-11-06', 1],
    ['2026-11-06', '2026-11-05', -1],
    ['2028-02-28', '2028-03-01', 2],
    ['2027-02-28', '2027-03-01', 1],
    ['2026-12-31', '2027-01-01', 1],
    ['2026-03-07', '2026-03-09', 2],
  ])('from %s to %s it is %i days', (from, to, days) => {
    expect(daysBetween(from, to)).toBe(days);
    expect(addDaysTo(from, days)).toBe(to);
  });
});
