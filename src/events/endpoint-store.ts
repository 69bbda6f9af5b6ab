import { randomBytes } from 'node:crypto';
import { clearAlarm } from '../compensation/alarm-store.js';
import type { Sql } from '../db/database.js';
import { newId } from '../ids.js';
import { TRY_LASTS_MS } from './delivery-store.js';
import { TEST_EVENT } from './event.js';
import { issueDeliveries } from './event-store.js';

/** One of the shop's own systems, as whoever manages it sees it: never with a secret. */
export interface Endpoint {
  readonly id: string;
  readonly url: string;
  /** Empty: all. */
  readonly types: readonly string[];
  readonly description: string | null;
  readonly enabled: boolean;
  readonly createdAt: Date;
  /** Nothing is sent before: it fails, or is slow. */
  readonly pausedUntil: Date | null;
  readonly pending: number;
  readonly failed: number;
  readonly lastDeliveredAt: Date | null;
  /** Secrets that sign now: two after a rotation, until the old one ends. */
  readonly secrets: number;
}

const ENDPOINT = `e.id, e.url, e.types, e.description, e.enabled, e.created_at AS "createdAt", e.paused_until AS "pausedUntil",
  (SELECT count(*) FROM event_deliveries d WHERE d.endpoint_id = e.id AND d.status = 'pending') AS pending,
  (SELECT count(*) FROM event_deliveries d WHERE d.endpoint_id = e.id AND d.status = 'failed') AS failed,
  (SELECT max(d.delivered_at) FROM event_deliveries d WHERE d.endpoint_id = e.id) AS "lastDeliveredAt",
  (SELECT count(*) FROM event_secrets s WHERE s.endpoint_id = e.id AND coalesce(s.ends_at, 'infinity') > $1) AS secrets`;

/** A page of those that were not removed, the newest first. */
export async function listEndpoints(
  sql: Sql,
  { after, limit, now }: { after: { at: Date; id: string } | null; limit: number; now: Date },
): Promise<Endpoint[]> {
  const { rows } = await sql.query(
    `SELECT ${ENDPOINT} FROM event_endpoints e
     WHERE e.removed_at IS NULL AND ($2::timestamptz IS NULL OR (e.created_at, e.id) < ($2, $3::uuid))
     ORDER BY e.created_at DESC, e.id DESC LIMIT $4`,
    [now, after?.at ?? null, after?.id ?? null, limit],
  );
  return rows;
}

/** null: there is none with this id, or it was removed. */
export async function loadEndpoint(sql: Sql, id: string, now: Date): Promise<Endpoint | null> {
  const { rows } = await sql.query(
    `SELECT ${ENDPOINT} FROM event_endpoints e WHERE e.id = $2 AND e.removed_at IS NULL`,
    [now, id],
  );
  return rows[0] ?? null;
}

/** Takes an endpoint until the transaction ends. @returns whether it is there */
export async function lockEndpoint(sql: Sql, id: string): Promise<boolean> {
  const { rowCount } = await sql.query(
    'SELECT 1 FROM event_endpoints WHERE id = $1 AND removed_at IS NULL FOR NO KEY UPDATE',
    [id],
  );
  return rowCount === 1;
}

export async function countEndpoints(sql: Sql): Promise<number> {
  const { rows } = await sql.query('SELECT count(*) AS count FROM event_endpoints WHERE removed_at IS NULL');
  return rows[0].count;
}

/** @returns its id, and its secret, to be shown this once */
export async function insertEndpoint(
  sql: Sql,
  one: { readonly url: string; readonly types: readonly string[]; readonly description: string | null },
  now: Date,
): Promise<{ id: string; secret: string }> {
  const id = newId();
  await sql.query('INSERT INTO event_endpoints (id, url, types, description, created_at) VALUES ($1, $2, $3, $4, $5)', [
    id,
    one.url,
    one.types,
    one.description,
    now,
  ]);
  return { id, secret: await addSecret(sql, id, now) };
}

