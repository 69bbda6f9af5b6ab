import { setTimeout as sleep } from 'node:timers/promises';
import { subDays } from 'date-fns';
import type { Sql } from '../db/database.js';
import { readNow } from '../db/now.js';
import type { Deps } from '../deps.js';
import { AppError, ERROR_CODES } from '../errors.js';
import { newId } from '../ids.js';
import { type BeforeContactCounts, measureBeforeContact } from './before-contact-store.js';
import { chooseCalls } from './choose-calls.js';
import { type ForgottenWork, findForgottenWork } from './forgotten-work.js';
import { type FoundOrder, findAndTellApart } from './pass-over-store.js';
import { judgeChunk, RunTakenOver } from './sweep-chunk.js';
import { type AwardTotals, addChunk, type Findings, NO_COUNTS, type SweepCounts } from './sweep-counts.js';
import {
  countOpenOrders,
  countVerdicts,
  findOpenOrders,
  finishSweepRun,
  markResumed,
  moveCursor,
  type OpenOrders,
  type SweepRun,
  withNewRun,
  withUnfinishedRun,
} from './sweep-store.js';
import { VERDICTS, type Verdict } from './verdict.js';

export interface SweepReport {
  readonly asOf: string;
  readonly startedAt: string;
  /** It carried on a run that had ended early. */
  readonly resumed: boolean;
  readonly orders: number;
  /** Every order, by the verdict that it has after the sweep. */
  readonly verdicts: Readonly<Record<Verdict, number>>;
  /** Orders whose verdict the sweep changed. */
  readonly changed: number;
  /** Awards that it decided on. */
  readonly awards: number;
  /** Orders that it looked at: judged, or proved to stand still. */
  readonly judged: number;
  /** Orders newly found late, or overdue. */
  readonly late: number;
  readonly paid: AwardTotals;
  readonly held: SweepCounts['held'];
  /** Orders that could not be judged: each is set aside with its error. */
  readonly failed: number;
  readonly found: {
    readonly overdue: Findings;
    readonly stalled: Findings;
    readonly neverScanned: Findings;
    /** Numbers that carriers tell of and no order has. */
    readonly unmatched: Findings;
  };
  readonly forgotten: ForgottenWork;
  /** Personal calls for the day that begins, and how many customers could have had one; null: proposing them failed, and was logged. */
  readonly calls: { readonly proposed: number; readonly candidates: number } | null;
  /** Of the awards of the last 30 days: how many came before the customer got in touch. */
  readonly beforeContact: BeforeContactCounts;
  readonly trace: string;
  readonly dryRun: boolean;
}

export interface SweepOptions {
  /** Judge with what was known then; not in the future. */
  readonly asOf?: Date;
  readonly dryRun?: boolean;
  readonly onProgress?: (done: number, total: number) => Promise<void> | void;
}

/** How the sweep goes when it comes by the clock. */
interface ByClock {
  /** The process ends: the run stops behind the chunk under way, and is carried on by the next. */
  readonly stopping: AbortSignal;
}

/**
 * Orders of one chunk. Fewer, and round trips cost more than judging; more, and a process that takes webhooks besides answers
 * none of them while it judges a chunk.
 */
const CHUNK = 100;

/**
 * Orders of one page. Fewer, and a night in which nearly everything stands still is made of round trips; more, and a process that
 * stops, or a run that rests after each chunk, judges by what it read long ago.
 */
const PAGE = 2_000;

/** What "before the customer complains" is measured over. Shorter, and a quiet week says nothing; longer, and a change shows late. */
const MEASURED_DAYS = 30;

/**
 * A run that ended early is carried on when it is no older. Shorter, and a crash at night costs what was done by the morning;
 * as long as a day, and the next night would end the last one instead of looking at everything anew.
 */
const RESUME_WITHIN_MS = 12 * 60 * 60 * 1000;

/**
 * sweep: makes sure each night that nobody was forgotten. Judges every order that is still open or was never judged, in
 * chunks, but for those that can be proved to stand still; finds parcels that are silent or that nobody knows, scans that were not
 * added up, awards that were not granted and decisions that nobody was told of; proposes whom a person should ring.
 * Reads:    orders, shipments, tracking events, awards, ledger, messages, outbox
 * Writes:   what judge-promises writes, the cursor of the run, outbox(all stages), tasks   one transaction a chunk
 * Twice:    it only finds what is not done; two at once judge the same and record it once.
 * If lost:  the next one goes on behind the last chunk that was committed; a worker that starts does so, and runs one that is overdue.
 * @throws AppError `invalid_request` for an asOf in the future
 */
