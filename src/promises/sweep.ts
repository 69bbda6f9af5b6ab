import { readNow } from '../db/now.js';
import type { Deps } from '../deps.js';
import { AppError, ERROR_CODES } from '../errors.js';
import { newId } from '../ids.js';
import { issueTickets } from '../queue/outbox-store.js';
import { TICKET_SIZE, type Ticket } from '../queue/ticket.js';
import { judgeOrders } from './judge-orders.js';
import {
  countOpenOrders,
  countVerdicts,
  findForgottenAwards,
  findOpenOrders,
  findUntoldDecisions,
  findUntrackedNumbers,
  finishSweepRun,
  startSweepRun,
} from './sweep-store.js';
import { VERDICTS, type Verdict } from './verdict.js';

export interface SweepReport {
  readonly asOf: string;
  readonly orders: number;
  /** Every order, by the verdict that it has after the sweep. */
  readonly verdicts: Readonly<Record<Verdict, number>>;
  /** Orders whose verdict the sweep changed. */
  readonly changed: number;
  readonly awards: number;
  /** Orders that could not be judged: each is set aside with its error. */
  readonly failed: number;
  /** Work that somebody should have done and had not. */
  readonly forgotten: { readonly numbers: number; readonly awards: number; readonly decisions: number };
  readonly trace: string;
  readonly dryRun: boolean;
}

/**
 * sweep: makes sure each night that nobody was forgotten. Judges every order that is still open or was never judged, and
 * finds scans that were not added up, awards that were not granted and decisions that nobody was told of.
 * Reads:    orders, shipments, tracking events, awards, messages, outbox
 * Writes:   what judge-promises writes, outbox(track-shipments, grant-awards, send-messages)   one transaction a chunk
 * Twice:    it only finds what is not done; two at once judge the same and record it once.
 * If lost:  the next one does the rest; a worker that starts runs it when the last is older than a day.
 * @param options.asOf judge with what was known then; not in the future
 * @throws AppError `invalid_request` for an asOf in the future
 */
export async function sweep(
  deps: Deps,
  options: { asOf?: Date; dryRun?: boolean; onProgress?: (done: number, total: number) => Promise<void> | void } = {},
): Promise<SweepReport> {
  const { dryRun = false, onProgress = () => {} } = options;
  const trace = newId();
  const now = await readNow(deps.db.pool, deps.clock);
  const asOf = options.asOf ?? now;
  if (asOf > now)
    throw new AppError(
      'invalid_request',
      `--as-of ${asOf.toISOString()} is in the future: nobody knows yet what will be.`,
    );
  const run = dryRun ? null : await startSweepRun(deps.db.pool, now, asOf);

  const verdicts = await countVerdicts(deps.db.pool);
  const total = await countOpenOrders(deps.db.pool);
  const totals = { judged: 0, changed: 0, awards: 0, failed: 0 };
  await onProgress(0, total);
  for (let after = ''; ; ) {
    const ids = await findOpenOrders(deps.db.pool, after, TICKET_SIZE);
    if (ids.length === 0) break;
    after = ids.at(-1) ?? after;
    const chunk = await judgeChunk(deps, { ids, asOf: options.asOf, trigger: 'sweep', trace }, dryRun);
    for (const { before, judgement } of chunk.outcomes) {
      verdicts.set(before, (verdicts.get(before) ?? 0) - 1);
      verdicts.set(judgement.verdict, (verdicts.get(judgement.verdict) ?? 0) + 1);
      if (before !== judgement.verdict) totals.changed++;
    }
    totals.judged += ids.length;
    totals.awards += chunk.newAwards.length;
    totals.failed += chunk.failed;
    await onProgress(totals.judged, Math.max(total, totals.judged));
  }

  const forgotten = await findForgottenWork(deps, { trace, dryRun, asOfNow: options.asOf === undefined });
  // What a dry run undid stands only in its own count; else the tables know, whoever judged besides.
  const counts = dryRun ? verdicts : await countVerdicts(deps.db.pool);
  const report: SweepReport = {
    asOf: asOf.toISOString(),
    orders: [...counts.values()].reduce((sum, count) => sum + count, 0),
    verdicts: Object.fromEntries(VERDICTS.map((verdict) => [verdict, counts.get(verdict) ?? 0])) as Record<
      Verdict,
      number
    >,
    changed: totals.changed,
    awards: totals.awards,
    failed: totals.failed,
    forgotten,
    trace,
    dryRun,
  };
  if (run) await finishSweepRun(deps.db.pool, run, report);
  deps.log.info({ ...report }, 'sweep');
  return report;
}

