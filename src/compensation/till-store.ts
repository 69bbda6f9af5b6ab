import type { Sql } from '../db/database.js';
import type { Till } from './till.js';

/**
 * What was let through today, taken until the transaction ends, so that orders judged at once cannot spend the same budget
 * twice. Only the currencies that are asked for are held: the others go on.
 * @param day the day of the till, by UTC
 */
export async function lockTill(sql: Sql, day: Date, currencies: readonly string[]): Promise<Till> {
  const sorted = [...new Set(currencies)].sort();
  const on = dayOf(day);
  await sql.query(
    `INSERT INTO budget_days (day, currency, spent_minor) SELECT $1::date, c, 0 FROM unnest($2::text[]) AS n(c) ORDER BY c
     ON CONFLICT (day, currency) DO NOTHING`,
    [on, sorted],
  );
  const { rows } = await sql.query(
    'SELECT currency, spent_minor FROM budget_days WHERE day = $1::date AND currency = ANY($2) ORDER BY currency FOR UPDATE',
    [on, sorted],
  );
  return {
    breakerOpen: await isBreakerOpen(sql),
    spentToday: Object.fromEntries(rows.map((row) => [row.currency, row.spent_minor])),
  };
}

/** Adds to what was let through today, by currency, in minor units. */
export async function recordSpent(sql: Sql, day: Date, spent: ReadonlyMap<string, number>): Promise<void> {
  const added = [...spent].filter(([, minor]) => minor > 0).sort(([one], [other]) => (one < other ? -1 : 1));
  if (added.length === 0) return;
  await sql.query(
    `UPDATE budget_days b SET spent_minor = b.spent_minor + n.minor
     FROM unnest($2::text[], $3::bigint[]) AS n(currency, minor) WHERE b.day = $1::date AND b.currency = n.currency`,
    [dayOf(day), added.map(([currency]) => currency), added.map(([, minor]) => minor)],
  );
}

/**
 * Whether the breaker was tripped and nobody has reset it since. The trip is held until the transaction ends: whoever resets
 * it meanwhile waits, and finds what we held for it.
 */
export async function isBreakerOpen(sql: Sql): Promise<boolean> {
  const { rows } = await sql.query('SELECT 1 FROM breaker_trips WHERE reset_at IS NULL FOR SHARE');
  return rows.length > 0;
}

function dayOf(at: Date): string {
  return at.toISOString().slice(0, 10);
}
