import type { Sql } from '../db/database.js';
import type { Deps } from '../deps.js';
import { AppError, ERROR_CODES } from '../errors.js';
import { failpoint } from '../failpoint.js';
import {
  claimCompanions,
  claimTicket,
  completeTickets,
  holdTicket,
  parkTicket,
  retryLater,
  splitTicket,
} from './outbox-store.js';
import type { StageName, Ticket } from './ticket.js';

/** What a stage did: the tickets that carry it on, written in its own transaction, and counts for the log. */
export interface StageResult {
  readonly next: readonly Ticket[];
  readonly counts: Readonly<Record<string, number>>;
}

/** A stage whose whole effect is in the database: all of it and its next tickets commit at once, or nothing does. */
export interface TransactionStage {
  readonly kind: 'transaction';
  readonly run: (deps: Deps, work: { sql: Sql; ticket: Ticket; now: Date }) => Promise<StageResult>;
}

/** What of a ticket is to be done again, and in how many seconds. */
export interface Retry {
  readonly ids: readonly string[];
  readonly waitS: number;
  readonly reason: string;
}

/** A stage that reaches outside and records each step itself. What it could not do yet comes back in a later ticket. */
export interface EffectStage {
  readonly kind: 'effect';
  readonly run: (
    deps: Deps,
    work: { ticket: Ticket; now: Date },
  ) => Promise<{
    readonly retries: readonly Retry[];
    /** Tickets that it wrote with its results; they are announced when it is done. */
    readonly next?: readonly Ticket[];
    readonly counts: Readonly<Record<string, number>>;
  }>;
}

export interface StageDefinition {
  readonly name: StageName;
  /** What the ids of its tickets name. */
  readonly takes: string;
  /** The stages it issues tickets for; none after the last. */
  readonly next: readonly StageName[];
  /** Batches at once in one worker process. */
  readonly concurrency: number;
  readonly work: TransactionStage | EffectStage;
}

export type RunOutcome =
  | { readonly outcome: 'done'; readonly next: readonly Ticket[] }
  /** Done before, being done elsewhere, or set aside: nothing to do. */
  | { readonly outcome: 'gone' }
  /** The batch failed; its halves are new tickets. */
  | { readonly outcome: 'split'; readonly next: readonly Ticket[] }
  | { readonly outcome: 'parked'; readonly reason: string };

/**
 * Does the work of one ticket. The same for workers, the command line and tests.
 * @param options.carriesOn says of which tickets that come of it the caller does the work itself, right after: nobody else is told of them
 * @throws AppError when trying again later can help: the ticket stays, and the relay brings it back
 */
export async function runTicket(
  deps: Deps,
  stage: StageDefinition,
  ticketId: string,
  { carriesOn = () => false }: { readonly carriesOn?: (ticket: Ticket) => boolean } = {},
): Promise<RunOutcome> {
  const { name, work } = stage;
  let outcome: RunOutcome;
  try {
    outcome =
      work.kind === 'transaction'
        ? await withOrWithoutCompanions((alone) => runInTransaction(deps, name, work, ticketId, alone))
        : await runWithEffects(deps, name, work, ticketId);
  } catch (error) {
    if (helpsToWait(error)) throw error;
    outcome = await isolate(deps, name, ticketId, error);
  }
  if (outcome.outcome === 'done') await deps.queues.announce(outcome.next.filter((next) => !carriesOn(next)));
  else if (outcome.outcome === 'split') await deps.queues.announce(outcome.next);
  failpoint(`${stage.name}:announced`);
  return outcome;
}

async function runInTransaction(
  deps: Deps,
  name: StageName,
  work: TransactionStage,
  ticketId: string,
  alone: boolean,
): Promise<RunOutcome> {
  const done = await deps.db.transaction(async (sql) => {
    const claim = await claimTicket(sql, ticketId);
    if (claim.outcome === 'gone') return null;
    failpoint(`${name}:claimed`);
    const companions = alone ? [] : await claimCompanions(sql, claim.ticket);
    const ticket = { ...claim.ticket, ids: mergeIds(claim.ticket, companions) };
    const result = await work.run(deps, { sql, ticket, now: deps.clock.read(claim.databaseNow) });
    await completeTickets(sql, [ticketId, ...companions.map(({ id }) => id)]);
    failpoint(`${name}:before-commit`);
    return { result, ticket };
  });
  if (!done) return { outcome: 'gone' };
  failpoint(`${name}:after-commit`);
  logDone(deps, done.ticket, done.result.counts);
  return { outcome: 'done', next: done.result.next };
}

async function runWithEffects(deps: Deps, name: StageName, work: EffectStage, ticketId: string): Promise<RunOutcome> {
  return holdTicket(deps.db, ticketId, async (claim): Promise<RunOutcome> => {
    if (claim.outcome === 'gone') return claim;
    failpoint(`${name}:claimed`);
    const { retries, next, counts } = await work.run(deps, {
      ticket: claim.ticket,
      now: deps.clock.read(claim.databaseNow),
    });
    await deps.db.transaction(async (sql) => {
      await completeTickets(sql, [ticketId]);
      await retryLater(sql, claim.ticket, retries);
      failpoint(`${name}:before-commit`);
    });
    failpoint(`${name}:after-commit`);
    logDone(deps, claim.ticket, counts);
    return { outcome: 'done', next: next ?? [] };
  });
}

/** What failed in company may do so because of the company: then it is tried alone before it is blamed. */
async function withOrWithoutCompanions(run: (alone: boolean) => Promise<RunOutcome>): Promise<RunOutcome> {
  try {
    return await run(false);
  } catch (error) {
    if (helpsToWait(error)) throw error;
    return await run(true);
  }
}

function helpsToWait(error: unknown): boolean {
  return error instanceof AppError && ERROR_CODES[error.code].retry;
}

function mergeIds(ticket: Ticket, companions: readonly Pick<Ticket, 'ids'>[]): readonly string[] {
  if (companions.length === 0) return ticket.ids;
  return [...new Set([ticket, ...companions].flatMap(({ ids }) => ids))];
}

/** One poison row must not stop the other 499: the batch is halved until the culprit stands alone, and that is set aside. */
async function isolate(deps: Deps, name: StageName, ticketId: string, error: unknown): Promise<RunOutcome> {
  const reason = error instanceof Error ? error.message : String(error);
  return deps.db.transaction(async (sql): Promise<RunOutcome> => {
    const claim = await claimTicket(sql, ticketId);
    if (claim.outcome === 'gone') return claim;
    if (claim.ticket.ids.length > 1) {
      deps.log.warn(
        { err: error, ticket: ticketId, ids: claim.ticket.ids.length },
        `${name}: batch failed, trying its halves`,
      );
      return { outcome: 'split', next: await splitTicket(sql, claim.ticket) };
    }
    deps.log.error({ err: error, ticket: ticketId, trace: claim.ticket.trace }, `${name}: set aside`);
    await parkTicket(sql, ticketId, reason);
    return { outcome: 'parked', reason };
  });
}

function logDone(deps: Deps, ticket: Ticket, counts: Readonly<Record<string, number>>): void {
  deps.log.debug({ trace: ticket.trace, trigger: ticket.trigger, ids: ticket.ids.length, ...counts }, ticket.stage);
}
