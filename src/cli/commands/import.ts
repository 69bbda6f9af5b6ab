import { isTimeZone } from '../../calendar.js';
import { JSON_FAULTS, parseStrictJson } from '../../carriers/strict-json.js';
import { AppError } from '../../errors.js';
import { newId } from '../../ids.js';
import { importOrders } from '../../imports/import-orders.js';
import type { ImportReport } from '../../imports/import-progress.js';
import { type ImportRun, openImportRun } from '../../imports/import-run.js';
import { openCsv } from '../../imports/open-csv.js';
import { readOrderMapping } from '../../imports/order-mapping.js';
import { openRejectsFile, type RejectsFile } from '../../imports/rejects-file.js';
import { openShopifyRows, shopifyPreset } from '../../imports/shopify-export.js';
import { table } from '../print.js';
import { progressBar } from '../progress-bar.js';
import { readInput, readJsonInput } from '../read-input.js';
import { openSession } from '../session.js';
import { actor } from './recheck.js';

/** Errors that a person reads; the rest is in the JSON answer and the file of rejects. */
const SHOWN_ERRORS = 20;

/** `makegood import orders F.csv --map M.json`. All that can be known to be wrong is said before anything is written. */
export async function importOrdersCommand(input: {
  readonly file: string;
  /** null only where `format` says what the columns are. */
  readonly map: string | null;
  readonly format: 'shopify' | null;
  readonly timeZone: string | null;
  readonly compensate: boolean;
  readonly rejects: string | null;
}): Promise<ImportReport> {
  const { file, format, timeZone, compensate } = input;
  if (timeZone !== null && !isTimeZone(timeZone))
    throw new AppError(
      'invalid_request',
      `--time-zone ${JSON.stringify(timeZone)} is not an IANA time zone such as America/New_York.`,
    );
  const mapping = input.map === null ? {} : await readMapping(input.map);
  const csv = await openCsv(file);
  try {
    const preset = format === 'shopify' ? shopifyPreset(csv.header) : null;
    const fields = readOrderMapping(mapping, csv.header, preset);
    const session = await openSession();
    const bar = progressBar('importing', megabytes);
    try {
      const settings = { mapping, preset, format, timeZone, compensate };
      const run = await openImportRun(session.deps, csv, { file, settings, onProgress: bar.update });
      try {
        const { orderAbove, rejects: before } = run.progress;
        if (input.rejects !== null && !(await run.claimFile(input.rejects)))
          throw new AppError('invalid_request', `Another import is writing ${input.rejects}: name another file.`);
        const rejects =
          input.rejects === null ? null : await openRejectsFile(input.rejects, { file, header: csv.header, before });
        bar.stop();
        for (const line of describeContinuing(run, rejects, { ...input, sizeBytes: csv.sizeBytes }))
          process.stderr.write(`makegood: ${line}\n`);
        const trace = newId();
        try {
          const report = await importOrders(session.deps, csv, {
            ...input,
            fields,
            shopify: format === 'shopify' ? openShopifyRows(csv.header, orderAbove) : null,
            run,
            rejects,
            trace,
            actor: actor(),
            onProgress: bar.update,
          });
          bar.stop();
          await session.finish(trace);
          return report;
        } finally {
          await rejects?.close();
        }
      } finally {
        await run.close();
      }
    } finally {
      bar.stop();
      await session.close();
    }
  } finally {
    await csv.close();
  }
}

/** What a person should know of an import that goes on with another one. */
function describeContinuing(
  { continues, progress }: ImportRun,
  rejects: RejectsFile | null,
  { file, rejects: rejectsFile, sizeBytes }: { file: string; rejects: string | null; sizeBytes: number },
): string[] {
  if (!continues) return [];
  const { startedAt, nextLine, bytesDone } = continues;
  const part = `${Math.floor((100 * bytesDone) / sizeBytes)} %`;
  const going = `going on from line ${nextLine} of ${file} (${part}), where the import that began at ${startedAt.toISOString()} ended.`;
  if (!rejects || rejects.isContinued || progress.counts.rejected === 0) return [going];
  const earlier = progress.rejects === null ? 'to no file' : `to ${progress.rejects.file}`;
  return [
    going,
    `${rejectsFile} has the rejected rows from that line on; the ${progress.counts.rejected} before it were written ${earlier}.`,
  ];
}

/** A key that stands there twice would map one field to two columns, and the first would be forgotten. */
async function readMapping(file: string): Promise<unknown> {
  const document = await readJsonInput(file);
  if (file === '-') return document;
  const text = (await readInput(file)).toString('utf8').replace(/^\ufeff/, '');
  const strict = parseStrictJson(text, Buffer.from(text));
  if (strict.outcome === 'refused') throw new AppError('invalid_request', `${file} ${JSON_FAULTS[strict.fault]}`);
  return document;
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

export function describeImport(report: ImportReport): string {
  const { rows, registered, completed, unchanged, rejected, backfill, errors, moreErrors = 0 } = report;
  const { lineItems = 0, cancelled = 0 } = report;
  const shown = errors.slice(0, SHOWN_ERRORS);
  const more = errors.length - shown.length + moreErrors;
  return [
    `${rows} rows: ${registered} registered, ${completed} completed, ${unchanged} unchanged, ${rejected} rejected.`,
    ...(lineItems + cancelled > 0
      ? [`Left out: further line items of the order above, ${lineItems}; cancelled orders, ${cancelled}.`]
      : []),
    ...(backfill > 0
      ? [
          `${backfill} were promised for more than 30 days ago: they are judged, and neither compensated nor written about.`,
        ]
      : []),
    ...(shown.length > 0
      ? [
          table(
            ['line', 'column', 'what is wrong'],
            shown.map(({ line, column, message }) => [line, column, message]),
          ),
        ]
      : []),
    ...(more > 0 ? [`and ${more} more: --rejects FILE writes all of them.`] : []),
    ...(registered + completed > 0 ? ['The verdicts follow with the sweep: makegood sweep'] : []),
  ].join('\n');
}
