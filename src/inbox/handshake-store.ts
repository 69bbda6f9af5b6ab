import type { Handshake } from '../carriers/adapter.js';
import type { Sql } from '../db/database.js';

/** Of one source. Real shops have a few; whoever has the secret must not fill the table. */
const MOST_SUBSCRIPTIONS = 100;

/**
 * Notes how far a subscription has come. A step that is sent again does not undo the next one: `validate` counts only with a
 * secret that was not told before.
 */
export async function saveHandshake(sql: Sql, source: string, handshake: Handshake): Promise<void> {
  const { subscription, state, secret } = handshake;
  await sql.query(
    `INSERT INTO handshakes AS h (source, subscription, state, secret, updated_at)
     SELECT $1, $2, $3, $4, now()
     WHERE (SELECT count(*) FROM handshakes WHERE source = $1) < $5
       OR EXISTS (SELECT 1 FROM handshakes WHERE source = $1 AND subscription = $2)
     ON CONFLICT (source, subscription) DO UPDATE
       SET state = excluded.state, secret = coalesce(excluded.secret, h.secret), updated_at = excluded.updated_at
       WHERE h.state <> excluded.state
         AND (excluded.state <> 'validate' OR excluded.secret IS DISTINCT FROM h.secret)
         OR h.state = 'validate' AND excluded.secret IS DISTINCT FROM h.secret AND excluded.secret IS NOT NULL`,
    [source, subscription, state, secret, MOST_SUBSCRIPTIONS],
  );
}

/** All subscriptions that a source has told of, by source and name. */
export async function loadHandshakes(sql: Sql): Promise<(Handshake & { readonly source: string })[]> {
  const { rows } = await sql.query(
    'SELECT source, subscription, state, secret FROM handshakes ORDER BY source, subscription',
  );
  return rows;
}
