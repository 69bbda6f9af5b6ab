import { isTimeZone } from '../calendar.js';
import type { FieldError } from '../errors.js';
import { type OrderDocument, orderDocumentSchema, shopIdSchema } from '../promises/order-document.js';
import { eventSchema, fieldErrorsOf } from '../promises/verdict-case.js';
import type { TrackingEvent } from '../shipments/tracking-event.js';
import { LEADING_FIELDS, type Step } from './order-fields.js';
import { currencyOf, type MappedField } from './order-mapping.js';
import { readCell } from './read-cell.js';

/** An order as a row gives it. */
export interface OrderOfRow {
  readonly id: string;
  readonly order: OrderDocument;
  /** The scans of each of its shipments, in the order of `order.shipments`. */
  readonly events: readonly (readonly TrackingEvent[])[];
}

/** What is wrong with a row; `column` is null where no column is to blame. */
export interface RowError {
  readonly column: string | null;
  readonly message: string;
}

export type RowOutcome =
  | { readonly outcome: 'read'; readonly row: OrderOfRow }
  | { readonly outcome: 'rejected'; readonly errors: readonly RowError[] };

/**
 * Makes an order of the cells of a row. It is judged by the same schema as one that comes over HTTP. An empty cell is as if it
 * were not mapped; an event without time, and a shipment without number and event, are left out, and so are amounts,
 * memberships, occasions and promises of a shipment of which only the trimmings are there.
 * @param options.timeZone how times without offset are read; null: in the zone of the promise
 */
export function orderOfRow(
  cells: readonly string[],
  fields: readonly MappedField[],
  options: { readonly timeZone: string | null },
): RowOutcome {
  const zone = options.timeZone ?? zoneOfPromise(cells, fields);
  const errors: FieldError[] = [];
  const root: Tree = {};
  for (const field of fields) {
    const text = textOf(field, cells);
    if (typeof text !== 'string') {
      if (text !== null) place(root, field.steps, text);
      continue;
    }
    if (text === '') continue;
    const currency = field.decimals === 'currency' ? textAt(currencyOf(field.key), cells, fields) : '';
    const cell = readCell(field, text, { zone, currency });
    if (cell.outcome === 'unreadable') errors.push({ field: field.key, message: cell.message });
    else if (cell.outcome === 'read') place(root, field.steps, cell.value);
    else {
      const event = field.steps.slice(0, -1);
      place(root, [...event, 'local'], cell.local);
      place(root, [...event, 'timeZone'], cell.timeZone);
    }
  }

  const unreadable = errors.map(({ field }) => field);
  const { id, shipments, ...order } = root;
  leaveOutHeadless(order, '');
  const kept = keptShipments(shipments, unreadable);
  const parsedId = shopIdSchema.safeParse(id);
  const parsed = orderDocumentSchema.safeParse({ ...order, shipments: kept.map(({ shipment }) => shipment) });
  const events = kept.map(({ events: ofShipment }) =>
    ofShipment.map(({ place: at, event }) => ({ at, parsed: eventSchema.safeParse(event) })),
  );

  // What could not be read is missing for the schema, and so is the object that it would have made whole.
  const isNews = ({ field }: FieldError) => !unreadable.some((key) => key === field || key.startsWith(`${field}.`));
  if (!parsedId.success)
    errors.push(
      ...fieldErrorsOf(parsedId.error)
        .map(({ message }) => ({ field: 'id', message }))
        .filter(isNews),
    );
  if (!parsed.success) {
    const places = kept.map(({ place: at }) => at);
    errors.push(
      ...fieldErrorsOf(parsed.error)
        .map((error) => asMapped(error, places))
        .filter(isNews),
    );
  }
  events.forEach((ofShipment, index) => {
    for (const event of ofShipment) {
      if (event.parsed.success) continue;
      const prefix = `shipments[${kept[index]?.place}].events[${event.at}]`;
      const ofEvent = fieldErrorsOf(event.parsed.error).map(({ field, message }) => ({
        field: field === '' ? prefix : `${prefix}.${field}`,
        message,
      }));
      errors.push(...ofEvent.filter(isNews));
    }
  });
  if (errors.length > 0 || !parsedId.success || !parsed.success)
    return { outcome: 'rejected', errors: rowErrorsOf(errors, fields) };
  const row: OrderOfRow = {
    id: parsedId.data,
    order: parsed.data,
    events: events.map((ofShipment) =>
      ofShipment.flatMap((event) => (event.parsed.success ? [event.parsed.data] : [])),
    ),
  };
  return { outcome: 'read', row };
}