export async function sweep(deps: Deps, options: SweepOptions = {}): Promise<SweepReport> {
  const now = await readNow(deps.db.pool, deps.clock);
  const asOf = options.asOf ?? now;
  if (asOf > now)
    throw new AppError(
      'invalid_request',
      `--as-of ${asOf.toISOString()} is in the future: nobody knows yet what will be.`,
    );
  const fresh = { startedAt: now, asOf, isPast: options.asOf !== undefined, trace: newId() };
  if (options.dryRun) return runSweep(deps, { ...fresh, id: '', cursor: '', counts: null }, options);
  return withUnfinishedRun(deps.db, resumable(now, options.asOf), (unfinished) =>
    unfinished.outcome === 'taken'
      ? runSweep(deps, unfinished.run, options)
      : withNewRun(deps.db, fresh, (run) => runSweep(deps, run, options)),
  );
}

/**
 * The sweep as it comes by the clock: in no hurry, and when one is under way already, it is left to that one.
 * @param options.onlyUnfinished carries on what ended early, and begins nothing
 * @returns null: there was nothing to do, or it was stopped
 */
export async function sweepByClock(
  deps: Deps,
  options: Pick<SweepOptions, 'onProgress'> & ByClock & { readonly onlyUnfinished?: boolean },
): Promise<SweepReport | null> {
  const now = await readNow(deps.db.pool, deps.clock);
  const fresh = { startedAt: now, asOf: now, isPast: false, trace: newId() };
  const go = async (run: SweepRun): Promise<SweepReport | null> => {
    try {
      return await runSweep(deps, run, options, options);
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
      deps.log.info({ run: run.id }, 'sweep: stopped, and is carried on by the next');
      return null;
    }
  };
  return withUnfinishedRun(deps.db, resumable(now, undefined), async (unfinished) => {
    if (unfinished.outcome === 'taken') return go(unfinished.run);
    if (unfinished.outcome === 'under-way' || options.onlyUnfinished) return null;
    return withNewRun(deps.db, fresh, go);
  });
}

/** The process ends between two chunks. */
class Stopped extends Error {}

const resumable = (now: Date, asOf: Date | undefined) => ({
  asOf: asOf ?? null,
  startedAfter: new Date(now.getTime() - RESUME_WITHIN_MS),
});

/** What must not cost the night its report: nobody is owed a call. */
async function proposeCalls(deps: Deps, dryRun: boolean): Promise<SweepReport['calls']> {
  try {
    const { proposed, candidates } = await chooseCalls(deps, { dryRun });
    return { proposed, candidates };
  } catch (error) {
    if (error instanceof AppError && ERROR_CODES[error.code].retry) throw error;
    deps.log.error({ err: error }, 'sweep: personal calls could not be proposed');
    return null;
  }
}

async function runSweep(
  deps: Deps,
  run: SweepRun,
  options: SweepOptions,
  byClock: ByClock | null = null,
): Promise<SweepReport> {
  const dryRun = options.dryRun === true;
  const resumed = run.cursor !== '';
  if (resumed) {
    await markResumed(deps.db.pool, run.id);
    deps.log.info({ run: run.id, startedAt: run.startedAt, judged: run.counts?.judged }, 'sweep: carried on');
  }
  const verdicts = await countVerdicts(deps.db.pool);
  const counts = await judgeOpenOrders(deps, run, { ...options, byClock }, (before, after) => {
    verdicts.set(before, (verdicts.get(before) ?? 0) - 1);
    verdicts.set(after, (verdicts.get(after) ?? 0) + 1);
  });
  const { forgotten, unmatched } = await findForgottenWork(deps, {
    trace: run.trace,
    dryRun,
    asOfNow: options.asOf === undefined,
    now: run.asOf,
  });
  // A look back in time says nothing of whom to ring today.
  const calls = options.asOf ? { proposed: 0, candidates: 0 } : await proposeCalls(deps, dryRun);
  const { byIncident: _each, ...beforeContact } = await measureBeforeContact(deps.db.pool, {
    since: subDays(run.asOf, MEASURED_DAYS),
    until: run.asOf,
  });
  // What a dry run undid stands only in its own count; else the tables know, whoever judged besides.
  const standing = dryRun ? verdicts : await countVerdicts(deps.db.pool);
  const { judged, changed, late, failed, paid, held, overdue, stalled, neverScanned } = counts;
  const report: SweepReport = {
    asOf: run.asOf.toISOString(),
    startedAt: run.startedAt.toISOString(),
    resumed,
    orders: [...standing.values()].reduce((sum, count) => sum + count, 0),
    verdicts: Object.fromEntries(VERDICTS.map((verdict) => [verdict, standing.get(verdict) ?? 0])) as Record<
      Verdict,
      number
    >,
    changed,
    awards: paid.awards + held.awards,
    judged,
    late,
    paid,
    held,
    failed,
    found: { overdue, stalled, neverScanned, unmatched },
    forgotten,
    calls,
    beforeContact,
    trace: run.trace,
    dryRun,
  };
  if (!dryRun) await finishSweepRun(deps.db.pool, run.id, report);
  deps.log.info({ ...report }, 'sweep');
  return report;
}

