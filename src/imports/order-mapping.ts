import { isTimeZone } from '../calendar.js';
import { AppError, type FieldError } from '../errors.js';
import { type FieldKind, ORDER_FIELDS, parseFieldPath, type Step } from './order-fields.js';
import { compileTimeFormat, ISO_8601, type TimeFormat } from './time-format.js';

/** A field of an order, and where it comes from. */
export interface MappedField {
  /** Its path as the mapping names it, such as `shipments[0].carrier`. */
  readonly key: string;
  readonly steps: readonly Step[];
  readonly kind: FieldKind;
  readonly source:
    | {
        readonly from: 'column';
        readonly column: string;
        readonly place: number;
        /** Set: of the lines `name: value` of a cell, the value of the first with this name. */
        readonly attribute: string | null;
      }
    | { readonly from: 'const'; readonly value: unknown };
  /** How its cells write times. */
  readonly format: TimeFormat;
  /** Digits after the point of its cells; null: they hold whole minor units. */
  readonly decimals: number | 'currency' | null;
  /** What a known format makes of a cell's text. */
  readonly refine: Refine | null;
}

export type Refine = (text: string) => string | { readonly fault: string };

/** What is known of the files of one program, so that nobody needs to say it. */
export interface MappingPreset {
  /** As a mapping has it; a mapping of the user's own goes before it, key by key. */
  readonly mapping: Readonly<Record<string, unknown>>;
  readonly refine: Readonly<Record<string, Refine>>;
  /** How to say what such files do not: by when an order was promised. */
  readonly promiseAdvice: string;
}

/** Currencies have up to four decimals; exports with a few zeros more are real. */
const MOST_DECIMALS = 6;

/**
 * Reads a mapping of columns to fields, for a file with this header. Everything that is wrong with it is said at once.
 * @throws AppError `invalid_request` with each fault: an unknown field, a column that is not there, a value that is none of the
 *   four forms, a field without which no order can be registered
 */
export function readOrderMapping(
  json: unknown,
  header: readonly string[],
  preset: MappingPreset | null = null,
): MappedField[] {
  const errors: FieldError[] = [];
  if (!isObject(json)) throw refusal([{ field: '', message: 'must be one JSON object: paths of fields, and columns' }]);
  const mapping = { ...preset?.mapping, ...json };
  const fields = Object.entries(mapping).flatMap(([key, value]) => {
    const read = readField(key, value, header);
    if (!Array.isArray(read))
      return [Object.hasOwn(json, key) ? read : { ...read, refine: preset?.refine[key] ?? null }];
    errors.push(...read.map((message) => ({ field: key, message })));
    return [];
  });
  const named = new Set(Object.keys(mapping));
  for (const { key, decimals } of fields) {
    const currency = currencyOf(key);
    if (decimals === 'currency' && !named.has(currency))
      errors.push({ field: key, message: `\`decimal\`: "currency" needs the currency: \`${currency}\` is not mapped` });
  }
  for (const [wanted, message, isPromise] of WANTED) {
    if (wanted.some((alternative) => alternative.every((key) => named.has(key)))) continue;
    errors.push({ field: '', message: isPromise && preset ? preset.promiseAdvice : message });
  }
  if (errors.length > 0) {
    const other = header.length === 1 && /[;\t|]/.test(header[0] ?? '');
    throw refusal(
      other
        ? [...errors, { field: '', message: 'The header has one column only: cells are separated by commas' }]
        : errors,
    );
  }
  return fields;
}

/** What every row must have, as alternatives of keys. */
const WANTED: readonly (readonly [
  alternatives: readonly (readonly string[])[],
  message: string,
  isPromise: boolean,
])[] = [
  [[['id']], '`id` is not mapped: the id of the order', false],
  [[['customer.id']], '`customer.id` is not mapped', false],
  [
    [['promise.on', 'promise.timeZone'], ['promise.at', 'promise.timeZone'], ['promise.service']],
    'the promise is not mapped: `promise.on` or `promise.at`, and `promise.timeZone`',
    true,
  ],
];

/** The key of the currency of an amount. */
export function currencyOf(amountKey: string): string {
  return amountKey.replace(/amountMinor$/, 'currency');
}

function refusal(errors: readonly FieldError[]): AppError {
  return new AppError('invalid_request', 'The mapping cannot be used. Nothing was imported.', { errors });
}