/** Says which columns are to blame for faults of fields, and of which field it is that each does not fit. */
export function rowErrorsOf(errors: readonly FieldError[], fields: readonly MappedField[]): RowError[] {
  return errors.map(({ field, message }) => {
    const source = sourceOf(field, fields);
    const line = source?.attribute == null ? '' : ` (line ${JSON.stringify(`${source.attribute}:`)} of the cell)`;
    return {
      column: source?.column ?? null,
      message: field === '' ? message : `${field}: ${message}${line}`,
    };
  });
}

type ColumnSource = Extract<MappedField['source'], { from: 'column' }>;

/** The column of the field; of an object, that of the first of its fields that has one. */
function sourceOf(field: string, fields: readonly MappedField[]): ColumnSource | null {
  const own = fields.find(({ key }) => key === field);
  const candidates = own
    ? [own]
    : fields.filter(({ key }) => key.startsWith(`${field}.`) || key.startsWith(`${field}[`));
  for (const { source } of candidates) if (source.from === 'column') return source;
  return null;
}

/** Text is read as a cell is; another constant is what it is. null: the row is too short to have it. */
function textOf({ source }: MappedField, cells: readonly string[]): unknown {
  if (source.from === 'const') return typeof source.value === 'string' ? source.value.trim() : source.value;
  const cell = cells[source.place] ?? '';
  return source.attribute === null ? cell.trim() : attributeOf(cell, source.attribute);
}

/** The value of the first line that begins with this name and a colon; '' where none does. */
function attributeOf(cell: string, name: string): string {
  for (const line of cell.split(/\r\n|\n|\r/)) {
    const text = line.trim();
    if (!text.startsWith(name)) continue;
    const [, value] = /^\s*:(.*)$/s.exec(text.slice(name.length)) ?? [];
    if (value !== undefined) return value.trim();
  }
  return '';
}

/** The text of a field that has one; '' otherwise. */
function textAt(key: string, cells: readonly string[], fields: readonly MappedField[]): string {
  const field = fields.find((one) => one.key === key);
  const text = field && textOf(field, cells);
  return typeof text === 'string' ? text : '';
}

function zoneOfPromise(cells: readonly string[], fields: readonly MappedField[]): string | null {
  const zone = textAt('promise.timeZone', cells, fields);
  return isTimeZone(zone) ? zone : null;
}

type Tree = Record<string, unknown>;

function place(root: Tree, steps: readonly Step[], value: unknown): void {
  let at: Tree | unknown[] = root;
  steps.forEach((step, index) => {
    const holder = at as Record<Step, unknown>;
    if (index === steps.length - 1) holder[step] = value;
    else {
      holder[step] ??= typeof steps[index + 1] === 'number' ? [] : {};
      at = holder[step] as Tree | unknown[];
    }
  });
}

/** A currency without an amount, or the name of an occasion without its day, says nothing. The order's own promise is not optional. */
function leaveOutHeadless(holder: Tree, path: string): void {
  for (const [name, value] of Object.entries(holder)) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) continue;
    const leading = path === '' && name === 'promise' ? undefined : LEADING_FIELDS[name];
    if (leading && !leading.some((field) => field in value)) delete holder[name];
    else leaveOutHeadless(value as Tree, `${path}${name}.`);
  }
}

interface KeptShipment {
  /** Its place in the mapping. */
  readonly place: number;
  readonly shipment: Tree;
  readonly events: readonly { readonly place: number; readonly event: Tree }[];
}

function keptShipments(shipments: unknown, unreadable: readonly string[]): KeptShipment[] {
  return entriesOf(shipments).flatMap(([at, { events, ...shipment }]) => {
    const timed = entriesOf(events).flatMap(([place, event]) =>
      'at' in event || 'local' in event || 'on' in event ? [{ place, event }] : [],
    );
    const isUnreadable = unreadable.some((key) => key.startsWith(`shipments[${at}].`));
    if (!('trackingNumber' in shipment) && timed.length === 0 && !isUnreadable) return [];
    leaveOutHeadless(shipment, `shipments[${at}].`);
    return [{ place: at, shipment, events: timed }];
  });
}

/** The entries of a list that has gaps. */
function entriesOf(list: unknown): [number, Tree][] {
  return Array.isArray(list) ? Object.entries(list).map(([at, entry]) => [Number(at), entry as Tree]) : [];
}

/** The schema counts the shipments that were kept, the mapping those that it names. */
function asMapped({ field, message }: FieldError, places: readonly number[]): FieldError {
  return {
    field: field.replace(/^shipments\[(\d+)\]/, (whole, at) =>
      places[at] === undefined ? whole : `shipments[${places[at]}]`,
    ),
    message,
  };
}
