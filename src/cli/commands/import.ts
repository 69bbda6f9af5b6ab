import { isTimeZone } from '../../calendar.js';
import { JSON_FAULTS, parseStrictJson } from '../../carriers/strict-json.js';
import { AppError } from '../../errors.js';
import { newId } from '../../ids.js';
import { type ImportReport, importOrders } from '../../imports/import-orders.js';
import { openCsv } from '../../imports/open-csv.js';
import { readOrderMapping } from '../../imports/order-mapping.js';
import { openRejectsFile } from '../../imports/rejects-file.js';
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
  readonly map: string;
  readonly timeZone: string | null;
  readonly compensate: boolean;
  readonly rejects: string | null;
}): Promise<ImportReport> {
  const { file, timeZone } = input;
  if (timeZone !== null && !isTimeZone(timeZone))
    throw new AppError(
      'invalid_request',
      `--time-zone ${JSON.stringify(timeZone)} is not an IANA time zone such as America/New_York.`,
    );
  const mapping = await readMapping(input.map);
  const csv = await openCsv(file);
  try {
    const fields = readOrderMapping(mapping, csv.header);
    const session = await openSession();
    const bar = progressBar('importing', megabytes);
    try {
      const rejects =
        input.rejects === null ? null : await openRejectsFile(input.rejects, { file, header: csv.header });
      const trace = newId();
      try {
        const report = await importOrders(session.deps, csv, {
          ...input,
          fields,
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
      bar.stop();
      await session.close();
    }
  } finally {
    await csv.close();
  }
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
  const shown = errors.slice(0, SHOWN_ERRORS);
  const more = errors.length - shown.length + moreErrors;
  return [
    `${rows} rows: ${registered} registered, ${completed} completed, ${unchanged} unchanged, ${rejected} rejected.`,
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