/** @returns the field, or its faults */
function readField(key: string, value: unknown, header: readonly string[]): MappedField | string[] {
  const path = parseFieldPath(key);
  if (path === null) return [unknownField(key)];
  const field = { key, ...path, format: ISO_8601, decimals: null, refine: null };
  if (typeof value === 'string') return fromColumn(field, { name: value, attribute: null }, header);
  if (!isObject(value)) return [FORMS];
  const unknown = Object.keys(value).filter(
    (name) => !['const', 'column', 'attribute', 'format', 'decimal'].includes(name),
  );
  if (unknown.length > 0) return unknown.map((name) => `has an unknown key ${JSON.stringify(name)}. ${FORMS}`);
  if ('const' in value) return Object.keys(value).length > 1 ? [FORMS] : fromConst(field, value.const);
  const { column, attribute, format, decimal } = value;
  if (typeof column !== 'string' || (format !== undefined && decimal !== undefined)) return [FORMS];

  const faults: string[] = [];
  const compiled = format === undefined ? ISO_8601 : compiledFormat(format, field.kind);
  if ('fault' in compiled) faults.push(compiled.fault);
  if (decimal !== undefined && field.kind !== 'amount')
    faults.push('is no amount: `decimal` is for those in minor units');
  if (decimal !== undefined && !isDecimals(decimal))
    faults.push(
      `\`decimal\` is how many digits stand after the point: a whole number, 0 to ${MOST_DECIMALS}, or "currency"`,
    );
  if (attribute !== undefined && !isAttribute(attribute))
    faults.push('`attribute` is the name before the colon of a line of the cell, such as Delivery-Date');
  const read = fromColumn(
    {
      ...field,
      format: 'fault' in compiled ? ISO_8601 : compiled,
      decimals: isDecimals(decimal) ? decimal : null,
    },
    { name: column, attribute: isAttribute(attribute) ? attribute.trim() : null },
    header,
  );
  if (Array.isArray(read)) faults.push(...read);
  return faults.length > 0 || Array.isArray(read) ? faults : read;
}

const FORMS =
  'must be "column", {"const": value}, {"column": "…", "format": "yyyy-MM-dd HH:mm:ss"} or {"column": "…", "decimal": 2}, with "attribute": "…" for one line of the cell';

function unknownField(key: string): string {
  const known = Object.keys(ORDER_FIELDS);
  const general = key.replace(/\[\d+\]/g, '[n]');
  const within = known.filter((field) => field.startsWith(`${general}.`) || field.startsWith(`${general}[`));
  if (within.length > 0) return `is not one field: name what is in it, such as ${within[0]?.replaceAll('[n]', '[0]')}`;
  return 'is not a known field of an order';
}

type Unbound = Omit<MappedField, 'source'>;

function fromColumn(
  field: Unbound,
  { name, attribute }: { readonly name: string; readonly attribute: string | null },
  header: readonly string[],
): MappedField | string[] {
  const column = name.trim();
  const place = header.indexOf(column);
  if (place === -1) return [`the file has no column ${JSON.stringify(column)}: it has ${shownHeader(header)}`];
  if (header.indexOf(column, place + 1) !== -1) return [`the file has two columns ${JSON.stringify(column)}`];
  return { ...field, source: { from: 'column', column, place, attribute } };
}

function shownHeader(header: readonly string[]): string {
  const most = 30;
  const names = header.slice(0, most).map((name) => JSON.stringify(name.slice(0, 60)));
  return header.length > most ? `${names.join(', ')} and ${header.length - most} more` : names.join(', ');
}

function fromConst(field: Unbound, value: unknown): MappedField | string[] {
  const fault = faultOfConst(field, value);
  return fault === null ? { ...field, source: { from: 'const', value } } : [`the value of \`const\` ${fault}`];
}

function faultOfConst({ key, kind }: Unbound, value: unknown): string | null {
  if (kind === 'amount') return Number.isSafeInteger(value) ? null : 'must be a whole number of minor units';
  if (kind === 'flag') return typeof value === 'boolean' ? null : 'must be true or false';
  if (typeof value !== 'string' || value.trim() === '') return 'must be text';
  if (kind === 'text') {
    const isZone = /(?:^|\.)timeZone$/.test(key);
    return isZone && !isTimeZone(value) ? 'must be an IANA time zone, such as America/New_York' : null;
  }
  return ISO_8601.read(value) === null ? `must be ${ISO_8601.shown}` : null;
}

const TIME_KINDS: readonly FieldKind[] = ['date', 'instant', 'instant-or-day', 'event-instant', 'wall-clock'];

function compiledFormat(format: unknown, kind: FieldKind): TimeFormat | { readonly fault: string } {
  if (!TIME_KINDS.includes(kind)) return { fault: 'is no date or time: `format` is for those' };
  if (typeof format !== 'string') return { fault: '`format` must be text, such as yyyy-MM-dd HH:mm:ss' };
  const compiled = compileTimeFormat(format);
  if ('fault' in compiled) return { fault: `the format ${JSON.stringify(format)} ${compiled.fault}` };
  if (compiled.hasClock === false && !['date', 'instant-or-day'].includes(kind))
    return { fault: `the format ${JSON.stringify(format)} has no time of day: a date alone belongs to \`on\`` };
  if (compiled.hasOffset === true && kind === 'wall-clock')
    return { fault: `the format ${JSON.stringify(format)} has an offset: such a time belongs to \`at\`` };
  return compiled;
}

function isDecimals(value: unknown): value is number | 'currency' {
  if (value === 'currency') return true;
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MOST_DECIMALS;
}

/** What stands before a colon; it may have colons itself. */
function isAttribute(value: unknown): value is string {
  return typeof value === 'string' && /^[^\r\n]*\S[^\r\n]*$/.test(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
