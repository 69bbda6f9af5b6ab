import { readingsOf, startOfLocalDay } from '../calendar.js';
import { digitsOf } from '../money.js';
import type { MappedField } from './order-mapping.js';
import type { CellTime } from './time-format.js';

/** What a cell says in the form in which `PUT /v1/orders/{id}` takes it, or why it cannot be read. */
export type ReadCell =
  | { readonly outcome: 'read'; readonly value: unknown }
  /** A time of day of a scan that a place had twice, or never: it stays what it is, with its zone. */
  | { readonly outcome: 'ambiguous'; readonly local: string; readonly timeZone: string }
  | { readonly outcome: 'unreadable'; readonly message: string };

/**
 * Reads a cell for a field.
 * @param text trimmed, not empty
 * @param row.zone the zone of times without offset; null when nobody named one that exists
 * @param row.currency the code of the amount's currency; '' where there is none
 */
export function readCell(
  field: Pick<MappedField, 'kind' | 'format' | 'decimals' | 'refine'>,
  text: string,
  { zone, currency }: { readonly zone: string | null; readonly currency: string },
): ReadCell {
  switch (field.kind) {
    case 'text':
      return readText(text, field.refine);
    case 'flag':
      return readFlag(text);
    case 'amount':
      if (field.decimals === 'currency') return readOfCurrency(text, currency);
      return field.decimals === null ? readMinor(text) : readDecimal(text, field.decimals);
    default:
      return readTime(field, text, zone);
  }
}

function readText(text: string, refine: MappedField['refine']): ReadCell {
  const refined = refine === null ? text : refine(text);
  return typeof refined === 'string' ? read(refined) : unreadable(refined.fault);
}

function readTime({ kind, format }: Pick<MappedField, 'kind' | 'format'>, text: string, zone: string | null): ReadCell {
  const time = format.read(text);
  if (time === null) return unreadable(`expected a time as ${format.shown}, got ${shown(text)}`);
  if (kind === 'date') return read(time.on);
  if (time.clock === null && kind !== 'instant-or-day')
    return unreadable(`expected a time of day too, got ${shown(text)}: a date alone belongs to \`on\``);
  if (kind === 'wall-clock') {
    return time.offset === null
      ? read(`${time.on}T${time.clock}`)
      : unreadable(`expected a time without offset, got ${shown(text)}: an instant belongs to \`at\``);
  }
  return readInstant(time, kind === 'event-instant', zone);
}

/** Of a time of day that came twice or never, an order takes the earlier reading; a scan keeps both. */
function readInstant({ on, clock, offset }: CellTime, isScan: boolean, zone: string | null): ReadCell {
  if (offset !== null) return read(`${on}T${clock}${offset}`);
  if (zone === null) return unreadable('has no offset, and nobody says in which time zone it is');
  if (clock === null) return read(startOfLocalDay(on, zone).toISOString());
  const local = `${on}T${clock}`;
  const { earliest, latest } = readingsOf(local, zone);
  if (isScan && earliest < latest) return { outcome: 'ambiguous', local, timeZone: zone };
  return read(earliest.toISOString());
}

function readMinor(text: string): ReadCell {
  if (/^[+-]?\d{1,15}$/.test(text)) return read(Number(text));
  const hint = /^[+-]?\d+\.\d+$/.test(text)
    ? ': the mapping of a decimal number says {"column": "…", "decimal": 2}'
    : '';
  return unreadable(`expected a whole number of minor units, got ${shown(text)}${hint}`);
}

/** Digit by digit, as no float has 0.1. Zeros beyond what the currency has are no loss; other digits are. */
function readDecimal(text: string, decimals: number): ReadCell {
  const parts = /^([+-]?)(\d*)(?:\.(\d*))?$/.exec(text);
  const [, sign = '', whole = '', fraction = ''] = parts ?? [];
  if (parts === null || whole + fraction === '')
    return unreadable(`expected a decimal number such as 59.90, got ${shown(text)}`);
  if (/[1-9]/.test(fraction.slice(decimals))) return unreadable(`has more than ${decimals} decimals: ${shown(text)}`);
  const digits = `${whole}${fraction.slice(0, decimals).padEnd(decimals, '0')}`.replace(/^0+(?=\d)/, '');
  if (digits.length > 15) return unreadable(`is too large: ${shown(text)}`);
  return read(Number(`${sign === '-' && digits !== '0' ? '-' : ''}${digits}`));
}

/** The yen has no decimals, the dinar of Kuwait three. */
function readOfCurrency(text: string, currency: string): ReadCell {
  if (!/^[A-Z]{3}$/.test(currency)) return unreadable(`has no currency that says how many decimals ${shown(text)} has`);
  return readDecimal(text, digitsOf(currency));
}

const TRUE = ['true', 'yes', '1'];
const FALSE = ['false', 'no', '0'];

function readFlag(text: string): ReadCell {
  const word = text.toLowerCase();
  if (TRUE.includes(word)) return read(true);
  if (FALSE.includes(word)) return read(false);
  return unreadable(`expected true or false, got ${shown(text)}`);
}

const read = (value: unknown): ReadCell => ({ outcome: 'read', value });
const unreadable = (message: string): ReadCell => ({ outcome: 'unreadable', message });

const shown = (text: string): string => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
