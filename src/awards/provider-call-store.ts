import { clearAlarm, raiseAlarm } from '../compensation/alarm-store.js';
import { asDatabaseError, type Database, type Sql } from '../db/database.js';
import { awardEvent } from '../events/event.js';
import { recordEvents } from '../events/event-store.js';
import { type AwardRow, grantRequestOf, idempotencyKeyOf } from './providers/grant-request.js';
import type { GrantRequest, ProviderName } from './providers/provider.js';
import { refusedAlarm } from './refused-alarm.js';

/** An award that somebody outside is to carry out. */
export interface CallableAward {
  readonly id: string;
  readonly customerId: string;
  readonly provider: ProviderName;
}

/** Those of these awards that are still to be granted by a provider outside. */
export async function findCallable(sql: Sql, ids: readonly string[]): Promise<CallableAward[]> {
  const { rows } = await sql.query(
    `SELECT id, customer_id, provider FROM awards
     WHERE id = ANY($1::uuid[]) AND status = 'pending' AND provider IN ('webhook', 'stripe', 'shopify') ORDER BY id`,
    [ids],
  );
  return rows.map((row) => ({ id: row.id, customerId: row.customer_id, provider: row.provider }));
}

/**
 * Holds customers while providers are asked for their awards, so that one award is asked for by one process at a time, and
 * two awards of one customer never move the end of one subscription, or the rest of one payment, under each other. By locks
 * of a session, all on one connection: PostgreSQL drops them the moment the holder dies, where a mark in a row would have to
 * wait for a clock.
 * @param work gets the customers that nobody else holds
 */
export async function holdCustomers<T>(
  db: Database,
  customerIds: readonly string[],
  work: (held: ReadonlySet<string>) => Promise<T>,
): Promise<T> {
  const client = await db.pool.connect().catch((error: unknown) => {
    throw asDatabaseError(error);
  });
  let broken = false;
  try {
    const { rows } = await client.query(
      `SELECT id, pg_try_advisory_lock(hashtextextended('call-providers ' || id, 0)) AS held FROM unnest($1::text[]) AS c(id)`,
      [customerIds],
    );
    const held = rows.filter((row) => row.held).map((row) => row.id as string);
    try {
      return await work(new Set(held));
    } finally {
      await client
        .query(
          `SELECT pg_advisory_unlock(hashtextextended('call-providers ' || id, 0)) FROM unnest($1::text[]) AS c(id)`,
          [held],
        )
        .catch(() => {
          broken = true;
        });
    }
  } catch (error) {
    throw asDatabaseError(error);
  } finally {
    // A connection that may still hold the locks is closed, and the locks with it.
    client.release(broken);
  }
}

type CallClaim =
  | { readonly outcome: 'claimed'; readonly request: GrantRequest }
  /** It was granted before, and the award does not know yet. */
  | { readonly outcome: 'granted'; readonly receipt: Readonly<Record<string, unknown>> }
  /** Applied, held or declined meanwhile: nothing is asked for. */
  | { readonly outcome: 'gone' };

/** Notes that this award is about to be asked for. Whatever becomes of us, the next one knows that it may have been done. */
export async function claimCall(sql: Sql, awardId: string, now: Date): Promise<CallClaim> {
  const { rows } = await sql.query<AwardRow & { provider: string }>(
    `SELECT a.id, a.order_id, a.customer_id, a.kind, a.incident, a.months, a.amount_minor, a.currency, a.points, a.shipping,
       a.ship_on::text AS ship_on, a.expires_at, a.reason, a.provider, c.email, c.name, c.phone, c.locale,
       o.destination_country, o.destination_region, o.destination_postal_code, o.provider_references
     FROM awards a JOIN orders o ON o.id = a.order_id JOIN customers c ON c.id = a.customer_id
     WHERE a.id = $1 AND a.status = 'pending' FOR UPDATE OF a`,
    [awardId],
  );
  const [award] = rows;
  if (!award) return { outcome: 'gone' };
  const idempotencyKey = idempotencyKeyOf(awardId);
  const { rows: calls } = await sql.query(
    `INSERT INTO provider_calls AS known (award_id, provider, idempotency_key, status, attempts, first_called_at, last_called_at)
     VALUES ($1, $2, $3, 'calling', 1, $4, $4)
     ON CONFLICT (award_id) DO UPDATE SET status = 'calling', attempts = known.attempts + 1,
       last_called_at = excluded.last_called_at, answered_at = NULL
     WHERE known.status <> 'granted' RETURNING attempts`,
    [awardId, award.provider, idempotencyKey, now],
  );
  const [call] = calls;
  if (call) return { outcome: 'claimed', request: grantRequestOf(award, { idempotencyKey, attempt: call.attempts }) };
  const { rows: granted } = await sql.query('SELECT receipt FROM provider_calls WHERE award_id = $1', [awardId]);
  return { outcome: 'granted', receipt: granted[0].receipt };
}

