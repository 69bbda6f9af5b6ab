import { basename } from 'node:path';
import type { Deps } from '../deps.js';
import { type Batch, importBatch } from './import-batch.js';
import { type ImportReport, reportOf } from './import-progress.js';
import type { ImportRun } from './import-run.js';
import type { CsvFile } from './open-csv.js';
import type { MappedField } from './order-mapping.js';
import { type Row, readRow } from './read-row.js';
import type { RejectsFile } from './rejects-file.js';
import type { ShopifyRows } from './shopify-export.js';

/**
 * Rows of one transaction. Fewer, and the round trips cost more than the work; more, and what it holds is held for longer
 * than a registration over HTTP wants to wait.
 */
const BATCH_ROWS = 500;
/** Younger ones may still be made good. */
const BACKFILL_AFTER_DAYS = 30;
const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * import-orders: registers the orders of a CSV file, with their scans.
 * Reads:    the file, orders, shipments, customers, tracking events
 * Writes:   orders, customers, shipments, tracking events, audit, outbox(judge-promises), the place in the file   one transaction a batch
 * Twice:    what is there already is unchanged.
 * If lost:  the batches before are there; running it again goes on from there.
 */
export async function importOrders(
  deps: Deps,
  csv: CsvFile,
  options: {
    readonly file: string;
    readonly fields: readonly MappedField[];
    /** The rows of a known format. */
    readonly shopify: ShopifyRows | null;
    readonly timeZone: string | null;
    /** Compensate also what was promised long ago. */
    readonly compensate: boolean;
    readonly actor: string;
    readonly trace: string;
    readonly run: ImportRun;
    readonly rejects: RejectsFile | null;
    readonly onProgress: (bytesRead: number, bytes: number) => void;
  },
): Promise<ImportReport> {
  const { run, shopify } = options;
  const backfillBefore = options.compensate ? null : new Date(run.startedAt.getTime() - BACKFILL_AFTER_DAYS * DAY_MS);
  const context = { ...options, file: basename(options.file), backfillBefore };

  let { progress } = run;
  // The next rows are read while the database works on the last ones.
  let running: Promise<void> = Promise.resolve();
  const flush = async (batch: Batch): Promise<void> => {
    await running;
    running = importBatch(deps, batch, progress, context).then((done) => {
      progress = done.progress;
      void deps.queues.announce(done.tickets);
    });
    // Whoever waits for it hears of it.
    running.catch(() => {});
  };
  let rows: Row[] = [];
  const take = (place: Batch['place']): Batch => {
    const batch = { rows, place, orderAbove: shopify?.orderAbove ?? null };
    rows = [];
    return batch;
  };
  let lastPlace: Batch['place'] = null;
  try {
    for await (const { records, bytesRead, placeAfter } of csv.blocks()) {
      for (const record of records) {
        rows.push(readRow(record, csv.header, options));
        if (rows.length < BATCH_ROWS) continue;
        await flush(take(placeAfter(record)));
        options.onProgress(bytesRead, csv.sizeBytes);
      }
      const last = records.at(-1);
      if (last) lastPlace = placeAfter(last);
      options.onProgress(bytesRead, csv.sizeBytes);
    }
    if (rows.length > 0) await flush(take(lastPlace));
  } finally {
    // A batch that is under way is not left alone with a connection that closes.
    await running;
  }
  await run.finish();
  deps.log.info({ ...progress.counts, trace: options.trace }, 'import-orders');
  return reportOf(progress, { passesOver: shopify !== null });
}
