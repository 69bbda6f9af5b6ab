import assert from 'node:assert/strict';

/** As it is written without thinking of floods: prepared once, a statement and a commit for each webhook. */
export const INSERT_ONE = {
  name: 'insert-one',
  text: `INSERT INTO inbox (id, source, dedupe_key, delivery_id, body, received_at) VALUES ($1, $2, $3, $4, $5, now()) ON CONFLICT DO NOTHING`,
};

const TABLES = ['inbox', 'tracking_events', 'histories', 'estimates', 'unknown_codes', 'outbox'];

/** Empties what the door writes to; statistics are fresh and nothing is left to write out. */
export async function empty({ query, checkpoint }) {
  await query(`TRUNCATE ${TABLES.join(', ')}`);
  await tidy({ query, checkpoint });
}

export async function tidy({ query, checkpoint }) {
  await query('VACUUM ANALYZE');
  await checkpoint();
}

/** What an answer after COMMIT rests on. @returns a line for the notes */
export async function durableSettings(query) {
  const [{ fsync, commit, version }] = await query(
    `SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit, current_setting('server_version') AS version`,
  );
  assert.deepEqual({ fsync, commit }, { fsync: 'on', commit: 'on' }, 'what is committed is durable');
  return `PostgreSQL ${version}, fsync ${fsync}, synchronous_commit ${commit}`;
}

/** What is stored: rows of each kind, and how many different things they are of. */
export async function countStored(query) {
  const [row] = await query(
    `SELECT (SELECT count(*) FROM inbox)::int AS webhooks, (SELECT count(DISTINCT body) FROM inbox)::int AS "differentWebhooks",
       (SELECT count(*) FROM tracking_events)::int AS scans, (SELECT count(DISTINCT tracking_key) FROM tracking_events)::int AS parcels,
       (SELECT count(*) FROM histories)::int AS histories,
       (SELECT count(DISTINCT key) FROM outbox, unnest(ids) AS u(key))::int AS "parcelsOnTickets"`,
  );
  return row;
}

/** What as many webhooks, each of a parcel of its own with one scan, leave behind: everything once. */
export const storedOf = (count) => ({
  webhooks: count,
  differentWebhooks: count,
  scans: count,
  parcels: count,
  histories: count,
  parcelsOnTickets: count,
});

/** What as many rows of the inbox leave behind, and nothing else. */
export const inboxOf = (count) => ({
  webhooks: count,
  differentWebhooks: count,
  scans: 0,
  parcels: 0,
  histories: 0,
  parcelsOnTickets: 0,
});

/**
 * An arm that lasts about so long: the first time it does little, to warm up and to learn how fast it is. The same work twice
 * could be counted no better, so it is bounded by its count and not by the clock.
 */
export function lasting(seconds, arm) {
  let count = 2_000;
  return async () => {
    const result = await arm(count);
    count = Math.ceil(result.rate * seconds);
    return result;
  };
}
