import type { Database, Sql } from '../db/database.js';
import { withSessionLock } from '../db/session-lock.js';
import { newId } from '../ids.js';
import { type StageName, TICKET_SIZE, type Ticket, type Trigger } from './ticket.js';

/**
 * How long the relay leaves a new ticket to whoever wrote it, who puts it on the queue right after COMMIT. Too short, and
 * busy queues get every ticket twice (harmless, but work); too long, and what a crash left behind waits.
 */
const RELAY_GRACE_S = 15;

/**
 * Writes tickets in the transaction whose result they carry on. Put them on the queue after COMMIT.
 * @param options.relayAfterS when the relay does; 0 where nobody else will
 */
export async function issueTickets(
  sql: Sql,
  work: { stage: StageName; ids: readonly string[]; trigger: Trigger; trace: string },
  { relayAfterS = RELAY_GRACE_S }: { relayAfterS?: number } = {},
): Promise<Ticket[]> {
  if (work.ids.length === 0) return [];
  const tickets: Ticket[] = [];
  for (let start = 0; start < work.ids.length; start += TICKET_SIZE) {
    tickets.push({ id: newId(), attempts: 0, ...work, ids: work.ids.slice(start, start + TICKET_SIZE) });
  }
  await insertTickets(
    sql,
    tickets.map((ticket) => ({ ...ticket, waitS: relayAfterS, error: null })),
  );
  return tickets;
}

/**
 * What a statement says to issue tickets for what it has written itself. Nobody puts them on the queue but the relay, at once.
 * @param ids what they are for, by name: id; @param trace a parameter
 */
export function ticketsFor({
  stage,
  trigger,
  trace,
  ids,
}: {
  readonly stage: StageName;
  readonly trigger: Trigger;
  readonly trace: string;
  readonly ids: string;
}): string {
  return `INSERT INTO outbox (id, stage, ids, trigger, trace, attempts, relay_after)
     SELECT gen_random_uuid(), '${stage}', array_agg(id::text), '${trigger}', ${trace}, 0, now()
     FROM (SELECT id, (row_number() OVER () - 1) / ${TICKET_SIZE} AS ticket FROM ${ids}) n GROUP BY ticket`;
}

/** A ticket, how long the relay leaves it alone, and what the try before it came to. */
type LaterTicket = Ticket & { readonly waitS: number; readonly error: string | null };

const soon = (ticket: Ticket): LaterTicket => ({ ...ticket, waitS: RELAY_GRACE_S, error: null });

async function insertTickets(sql: Sql, tickets: readonly LaterTicket[]): Promise<void> {
  if (tickets.length === 0) return;
  // Lists of different length cannot be unnested, so they travel as JSON.
  await sql.query({
    name: 'tickets',
    text: `INSERT INTO outbox (id, stage, ids, trigger, trace, attempts, relay_after, error)
     SELECT t.id, t.stage, t.ids, t.trigger, t.trace, t.attempts, now() + make_interval(secs => t.wait_s), t.error
     FROM jsonb_to_recordset($1::jsonb)
       AS t(id uuid, stage text, ids text[], trigger text, trace text, attempts int, wait_s float8, error text)`,
    values: [JSON.stringify(tickets.map(({ waitS, ...ticket }) => ({ ...ticket, wait_s: waitS })))],
  });
}

export type ClaimOutcome =
  | { readonly outcome: 'claimed'; readonly ticket: Ticket; readonly databaseNow: Date }
  /** Done already, or being done by somebody else right now, or set aside. */
  | { readonly outcome: 'gone' };

/** Takes a ticket for the length of the transaction: whoever dies lets go of it at once, without leases or clocks. */
export async function claimTicket(sql: Sql, id: string): Promise<ClaimOutcome> {
  return readTicket(sql, id, 'FOR UPDATE SKIP LOCKED');
}

async function readTicket(sql: Sql, id: string, locking: '' | 'FOR UPDATE SKIP LOCKED' = ''): Promise<ClaimOutcome> {
  const { rows } = await sql.query(
    `SELECT stage, ids, trigger, trace, attempts, now() AS database_now FROM outbox WHERE id = $1 AND parked_at IS NULL ${locking}`,
    [id],
  );
  const row = rows[0];
  if (!row) return { outcome: 'gone' };
  const { stage, ids, trigger, trace, attempts } = row;
  return { outcome: 'claimed', ticket: { id, stage, ids, trigger, trace, attempts }, databaseNow: row.database_now };
}

