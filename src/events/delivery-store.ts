import { raiseAlarm, raiseAlarms } from '../compensation/alarm-store.js';
import { recordAudit } from '../db/audit-store.js';
import type { Sql } from '../db/database.js';
import { GIVE_UP_MS, pauseMs, retryWaitMs } from './retry-wait.js';

/** A delivery that is still to be made, and when. */
export interface WaitingDelivery {
  readonly id: string;
  readonly endpointId: string;
  readonly dueAt: Date;
  readonly lastError: string | null;
}

/** Those of these deliveries that are to be made. What waits for an endpoint that was disabled waits without a ticket. */
export async function findWaiting(sql: Sql, ids: readonly string[]): Promise<WaitingDelivery[]> {
  const { rows } = await sql.query(
    `SELECT d.id, d.endpoint_id AS "endpointId", greatest(d.next_at, e.paused_until) AS "dueAt", d.last_error AS "lastError"
     FROM event_deliveries d JOIN event_endpoints e ON e.id = d.endpoint_id
     WHERE d.id = ANY($1::uuid[]) AND d.status = 'pending' AND e.enabled ORDER BY d.created_at, d.id`,
    [ids],
  );
  return rows;
}

/**
 * Ends those of these deliveries that nobody will make: their endpoint was removed while they were written, or fails for all
 * and has done so for three days. One that is slow and answers loses nothing. @returns how many
 */
export async function endHopeless(sql: Sql, ids: readonly string[], now: Date): Promise<number> {
  const { rowCount } = await sql.query(
    `UPDATE event_deliveries d SET status = 'failed', last_error = 'the endpoint was removed' FROM event_endpoints e
     WHERE d.id = ANY($1::uuid[]) AND d.status = 'pending' AND e.id = d.endpoint_id AND e.removed_at IS NOT NULL`,
    [ids],
  );
  const { rows } = await sql.query(
    `UPDATE event_deliveries d SET status = 'failed', given_up_at = $2, last_error = coalesce(d.last_error, 'the endpoint answers no other delivery either')
     FROM event_endpoints e
     WHERE d.id = ANY($1::uuid[]) AND d.status = 'pending' AND e.id = d.endpoint_id AND e.enabled AND e.failures > 0 AND e.paused_until > $2
       AND d.queued_at <= $3
     RETURNING d.endpoint_id AS "endpointId", d.last_error AS error`,
    [ids, now, new Date(now.getTime() - GIVE_UP_MS)],
  );
  const byEndpoint = new Map<string, string>(rows.map(({ endpointId, error }) => [endpointId, error]));
  await raiseAlarms(
    sql,
    [...byEndpoint].map(([endpointId, error]) => failedAlarm(endpointId, error, now)),
  );
  return (rowCount ?? 0) + rows.length;
}

/** A delivery that is this process's to make, for one try. */
export interface ClaimedDelivery {
  readonly id: string;
  readonly endpointId: string;
  /** Which try this is. Whoever was overtaken by a later one can record nothing any more. */
  readonly attempt: number;
  readonly url: string;
  /** All that sign now, the newest first. */
  readonly secrets: readonly string[];
  readonly event: {
    readonly id: string;
    readonly type: string;
    readonly createdAt: Date;
    readonly data: Readonly<Record<string, unknown>>;
  };
}

/** How long a try is taken to be under way. Shorter than it may take, and two are at once; longer, and what a crash cut off waits. */
export const TRY_LASTS_MS = 30_000;

