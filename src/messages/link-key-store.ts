import { randomBytes } from 'node:crypto';
import type { Database } from '../db/database.js';

const NAME = 'links';
const KEY_BYTES = 32;

/** The key that signs the links in letters: made by whoever starts first, and the same for all from then on. */
export async function ensureLinkKey(db: Database): Promise<Uint8Array> {
  await db.pool.query('INSERT INTO signing_keys (name, key) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING', [
    NAME,
    randomBytes(KEY_BYTES),
  ]);
  const { rows } = await db.pool.query('SELECT key FROM signing_keys WHERE name = $1', [NAME]);
  return rows[0].key;
}
