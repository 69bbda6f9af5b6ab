import { hash, randomBytes } from 'node:crypto';
import { recordAudit } from '../db/audit-store.js';
import type { Database } from '../db/database.js';
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

export async function createKey(db: Database, input: { role: Role; name: string; actor: string }): Promise<CreatedKey> {
  const key = `mg_${randomBytes(24).toString('base64url')}`;
  const { role, name } = input;
  const id = newId();
  await db.transaction(async (sql) => {
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
  });
  return { id, key, role, name };
}

export async function listKeys(db: Database): Promise<ListedKey[]> {
  return db.prisma.apiKey.findMany({
    select: { id: true, role: true, name: true, createdAt: true, revokedAt: true },
    orderBy: { createdAt: 'asc' },
  });
}

/** @throws AppError `not_found` for a key that does not exist or was revoked before */
export async function revokeKey(db: Database, id: string, actor: string): Promise<void> {
  await db.transaction(async (sql) => {
    const { rowCount } = await sql.query(
      'UPDATE api_keys SET revoked_at = now() WHERE id::text = $1 AND revoked_at IS NULL',
      [id],
    );
    if (rowCount !== 1)
      throw new AppError('not_found', 'There is no active key with this id. `makegood keys list` shows them.');
    await recordAudit(sql, { at: new Date(), actor, action: 'key.revoke', subject: id, reason: null, details: {} });
  });
}

/**
 * Makes the key of ADMIN_API_KEY valid, and an earlier value of it invalid. Without the variable, and where no admin key
 * exists, makes one.
 * @returns the key that was made, to be shown this once; null when none had to be made
 */
export async function ensureAdminKey(db: Database, adminApiKey: string | null): Promise<string | null> {
  if (adminApiKey === null) {
    const admins = await db.prisma.apiKey.count({ where: { role: 'admin', revokedAt: null } });
    return admins > 0 ? null : (await createKey(db, { role: 'admin', name: 'first start', actor: 'makegood' })).key;
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
