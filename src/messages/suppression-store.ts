import type { Sql } from '../db/database.js';
import { newId } from '../ids.js';
import { deliverable } from './address.js';

/** `all`: nothing is sent there. `service`: no letter that one may do without. */
export const SUPPRESSION_SCOPES = ['all', 'service'] as const;
export type SuppressionScope = (typeof SUPPRESSION_SCOPES)[number];

export interface Suppression {
  readonly id: string;
  readonly address: string;
  readonly scope: SuppressionScope;
  readonly reason: 'refused' | 'bounced' | 'unsubscribed' | 'by_hand';
  /** What a server said, or what a person wrote. */
  readonly detail: string | null;
  readonly createdAt: Date;
  /** `key:<name>`, `customer` or `makegood`. */
  readonly createdBy: string;
}

/** As it goes into an envelope, in small letters: one address has one entry, however it was written. */
const canonical = (address: string): string => (deliverable(address) ?? address).toLowerCase();

const COLUMNS = 'id, address, scope, reason, detail, created_at AS "createdAt", created_by AS "createdBy"';

/** Puts an address on the list; one that is on it stays as it is. @returns the entry, and whether it is new */
export async function addSuppression(
  sql: Sql,
  entry: Omit<Suppression, 'id'>,
): Promise<{ entry: Suppression; isNew: boolean }> {
  const address = canonical(entry.address);
  const { rows } = await sql.query(
    `INSERT INTO suppressions (id, address, scope, reason, detail, created_at, created_by)
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (address, scope) DO NOTHING RETURNING ${COLUMNS}`,
    [newId(), address, entry.scope, entry.reason, entry.detail, entry.createdAt, entry.createdBy],
  );
  if (rows[0]) return { entry: rows[0], isNew: true };
  const before = await sql.query(`SELECT ${COLUMNS} FROM suppressions WHERE address = $1 AND scope = $2`, [
    address,
    entry.scope,
  ]);
  return { entry: before.rows[0], isNew: false };
}

/** @returns what was taken off; null: there is no such entry */
export async function removeSuppression(sql: Sql, id: string): Promise<Suppression | null> {
  const { rows } = await sql.query(`DELETE FROM suppressions WHERE id = $1 RETURNING ${COLUMNS}`, [id]);
  return rows[0] ?? null;
}

/** The newest first. `address`: of this one alone. */
export async function listSuppressions(
  sql: Pick<Sql, 'query'>,
  query: { after: { at: Date; id: string } | null; limit: number; address: string | null },
): Promise<Suppression[]> {
  const { rows } = await sql.query(
    `SELECT ${COLUMNS} FROM suppressions
     WHERE ($1::timestamptz IS NULL OR (created_at, id) < ($1, $2::uuid)) AND ($3::text IS NULL OR address = $3)
     ORDER BY created_at DESC, id DESC LIMIT $4`,
    [
      query.after?.at ?? null,
      query.after?.id ?? null,
      query.address === null ? null : canonical(query.address),
      query.limit,
    ],
  );
  return rows;
}

/**
 * Why nothing is sent to the address of a letter `m`: no row where it is not on the list.
 * @param services a parameter: the letters that an address may be on the list for alone
 */
export function suppressionOf(services: string): string {
  return `SELECT s.reason FROM suppressions s
    WHERE s.address = lower(m.to_address) AND (s.scope = 'all' OR m.template = ANY(${services}::text[]))`;
}
