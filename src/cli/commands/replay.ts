import { parseInstant } from '../../calendar.js';
import { CARRIERS, findCarrier } from '../../carriers/registry.js';
import { AppError } from '../../errors.js';
import { type ReplayReport, replay } from '../../inbox/replay.js';
import { countOutcomesOfTrace } from '../../promises/trace-store.js';
import { table } from '../print.js';
import { progressBar } from '../progress-bar.js';
import { openSession } from '../session.js';

/** Failures that a person reads; the JSON answer has more. */
const SHOWN = 20;

export interface ReplayAnswer extends Omit<ReplayReport, 'trace' | 'orders'> {
  /** `judged`: about which something was new; `changed`: whose answer is another one now. */
  readonly orders: { readonly judged: number; readonly changed: number };
  readonly messages: number;
}

/** `makegood replay [--source S] [--since T]`. */
export async function replayCommand(input: {
  readonly source: string | undefined;
  readonly since: string | undefined;
}): Promise<ReplayAnswer> {
  const { source = null } = input;
  if (source !== null && findCarrier(source) === null) {
    const sources = CARRIERS.map((carrier) => carrier.source).join(', ');
    throw new AppError('invalid_request', `--source ${JSON.stringify(source)} is none of ${sources}.`);
  }
  const since = input.since === undefined ? null : parseInstant(input.since);
  if (input.since !== undefined && since === null)
    throw new AppError('invalid_request', '--since is an ISO 8601 instant with offset, such as 2026-11-05T12:00:00Z.');
  const { deps, finish, close } = await openSession();
  const bar = progressBar('reading again');
  try {
    const { trace, orders: judged, ...report } = await replay(deps, { source, since, onProgress: bar.update });
    bar.stop();
    await finish(trace);
    const { changed, messages } = await countOutcomesOfTrace(deps.db.pool, trace);
    return { ...report, orders: { judged, changed }, messages };
  } finally {
    bar.stop();
    await close();
  }
}

export function describeReplay({
  webhooks,
  scans,
  wordsLearnt,
  orders,
  messages,
  failed,
  moreFailed,
}: ReplayAnswer): string {
  const shown = failed.slice(0, SHOWN);
  const more = failed.length - shown.length + moreFailed;
  const { known, added, corrected, withdrawn } = scans;
  return [
    `${webhooks} webhooks read again. Scans: ${added} added, ${corrected} corrected, ${withdrawn} misread and withdrawn; told and known: ${known}.`,
    ...(wordsLearnt > 0 ? [`Words that were unknown and are known now: ${wordsLearnt}.`] : []),
    `Orders judged again: ${orders.judged}, with another answer: ${orders.changed}. Letters: ${messages}.`,
    ...(shown.length > 0
      ? [
          'Skipped, because they cannot be read any more:',
          table(
            ['webhook', 'source', 'received', 'what is wrong'],
            shown.map(({ id, source, receivedAt, reason }) => [id, source, receivedAt.toISOString(), reason]),
          ),
        ]
      : []),
    ...(more > 0 ? [`and ${more} more.`] : []),
  ].join('\n');
}
