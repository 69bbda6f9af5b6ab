import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  dateAlone,
  instantFromUnixMs,
  instantWithOffset,
  isoEstimate,
  isoLocalTime,
  isoTime,
  isoTimeOrMidnightDate,
  localTime,
  offsetMinutesOf,
} from '../../src/carriers/wire-time.js';
import { seeded } from '../support/carriers.js';

const at = (text: string) => ({ at: new Date(text) });

test.each<[string, object | null, object | null, object | null]>([
  // As written: with its zone; a midnight as a date; the clock alone.
  ['2026-04-08T03:12:00Z', at('2026-04-08T03:12:00Z'), at('2026-04-08T03:12:00Z'), { local: '2026-04-08T03:12:00' }],
  [
    '2026-04-08T03:12:00-05:00',
    at('2026-04-08T08:12:00Z'),
    at('2026-04-08T08:12:00Z'),
    { local: '2026-04-08T03:12:00' },
  ],
  ['2026-04-08 03:12+0530', at('2026-04-07T21:42:00Z'), at('2026-04-07T21:42:00Z'), { local: '2026-04-08T03:12:00' }],
  [
    '2026-04-08T03:12:00.25',
    { local: '2026-04-08T03:12:00.250' },
    { local: '2026-04-08T03:12:00.250' },
    { local: '2026-04-08T03:12:00.250' },
  ],
  ['2026-04-08T00:00:00-06:00', at('2026-04-08T06:00:00Z'), { on: '2026-04-08' }, { local: '2026-04-08T00:00:00' }],
  ['2026-04-08T00:00:00', { local: '2026-04-08T00:00:00' }, { on: '2026-04-08' }, { local: '2026-04-08T00:00:00' }],
  [
    '2026-04-08T00:00:00.001Z',
    at('2026-04-08T00:00:00.001Z'),
    at('2026-04-08T00:00:00.001Z'),
    { local: '2026-04-08T00:00:00.001' },
  ],
  ['2026-04-08', { on: '2026-04-08' }, { on: '2026-04-08' }, { on: '2026-04-08' }],
  ['2028-02-29', { on: '2028-02-29' }, { on: '2028-02-29' }, { on: '2028-02-29' }],
  ['2026-02-29', null, null, null],
  ['2026-04-08T24:00:00', null, null, null],
  ['2026-04-08T03:12:00-04.00', null, null, null],
  ['2026-04-08T03:12:00+14:01', null, null, { local: '2026-04-08T03:12:00' }],
  ['1999-12-31', null, null, null],
  ['2201-01-01', null, null, null],
  ['20260408', null, null, null],
])('%s', (text, iso, orDate, local) => {
  expect(isoTime(text)?.time ?? null).toEqual(iso);
  expect(isoTimeOrMidnightDate(text)?.time ?? null).toEqual(orDate);
  // An offset that nobody has is no time, whether it is believed or not.
  if (text !== '2026-04-08T03:12:00+14:01') expect(isoLocalTime(text)?.time ?? null).toEqual(local);
});

test.each([
  ['2026-04-10T00:00:00Z', { on: '2026-04-10' }],
  ['2026-04-10T00:00:00', { on: '2026-04-10' }],
  ['2026-04-10T18:00:00', { on: '2026-04-10' }],
  ['2026-04-10', { on: '2026-04-10' }],
  ['2026-04-10T18:00:00Z', at('2026-04-10T18:00:00Z')],
  ['2026-04-10T00:00:00-04:00', at('2026-04-10T04:00:00Z')],
  ['soon', null],
  [null, null],
])('an estimate of %p', (value, estimate) => expect(isoEstimate(value)).toEqual(estimate));

test.each([
  ['-04.00', -240],
  ['+05:30', 330],
  ['-0930', -570],
  ['+14:00', 840],
  ['+14:01', null],
  ['-4:00', null],
  ['+05:60', null],
  ['Z', null],
  [-4, null],
])('an offset of %p', (value, minutes) => expect(offsetMinutesOf(value)).toBe(minutes));

test.each([
  [Date.UTC(2000, 0, 1), '2000-01-01T00:00:00.000Z'],
  [Date.UTC(2201, 0, 1) - 1, '2200-12-31T23:59:59.999Z'],
  [Date.UTC(2000, 0, 1) - 1, null],
  [Date.UTC(2201, 0, 1), null],
  [Number.NaN, null],
  [Number.POSITIVE_INFINITY, null],
  ['1775617920000', null],
])('unix milliseconds %p', (value, expected) => {
  const read = instantFromUnixMs(value);
  expect(read && 'at' in read.time ? read.time.at.toISOString() : null).toBe(expected);
});

describe('whatever the calendar shows', () => {
  const moment = fc.date({
    min: new Date('2000-01-01T00:00:00Z'),
    max: new Date('2200-12-31T23:59:59Z'),
    noInvalidDate: true,
  });

  test('is read as Date reads it, and its order is its time', () => {
    fc.assert(
      fc.property(moment, (date) => {
        const text = date.toISOString();
        expect(isoTime(text)).toEqual({ time: { at: date }, order: date.getTime() });
        const local = isoTime(text.slice(0, 19));
        expect(local).toEqual({ time: { local: text.slice(0, 19) }, order: Date.parse(`${text.slice(0, 19)}Z`) });
        expect(isoTime(text.slice(0, 10))).toEqual({
          time: { on: text.slice(0, 10) },
          order: Date.parse(`${text.slice(0, 10)}T00:00:00Z`),
        });
      }),
      seeded,
    );
  });

  test('and nothing else is', () => {
    const number = (max: number) => fc.integer({ min: -2, max });
    fc.assert(
      fc.property(
        number(2300),
        number(14),
        number(33),
        number(26),
        number(61),
        number(61),
        (year, month, day, hour, minute, second) => {
          const reading = { year, month, day, hour, minute, second };
          const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
          const isReal =
            year >= 2000 &&
            year <= 2200 &&
            date.getUTCFullYear() === year &&
            date.getUTCMonth() === month - 1 &&
            date.getUTCDate() === day &&
            date.getUTCHours() === hour &&
            date.getUTCMinutes() === minute &&
            date.getUTCSeconds() === second;
          expect(localTime(reading) !== null).toBe(isReal);
          expect(instantWithOffset(reading, 60) !== null).toBe(isReal);
          const isDay = new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day && month >= 1 && month <= 12;
          if (dateAlone(reading) !== null) expect(isDay && year >= 2000).toBe(true);
        },
      ),
      { numRuns: 2000, ...seeded },
    );
  });

  test('never throws', () => {
    fc.assert(
      fc.property(fc.anything(), fc.string({ unit: 'binary' }), (anything, text) => {
        for (const read of [
          isoTime,
          isoTimeOrMidnightDate,
          isoLocalTime,
          isoEstimate,
          offsetMinutesOf,
          instantFromUnixMs,
        ]) {
          read(anything);
          read(text);
        }
      }),
      seeded,
    );
  });
});
