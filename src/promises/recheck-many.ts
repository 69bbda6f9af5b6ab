import { recordAudit } from '../db/audit-store.js';
import type { Sql } from '../db/database.js';
import { readNow } from '../db/now.js';
import type { Deps } from '../deps.js';
import { AppError } from '../errors.js';
import { newId } from '../ids.js';
import { issueTickets } from '../queue/outbox-store.js';
import type { Ticket } from '../queue/ticket.js';
import { countMatching, findMatching, insertRecheckRun, type RecheckFilter } from './recheck-many-store.js';

/** Orders of one request. Fewer, and a carrier's bad week takes many; more, and whoever waits for one order waits behind it. */
export const MOST_RECHECKED = 50_000;
/** Orders that a preview names. */
const SHOWN = 20;

export interface RecheckPreview {
  readonly count: number;
  /** By the verdict they have now; `none`: not judged yet. */
  readonly verdicts: Readonly<Record<string, number>>;
  readonly first: readonly string[];
  /** There are more than one request takes. */
  readonly tooMany: boolean;
}

/** Says which orders a filter names. Changes nothing. @throws AppError `invalid_request` for a filter that names all there are */
export async function previewRecheck(deps: Pick<Deps, 'db'>, filter: RecheckFilter): Promise<RecheckPreview> {
  refuseEverything(filter);
  const verdicts = await countMatching(deps.db.pool, filter);
  const count = [...verdicts.values()].reduce((sum, one) => sum + one, 0);
  return {
    count,
    verdicts: Object.fromEntries([...verdicts].map(([verdict, one]) => [verdict ?? 'none', one])),
    first: await findMatching(deps.db.pool, filter, SHOWN),
    tooMany: count > MOST_RECHECKED,
  };
}

/**
 * Has all orders that a filter names judged again, in the caller's transaction: by tickets of judge-promises, which go ahead
 * of everything that came in bulk. Whatever dies meanwhile, each is judged, and nothing is paid twice.
 * @returns the run, and the tickets to announce after COMMIT
 * @throws AppError `invalid_request` for a filter that names all orders, or too many
 */
export async function recheckMany(
  deps: Pick<Deps, 'clock'>,
  sql: Sql,
  filter: RecheckFilter,
  request: { readonly actor: string; readonly reason: string | null },
): Promise<{ run: { id: string; total: number; trace: string }; tickets: Ticket[] }> {
  refuseEverything(filter);
  const ids = await findMatching(sql, filter, MOST_RECHECKED + 1);
  if (ids.length > MOST_RECHECKED)
    throw new AppError(
      'invalid_request',
      `More than ${MOST_RECHECKED} orders: name fewer, by the end of their promise.`,
    );
  const requestedAt = await readNow(sql, deps.clock);
  const run = { id: newId(), total: ids.length, trace: newId() };
  await insertRecheckRun(sql, { ...run, requestedAt, requestedBy: request.actor, reason: request.reason, filter });
  await recordAudit(sql, {
    at: requestedAt,
    actor: request.actor,
    action: 'orders.recheck',
    subject: run.id,
    reason: request.reason,
    details: { filter, total: run.total, trace: run.trace },
  });
  const tickets = await issueTickets(sql, { stage: 'judge-promises', ids, trigger: 'recheck', trace: run.trace });
  return { run, tickets };
}

/** Everything is what the sweep is for. */
function refuseEverything(filter: RecheckFilter): void {
  if (Object.values(filter).every((one) => one === null))
    throw new AppError(
      'invalid_request',
      'Say which orders: by verdict, carrier, status, or when their promise ended.',
    );
}
