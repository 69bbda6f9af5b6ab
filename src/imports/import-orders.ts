import { basename } from 'node:path';
import { recordAudit } from '../db/audit-store.js';
import type { Sql } from '../db/database.js';
import { readNow } from '../db/now.js';
import type { Deps } from '../deps.js';
import { AppError, assert, ERROR_CODES } from '../errors.js';
import { refuseTwoPromisesOfOneParcel } from '../promises/register-order.js';
import { issueTickets } from '../queue/outbox-store.js';
import type { Ticket } from '../queue/ticket.js';
import { type RegistrationOutcome, registerWithScans } from './import-store.js';
import { toImportedOrder } from './imported-order.js';
import type { CsvFile } from './open-csv.js';
import type { MappedField } from './order-mapping.js';
import { type OrderOfRow, orderOfRow, type RowError, rowErrorsOf } from './order-of-row.js';
import type { CsvRecord } from './parse-csv-block.js';
import type { RejectsFile } from './rejects-file.js';

export interface ImportReport {
  readonly rows: number;
  readonly registered: number;
  readonly completed: number;
  readonly unchanged: number;
  readonly rejected: number;
  /** Of the registered, those that are for the record alone. */
  readonly backfill: number;
  /** The first of them. */
  readonly errors: readonly (RowError & { readonly line: number })[];
  /** How many more there were; left out where these are all. */
  readonly moreErrors?: number;
}

/**
 * Rows of one transaction. Fewer, and the round trips cost more than the work; more, and what it holds is held for longer
 * than a registration over HTTP wants to wait.
 */
const BATCH_ROWS = 500;
/** Fewer, and a mistake of one column in many rows hides another; more, and the answer of a bad file fills the memory. */
const MOST_ERRORS = 1000;
/** Younger ones may still be made good. */
const BACKFILL_AFTER_DAYS = 30;
const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * import-orders: registers the orders of a CSV file, with their scans.
 * Reads:    the file, orders, shipments, customers, tracking events
 * Writes:   orders, customers, shipments, tracking events, audit, outbox(judge-promises)   one transaction a batch
 * Twice:    what is there already is unchanged.
 * If lost:  the batches before are there; running it again does the rest.
 */
export async function importOrders(
  deps: Deps,
  csv: CsvFile,
  options: {
    readonly file: string;
    readonly fields: readonly MappedField[];
    readonly timeZone: string | null;
    /** Compensate also what was promised long ago. */
    readonly compensate: boolean;
    readonly actor: string;
    readonly trace: string;
    readonly rejects: RejectsFile | null;
    readonly onProgress: (bytesRead: number, bytes: number) => void;
  },
): Promise<ImportReport> {
  const counts = { rows: 0, registered: 0, completed: 0, unchanged: 0, rejected: 0, backfill: 0 };
  const errors: (RowError & { readonly line: number })[] = [];
  let errorCount = 0;
  const startedAt = await readNow(deps.db.pool, deps.clock);
  const backfillBefore = options.compensate ? null : new Date(startedAt.getTime() - BACKFILL_AFTER_DAYS * DAY_MS);
  const context = { ...options, file: basename(options.file), backfillBefore };

  const carryOut = async (rows: readonly Row[]): Promise<void> => {
    const { done, tickets } = await importBatch(
      deps,
      rows.filter((row): row is ReadRow => row.outcome === 'read'),
      context,
    );
    void deps.queues.announce(tickets);
    const outcomes = new Map(done.map((one) => [one.line, one]));
    const rejected: { line: number; errors: readonly RowError[]; cells: readonly string[] }[] = [];
    for (const row of rows) {
      counts.rows++;
      const one = outcomes.get(row.line);
      if (row.outcome === 'read' && one && !one.errors) {
        counts[one.outcome]++;
        if (one.backfill) counts.backfill++;
      } else rejected.push({ ...row, errors: one?.errors ?? (row.outcome === 'rejected' ? row.errors : []) });
    }
    counts.rejected += rejected.length;
    for (const { line, errors: ofRow } of rejected) {
      errorCount += ofRow.length;
      for (const error of ofRow) if (errors.length < MOST_ERRORS) errors.push({ line, ...error });
    }
    await options.rejects?.write(
      rejected.map(({ line, errors: ofRow, cells }) => ({
        line,
        message: ofRow.map(({ message }) => message).join('; '),
        cells,
      })),
    );
  };

  // The next rows are read while the database works on the last ones.
  let running: Promise<void> = Promise.resolve();
  const flush = async (rows: readonly Row[]): Promise<void> => {
    await running;
    running = carryOut(rows);
    // Whoever waits for it hears of it.
    running.catch(() => {});
  };
  let batch: Row[] = [];
  try {
    for await (const { records, bytesRead } of csv.blocks()) {
      for (const record of records) {
        batch.push(readRow(record, csv.header, options));
        if (batch.length < BATCH_ROWS) continue;
        await flush(batch);
        batch = [];
        options.onProgress(bytesRead, csv.sizeBytes);
      }
      options.onProgress(bytesRead, csv.sizeBytes);
    }
    if (batch.length > 0) await flush(batch);
  } finally {
    // A batch that is under way is not left alone with a connection that closes.
    await running;
  }
  deps.log.info({ ...counts, trace: options.trace }, 'import-orders');
  return { ...counts, errors, ...(errorCount > errors.length ? { moreErrors: errorCount - errors.length } : {}) };
}

type ReadRow = {
  readonly outcome: 'read';
  readonly line: number;
  readonly cells: readonly string[];
  readonly row: OrderOfRow;
};
type Row =
  | ReadRow
  | {
      readonly outcome: 'rejected';
      readonly line: number;
      readonly cells: readonly string[];
      readonly errors: readonly RowError[];
    };