type Work = Parameters<typeof judgeOrders>[2];

type Chunk = Pick<Awaited<ReturnType<typeof judgeOrders>>, 'outcomes' | 'newAwards'> & { readonly failed: number };

async function judgeChunk(deps: Deps, work: Work, dryRun: boolean): Promise<Chunk> {
  try {
    const { judged, tickets } = await deps.db.transaction(async (sql) => {
      const result = await judgeOrders(deps, sql, work);
      if (dryRun) throw new RolledBack(result);
      const pending = result.newAwards.filter(({ status }) => status === 'pending').map(({ id }) => id);
      const { trigger, trace } = work;
      return {
        judged: result,
        tickets: await issueTickets(sql, { stage: 'grant-awards', ids: pending, trigger, trace }),
      };
    });
    await deps.queues.announce(tickets);
    return { ...judged, failed: 0 };
  } catch (error) {
    if (error instanceof RolledBack) return { ...error.result, failed: 0 };
    if (error instanceof AppError && ERROR_CODES[error.code].retry) throw error;
    return isolate(deps, work, dryRun, error);
  }
}

/** One order that cannot be judged must not cost the others their night: as with any batch, halves find it. */
async function isolate(deps: Deps, work: Work, dryRun: boolean, error: unknown): Promise<Chunk> {
  const { ids, trigger, trace } = work;
  if (ids.length > 1) {
    const middle = Math.ceil(ids.length / 2);
    const one = await judgeChunk(deps, { ...work, ids: ids.slice(0, middle) }, dryRun);
    const other = await judgeChunk(deps, { ...work, ids: ids.slice(middle) }, dryRun);
    return {
      outcomes: [...one.outcomes, ...other.outcomes],
      newAwards: [...one.newAwards, ...other.newAwards],
      failed: one.failed + other.failed,
    };
  }
  deps.log.error({ err: error, trace }, 'sweep: an order cannot be judged');
  if (!dryRun) {
    // Its own ticket fails as well, and is set aside where it is looked for.
    const tickets = await deps.db.transaction((sql) =>
      issueTickets(sql, { stage: 'judge-promises', ids, trigger, trace }),
    );
    await deps.queues.announce(tickets);
  }
  return { outcomes: [], newAwards: [], failed: 1 };
}

/** A dry run does everything, looks at it, and undoes it. */
class RolledBack extends Error {
  readonly result: Awaited<ReturnType<typeof judgeOrders>>;
  constructor(result: Awaited<ReturnType<typeof judgeOrders>>) {
    super('dry run');
    this.result = result;
  }
}

async function findForgottenWork(
  deps: Deps,
  { trace, dryRun, asOfNow }: { trace: string; dryRun: boolean; asOfNow: boolean },
): Promise<SweepReport['forgotten']> {
  // What nobody carries out is not forgotten: it waits, and an alarm says so.
  const grantable = [...deps.config.remedyProviders.keys()];
  const { found, tickets } = await deps.db.transaction(async (sql) => {
    // Scans that are added up are judged as of now: that would overrule what a sweep as of an earlier time has just found.
    const numbers = asOfNow ? await findUntrackedNumbers(sql) : [];
    const awards = await findForgottenAwards(sql, grantable);
    const decisions = await findUntoldDecisions(sql);
    const issued: Ticket[] = [];
    if (!dryRun) {
      const common = { trigger: 'sweep', trace } as const;
      issued.push(...(await issueTickets(sql, { stage: 'track-shipments', ids: numbers, ...common })));
      issued.push(...(await issueTickets(sql, { stage: 'grant-awards', ids: awards, ...common })));
      issued.push(...(await issueTickets(sql, { stage: 'send-messages', ids: decisions, ...common })));
    }
    return { found: { numbers: numbers.length, awards: awards.length, decisions: decisions.length }, tickets: issued };
  });
  await deps.queues.announce(tickets);
  return found;
}
