import { parseInstant } from '../../calendar.js';
import { AppError } from '../../errors.js';
import { type SweepReport, sweep } from '../../promises/sweep.js';
import { countMessagesOfTrace } from '../../promises/sweep-store.js';
import { table } from '../print.js';
import { progressBar } from '../progress-bar.js';
import { openSession } from '../session.js';

export type SweepAnswer = Omit<SweepReport, 'trace'> & { readonly messages: number };

/** `makegood sweep [--as-of T] [--dry-run]`. */
export async function sweepCommand(input: {
  readonly asOf: string | undefined;
  readonly dryRun: boolean;
}): Promise<SweepAnswer> {
  const asOf = input.asOf === undefined ? undefined : parseInstant(input.asOf);
  if (asOf === null)
    throw new AppError('invalid_request', '--as-of is an ISO 8601 instant with offset, such as 2026-11-05T12:00:00Z.');
  const { deps, finish, close } = await openSession();
  const bar = progressBar('judging');
  try {
    const { trace, ...report } = await sweep(deps, {
      ...(asOf ? { asOf } : {}),
      dryRun: input.dryRun,
      onProgress: bar.update,
    });
    bar.stop();
    await finish(trace);
    return { ...report, messages: await countMessagesOfTrace(deps.db.pool, trace) };
  } finally {
    bar.stop();
    await close();
  }
}

export function describeSweep(report: SweepAnswer): string {
  const verdicts = Object.entries(report.verdicts).filter(([, count]) => count > 0);
  const { numbers, awards, decisions } = report.forgotten;
  return [
    `${report.dryRun ? 'Dry run, nothing was changed. ' : ''}As of ${report.asOf}: ${report.orders} orders, ${report.changed} verdicts changed.`,
    table(['verdict', 'orders'], verdicts),
    `Awards: ${report.awards}. Letters: ${report.messages}.`,
    ...(report.failed > 0 ? [`Could not be judged, and set aside with its error: ${report.failed}.`] : []),
    `Found forgotten: ${numbers} numbers with scans not added up, ${awards} awards not granted, ${decisions} decisions not told.`,
  ].join('\n');
}
