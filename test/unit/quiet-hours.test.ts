import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { nextSendAt } from '../../src/messages/quiet-hours.js';

const NIGHT = { from: '21:00', until: '08:00' };
const at = (now: string, zone: string, hours: { from: string; until: string } | null) =>
  nextSendAt(new Date(now), zone, hours)
    .toISOString()
    .replace(/:00\.000Z$/, 'Z');

describe('when a letter may leave', () => {
  const CASES: readonly (readonly [what: string, now: string, zone: string, hours: typeof NIGHT, expected: string])[] =
    [
      ['by day: at once', '2026-11-05T17:00Z', 'America/New_York', NIGHT, '2026-11-05T17:00Z'],
      ['a minute before the night', '2026-11-06T01:59Z', 'America/New_York', NIGHT, '2026-11-06T01:59Z'],
      ['the first minute of the night', '2026-11-06T02:00Z', 'America/New_York', NIGHT, '2026-11-06T13:00Z'],
      ['after midnight', '2026-11-06T05:30Z', 'America/New_York', NIGHT, '2026-11-06T13:00Z'],
      ['the last minute of the night', '2026-11-06T12:59Z', 'America/New_York', NIGHT, '2026-11-06T13:00Z'],
      ['the first minute of the day', '2026-11-06T13:00Z', 'America/New_York', NIGHT, '2026-11-06T13:00Z'],
      // 8 March 2026: 02:00 becomes 03:00, and eight o'clock comes at 12:00 UTC and not at 13:00.
      ['the short night, from the evening', '2026-03-08T02:30Z', 'America/New_York', NIGHT, '2026-03-08T12:00Z'],
      ['the short night, after the change', '2026-03-08T11:59Z', 'America/New_York', NIGHT, '2026-03-08T12:00Z'],
      // 1 November 2026: 02:00 becomes 01:00.
      ['the long night, from the evening', '2026-11-01T01:00Z', 'America/New_York', NIGHT, '2026-11-01T13:00Z'],
      ['the long night, an hour that comes again', '2026-11-01T06:30Z', 'America/New_York', NIGHT, '2026-11-01T13:00Z'],
      [
        'an end that comes twice: the second',
        '2026-11-01T05:45Z',
        'America/New_York',
        { from: '23:00', until: '01:30' },
        '2026-11-01T06:30Z',
      ],
      [
        'an end that never comes: the jump over it',
        '2026-03-08T06:00Z',
        'America/New_York',
        { from: '23:00', until: '02:30' },
        '2026-03-08T07:00Z',
      ],
      // 6 September 2026 has no midnight: 00:00 becomes 01:00 (04:00 UTC). 5 April 2026: 00:00 becomes 23:00.
      ['Santiago, a night without midnight', '2026-09-06T03:59Z', 'America/Santiago', NIGHT, '2026-09-06T11:00Z'],
      [
        'Santiago, a beginning at the midnight that is not there, the minute before',
        '2026-09-06T03:59Z',
        'America/Santiago',
        { from: '00:00', until: '06:00' },
        '2026-09-06T03:59Z',
      ],
      [
        'Santiago, a beginning at the midnight that is not there: the jump',
        '2026-09-06T04:00Z',
        'America/Santiago',
        { from: '00:00', until: '06:00' },
        '2026-09-06T09:00Z',
      ],
      [
        'Santiago, an end at the midnight that is not there',
        '2026-09-06T02:00Z',
        'America/Santiago',
        { from: '20:00', until: '00:00' },
        '2026-09-06T04:00Z',
      ],
      [
        'Santiago, the night with two eleven o’clocks',
        '2026-04-05T03:30Z',
        'America/Santiago',
        NIGHT,
        '2026-04-05T12:00Z',
      ],
      // The hours of one day.
      [
        'not over midnight: before',
        '2026-11-05T11:59Z',
        'Europe/London',
        { from: '12:00', until: '14:30' },
        '2026-11-05T11:59Z',
      ],
      [
        'not over midnight: within',
        '2026-11-05T12:00Z',
        'Europe/London',
        { from: '12:00', until: '14:30' },
        '2026-11-05T14:30Z',
      ],
      [
        'not over midnight: after',
        '2026-11-05T14:30Z',
        'Europe/London',
        { from: '12:00', until: '14:30' },
        '2026-11-05T14:30Z',
      ],
      // 30 December 2011 was skipped: the night of the 29th ends on the 31st.
      ['a date that was skipped', '2011-12-30T09:00Z', 'Pacific/Apia', NIGHT, '2011-12-30T18:00Z'],
      ['a zone that nobody knows: UTC', '2026-11-05T22:00Z', 'Nowhere/Land', NIGHT, '2026-11-06T08:00Z'],
    ];
  test.each(CASES)('%s', (_what, now, zone, hours, expected) => {
    expect(at(now, zone, hours)).toBe(expected);
  });

  test('without quiet hours: now', () => {
    expect(at('2026-11-06T05:30Z', 'America/New_York', null)).toBe('2026-11-06T05:30Z');
  });

  test('never before now, never more than a day and an hour later, and then at once', () => {
    const times = fc.integer({ min: 0, max: 1439 });
    const clock = (minute: number) =>
      `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
    fc.assert(
      fc.property(
        fc.date({ min: new Date('2026-01-01'), max: new Date('2028-01-01'), noInvalidDate: true }),
        fc.constantFrom(
          'America/New_York',
          'America/Santiago',
          'Australia/Lord_Howe',
          'Asia/Kathmandu',
          'Europe/Berlin',
        ),
        times,
        times,
        (now, zone, from, until) => {
          fc.pre(from !== until);
          const hours = { from: clock(from), until: clock(until) };
          const then = nextSendAt(now, zone, hours);
          expect(then.getTime()).toBeGreaterThanOrEqual(now.getTime());
          expect(then.getTime() - now.getTime()).toBeLessThanOrEqual(25 * 3_600_000);
          expect(nextSendAt(then, zone, hours)).toEqual(then);
        },
      ),
    );
  });
});
