import type { Sql } from '../db/database.js';
import { newId } from '../ids.js';
import { issueTickets } from '../queue/outbox-store.js';
import type { NewEvent } from './event.js';

/**
 * Adds events to the log, in the transaction of what they tell of, with a delivery for each endpoint that wants them and the
 * tickets for those. What is in the log already is not told again.
 */
export async function recordEvents(sql: Sql, events: readonly NewEvent[]): Promise<void> {
  if (events.length === 0) return;
  const { rows } = await sql.query(
    `WITH n AS (
       SELECT * FROM jsonb_to_recordset($1::jsonb) AS n(id uuid, type text, order_id text, dedupe_key text, data jsonb, at timestamptz)
     ), told AS (
       INSERT INTO events (id, type, order_id, dedupe_key, data, created_at)
       SELECT id, type, order_id, dedupe_key, data, at FROM n ORDER BY dedupe_key
       ON CONFLICT (dedupe_key) DO NOTHING RETURNING id, type, created_at
     )
     INSERT INTO event_deliveries (id, event_id, endpoint_id, created_at, queued_at, next_at)
     SELECT gen_random_uuid(), told.id, e.id, told.created_at, told.created_at, told.created_at
     FROM told JOIN event_endpoints e ON e.enabled AND (e.types = '{}' OR told.type = ANY(e.types))
     RETURNING id`,
    [JSON.stringify(events.map(toRow))],
  );
  await issueDeliveries(
    sql,
    rows.map(({ id }) => id),
  );
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

/** Tells of letters that were sent, in the transaction that records them as sent. */
export async function recordMessagesSent(sql: Sql, messageIds: readonly string[]): Promise<void> {
  if (messageIds.length === 0) return;
  const { rows } = await sql.query(
    `SELECT id, order_id, customer_id, template, message_id, award_ids, sent_at FROM messages
     WHERE id = ANY($1::uuid[]) AND status = 'sent'`,
    [messageIds],
  );
  await recordEvents(
    sql,
    rows.map((row) => ({
      type: 'message.sent',
      orderId: row.order_id,
      subject: row.id,
      data: {
        letterId: row.id,
        orderId: row.order_id,
        customerId: row.customer_id,
        template: row.template,
        messageId: row.message_id,
        awardIds: row.award_ids,
        sentAt: row.sent_at.toISOString(),
      },
      at: row.sent_at,
    })),
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
