import { AWARD_INCIDENTS, type AwardIncident } from '../compensation/incident.js';
import type { Sql } from '../db/database.js';
import { COMPLAINTS } from './before-contact.js';

/** The first contact that the awards of an order `o` are measured against; `before-contact.ts` says which that is. */
const FIRST_CONTACT = `least(
  (SELECT min(k.at) FROM contacts k WHERE k.order_id = o.id AND k.reason = ANY($1)),
  (SELECT min(k.at) FROM contacts k WHERE k.customer_id = o.customer_id AND k.order_id IS NULL AND k.at >= o.registered_at
     AND k.reason = ANY($1)))`;

/** By order, the first contact that its awards are measured against. Orders without one are left out. */
export async function loadFirstContacts(sql: Sql, orderIds: readonly string[]): Promise<Map<string, Date>> {
  if (orderIds.length === 0) return new Map();
  const { rows } = await sql.query(`SELECT o.id, ${FIRST_CONTACT} AS at FROM orders o WHERE o.id = ANY($2)`, [
    COMPLAINTS,
    [...new Set(orderIds)],
  ]);
  return new Map(rows.filter(({ at }) => at !== null).map(({ id, at }) => [id, at]));
}

/** How many awards came before the first contact of their customers. */
export interface BeforeContactCounts {
  readonly awards: number;
  readonly first: number;
  readonly after: number;
  /** Not applied, and nobody has complained: it can still come first. */
  readonly waiting: number;
  /** Of those that are decided, the part that came first, 0 to 1; null: none is. */
  readonly share: number | null;
  /** Of those that came first and were followed by a contact: by how many minutes, half of them more and half of them less. */
  readonly medianMinutesAhead: number | null;
}

export interface BeforeContactMeasure extends BeforeContactCounts {
  /** Of what broken promises were made good for; those without an award are left out. */
  readonly byIncident: readonly (BeforeContactCounts & { readonly incident: AwardIncident })[];
}

/**
 * Adds up the measure over the awards that were decided in a period, `until` left out. What was declined or reversed made
 * nothing good and is left out; what failed is due still, and counts as not applied. An award counts, not an order: a top-up
 * that came after the complaint came after it.
 */
export async function measureBeforeContact(
  sql: Sql,
  { since, until }: { readonly since: Date; readonly until: Date },
): Promise<BeforeContactMeasure> {
  const { rows } = await sql.query(
    `WITH given AS (
       SELECT a.incident, a.applied_at, ${FIRST_CONTACT} AS contact_at
       FROM awards a JOIN orders o ON o.id = a.order_id
       WHERE a.decided_at >= $2 AND a.decided_at < $3 AND a.status NOT IN ('declined', 'reversed')
     ), measured AS (
       SELECT incident, trunc(extract(epoch FROM contact_at - applied_at) / 60) AS minutes,
         CASE WHEN incident = 'manual' THEN false
              WHEN contact_at IS NULL THEN CASE WHEN applied_at IS NOT NULL THEN true END
              ELSE coalesce(applied_at < contact_at, false) END AS came_first
       FROM given
     )
     SELECT incident, count(*)::int AS awards, (count(*) FILTER (WHERE came_first))::int AS first,
       (count(*) FILTER (WHERE NOT came_first))::int AS after, (count(*) FILTER (WHERE came_first IS NULL))::int AS waiting,
       (percentile_cont(0.5) WITHIN GROUP (ORDER BY minutes) FILTER (WHERE came_first AND minutes IS NOT NULL))::float8 AS median
     FROM measured GROUP BY GROUPING SETS ((), (incident))`,
    [COMPLAINTS, since, until],
  );
  const countsOf = (row: CountRow | undefined): BeforeContactCounts => {
    const { awards, first, after, waiting, median } = row ?? NONE;
    const share = first + after === 0 ? null : first / (first + after);
    return { awards, first, after, waiting, share, medianMinutesAhead: median };
  };
  const byName = new Map((rows as CountRow[]).map((row) => [row.incident, row]));
  return {
    ...countsOf(byName.get(null)),
    byIncident: AWARD_INCIDENTS.flatMap((incident) => {
      const row = byName.get(incident);
      return row === undefined ? [] : [{ incident, ...countsOf(row) }];
    }),
  };
}

interface CountRow {
  /** null: of all together. */
  readonly incident: AwardIncident | null;
  readonly awards: number;
  readonly first: number;
  readonly after: number;
  readonly waiting: number;
  readonly median: number | null;
}

const NONE: CountRow = { incident: null, awards: 0, first: 0, after: 0, waiting: 0, median: null };
