import pg from 'pg';
import { assert } from '../errors.js';

const INT8 = 20;
const DATE = 1082;

/**
 * How values come out of PostgreSQL: bigint as a number (money and months are far below 2^53, and anything above is our
 * mistake), a date as `yyyy-MM-dd` (pg would make midnight in the zone of this process of it), timestamptz as Date.
 */
export const pgTypes: pg.CustomTypesConfig = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    if (format !== 'binary') {
      if (oid === INT8) return toSafeInteger;
      if (oid === DATE) return keepText;
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
