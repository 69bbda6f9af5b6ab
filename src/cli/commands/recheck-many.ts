import { parseInstant } from '../../calendar.js';
import { AppError } from '../../errors.js';
import { previewRecheck, type RecheckPreview, recheckMany } from '../../promises/recheck-many.js';
import { loadRecheckProgress, type RecheckFilter } from '../../promises/recheck-many-store.js';
import { VERDICTS, type Verdict } from '../../promises/verdict.js';
import { TRACKING_STATUSES } from '../../shipments/tracking-event.js';
import { table } from '../print.js';
import { progressBar } from '../progress-bar.js';
import { withSession } from '../session.js';
import { actor } from './recheck.js';

/** Which orders, in the words of the command line. */
export interface RecheckWords {
  readonly verdict?: readonly string[];
  readonly carrier?: string;
  readonly status?: string;
  readonly promisedFrom?: string;
  readonly promisedBefore?: string;
}

export interface RecheckManyReport {
  readonly preview: RecheckPreview;
  /** null: it was only looked at. */
  readonly done: {
    readonly total: number;
    readonly failed: number;
    readonly changed: number;
    readonly awards: number;
  } | null;
}

/** `makegood recheck --verdict V … [--yes]`. Without `--yes` it says which orders it would judge again, and changes nothing. */
export async function recheckManyCommand(
  words: RecheckWords,
  { yes, reason }: { readonly yes: boolean; readonly reason: string | null },
): Promise<RecheckManyReport> {
  const filter = filterOf(words);
  return withSession(async ({ deps, finish }) => {
    const preview = await previewRecheck(deps, filter);
    if (!yes || preview.count === 0) return { preview, done: null };
    const { run, tickets } = await deps.db.transaction((sql) =>
      recheckMany(deps, sql, filter, { actor: actor(), reason }),
    );
    await deps.queues.announce(tickets);
    const bar = progressBar('judging');
    let judged = -1;
    try {
      await finish(run.trace, async () => {
        const { waiting = 0 } = (await loadRecheckProgress(deps.db.pool, run.id)) ?? {};
        bar.update(run.total - waiting, run.total);
        const moved = run.total - waiting > judged;
        judged = run.total - waiting;
        return moved;
      });
    } finally {
      bar.stop();
    }
    const progress = await loadRecheckProgress(deps.db.pool, run.id);
    if (!progress) throw new Error('assertion failed: the run is there');
    const { total, failed, changed, awards } = progress;
    return { preview, done: { total, failed, changed, awards } };
  });
}

function filterOf({ verdict, carrier, status, promisedFrom, promisedBefore }: RecheckWords): RecheckFilter {
  return {
    verdicts: verdict === undefined ? null : verdict.map((one) => oneOf('--verdict', one, VERDICTS) as Verdict),
    carrier: carrier ?? null,
    status: status === undefined ? null : oneOf('--status', status, TRACKING_STATUSES),
    promisedFrom: instantOf('--promised-from', promisedFrom),
    promisedBefore: instantOf('--promised-before', promisedBefore),
  };
}

function oneOf(option: string, value: string, allowed: readonly string[]): string {
  if (!allowed.includes(value))
    throw new AppError('invalid_request', `${option} ${JSON.stringify(value)} is none of ${allowed.join(', ')}.`);
  return value;
}

function instantOf(option: string, text: string | undefined): Date | null {
  if (text === undefined) return null;
  const instant = parseInstant(text);
  if (instant === null)
    throw new AppError(
      'invalid_request',
      `${option} is an ISO 8601 instant with offset, such as 2026-11-05T12:00:00Z.`,
    );
  return instant;
}

/** Of those that a preview names, so many for a person to read. */
const NAMED = 5;

export function describeRecheckMany({ preview, done }: RecheckManyReport): string {
  const { count, verdicts, first, tooMany } = preview;
  if (done === null) {
    if (count === 0) return 'No order is so.';
    return [
      `${count} orders would be judged again; nothing was changed.`,
      table(['verdict now', 'orders'], Object.entries(verdicts)),
      `The first of them: ${first.slice(0, NAMED).join(', ')}${count > NAMED ? ' …' : ''}`,
      tooMany ? 'These are more than one request takes: name fewer.' : 'Add --yes to judge them.',
    ].join('\n');
  }
  const failed = done.failed === 0 ? '' : ` ${done.failed} could not be judged, and are set aside with their error.`;
  return `${done.total} orders were judged again: ${done.changed} answers changed, ${done.awards} new awards.${failed}`;
}