/**
 * Goes through what is open, chunk by chunk; each chunk is committed together with the place where the next one begins. By the
 * clock it rests after each for as long as that took: half of the time is left to what comes in meanwhile.
 */
async function judgeOpenOrders(
  deps: Deps,
  run: SweepRun,
  { asOf, dryRun = false, onProgress = () => {}, byClock }: SweepOptions & { readonly byClock: ByClock | null },
  onChange: (before: Verdict | null, after: Verdict) => void,
): Promise<SweepCounts> {
  let cursor = run.cursor;
  let counts = run.counts ?? NO_COUNTS;
  const all: OpenOrders = { after: run.cursor, until: null, unless: null };
  const passes: OpenOrders[] = [all];
  // What came in, or came due, behind the cursor while nobody was sweeping.
  const missed = { judgedSince: run.asOf, dueBy: asOf ? null : await readNow(deps.db.pool, deps.clock) };
  if (run.cursor !== '') passes.push({ after: '', until: run.cursor, unless: missed });
  let total = counts.judged;
  for (const pass of passes) total += await countOpenOrders(deps.db.pool, pass);
  await onProgress(counts.judged, total);
  for (const pass of passes) {
    for (let { after } = pass; ; ) {
      let startedAt = performance.now();
      const page = await findPage(deps, { ...pass, after }, asOf);
      const last = page.at(-1);
      if (last === undefined) break;
      for (const { ids, still, end } of chunksOf(page, CHUNK)) {
        const from = cursor;
        const to = pass === all ? end : cursor;
        // What stands still behind the cursor was counted when the cursor passed it.
        const before = pass === all ? { ...counts, judged: counts.judged + still } : counts;
        const at = await readNow(deps.db.pool, deps.clock);
        const note = async (sql: Sql, after: SweepCounts) => {
          if (dryRun || (after === counts && to === from)) return;
          if (!(await moveCursor(sql, run.id, { from, to, counts: after }))) throw new RunTakenOver(run.id);
        };
        if (ids.length === 0) {
          await note(deps.db.pool, before);
          counts = before;
        } else {
          let withChunk: SweepCounts | null = null;
          const chunk = await judgeChunk(
            deps,
            { ids, asOf, trigger: 'sweep', trace: run.trace },
            {
              dryRun,
              note(sql, outcome) {
                withChunk = addChunk(before, { ...outcome, ids, asOf: asOf ?? at });
                return note(sql, withChunk);
              },
            },
          );
          counts = withChunk ?? addChunk(before, { ...chunk, ids, asOf: asOf ?? at });
          for (const { before: was, judgement } of chunk.outcomes) onChange(was, judgement.verdict);
        }
        cursor = to;
        await onProgress(counts.judged, Math.max(total, counts.judged));
        if (byClock) await rest(performance.now() - startedAt, byClock.stopping);
        startedAt = performance.now();
      }
      after = last.id;
    }
  }
  return counts;
}

/** The next open orders. As of another time than now nothing is known to stand still. */
async function findPage(deps: Deps, which: OpenOrders, asOf: Date | undefined): Promise<FoundOrder[]> {
  if (asOf) {
    const ids = await findOpenOrders(deps.db.pool, which, PAGE);
    return ids.map((id) => ({ id, standsStill: false }));
  }
  const at = await readNow(deps.db.pool, deps.clock);
  const tellsShipped = deps.config.serviceLetters.has('shipped');
  return findAndTellApart(deps.db.pool, which, { at, tellsShipped }, PAGE);
}

interface ChunkOfPage {
  /** To be judged: at most so many as a chunk has. */
  readonly ids: readonly string[];
  /** How many among and behind them stand still. */
  readonly still: number;
  /** The last of all of them. */
  readonly end: string;
}

/** Cuts a page so that no chunk has too many orders to judge. A pure function. */
function chunksOf(page: readonly FoundOrder[], size: number): ChunkOfPage[] {
  const chunks: { ids: string[]; still: number; end: string }[] = [];
  for (const { id, standsStill } of page) {
    let chunk = chunks.at(-1);
    if (chunk === undefined || (chunk.ids.length === size && !standsStill)) {
      chunk = { ids: [], still: 0, end: id };
      chunks.push(chunk);
    }
    if (standsStill) chunk.still++;
    else chunk.ids.push(id);
    chunk.end = id;
  }
  return chunks;
}

/** @throws Stopped */
async function rest(ms: number, stopping: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal: stopping }).catch(() => {});
  if (stopping.aborted) throw new Stopped();
}