/** Holds a ticket for work that lasts longer than a transaction should. */
export function holdTicket<T>(db: Database, id: string, work: (claim: ClaimOutcome) => Promise<T>): Promise<T> {
  return withSessionLock(db, id, async (holder) => work(holder ? await readTicket(holder, id) : { outcome: 'gone' }));
}

/**
 * Takes further tickets of the same kind along: a flood of single rows becomes batches here, as it does at the door, and what
 * several of a flood's tickets say of the same rows is done once. Only what carriers and shops' systems cause in bulk, and nothing
 * that failed before.
 */
export async function claimCompanions(sql: Sql, ticket: Ticket): Promise<Pick<Ticket, 'id' | 'ids'>[]> {
  if (!COME_IN_BULK.has(ticket.trigger) || ticket.attempts > 0) return [];
  const small = await claimSmall(sql, ticket);
  return [...small, ...(await claimOverlapping(sql, ticket, small))];
}

/** @returns small tickets, at most as many as still fit into one batch with `ticket` */
async function claimSmall(sql: Sql, ticket: Ticket): Promise<Pick<Ticket, 'id' | 'ids'>[]> {
  const room = TICKET_SIZE - ticket.ids.length;
  if (room <= 0) return [];
  const { rows } = await sql.query(
    `SELECT id, ids FROM outbox
     WHERE stage = $1 AND trigger = $2 AND parked_at IS NULL AND attempts = 0 AND id <> $3 AND cardinality(ids) <= $4
     ORDER BY id LIMIT $5 FOR UPDATE SKIP LOCKED`,
    [ticket.stage, ticket.trigger, ticket.id, Math.ceil(room / MOST_COMPANIONS), MOST_COMPANIONS],
  );
  return rows;
}

/**
 * Large tickets that mostly name rows which are taken already: a carrier that replays a day tells of each parcel many times. They
 * are looked at without being held: one that is held and not done would be nobody's until the relay finds it.
 */
async function claimOverlapping(
  sql: Sql,
  ticket: Ticket,
  taken: readonly Pick<Ticket, 'id' | 'ids'>[],
): Promise<Pick<Ticket, 'id' | 'ids'>[]> {
  if (ticket.ids.length < LARGE) return [];
  const { rows: waiting } = await sql.query<Pick<Ticket, 'id' | 'ids'>>(
    `SELECT id, ids FROM outbox
     WHERE stage = $1 AND trigger = $2 AND parked_at IS NULL AND attempts = 0 AND id <> $3 AND cardinality(ids) >= $4
     ORDER BY id LIMIT $5`,
    [ticket.stage, ticket.trigger, ticket.id, LARGE, MOST_LOOKED_AT],
  );
  const names = new Set([ticket, ...taken].flatMap(({ ids }) => ids));
  const wanted = waiting.filter(({ ids }) => {
    const more = ids.filter((id) => !names.has(id));
    if (more.length > ids.length / 2 || names.size + more.length > MOST_NAMES) return false;
    for (const id of more) names.add(id);
    return true;
  });
  if (wanted.length === 0) return [];
  const { rows: held } = await sql.query<Pick<Ticket, 'id' | 'ids'>>(
    'SELECT id, ids FROM outbox WHERE id = ANY($1::uuid[]) AND parked_at IS NULL AND attempts = 0 ORDER BY id FOR UPDATE SKIP LOCKED',
    [wanted.map(({ id }) => id)],
  );
  return held;
}

/** Smaller ones are taken along as they are, whatever they name. */
const LARGE = 50;

/** Rows of a batch whose tickets overlap. Fewer, and two tickets that differ by a few rows stay apart; more, and locks are held for long. */
const MOST_NAMES = 2 * TICKET_SIZE;

/** Looked at for rows in common. Fewer, and a flood does the same again; more, and each batch reads all of the flood. */
const MOST_LOOKED_AT = 24;

const COME_IN_BULK: ReadonlySet<Trigger> = new Set(['webhook', 'registration', 'report']);

/** Tickets taken along. Small enough that all of them together never exceed a batch. */
const MOST_COMPANIONS = 250;

/** The work is done; call it in the transaction that holds the result. */
export async function completeTickets(sql: Sql, ids: readonly string[]): Promise<void> {
  await sql.query('DELETE FROM outbox WHERE id = ANY($1::uuid[])', [ids]);
}

/** Does some of the same ids again later, as new tickets that the relay puts on the queue in time. */
export async function retryLater(
  sql: Sql,
  ticket: Ticket,
  retries: readonly { readonly ids: readonly string[]; readonly waitS: number; readonly reason: string }[],
): Promise<void> {
  const { stage, trigger, trace } = ticket;
  const tickets = retries.map(({ ids, waitS, reason }): LaterTicket => {
    return { id: newId(), stage, trigger, trace, ids, attempts: ticket.attempts + 1, waitS, error: reason };
  });
  await insertTickets(sql, tickets);
}

