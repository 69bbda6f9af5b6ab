import { hash, randomBytes } from 'node:crypto';
import { recordAudit } from '../db/audit-store.js';
import type { Database, Sql } from '../db/database.js';
import { AppError } from '../errors.js';
import { newId } from '../ids.js';
import type { Role } from './roles.js';

/** Whom a request comes from. */
export interface Caller {
  readonly keyId: string;
  readonly name: string;
  readonly role: Role;
}

export interface CreatedKey {
  readonly id: string;
  /** Shown this once; only its hash is kept. */
  readonly key: string;
  readonly role: Role;
  readonly name: string;
}

export interface ListedKey {
  readonly id: string;
  readonly role: string;
  readonly name: string;
  readonly createdAt: Date;
  readonly revokedAt: Date | null;
}

/** Keys are long random strings, not passwords: a plain hash cannot be reversed by trying. */
const hashOf = (key: string): Uint8Array<ArrayBuffer> => Uint8Array.from(hash('sha256', key, 'buffer'));

/** null: no such key, or revoked. */
export async function findCaller(db: Database, key: string): Promise<Caller | null> {
  const found = await db.prisma.apiKey.findUnique({ where: { keyHash: hashOf(key) } });
  if (!found || found.revokedAt) return null;
  return { keyId: found.id, name: found.name, role: found.role as Role };
}

/** Makes a key in the caller's transaction. */
export async function addKey(sql: Sql, input: { role: Role; name: string; actor: string }): Promise<CreatedKey> {
  const key = `mg_${randomBytes(24).toString('base64url')}`;
  const { role, name } = input;
  const id = newId();
  await sql.query('INSERT INTO api_keys (id, role, name, key_hash) VALUES ($1, $2, $3, $4)', [
    id,
    role,
    name,
    hashOf(key),
  ]);
  const details = { role, name };
  await recordAudit(sql, {
    at: new Date(),
    actor: input.actor,
    action: 'key.create',
    subject: id,
    reason: null,
    details,
  });
  return { id, key, role, name };
}

export function createKey(db: Database, input: { role: Role; name: string; actor: string }): Promise<CreatedKey> {
  return db.transaction((sql) => addKey(sql, input));
}

export async function listKeys(db: Database): Promise<ListedKey[]> {
  return db.prisma.apiKey.findMany({
    select: { id: true, role: true, name: true, createdAt: true, revokedAt: true },
    orderBy: { createdAt: 'asc' },
  });
}

/** A page of all keys, the newest first. `after` is the last of the page before. */
export async function listKeyPage(
  sql: Sql,
  { after, limit }: { after: { at: Date; id: string } | null; limit: number },
): Promise<ListedKey[]> {
  const { rows } = await sql.query(
    `SELECT id, role, name, created_at AS "createdAt", revoked_at AS "revokedAt" FROM api_keys
     WHERE $1::timestamptz IS NULL OR (created_at, id) < ($1, $2::uuid) ORDER BY created_at DESC, id DESC LIMIT $3`,
    [after?.at ?? null, after?.id ?? null, limit],
  );
  return rows;
}

/**
 * Takes these keys until the transaction ends, in one order, whoever asks: of two that revoke each other one comes first.
 * @returns the ids of those that are good
 */
export async function lockGoodKeys(sql: Sql, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const { rows } = await sql.query(
    'SELECT id, revoked_at FROM api_keys WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE',
    [ids],
  );
  return new Set(rows.filter(({ revoked_at }) => revoked_at === null).map(({ id }) => id));
}

/** @throws AppError `not_found` for a key that does not exist or was revoked before */
export function revokeKey(db: Database, id: string, actor: string): Promise<void> {
  return db.transaction((sql) => endKey(sql, id, actor));
}

/** Revokes a key in the caller's transaction. @throws AppError `not_found` as `revokeKey` */
export async function endKey(sql: Sql, id: string, actor: string): Promise<void> {
  const { rowCount } = await sql.query(
    'UPDATE api_keys SET revoked_at = now() WHERE id::text = $1 AND revoked_at IS NULL',
    [id],
  );
  if (rowCount !== 1)
    throw new AppError('not_found', 'There is no active key with this id. `makegood keys list` shows them.');
  await recordAudit(sql, { at: new Date(), actor, action: 'key.revoke', subject: id, reason: null, details: {} });
}

/**
 * Makes the key of ADMIN_API_KEY valid, and an earlier value of it invalid. Without the variable, and where no admin key
 * exists, makes one.
 * @returns the key that was made, to be shown this once; null when none had to be made
 */
export async function ensureAdminKey(db: Database, adminApiKey: string | null): Promise<string | null> {
  if (adminApiKey === null) {
    // Not by Prisma, whose first query loads its engine: no start waits for that.
    const { rowCount } = await db.pool.query(
      "SELECT 1 FROM api_keys WHERE role = 'admin' AND revoked_at IS NULL LIMIT 1",
    );
    return rowCount !== 0 ? null : (await createKey(db, { role: 'admin', name: 'first start', actor: 'makegood' })).key;
  }
  const keyHash = hashOf(adminApiKey);
  await db.transaction(async (sql) => {
    await sql.query('UPDATE api_keys SET revoked_at = now() WHERE from_env AND revoked_at IS NULL AND key_hash <> $1', [
      keyHash,
    ]);
    await sql.query(
      `INSERT INTO api_keys (id, role, name, key_hash, from_env) VALUES ($1, 'admin', 'ADMIN_API_KEY', $2, true)
       ON CONFLICT (key_hash) DO UPDATE SET revoked_at = NULL WHERE api_keys.revoked_at IS NOT NULL`,
      [newId(), keyHash],
    );
  });
  return null;
}
