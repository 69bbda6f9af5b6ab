import type { Sql } from '../db/database.js';

/** A word that no table has, and how many new scans bore it. */
export interface UnknownCode {
  readonly source: string;
  readonly code: string;
  readonly scans: number;
}

/** Adds to the counts, in the order of source and code, so that two batches never deadlock. */
export async function countUnknownCodes(sql: Sql, codes: readonly { source: string; code: string }[]): Promise<void> {
  if (codes.length === 0) return;
  await sql.query(
    `INSERT INTO unknown_codes AS u (source, code, scans, first_seen_at, last_seen_at)
     SELECT source, code, count(*), now(), now() FROM unnest($1::text[], $2::text[]) AS n(source, code)
     GROUP BY source, code ORDER BY source, code
     ON CONFLICT (source, code) DO UPDATE SET scans = u.scans + excluded.scans, last_seen_at = excluded.last_seen_at`,
    [codes.map(({ source }) => source), codes.map(({ code }) => code)],
  );
}

/** The codes that were seen last, at most `limit`, and how many there are. */
export async function loadUnknownCodes(sql: Sql, limit: number): Promise<{ codes: UnknownCode[]; total: number }> {
  const { rows } = await sql.query(
    `SELECT source, code, scans, count(*) OVER () AS total FROM unknown_codes ORDER BY last_seen_at DESC, source, code LIMIT $1`,
    [limit],
  );
  const codes = rows.map(({ source, code, scans }) => ({ source, code, scans }));
  return { codes, total: rows[0]?.total ?? 0 };
}
