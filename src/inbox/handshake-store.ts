import type { Handshake } from '../carriers/adapter.js';
import type { Sql } from '../db/database.js';

/** Notes how far a subscription has come. */
export async function saveHandshake(sql: Sql, source: string, handshake: Handshake): Promise<void> {
  const { subscription, state, secret } = handshake;
  await sql.query(
    `INSERT INTO handshakes AS h (source, subscription, state, secret, updated_at) VALUES ($1, $2, $3, $4, now())
     ON CONFLICT (source, subscription) DO UPDATE
       SET state = excluded.state, secret = excluded.secret, updated_at = excluded.updated_at
       WHERE (h.state, h.secret) IS DISTINCT FROM (excluded.state, excluded.secret)`,
    [source, subscription, state, secret],
  );
}

/** All subscriptions that a source has told of, by source and name. */
export async function loadHandshakes(sql: Sql): Promise<(Handshake & { readonly source: string })[]> {
  const { rows } = await sql.query(
    'SELECT source, subscription, state, secret FROM handshakes ORDER BY source, subscription',
  );
  return rows;
}
