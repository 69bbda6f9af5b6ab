import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import pg from 'pg';
import { pgTypes } from '../../src/db/pg-types.js';

const TIMESTAMPTZ = 1184;
const TIMESTAMPTZ_ARRAY = 1185;
const ours = (oid: number, text: string) => pgTypes.getTypeParser(oid, 'text')(text);
const drivers = (oid: number, text: string) => pg.types.getTypeParser(oid)(text);

describe('instants from the database', () => {
  const instants = fc
    .date({ min: new Date('0100-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true })
    .map((date) => date.toISOString());

  test('are what the driver would make of them', () => {
    fc.assert(
      fc.property(instants, (iso) => {
        const text = `${iso.slice(0, 10)} ${iso.slice(11, -1)}+00`;
        expect(ours(TIMESTAMPTZ, text)).toEqual(drivers(TIMESTAMPTZ, text));
        expect(ours(TIMESTAMPTZ, text)).toEqual(new Date(iso));
      }),
    );
  });

  test.each([
    '2026-11-06 20:00:00+00',
    '2026-11-06 20:00:00.5+00',
    '2026-11-06 20:00:00.123456+00',
    '2026-11-06 20:00:00+02',
    '2026-11-06 20:00:00.25-03:30',
    '12026-11-06 20:00:00+00',
    '0044-03-15 12:00:00+00 BC',
    'infinity',
    '-infinity',
  ])('%s', (text) => {
    expect(ours(TIMESTAMPTZ, text)).toEqual(drivers(TIMESTAMPTZ, text));
  });

  test.each([
    '{}',
    '{"2026-11-06 20:00:00+00"}',
    '{"2026-11-06 20:00:00+00",NULL,"2026-11-06 20:00:00.5+00"}',
    '{NULL}',
    '{"2026-11-06 20:00:00+02",infinity}',
  ])('%s', (text) => {
    expect(ours(TIMESTAMPTZ_ARRAY, text)).toEqual(drivers(TIMESTAMPTZ_ARRAY, text));
  });
});