/**
 * Records that an award was granted. That is so whoever was asked meanwhile and whatever was decided: what was paid is applied.
 * @returns the decision of the award, unless it was applied before
 */
export async function recordGranted(
  sql: Sql,
  awardId: string,
  receipt: Readonly<Record<string, unknown>>,
  now: Date,
): Promise<string | null> {
  const { rows } = await sql.query(
    `SELECT status, decision_id, provider, order_id, customer_id, incident, kind, months, points, amount_minor, currency, expires_at
     FROM awards WHERE id = $1 FOR UPDATE`,
    [awardId],
  );
  const { status, decision_id, provider, order_id } = rows[0];
  await sql.query(
    `UPDATE provider_calls SET status = 'granted', answered_at = $2, receipt = $3, error = NULL
     WHERE award_id = $1 AND status <> 'granted'`,
    [awardId, now, JSON.stringify(receipt)],
  );
  if (status === 'applied' || status === 'reversed') return null;
  if (status === 'declined') {
    await raiseAlarm(sql, {
      kind: 'audit',
      subject: awardId,
      message: `Award ${awardId} of order ${order_id} was declined while ${provider} was carrying it out: it was given all the same.`,
      details: { award: awardId, order: order_id, provider },
      at: now,
    });
    return null;
  }
  if (status !== 'pending') {
    await sql.query(`UPDATE awards SET status = 'pending', stopped_by = '{}' WHERE id = $1`, [awardId]);
  }
  await sql.query(`UPDATE awards SET status = 'applied', applied_at = $2 WHERE id = $1`, [awardId, now]);
  const { customer_id: customerId, amount_minor: amountMinor, expires_at: expiresAt, ...award } = rows[0];
  const told = { ...award, id: awardId, orderId: order_id, customerId, amountMinor, expiresAt };
  await recordEvents(sql, [awardEvent('award.applied', told, now)]);
  await clearAlarm(sql, { kind: 'award_failed', subject: awardId, at: now });
  return decision_id;
}

/** One try, as it is told apart from a later one. */
interface Attempt {
  readonly awardId: string;
  readonly attempt: number;
}

/** Records that an award was refused for good: it has failed, and a person looks. Whoever was overtaken records nothing. */
export async function recordRefused(sql: Sql, { awardId, attempt }: Attempt, reason: string, now: Date): Promise<void> {
  await sql.query('SELECT 1 FROM awards WHERE id = $1 FOR UPDATE', [awardId]);
  const { rowCount } = await sql.query(
    `UPDATE provider_calls SET status = 'refused', answered_at = $3, error = $4
     WHERE award_id = $1 AND attempts = $2 AND status = 'calling'`,
    [awardId, attempt, now, reason],
  );
  if (rowCount !== 1) return;
  const { rows } = await sql.query(
    `UPDATE awards SET status = 'failed' WHERE id = $1 AND status = 'pending' RETURNING order_id, kind, provider`,
    [awardId],
  );
  const [award] = rows;
  if (!award) return;
  const { order_id: orderId, kind, provider } = award;
  await raiseAlarm(sql, refusedAlarm({ id: awardId, kind, orderId, provider, attempts: attempt }, now));
}

/** Notes what came of a try that was no answer. The call stays open: it may have been done. */
export async function recordUnanswered(sql: Sql, { awardId, attempt }: Attempt, reason: string): Promise<void> {
  await sql.query(`UPDATE provider_calls SET error = $3 WHERE award_id = $1 AND attempts = $2 AND status = 'calling'`, [
    awardId,
    attempt,
    reason,
  ]);
}
