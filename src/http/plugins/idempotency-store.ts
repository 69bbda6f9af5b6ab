import type { Sql } from '../../db/database.js';

/** A request that was answered before. */
export interface AnsweredRequest {
  readonly requestHash: Buffer;
  readonly status: number;
  readonly answer: unknown;
}

export interface RequestKey {
  readonly apiKeyId: string;
  readonly key: string;
}

/** How long an answer is kept. Shorter, and a sender that was away over a holiday does it twice. */
const KEPT_DAYS = 30;
/** Every new one takes so many old ones along: the table stays bounded without a job of its own. */
const FORGOTTEN_AT_ONCE = 5;

/**
 * Claims a key in the transaction that does the work. Whoever comes with the same key meanwhile waits here until we are done,
 * and if we fail the claim is gone with everything else.
 * @returns null when it is ours; else what was answered
 */
export async function claimKey(
  sql: Sql,
  { apiKeyId, key }: RequestKey,
  requestHash: Buffer,
): Promise<AnsweredRequest | null> {
  const { rowCount } = await sql.query(
    `INSERT INTO idempotent_requests (api_key_id, key, request_hash, status, answer, created_at)
     VALUES ($1, $2, $3, 0, 'null', now()) ON CONFLICT (api_key_id, key) DO NOTHING`,
    [apiKeyId, key, requestHash],
  );
  return rowCount === 1 ? null : findAnswer(sql, { apiKeyId, key });
}

export async function findAnswer(sql: Sql, { apiKeyId, key }: RequestKey): Promise<AnsweredRequest | null> {
  const { rows } = await sql.query(
    `SELECT request_hash AS "requestHash", status, answer FROM idempotent_requests WHERE api_key_id = $1 AND key = $2`,
    [apiKeyId, key],
  );
  return rows[0] ?? null;
}

/** Keeps what was answered; of two the first. */
export async function saveAnswer(
  sql: Sql,
  { apiKeyId, key }: RequestKey,
  { requestHash, status, answer }: AnsweredRequest,
): Promise<void> {
  await sql.query(
    `INSERT INTO idempotent_requests AS r (api_key_id, key, request_hash, status, answer, created_at)
     VALUES ($1, $2, $3, $4, $5, now())
     ON CONFLICT (api_key_id, key) DO UPDATE SET status = excluded.status, answer = excluded.answer WHERE r.status = 0`,
    [apiKeyId, key, requestHash, status, JSON.stringify(answer)],
  );
  await sql.query(
    `DELETE FROM idempotent_requests WHERE (api_key_id, key) IN (
       SELECT api_key_id, key FROM idempotent_requests WHERE created_at < now() - make_interval(days => $1)
       ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED)`,
    [KEPT_DAYS, FORGOTTEN_AT_ONCE],
  );
}
