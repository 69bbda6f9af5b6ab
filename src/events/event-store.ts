import type { Sql } from '../db/database.js';
import { newId } from '../ids.js';
import { issueTickets, ticketsFor } from '../queue/outbox-store.js';
import type { NewEvent } from './event.js';

/**
 * Adds events to the log, in the transaction of what they tell of, with a delivery for each endpoint that wants them and the
 * tickets for those. What is in the log already is not told again.
 */
export async function recordEvents(sql: Sql, events: readonly NewEvent[]): Promise<void> {
  if (events.length === 0) return;
  await sql.query(
    `WITH n AS (
       SELECT * FROM jsonb_to_recordset($1::jsonb) AS n(id uuid, type text, order_id text, dedupe_key text, data jsonb, at timestamptz)
     ), ${telling('n', '$2')} SELECT`,
    [JSON.stringify(events.map(toRow)), newId()],
  );
}

/**
 * What a statement says after WITH to tell of events, all of it at once.
 * @param events what there is to tell of, by name: id, type, order_id, dedupe_key, data, at
 * @param trace a parameter: the trace of the tickets
 */
export function telling(events: string, trace: string): string {
  return `told AS (
       INSERT INTO events (id, type, order_id, dedupe_key, data, created_at)
       SELECT id, type, order_id, dedupe_key, data, at FROM ${events} ORDER BY dedupe_key
       ON CONFLICT (dedupe_key) DO NOTHING RETURNING id, type, created_at
     ), due AS (
       INSERT INTO event_deliveries (id, event_id, endpoint_id, created_at, queued_at, next_at)
       SELECT gen_random_uuid(), told.id, e.id, told.created_at, told.created_at, told.created_at
       FROM told JOIN event_endpoints e ON e.enabled AND (e.types = '{}' OR told.type = ANY(e.types))
       RETURNING id
     ), issued AS (${ticketsFor({ stage: 'deliver-events', trigger: 'event', trace, ids: 'due' })})`;
}

/** Tickets for deliveries. They are put on the queue by the relay, at once: whoever tells of events announces nothing. */
export async function issueDeliveries(sql: Sql, ids: readonly string[]): Promise<void> {
  const work = { stage: 'deliver-events', ids, trigger: 'event', trace: newId() } as const;
  await issueTickets(sql, work, { relayAfterS: 0 });
}

const toRow = ({ type, orderId, subject, data, at }: NewEvent) => ({
  id: newId(),
  type,
  order_id: orderId,
  dedupe_key: `${type}:${subject}`,
  data,
  at: at.toISOString(),
});

/**
 * The events of letters that were sent.
 * @param letters rows of `messages`, by name; @param ids of letters and of their events, by name: id, event_id
 */
export function messagesSent(letters: string, ids: string): string {
  return `SELECT ids.event_id AS id, 'message.sent' AS type, m.order_id, 'message.sent:' || m.id AS dedupe_key, m.sent_at AS at,
       jsonb_build_object('letterId', m.id, 'orderId', m.order_id, 'customerId', m.customer_id, 'template', m.template,
         'messageId', m.message_id, 'awardIds', m.award_ids,
         'sentAt', to_char(m.sent_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) AS data
     FROM ${letters} m JOIN ${ids} ids USING (id) WHERE m.status = 'sent'`;
}

/** Tells of letters that were sent, in the transaction that records them as sent. */
export async function recordMessagesSent(sql: Sql, messageIds: readonly string[]): Promise<void> {
  if (messageIds.length === 0) return;
  await sql.query(
    `WITH ids AS (SELECT * FROM unnest($1::uuid[], $2::uuid[]) AS ids(id, event_id)),
       n AS (${messagesSent('messages', 'ids')}), ${telling('n', '$3')} SELECT`,
    [messageIds, messageIds.map(newId), newId()],
  );
}

/** An event as it stands in the log. */
export interface LoggedEvent {
  readonly seq: number;
  readonly id: string;
  readonly type: string;
  readonly orderId: string | null;
  readonly data: Readonly<Record<string, unknown>>;
  readonly createdAt: Date;
}

/**
 * Events after a place, in the order of their numbers. One whose number is smaller than another's that is shown can never
 * appear later: what follows on a number that somebody has taken and not committed yet waits for that.
 * @param options.type null: all; @param options.orderId null: of all orders
 */
export async function listEvents(
  sql: Sql,
  options: { after: number; type: string | null; orderId: string | null; limit: number },
): Promise<LoggedEvent[]> {
  const { after, type, orderId, limit } = options;
  // A statement of its own, before the one whose snapshot is read.
  const { rows: settled } = await sql.query('SELECT settled_events() AS until');
  const { rows } = await sql.query(
    `SELECT seq, id, type, order_id AS "orderId", data, created_at AS "createdAt" FROM events
     WHERE seq > $1 AND seq <= $2 AND ($3::text IS NULL OR type = $3) AND ($4::text IS NULL OR order_id = $4)
     ORDER BY seq LIMIT $5`,
    [after, settled[0].until, type, orderId, limit],
  );
  return rows;
}