function readRow(
  record: CsvRecord,
  header: readonly string[],
  { fields, timeZone }: { fields: readonly MappedField[]; timeZone: string | null },
): Row {
  const { line, cells } = record;
  const rejected = (...errors: RowError[]): Row => ({ outcome: 'rejected', line, cells, errors });
  if (record.outcome === 'broken') {
    const column = record.cell === null ? null : (header[record.cell] ?? null);
    return rejected({ column, message: record.problem });
  }
  if (cells.length !== header.length) {
    const message = `has ${cells.length} cells, and the header names ${header.length} columns`;
    return rejected({ column: null, message });
  }
  const read = orderOfRow(cells, fields, { timeZone });
  if (read.outcome === 'rejected') return rejected(...read.errors);
  try {
    refuseTwoPromisesOfOneParcel(read.row.order);
  } catch (error) {
    return rejected(...errorsOf(error, fields));
  }
  return { outcome: 'read', line, cells, row: read.row };
}

function errorsOf(error: unknown, fields: readonly MappedField[]): RowError[] {
  if (!(error instanceof AppError)) throw error;
  const found = rowErrorsOf(error.errors, fields);
  return found.length > 0 ? found : [{ column: null, message: error.message }];
}

type Done = { readonly line: number } & (
  | {
      readonly outcome: 'registered' | 'completed' | 'unchanged';
      readonly backfill: boolean;
      readonly errors?: undefined;
    }
  | { readonly outcome: 'rejected'; readonly errors: readonly RowError[] }
);

interface Context {
  readonly file: string;
  readonly fields: readonly MappedField[];
  readonly backfillBefore: Date | null;
  readonly actor: string;
  readonly trace: string;
}

/** A row that the database does not take must not cost the others: halves find it, and it is rejected. */
async function importBatch(
  deps: Deps,
  rows: readonly ReadRow[],
  context: Context,
): Promise<{ done: Done[]; tickets: Ticket[] }> {
  if (rows.length === 0) return { done: [], tickets: [] };
  try {
    return await deps.db.transaction((sql) => importInTransaction(deps, sql, rows, context));
  } catch (error) {
    if (error instanceof AppError && ERROR_CODES[error.code].retry)
      throw new AppError(
        error.code,
        `${error.message} What was imported stays: run the same again, and it does the rest.`,
        {
          cause: error,
        },
      );
    const [only, second] = rows;
    if (only && !second) {
      deps.log.error({ err: error, line: only.line }, 'import-orders: a row cannot be stored');
      const message = `cannot be stored: ${error instanceof Error ? error.message : String(error)}`;
      return { done: [{ line: only.line, outcome: 'rejected', errors: [{ column: null, message }] }], tickets: [] };
    }
    const middle = Math.ceil(rows.length / 2);
    const one = await importBatch(deps, rows.slice(0, middle), context);
    const other = await importBatch(deps, rows.slice(middle), context);
    return { done: [...one.done, ...other.done], tickets: [...one.tickets, ...other.tickets] };
  }
}

async function importInTransaction(
  deps: Deps,
  sql: Sql,
  rows: readonly ReadRow[],
  { file, fields, backfillBefore, actor, trace }: Context,
): Promise<{ done: Done[]; tickets: Ticket[] }> {
  const registeredAt = await readNow(sql, deps.clock);
  const done: Done[] = [];
  const sharers = new Set<string>();
  for (const wave of wavesOf(rows)) {
    const orders = wave.map(({ row }) => toImportedOrder(row, backfillBefore));
    const registered = await registerWithScans(sql, orders, registeredAt);
    for (const id of registered.sharers) sharers.add(id);
    wave.forEach(({ line }, index) => {
      const outcome = registered.outcomes[index];
      const order = orders[index];
      assert(outcome && order, 'each order has an outcome');
      done.push(doneOf(line, outcome, order.backfill, fields));
    });
  }
  const tickets = await issueTickets(sql, {
    stage: 'judge-promises',
    ids: [...sharers],
    trigger: 'registration',
    trace,
  });
  const count = (outcome: Done['outcome']): number => done.filter((one) => one.outcome === outcome).length;
  const backfilled = done.filter((one) => !one.errors && one.backfill).length;
  if (count('registered') + count('completed') > 0) {
    await recordAudit(sql, {
      at: registeredAt,
      actor,
      action: 'orders.import',
      subject: file,
      reason: null,
      details: {
        backfill: backfilled > 0,
        backfilled,
        rows: rows.length,
        registered: count('registered'),
        completed: count('completed'),
        unchanged: count('unchanged'),
        rejected: count('rejected'),
        lines: [rows[0]?.line, rows.at(-1)?.line],
        trace,
      },
    });
  }
  return { done, tickets };
}

function doneOf(line: number, outcome: RegistrationOutcome, isBackfill: boolean, fields: readonly MappedField[]): Done {
  if (outcome.outcome === 'rejected') return { line, outcome: 'rejected', errors: errorsOf(outcome.error, fields) };
  return { line, outcome: outcome.outcome, backfill: outcome.outcome === 'registered' && isBackfill };
}

/** Rows in the order of the file, in groups that name no order twice: the second row of an order meets what the first one made. */
function wavesOf(rows: readonly ReadRow[]): ReadRow[][] {
  const waves: ReadRow[][] = [];
  const seen = new Map<string, number>();
  for (const row of rows) {
    const wave = seen.get(row.row.id) ?? 0;
    seen.set(row.row.id, wave + 1);
    const rowsOfWave = waves[wave];
    if (rowsOfWave) rowsOfWave.push(row);
    else waves.push([row]);
  }
  return waves;
}