async function addSecret(sql: Sql, endpointId: string, now: Date): Promise<string> {
  const secret = `whsec_${randomBytes(32).toString('base64')}`;
  await sql.query('INSERT INTO event_secrets (id, endpoint_id, secret, created_at) VALUES ($1, $2, $3, $4)', [
    newId(),
    endpointId,
    secret,
    now,
  ]);
  return secret;
}

/** Signatures of one delivery. More, and its header grows with each rotation of a bad day. */
const MOST_SECRETS = 5;

/** Gives an endpoint a new secret; those it had sign until `endAt` at the latest. @returns the new one, to be shown this once */
export async function rotateSecret(
  sql: Sql,
  endpointId: string,
  { endAt, now }: { endAt: Date; now: Date },
): Promise<string> {
  await sql.query(`UPDATE event_secrets SET ends_at = least(ends_at, $2::timestamptz) WHERE endpoint_id = $1`, [
    endpointId,
    endAt,
  ]);
  await sql.query(
    `DELETE FROM event_secrets WHERE endpoint_id = $1 AND (ends_at <= $2 OR id IN (
       SELECT id FROM event_secrets WHERE endpoint_id = $1 ORDER BY created_at DESC, id DESC OFFSET $3))`,
    [endpointId, now, MOST_SECRETS - 1],
  );
  return addSecret(sql, endpointId, now);
}

/**
 * Changes an endpoint; undefined leaves as it is. One that has another address, or is enabled again, begins anew: what failed
 * before says nothing of it, and what waits is sent at once.
 */
export async function changeEndpoint(
  sql: Sql,
  id: string,
  changes: {
    readonly url?: string | undefined;
    readonly types?: readonly string[] | undefined;
    readonly description?: string | null | undefined;
    readonly enabled?: boolean | undefined;
  },
  now: Date,
): Promise<void> {
  const { url, types, description, enabled } = changes;
  await sql.query(
    `UPDATE event_endpoints SET url = coalesce($2, url), types = coalesce($3, types),
       description = CASE WHEN $4 THEN $5 ELSE description END, enabled = coalesce($6, enabled) WHERE id = $1`,
    [id, url ?? null, types ?? null, description !== undefined, description ?? null, enabled ?? null],
  );
  if (url === undefined && enabled !== true) return;
  await sql.query('UPDATE event_endpoints SET failures = 0, gone_in_a_row = 0, paused_until = NULL WHERE id = $1', [
    id,
  ]);
  // What is due soon keeps its time: it may be under way, and must not be tried twice at once.
  const { rows } = await sql.query(
    `UPDATE event_deliveries d SET queued_at = $2, tries = 0, next_at = CASE WHEN d.next_at <= $3 THEN d.next_at ELSE $2 END
     FROM event_endpoints e WHERE d.endpoint_id = $1 AND e.id = $1 AND e.enabled AND d.status = 'pending' RETURNING d.id`,
    [id, now, new Date(now.getTime() + TRY_LASTS_MS)],
  );
  await issueDeliveries(
    sql,
    rows.map((row) => row.id),
  );
  if (enabled) await clearAlarms(sql, id, now);
}

/** Somebody has seen to it. What fails from here on is news. */
async function clearAlarms(sql: Sql, id: string, at: Date): Promise<void> {
  for (const kind of ['event_endpoint', 'event_delivery'] as const) await clearAlarm(sql, { kind, subject: id, at });
}

/** Removes an endpoint with its secrets. What waited for it ends. @returns how many deliveries that were */
export async function removeEndpoint(sql: Sql, id: string, now: Date): Promise<number> {
  await sql.query('UPDATE event_endpoints SET enabled = false, removed_at = $2 WHERE id = $1', [id, now]);
  await sql.query('DELETE FROM event_secrets WHERE endpoint_id = $1', [id]);
  const { rowCount } = await sql.query(
    `UPDATE event_deliveries SET status = 'failed', last_error = 'the endpoint was removed' WHERE endpoint_id = $1 AND status = 'pending'`,
    [id],
  );
  await clearAlarms(sql, id, now);
  return rowCount ?? 0;
}

/**
 * Sends events of the log again, or for the first time, to one endpoint: those it wants, behind a place or since an instant. What
 * waits already is left as it is.
 * @returns how many, and the number of the last event that was looked at where there may be more; null: that was all
 */
