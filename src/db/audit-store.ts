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
export async function recordAudit(sql: Sql, entry: AuditEntry): Promise<void> {
  await sql.query(
    'INSERT INTO audit (seq, at, actor, action, subject, reason, details, previous_hash, hash) VALUES (0, $1, $2, $3, $4, $5, $6, $7, $7)',
    [
      entry.at,
      entry.actor,
      entry.action,
      entry.subject,
      entry.reason,
      JSON.stringify(entry.details),
      // Both are set by the database.
      Buffer.alloc(0),
    ],
  );
}
