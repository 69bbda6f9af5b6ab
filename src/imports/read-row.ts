import { AppError } from '../errors.js';
import { refuseTwoPromisesOfOneParcel } from '../promises/register-order.js';
import type { RowResult } from './import-progress.js';
import type { MappedField } from './order-mapping.js';
import { type OrderOfRow, orderOfRow, type RowError, rowErrorsOf } from './order-of-row.js';
import type { CsvRecord } from './parse-csv-block.js';
import type { ShopifyRows } from './shopify-export.js';

/** A row that gives an order; the cells as they stand in the file. */
export interface ReadRow {
  readonly outcome: 'read';
  readonly line: number;
  readonly cells: readonly string[];
  readonly row: OrderOfRow;
}
export type Row = ReadRow | Extract<RowResult, { outcome: 'rejected' | 'passed over' }>;

/** Makes an order of a record of the file, or says why it gives none. */
export function readRow(
  record: CsvRecord,
  header: readonly string[],
  {
    fields,
    timeZone,
    shopify,
  }: {
    readonly fields: readonly MappedField[];
    readonly timeZone: string | null;
    readonly shopify: ShopifyRows | null;
  },
): Row {
  const { line, cells } = record;
  const rejected = (...errors: RowError[]): Row => ({ outcome: 'rejected', line, cells, errors });
  if (record.outcome === 'broken') {
    shopify?.lost();
    const column = record.cell === null ? null : (header[record.cell] ?? null);
    return rejected({ column, message: record.problem });
  }
  if (cells.length !== header.length) {
    shopify?.lost();
    const message = `has ${cells.length} cells, and the header names ${header.length} columns`;
    return rejected({ column: null, message });
  }
  const known = shopify?.look(cells) ?? { is: 'order', cells };
  if (known.is === 'line item') return { outcome: 'passed over', line, as: 'lineItems' };
  if (known.is === 'cancelled') return { outcome: 'passed over', line, as: 'cancelled' };
  if (known.is === 'stray') return rejected({ column: known.column, message: known.message });
  const read = orderOfRow(known.cells, fields, { timeZone });
  if (read.outcome === 'rejected') return rejected(...read.errors);
  try {
    refuseTwoPromisesOfOneParcel(read.row.order);
  } catch (error) {
    return rejected(...errorsOfRow(error, fields));
  }
  return { outcome: 'read', line, cells, row: read.row };
}

/** What an order was refused for, by column. */
export function errorsOfRow(error: unknown, fields: readonly MappedField[]): RowError[] {
  if (!(error instanceof AppError)) throw error;
  const found = rowErrorsOf(error.errors, fields);
  return found.length > 0 ? found : [{ column: null, message: error.message }];
}
