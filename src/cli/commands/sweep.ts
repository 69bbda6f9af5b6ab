import { parseInstant } from '../../calendar.js';
import { showMeasure } from '../../compensation/wording.js';
import { AppError } from '../../errors.js';
import { NEVER_SCANNED_DAYS, STALLED_DAYS } from '../../promises/quiet-parcels.js';
import { type SweepReport, sweep } from '../../promises/sweep.js';
import type { Findings } from '../../promises/sweep-counts.js';
import { countOutcomesOfTrace } from '../../promises/trace-store.js';
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
    const { messages } = await countOutcomesOfTrace(deps.db.pool, trace);
    return { ...report, messages };
  } finally {
    bar.stop();
    await close();
  }
}

export function describeSweep(report: SweepAnswer): string {
  const { dryRun, resumed, asOf, orders, judged, changed, verdicts, late, paid, held, failed, messages } = report;
  const standing = Object.entries(verdicts).filter(([, count]) => count > 0);
  const why = Object.entries(held.why).map(([stop, count]) => `${count} by ${stop}`);
  return [
    `${dryRun ? 'Dry run, nothing was changed. ' : ''}${resumed ? `Carried on from the sweep of ${report.startedAt}. ` : ''}As of ${asOf}: ${orders} orders, ${judged} judged, ${changed} verdicts changed.`,
    table(['verdict', 'orders'], standing),
    `Newly late or overdue: ${late}. Awards let through: ${paid.awards}${sums(paid.totals)}. Stopped for a person: ${held.awards}${sums(held.totals)}${why.length > 0 ? `, ${why.join(', ')}` : ''}. Letters: ${messages}.`,
    ...(failed > 0 ? [`Could not be judged, and set aside with its error: ${failed}.`] : []),
    foundTable(report),
    report.calls === null
      ? 'Personal calls could not be proposed: the log says why.'
      : `Personal calls proposed for today: ${report.calls.proposed} of ${report.calls.candidates} who could have one.`,
    aheadOf(report.beforeContact),
  ].join('\n');
}

/** What to look at, and what was set right; what was not found is left out. */
function foundTable({ found, forgotten }: SweepAnswer): string {
  const { overdue, stalled, neverScanned, unmatched } = found;
  const first = ({ first: names, count }: Findings) =>
    `${names.slice(0, NAMED).join(', ')}${count > NAMED ? ' …' : ''}`;
  const rows = (
    [
      ['newly overdue: the promise ran out, and nothing came', overdue.count, first(overdue)],
      [`stalled: on its way, and no scan for ${STALLED_DAYS} days`, stalled.count, first(stalled)],
      [`never scanned within ${NEVER_SCANNED_DAYS} days`, neverScanned.count, first(neverScanned)],
      ['unmatched: carriers tell of it, no order has it', unmatched.count, first(unmatched)],
      ['forgotten: numbers with scans not added up', forgotten.numbers, 'added up now'],
      ['forgotten: orders not judged with their latest scans', forgotten.orders, 'judged now'],
      ['forgotten: awards not granted', forgotten.awards, 'granted now'],
      ['forgotten: decisions nobody was told of', forgotten.decisions, 'told now'],
      ['forgotten: events not delivered', forgotten.deliveries, 'delivered now'],
      ['awards said to be booked, and not in the ledger', forgotten.unbooked, 'see `makegood audit`'],
    ] as const
  ).filter(([, count]) => count > 0);
  return rows.length === 0
    ? 'Nothing is newly overdue, stalled, never scanned, unmatched or forgotten.'
    : table(['found', 'how many', 'the first, or what became of it'], rows);
}

/** Of each finding. More, and the lines of the table wrap. */
const NAMED = 3;

/** How often the award came before the customer got in touch. */
function aheadOf({ first, after }: SweepAnswer['beforeContact']): string {
  if (first + after === 0) return 'No award of the last 30 days was applied.';
  return `Of ${first + after} awards applied in the last 30 days, ${first} came before the customer got in touch.`;
}

function sums(totals: Readonly<Record<string, number>>): string {
  const words = Object.entries(totals).map(([unit, quantity]) => showMeasure(quantity, unit));
  return words.length === 0 ? '' : ` (${words.join(', ')})`;
}
