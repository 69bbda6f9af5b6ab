import type { Sql } from '../db/database.js';

/** A word that no table has, and how many new scans bore it. */
export interface UnknownCode {
  readonly source: string;
  readonly code: string;
  readonly scans: number;
}

/**
 * Adds to the counts, in the order of source and code, so that two batches never deadlock.
 * @param codes one for each scan; `seenAt` null: now
 */
export async function countUnknownCodes(
  sql: Sql,
  codes: readonly { readonly source: string; readonly code: string; readonly seenAt: Date | null }[],
): Promise<void> {
  if (codes.length === 0) return;
  await sql.query(
    `INSERT INTO unknown_codes AS u (source, code, scans, first_seen_at, last_seen_at)
     SELECT source, code, count(*), min(coalesce(seen_at, now())), max(coalesce(seen_at, now()))
     FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS n(source, code, seen_at)
     GROUP BY source, code ORDER BY source, code
     ON CONFLICT (source, code) DO UPDATE SET scans = u.scans + excluded.scans,
       first_seen_at = least(u.first_seen_at, excluded.first_seen_at),
       last_seen_at = greatest(u.last_seen_at, excluded.last_seen_at)`,
    [codes.map(({ source }) => source), codes.map(({ code }) => code), codes.map(({ seenAt }) => seenAt)],
  );
}

/**
 * Forgets words that are known by now: of these sources those that were first seen since, and that no scan bears any more as far
 * as today's tables read it.
 * @param read.since by source, when the first webhook came that was read again
 * @param read.unknown the words that are still unknown
 * @returns how many were forgotten
 */
export async function forgetKnownCodes(
  sql: Sql,
  read: {
    readonly since: ReadonlyMap<string, Date>;
    readonly unknown: readonly { readonly source: string; readonly code: string }[];
    readonly until: Date;
  },
): Promise<number> {
  const { rowCount } = await sql.query(
    `DELETE FROM unknown_codes u USING unnest($1::text[], $2::timestamptz[]) AS s(source, since)
     WHERE u.source = s.source AND u.first_seen_at >= s.since AND u.last_seen_at <= $5
       AND NOT EXISTS (SELECT 1 FROM unnest($3::text[], $4::text[]) AS k(source, code) WHERE (k.source, k.code) = (u.source, u.code))`,
    [
      [...read.since.keys()],
      [...read.since.values()],
      read.unknown.map(({ source }) => source),
      read.unknown.map(({ code }) => code),
      read.until,
    ],
  );
  return rowCount ?? 0;
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