export async function replayEvents(
  sql: Sql,
  endpointId: string,
  from: { readonly after: number | null; readonly since: Date | null; readonly limit: number },
  now: Date,
): Promise<{ replayed: number; continueAfter: number | null }> {
  const { after, since, limit } = from;
  const { rows } = await sql.query(
    `WITH wanted AS (
       SELECT v.seq, v.id FROM events v JOIN event_endpoints e ON e.id = $1
       WHERE ($2::bigint IS NULL OR v.seq > $2) AND ($3::timestamptz IS NULL OR v.created_at >= $3)
         AND v.type <> $4 AND (e.types = '{}' OR v.type = ANY(e.types))
       ORDER BY v.seq LIMIT $5
     ), again AS (
       INSERT INTO event_deliveries AS d (id, event_id, endpoint_id, created_at, queued_at, next_at)
       SELECT gen_random_uuid(), id, $1, $6, $6, $6 FROM wanted ORDER BY id
       ON CONFLICT (endpoint_id, event_id) DO UPDATE SET status = 'pending', tries = 0, queued_at = excluded.queued_at,
         next_at = excluded.next_at, delivered_at = NULL, last_status = NULL, last_error = NULL
       WHERE d.status <> 'pending' RETURNING d.id
     )
     SELECT (SELECT count(*) FROM wanted) AS wanted, (SELECT max(seq) FROM wanted) AS last, ARRAY(SELECT id FROM again) AS ids`,
    [endpointId, after, since, TEST_EVENT, limit, now],
  );
  const { wanted, last, ids } = rows[0];
  await issueDeliveries(sql, ids);
  return { replayed: ids.length, continueAfter: wanted === limit ? last : null };
}

/** An event for one endpoint alone, whatever types it wants. @returns the id of the event */
export async function sendTestEvent(sql: Sql, endpointId: string, now: Date): Promise<string> {
  const id = newId();
  const { rows } = await sql.query(
    `WITH told AS (
       INSERT INTO events (id, type, dedupe_key, data, created_at) VALUES ($1, $2, $3, $4, $5) RETURNING id
     )
     INSERT INTO event_deliveries (id, event_id, endpoint_id, created_at, queued_at, next_at)
     SELECT gen_random_uuid(), id, $6, $5, $5, $5 FROM told RETURNING id`,
    [id, TEST_EVENT, `${TEST_EVENT}:${id}`, JSON.stringify({ endpointId }), now, endpointId],
  );
  await issueDeliveries(
    sql,
    rows.map((row) => row.id),
  );
  return id;
}

/** A delivery as whoever looks for trouble sees it. */
export interface ShownDelivery {
  readonly id: string;
  readonly eventId: string;
  readonly seq: number;
  readonly type: string;
  readonly status: string;
  readonly attempts: number;
  readonly createdAt: Date;
  readonly nextAt: Date;
  readonly deliveredAt: Date | null;
  readonly lastStatus: number | null;
  readonly lastError: string | null;
}

/** Deliveries to an endpoint, the newest first. @param options.status null: whatever it is */
export async function listDeliveries(
  sql: Sql,
  endpointId: string,
  options: { status: string | null; after: { at: Date; id: string } | null; limit: number },
): Promise<ShownDelivery[]> {
  const { status, after, limit } = options;
  const { rows } = await sql.query(
    `SELECT d.id, d.event_id AS "eventId", v.seq, v.type, d.status, d.attempts, d.created_at AS "createdAt", d.next_at AS "nextAt",
       d.delivered_at AS "deliveredAt", d.last_status AS "lastStatus", d.last_error AS "lastError"
     FROM event_deliveries d JOIN events v ON v.id = d.event_id
     WHERE d.endpoint_id = $1 AND ($2::text IS NULL OR d.status = $2)
       AND ($3::timestamptz IS NULL OR (d.created_at, d.id) < ($3, $4::uuid))
     ORDER BY d.created_at DESC, d.id DESC LIMIT $5`,
    [endpointId, status, after?.at ?? null, after?.id ?? null, limit],
  );
  return rows;
}