/** Notes that a delivery is about to be tried. null: not due, being tried, done, or its endpoint gets nothing now. */
export async function claimDelivery(sql: Sql, id: string, now: Date): Promise<ClaimedDelivery | null> {
  const { rows } = await sql.query(
    `UPDATE event_deliveries d SET attempts = d.attempts + 1, tries = d.tries + 1, next_at = $3
     FROM event_endpoints e, events v
     WHERE d.id = $1 AND d.status = 'pending' AND d.next_at <= $2 AND e.id = d.endpoint_id AND e.enabled
       AND coalesce(e.paused_until, '-infinity') <= $2 AND v.id = d.event_id
     RETURNING d.id, d.endpoint_id AS "endpointId", d.attempts AS attempt, e.url,
       ARRAY(SELECT s.secret FROM event_secrets s WHERE s.endpoint_id = e.id AND coalesce(s.ends_at, 'infinity') > $2
             ORDER BY s.created_at DESC, s.id DESC) AS secrets,
       jsonb_build_object('id', v.id, 'type', v.type, 'data', v.data) AS event, v.created_at AS "createdAt"`,
    [id, now, new Date(now.getTime() + TRY_LASTS_MS)],
  );
  const [row] = rows;
  if (!row) return null;
  const { createdAt, event, ...delivery } = row;
  return { ...delivery, event: { ...event, createdAt } };
}

/** Records that it was delivered. An endpoint that failed before is well again, but what was given up stays an alarm. */
export async function recordDelivered(
  sql: Sql,
  delivery: ClaimedDelivery,
  { status, tookMs }: { status: number; tookMs: number },
  now: Date,
): Promise<void> {
  const { id, endpointId, attempt } = delivery;
  const pause = pauseMs(0, tookMs);
  await sql.query(
    `UPDATE event_endpoints SET failures = 0, gone_in_a_row = 0, paused_until = NULL WHERE id = $1 AND failures > 0`,
    [endpointId],
  );
  if (pause > 0) await pauseEndpoint(sql, endpointId, new Date(now.getTime() + pause));
  await sql.query(
    `UPDATE event_deliveries SET status = 'delivered', delivered_at = $3, given_up_at = NULL, last_status = $4, last_error = NULL
     WHERE id = $1 AND attempts = $2 AND status = 'pending'`,
    [id, attempt, now, status],
  );
  await clearAlarmOfMadeUp(sql, endpointId, now);
}

/** Ends the alarm of an endpoint when everything that was given up since it was raised has come through. */
async function clearAlarmOfMadeUp(sql: Sql, endpointId: string, now: Date): Promise<void> {
  const { rowCount: isOpen } = await sql.query(
    `SELECT 1 FROM alarms WHERE kind = 'event_delivery' AND subject = $1 AND cleared_at IS NULL`,
    [endpointId],
  );
  if (isOpen === 0) return;
  // Whoever gives up after a try holds the endpoint: nobody does between our look and our COMMIT.
  await sql.query('SELECT 1 FROM event_endpoints WHERE id = $1 FOR NO KEY UPDATE', [endpointId]);
  await sql.query(
    `UPDATE alarms a SET cleared_at = $2 WHERE a.kind = 'event_delivery' AND a.subject = $1::text AND a.cleared_at IS NULL
       AND NOT EXISTS (SELECT 1 FROM event_deliveries d
                       WHERE d.endpoint_id = $1::uuid AND d.status <> 'delivered' AND d.given_up_at >= a.raised_at)`,
    [endpointId, now],
  );
}

async function pauseEndpoint(sql: Sql, endpointId: string, until: Date): Promise<void> {
  await sql.query(
    'UPDATE event_endpoints SET paused_until = greatest(paused_until, $2::timestamptz) WHERE id = $1 AND enabled',
    [endpointId, until],
  );
}

/** What a try came to that brought nothing. */
export interface FailedTry {
  /** null: there was no answer. */
  readonly status: number | null;
  readonly reason: string;
  readonly retryAfterS?: number | undefined;
  readonly tookMs: number;
  /** From 0 to 1, for the next wait. */
  readonly chance: number;
}

/** An endpoint that says so for so many tries in a row is gone. One answer may be a mistake of a deployment. */
const GONE_AFTER = 3;
const GONE = 410;

/**
 * Records a try that failed: when the next one is, or that it was the last. An endpoint that said 410 three times in a row is
 * disabled, with an alarm and a line in the audit.
 */
