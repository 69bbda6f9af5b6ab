import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { nextCallAt } from '../../src/promises/call-time.js';

const HOURS = { from: '10:00', until: '18:00' };
const at = (asOf: string, zone: string, hours = HOURS) => nextCallAt(new Date(asOf), zone, hours).toISOString();

describe('nextCallAt', () => {
  test.each([
    ['before the hours: when they begin', '2026-12-24T12:00:00Z', 'America/New_York', '2026-12-24T15:00:00.000Z'],
    ['as they begin: now', '2026-12-24T15:00:00Z', 'America/New_York', '2026-12-24T15:00:00.000Z'],
    ['within them: now', '2026-12-24T22:59:59.999Z', 'America/New_York', '2026-12-24T22:59:59.999Z'],
    ['as they end: tomorrow', '2026-12-24T23:00:00Z', 'America/New_York', '2026-12-25T15:00:00.000Z'],
    [
      'in the night of a place where it is tomorrow already',
      '2026-12-24T16:00:00Z',
      'Asia/Tokyo',
      '2026-12-25T01:00:00.000Z',
    ],
    ['at half an hour from UTC', '2026-12-24T00:00:00Z', 'Asia/Kolkata', '2026-12-24T04:30:00.000Z'],
    [
      'over the night in which the clock goes forward',
      '2026-03-08T01:00:00Z',
      'America/New_York',
      '2026-03-08T14:00:00.000Z',
    ],
    [
      'over the night in which the clock goes back',
      '2026-11-01T02:00:00Z',
      'America/New_York',
      '2026-11-01T15:00:00.000Z',
    ],
    ['a date that was skipped', '2011-12-30T05:00:00Z', 'Pacific/Apia', '2011-12-30T20:00:00.000Z'],
  ])('%s', (_name, asOf, zone, expected) => {
    expect(at(asOf, zone)).toBe(expected);
  });

  test('hours that begin in a skipped hour begin after it', () => {
    // 02:30 does not exist on that day: it is 03:30 by the clock that went forward.
    expect(at('2026-03-08T05:00:00Z', 'America/New_York', { from: '02:30', until: '18:00' })).toBe(
      '2026-03-08T07:30:00.000Z',
    );
  });

  test('hours that begin in an hour that comes twice begin with the second, so that nobody reads an earlier clock', () => {
    expect(at('2026-11-01T04:30:00Z', 'America/New_York', { from: '01:30', until: '18:00' })).toBe(
      '2026-11-01T06:30:00.000Z',
    );
  });

  test('anywhere, at any time: not before, within the hours by the clock there, and within two days', () => {
    const zones = [
      'America/New_York',
      'Europe/Berlin',
      'Australia/Lord_Howe',
      'America/Sao_Paulo',
      'Pacific/Apia',
      'Asia/Kathmandu',
    ];
    fc.assert(
      fc.property(
        fc.date({ min: new Date('2005-01-01'), max: new Date('2035-01-01'), noInvalidDate: true }),
        fc.constantFrom(...zones),
        (asOf, zone) => {
          const call = nextCallAt(asOf, zone, HOURS);
          const clock = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit' }).format(
            call,
          );
          expect(clock >= '10:00' && clock < '18:00').toBe(true);
          expect(call.getTime()).toBeGreaterThanOrEqual(asOf.getTime());
          expect(call.getTime() - asOf.getTime()).toBeLessThan(48 * 3_600_000);
        },
      ),
      { numRuns: 500 },
    );
  });
});
