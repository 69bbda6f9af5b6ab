import { recordAudit } from '../db/audit-store.js';
import type { Sql } from '../db/database.js';
import { readNow } from '../db/now.js';
import type { Deps } from '../deps.js';
import { AppError, assert, ERROR_CODES } from '../errors.js';
import { issueTickets } from '../queue/outbox-store.js';
import type { Ticket } from '../queue/ticket.js';
import type { FilePlace } from './file-place.js';
import { addResults, type ImportProgress, type RowResult } from './import-progress.js';
import type { ImportRun } from './import-run.js';
import { type RegistrationOutcome, registerWithScans } from './import-store.js';
import { toImportedOrder } from './imported-order.js';
import type { MappedField } from './order-mapping.js';
import { errorsOfRow, type ReadRow, type Row } from './read-row.js';
import type { RejectsFile } from './rejects-file.js';

export interface Batch {
  readonly rows: readonly Row[];
  /** Where the file goes on after them; null: nobody could go on there. */
  readonly place: FilePlace | null;
  /** The order that the next row may be a further line of. */
  readonly orderAbove: string | null;
}

export interface BatchContext {
  /** For the audit: its name alone. */
  readonly file: string;
  readonly fields: readonly MappedField[];
  readonly backfillBefore: Date | null;
  readonly actor: string;
  readonly trace: string;
  readonly rejects: RejectsFile | null;
  readonly run: ImportRun;
}

interface BatchDone {
  readonly progress: ImportProgress;
  readonly tickets: readonly Ticket[];
}

/**
 * Imports some rows in one transaction, and notes in it how far the import has come. A row that the database does not take must
 * not cost the others: halves find it, and it is rejected.
 * @param before how far the import had come
 */
export async function importBatch(
  deps: Deps,
  batch: Batch,
  before: ImportProgress,
  context: BatchContext,
): Promise<BatchDone> {
  const { rows, place } = batch;
  const readable = rows.filter((row): row is ReadRow => row.outcome === 'read');
  const work = async (sql: Sql | null): Promise<BatchDone> => {
    const { results, tickets } = sql ? await importRows(deps, sql, readable, context) : NOTHING;
    const added = addResults(
      before,
      rows.map((row) => (row.outcome === 'read' ? resultOf(results, row.line) : row)),
    );
    const rejects = await context.rejects?.write(rejectsOf(rows, results));
    const progress = { ...added, rejects: rejects ?? null, orderAbove: batch.orderAbove };
    // The last statement: two imports that went on from one place wait for each other here, with nothing left to wait for.
    if (sql && place) await context.run.save(sql, place, progress);
    return { progress, tickets };
  };
  try {
    const done = await (readable.length > 0 || place ? deps.db.transaction(work) : work(null));
    context.rejects?.keep();
    return done;
  } catch (error) {
    if (error instanceof AppError) throw withAdvice(error);
    const [only, second] = rows;
    if (!only || (!second && only.outcome !== 'read')) throw error;
    if (!second) {
      deps.log.error({ err: error, line: only.line }, 'import-orders: a row cannot be stored');
      const message = `cannot be stored: ${error instanceof Error ? error.message : String(error)}`;
      const rejected: Row = { ...(only as ReadRow), outcome: 'rejected', errors: [{ column: null, message }] };
      return await importBatch(deps, { ...batch, rows: [rejected] }, before, context);
    }
    // The place is that after the last row: if it ends between the halves, the first one is read again.
    const middle = Math.ceil(rows.length / 2);
    const one = await importBatch(deps, { ...batch, rows: rows.slice(0, middle), place: null }, before, context);
    const other = await importBatch(deps, { ...batch, rows: rows.slice(middle) }, one.progress, context);
    return { progress: other.progress, tickets: [...one.tickets, ...other.tickets] };
  }
}

function withAdvice(error: AppError): AppError {
  if (!ERROR_CODES[error.code].retry) return error;
  const advice = 'What was imported stays: run the same again, and it does the rest.';
  return new AppError(error.code, `${error.message} ${advice}`, { cause: error });
}

const NOTHING = { results: new Map<number, RowResult>(), tickets: [] };

function resultOf(results: ReadonlyMap<number, RowResult>, line: number): RowResult {
  const result = results.get(line);
  assert(result, 'each row that was read has a result');
  return result;
}

function rejectsOf(rows: readonly Row[], results: ReadonlyMap<number, RowResult>) {
  return rows.flatMap((row) => {
    const result = row.outcome === 'read' ? resultOf(results, row.line) : row;
    if (result.outcome !== 'rejected') return [];
    const { line, cells, errors } = result;
    return [{ line, cells, message: errors.map(({ message }) => message).join('; ') }];
  });
}

async function importRows(
  deps: Deps,
  sql: Sql,
  rows: readonly ReadRow[],
  { file, fields, backfillBefore, actor, trace }: BatchContext,
): Promise<{ results: ReadonlyMap<number, RowResult>; tickets: readonly Ticket[] }> {
  if (rows.length === 0) return NOTHING;
  const registeredAt = await readNow(sql, deps.clock);
  const results = new Map<number, RowResult>();
  const sharers = new Set<string>();
  for (const wave of wavesOf(rows)) {
    const orders = wave.map(({ row }) => toImportedOrder(row, backfillBefore));
    const registered = await registerWithScans(sql, orders, registeredAt);
    for (const id of registered.sharers) sharers.add(id);
    wave.forEach((row, index) => {
      const outcome = registered.outcomes[index];
      const order = orders[index];
      assert(outcome && order, 'each order has an outcome');
      results.set(row.line, toResult(row, outcome, order.backfill, fields));
    });
  }
  const tickets = await issueTickets(sql, {
    stage: 'judge-promises',
    ids: [...sharers],
    trigger: 'registration',
    trace,
  });
  const all = [...results.values()];
  const count = (outcome: RowResult['outcome']): number => all.filter((one) => one.outcome === outcome).length;
  const backfilled = all.filter((one) => 'backfill' in one && one.backfill).length;
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
  return { results, tickets };
}

function toResult(
  { line, cells }: ReadRow,
  outcome: RegistrationOutcome,
  isBackfill: boolean,
  fields: readonly MappedField[],
): RowResult {
  if (outcome.outcome === 'rejected')
    return { outcome: 'rejected', line, cells, errors: errorsOfRow(outcome.error, fields) };
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