export async function recordFailedTry(
  sql: Sql,
  delivery: ClaimedDelivery,
  failed: FailedTry,
  now: Date,
): Promise<'pending' | 'failed'> {
  const { id, endpointId, attempt } = delivery;
  const { status, reason, retryAfterS, tookMs, chance } = failed;
  // The endpoint before its deliveries, as whoever changes or removes it takes them.
  const { rows } = await sql.query(
    `UPDATE event_endpoints SET failures = failures + 1,
       gone_in_a_row = CASE WHEN $2::int = ${GONE} THEN gone_in_a_row + 1 WHEN $2 IS NULL THEN gone_in_a_row ELSE 0 END
     WHERE id = $1 RETURNING failures, gone_in_a_row = ${GONE_AFTER} AND $2 = ${GONE} AND enabled AS "isGone"`,
    [endpointId, status],
  );
  const { failures, isGone } = rows[0];
  const pause = pauseMs(failures, tookMs);
  if (pause > 0) await pauseEndpoint(sql, endpointId, new Date(now.getTime() + pause));
  if (isGone) await disableGone(sql, endpointId, now);

  // As it is now: while the try was under way, somebody may have had it begin anew.
  const { rows: found } = await sql.query(
    `SELECT tries, queued_at AS "queuedAt" FROM event_deliveries WHERE id = $1 AND attempts = $2 AND status = 'pending' FOR UPDATE`,
    [id, attempt],
  );
  const [mine] = found;
  // Overtaken by a later try: that one says how it goes on.
  if (!mine) return 'pending';
  const wait = retryWaitMs(Math.max(1, mine.tries), { chance, askedS: retryAfterS });
  const nextAt = wait === null ? null : new Date(now.getTime() + wait);
  const goesOn = nextAt !== null && nextAt.getTime() <= mine.queuedAt.getTime() + GIVE_UP_MS;
  const next = goesOn ? 'pending' : 'failed';
  await sql.query(
    `UPDATE event_deliveries SET status = $2, next_at = coalesce($3, next_at), given_up_at = coalesce($4, given_up_at),
       last_status = $5, last_error = $6 WHERE id = $1`,
    [id, next, nextAt, goesOn ? null : now, status, reason],
  );
  if (!goesOn) await raiseAlarm(sql, failedAlarm(endpointId, reason, now));
  return next;
}

async function disableGone(sql: Sql, endpointId: string, now: Date): Promise<void> {
  await sql.query('UPDATE event_endpoints SET enabled = false WHERE id = $1', [endpointId]);
  await raiseAlarm(sql, {
    kind: 'event_endpoint',
    subject: endpointId,
    message: `Event endpoint ${endpointId} answered 410 Gone ${GONE_AFTER} times in a row and was disabled: it gets no events until somebody enables it.`,
    details: { endpoint: endpointId },
    at: now,
  });
  await recordAudit(sql, {
    at: now,
    actor: 'makegood',
    action: 'event-endpoint.disable',
    subject: endpointId,
    reason: `it answered 410 Gone ${GONE_AFTER} times in a row`,
    details: {},
  });
}

function failedAlarm(endpointId: string, error: string, at: Date) {
  return {
    kind: 'event_delivery',
    subject: endpointId,
    message: `Events for endpoint ${endpointId} could not be delivered for three days and were given up: ${error}. POST /v1/event-endpoints/${endpointId}/replay sends them again.`,
    details: { endpoint: endpointId },
    at,
  } as const;
}

/** Deliveries that nobody makes, though nothing stops them. */
export async function findForgottenDeliveries(sql: Sql): Promise<string[]> {
  const { rows } = await sql.query(
    `SELECT d.id FROM event_deliveries d JOIN event_endpoints e ON e.id = d.endpoint_id
     WHERE d.status = 'pending' AND e.enabled
       AND NOT EXISTS (SELECT 1 FROM outbox t, unnest(t.ids) AS named(id)
                       WHERE t.stage = 'deliver-events' AND t.parked_at IS NULL AND named.id = d.id::text)`,
  );
  return rows.map((row) => row.id);
}
