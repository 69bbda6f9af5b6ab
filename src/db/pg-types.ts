import pg from 'pg';
import { assert } from '../errors.js';

const INT8 = 20;
const DATE = 1082;
const TIMESTAMPTZ = 1184;
const TIMESTAMPTZ_ARRAY = 1185;

/**
 * How values come out of PostgreSQL: bigint as a number (money and months are far below 2^53, and anything above is our
 * mistake), a date as `yyyy-MM-dd` (pg would make midnight in the zone of this process of it), timestamptz as Date.
 */
export const pgTypes: pg.CustomTypesConfig = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    if (format !== 'binary') {
      if (oid === INT8) return toSafeInteger;
      if (oid === DATE) return keepText;
      if (oid === TIMESTAMPTZ) return toInstant;
      if (oid === TIMESTAMPTZ_ARRAY) return toInstants;
    }
    return pg.types.getTypeParser(oid, format as 'text');
  },
} as pg.CustomTypesConfig;

const keepText = (text: string): string => text;

function toSafeInteger(text: string): number {
  const value = Number(text);
  assert(Number.isSafeInteger(value), `${text} fits a number`);
  return value;
}

const anyInstant = pg.types.getTypeParser(TIMESTAMPTZ);
/** As a session in UTC writes it, for years of four digits. */
const UTC = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?\+00$/;

/** Several times as fast as pg's own, which knows every way to write a date: a batch of scans has thousands. */
function toInstant(text: string): Date {
  return UTC.test(text) ? new Date(`${text.slice(0, 10)}T${text.slice(11, -3)}Z`) : anyInstant(text);
}

/** No instant has a comma in it. */
function toInstants(text: string): (Date | null)[] {
  if (text === '{}') return [];
  return text
    .slice(1, -1)
    .split(',')
    .map((element) => (element === 'NULL' ? null : toInstant(element.replace(/^"|"$/g, ''))));
}
