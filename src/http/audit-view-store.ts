import type { Sql } from '../db/database.js';

export interface AuditLine {
  readonly seq: number;
  readonly at: Date;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly reason: string | null;
  readonly details: Readonly<Record<string, unknown>>;
  /** Seals it with everything before. */
  readonly hash: Buffer;
}

/** The audit, newest first. `subject` also finds what was decided about it together with others. */
export async function listAudit(
  sql: Sql,
  filter: { before: number | null; subject: string | null; action: string | null; limit: number },
): Promise<AuditLine[]> {
  const { rows } = await sql.query(
    `SELECT seq, at, actor, action, subject, reason, details, hash FROM audit
     WHERE ($1::bigint IS NULL OR seq < $1) AND ($2::text IS NULL OR subject = $2 OR details -> 'awards' ? $2)
       AND ($3::text IS NULL OR action = $3)
     ORDER BY seq DESC LIMIT $4`,
    [filter.before, filter.subject, filter.action, filter.limit],
  );
  return rows;
}
