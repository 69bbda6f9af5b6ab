import { describe, expect, test } from '@jest/globals';
import { shipOnOf } from '../../src/compensation/ship-on.js';

const NEW_YORK = {
  cutOff: '15:00',
  timeZone: 'America/New_York',
  workdays: ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'] as (
    | 'monday'
    | 'tuesday'
    | 'wednesday'
    | 'thursday'
    | 'friday'
    | 'saturday'
    | 'sunday'
  )[],
  holidays: ['2026-11-26'],
};

describe('the day a replacement leaves', () => {
  test.each([
    ['a moment before the cut-off: the same day', '2026-11-24T19:59:59.999Z', '2026-11-24'],
    ['at the cut-off: the next day', '2026-11-24T20:00:00Z', '2026-11-25'],
    ['before the day begins in the warehouse: the day there, not here', '2026-11-25T02:00:00Z', '2026-11-25'],
    ['after the cut-off before a holiday: the day after it', '2026-11-25T20:00:00Z', '2026-11-27'],
    ['on a holiday, in the morning: the day after it', '2026-11-26T14:00:00Z', '2026-11-27'],
    ['on Friday after the cut-off: Monday', '2026-11-27T21:00:00Z', '2026-11-30'],
    ['on Saturday: Monday', '2026-11-28T15:00:00Z', '2026-11-30'],
    ['in summer the cut-off is an hour earlier by the clock of the world', '2026-07-07T19:00:00Z', '2026-07-08'],
  ])('%s', (_when, asOf, on) => {
    expect(shipOnOf(new Date(asOf), NEW_YORK)).toBe(on);
  });

  test('a cut-off that the clock shows twice is over the first time', () => {
    const night = { ...NEW_YORK, cutOff: '01:30', workdays: [...NEW_YORK.workdays, 'sunday' as const] };
    expect(shipOnOf(new Date('2026-11-01T05:29:00Z'), night)).toBe('2026-11-01');
    expect(shipOnOf(new Date('2026-11-01T05:31:00Z'), night)).toBe('2026-11-02');
  });

  test('a shop that ships on Sundays only', () => {
    const sundays = { ...NEW_YORK, workdays: ['sunday' as const] };
    expect(shipOnOf(new Date('2026-11-23T12:00:00Z'), sundays)).toBe('2026-11-29');
  });

  test('a calendar without a day left has an end', () => {
    const never = { ...NEW_YORK, workdays: [] };
    expect(shipOnOf(new Date('2026-11-23T12:00:00Z'), never)).toMatch(/^\d{4}-\d\d-\d\d$/);
  });
});
