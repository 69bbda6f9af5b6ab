import type { Sql } from './database.js';

/** Something a person or a system decided or changed. `details` holds ids and codes, nothing personal. */
export interface AuditEntry {
  readonly at: Date;
  /** `key:<name>` of an API key, `cli`, or `makegood`. */
  readonly actor: string;
  /** `order.recheck`, `key.create`, … */
  readonly action: string;
  readonly subject: string;
  readonly reason: string | null;
  readonly details: Readonly<Record<string, unknown>>;
}

/** Adds an entry to the audit; the database numbers it and seals it with the hash of the one before. */
export function recordAudit(sql: Sql, entry: AuditEntry): Promise<void> {
  return recordAudits(sql, [entry]);
}

/** Adds entries in their order, in one statement. */
export async function recordAudits(sql: Sql, entries: readonly AuditEntry[]): Promise<void> {
  if (entries.length === 0) return;
  // The database sets the number and both hashes.
  await sql.query(
    `INSERT INTO audit (seq, at, actor, action, subject, reason, details, previous_hash, hash)
     SELECT 0, n.at, n.actor, n.action, n.subject, n.reason, n.details, '', ''
     FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[]) WITH ORDINALITY
       AS n(at, actor, action, subject, reason, details, nth) ORDER BY n.nth`,
    [
      entries.map(({ at }) => at),
      entries.map(({ actor }) => actor),
      entries.map(({ action }) => action),
      entries.map(({ subject }) => subject),
      entries.map(({ reason }) => reason),
      entries.map(({ details }) => JSON.stringify(details)),
    ],
  );
}
