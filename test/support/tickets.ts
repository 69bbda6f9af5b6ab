import { randomUUID } from 'node:crypto';
import type { Deps } from '../../src/deps.js';
import { PIPELINE } from '../../src/pipeline.js';
import { issueTickets } from '../../src/queue/outbox-store.js';
import { type RunOutcome, runTicket } from '../../src/queue/run-ticket.js';
import { STAGES, type StageName, type Trigger } from '../../src/queue/ticket.js';
import type { TestDatabase } from './database.js';

/** A ticket as it lies in the outbox. */
export interface TicketRow {
  readonly id: string;
  readonly stage: StageName;
  readonly ids: string[];
  readonly trigger: Trigger;
  readonly attempts: number;
  readonly parked: boolean;
  readonly error: string | null;
}

/** The tickets of a stage, oldest first, those set aside too. */
export function ticketsOf(database: TestDatabase, stage: StageName): Promise<TicketRow[]> {
  return database.query<TicketRow & Record<string, unknown>>(
    `SELECT id, stage, ids, trigger, attempts, parked_at IS NOT NULL AS parked, error FROM outbox WHERE stage = $1 ORDER BY id`,
    [stage],
  );
}

/** The one open ticket of a stage. */
export async function onlyTicketOf(database: TestDatabase, stage: StageName): Promise<TicketRow> {
  const tickets = await ticketsOf(database, stage);
  const [ticket] = tickets;
  if (!ticket || tickets.length > 1) throw new Error(`${tickets.length} tickets of ${stage}, not one`);
  return ticket;
}

/** Writes a ticket for these ids, as any stage would. @returns its id */
export async function issueTicket(
  deps: Deps,
  stage: StageName,
  ids: readonly string[],
  trigger: Trigger = 'recheck',
): Promise<string> {
  const work = { stage, ids, trigger, trace: randomUUID() };
  const [ticket] = await deps.db.transaction((sql) => issueTickets(sql, work));
  if (!ticket) throw new Error('no ids, no ticket');
  return ticket.id;
}

/** Does the work of one ticket, as a worker would. */
export function runByHand(deps: Deps, ticket: { readonly id: string; readonly stage: StageName }): Promise<RunOutcome> {
  return runTicket(deps, PIPELINE[ticket.stage], ticket.id);
}

/** Runs the tickets that can be run now, and those that come of them, up to and with the stage `last`. */
export async function workByHand(deps: Deps, database: TestDatabase, last: StageName = 'send-messages'): Promise<void> {
  for (const stage of STAGES.slice(0, STAGES.indexOf(last) + 1)) {
    for (;;) {
      // A ticket that waits for another try is left waiting.
      const open = (await ticketsOf(database, stage)).filter(({ parked, attempts }) => !parked && attempts === 0);
      if (open.length === 0) break;
      for (const ticket of open) await runByHand(deps, ticket);
    }
  }
}

/** Does a piece of work for each item, `width` at once. */
export async function atOnce<T>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const queue = [...items];
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
    }),
  );
}