/** A batch that failed as a whole: two halves take its place, until the culprit stands alone. */
export async function splitTicket(sql: Sql, ticket: Ticket): Promise<Ticket[]> {
  const middle = Math.ceil(ticket.ids.length / 2);
  const halves = [ticket.ids.slice(0, middle), ticket.ids.slice(middle)].map((ids) => ({
    ...ticket,
    id: newId(),
    ids,
  }));
  await completeTickets(sql, [ticket.id]);
  await insertTickets(sql, halves.map(soon));
  return halves;
}

/**
 * Sets a ticket aside with its error. It stays until somebody looks. The deadline watch and the sweep bring up the same
 * work again, and it fails again: the new ticket takes the place of the old one, so that there is one to look at.
 */
export async function parkTicket(sql: Sql, id: string, error: string): Promise<void> {
  await sql.query(
    `WITH parked AS (UPDATE outbox SET parked_at = now(), error = $2 WHERE id = $1 RETURNING stage, ids)
     DELETE FROM outbox o USING parked p WHERE o.parked_at IS NOT NULL AND o.id <> $1 AND (o.stage, o.ids) = (p.stage, p.ids)`,
    [id, error],
  );
}

/** A ticket that nobody did in time; with attempts, one that waited for its next try and was on no queue. */
export type OverdueTicket = Pick<Ticket, 'id' | 'stage' | 'trigger' | 'attempts'>;

/**
 * Tickets that are still here though somebody should have done them by now: written by a process that died before it
 * reached the queue, lost with the queue, or due for another try. Each is put off, so that one relay takes it at a time.
 */
export async function takeOverdueTickets(sql: Sql, limit: number): Promise<OverdueTicket[]> {
  const { rows } = await sql.query(
    `UPDATE outbox SET relay_after = now() + make_interval(secs => $2)
     WHERE id IN (SELECT id FROM outbox WHERE parked_at IS NULL AND relay_after <= now()
                  ORDER BY relay_after LIMIT $1 FOR UPDATE SKIP LOCKED)
     RETURNING id, stage, trigger, attempts`,
    [limit, RELAY_GRACE_S * 2],
  );
  return rows;
}

/** The queue lost everything: every ticket is due for the relay at once, but for those that wait for another try. */
export async function relayAllTickets(sql: Sql): Promise<number> {
  const { rowCount } = await sql.query(
    'UPDATE outbox SET relay_after = now() WHERE parked_at IS NULL AND attempts = 0 AND relay_after > now()',
  );
  return rowCount ?? 0;
}

/** Tickets that can be done now, oldest first; with a trace, only those. For processes that do their work themselves. */
export async function findOpenTickets(
  sql: Sql,
  filter: { trace: string },
): Promise<{ id: string; stage: StageName }[]> {
  const { rows } = await sql.query(
    `SELECT id, stage FROM outbox WHERE parked_at IS NULL AND trace = $1 AND (attempts = 0 OR relay_after <= now()) ORDER BY id`,
    [filter.trace],
  );
  return rows;
}

/** Has the relay take the tickets of a trace at once: their writer has no queue to put them on. */
export async function hurryTickets(sql: Sql, trace: string): Promise<void> {
  await sql.query(
    `UPDATE outbox SET relay_after = now()
     WHERE trace = $1 AND parked_at IS NULL AND attempts = 0 AND relay_after BETWEEN now() AND created_at + make_interval(secs => $2)`,
    [trace, RELAY_GRACE_S],
  );
}

/** How much waits, and how much was set aside, by stage. */
export async function countTickets(sql: Sql): Promise<{ stage: StageName; waiting: number; parked: number }[]> {
  const { rows } = await sql.query(
    `SELECT stage, count(*) FILTER (WHERE parked_at IS NULL) AS waiting, count(*) FILTER (WHERE parked_at IS NOT NULL) AS parked
     FROM outbox GROUP BY stage ORDER BY stage`,
  );
  return rows;
}

/** Tickets that nobody has tried though they are old. */
export async function countStuckTickets(sql: Sql, minutes: number): Promise<number> {
  const { rows } = await sql.query(
    `SELECT count(*) AS count FROM outbox WHERE parked_at IS NULL AND attempts = 0
       AND greatest(created_at, relay_after) < now() - make_interval(mins => $1)`,
    [minutes],
  );
  return rows[0].count;
}
