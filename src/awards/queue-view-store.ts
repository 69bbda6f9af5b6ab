import type { Sql } from '../db/database.js';

/** An award as those see it who decide about it. */
export interface AwardView {
  readonly id: string;
  readonly orderId: string;
  readonly customerId: string;
  readonly incident: string;
  readonly class: string;
  readonly kind: string;
  readonly months: number | null;
  readonly points: number | null;
  readonly amountMinor: number | null;
  readonly currency: string | null;
  readonly shipping: string | null;
  readonly status: string;
  readonly rule: string;
  readonly reason: string;
  readonly stoppedBy: readonly string[];
  /** `policy`, or `key:<id>`. */
  readonly proposedBy: string;
  /** The name of that key; `policy` for the policy. */
  readonly proposedByName: string;
  readonly reviewedByName: string | null;
  readonly reviewedAt: Date | null;
  readonly reviewReason: string | null;
  readonly provider: string | null;
  readonly decidedAt: Date;
  readonly appliedAt: Date | null;
  /** Awards of the customer in the 90 days before, for other orders too. */
  readonly earlierAwards: number;
}

const VIEW = `a.id, a.order_id AS "orderId", a.customer_id AS "customerId", a.incident, a.class, a.kind, a.months, a.points,
  a.amount_minor AS "amountMinor", a.currency, a.shipping, a.status, a.rule, a.reason, a.stopped_by AS "stoppedBy",
  a.proposed_by AS "proposedBy", coalesce(p.name, a.proposed_by) AS "proposedByName", coalesce(r.name, a.reviewed_by) AS "reviewedByName",
  a.reviewed_at AS "reviewedAt", a.review_reason AS "reviewReason", a.provider, a.decided_at AS "decidedAt",
  a.applied_at AS "appliedAt",
  (SELECT count(*) FROM awards e WHERE e.customer_id = a.customer_id AND e.id <> a.id AND e.decided_at <= a.decided_at
     AND e.decided_at >= a.decided_at - interval '90 days' AND e.status NOT IN ('declined', 'reversed', 'failed')) AS "earlierAwards"`;
const NAMES = `LEFT JOIN api_keys p ON 'key:' || p.id = a.proposed_by LEFT JOIN api_keys r ON 'key:' || r.id = a.reviewed_by`;

/** These awards, in the order in which they are named. Unknown ids are left out. */
export async function loadAwardViews(sql: Sql, ids: readonly string[]): Promise<AwardView[]> {
  const { rows } = await sql.query(
    `SELECT ${VIEW} FROM awards a ${NAMES} WHERE a.id = ANY($1::uuid[]) ORDER BY array_position($1::uuid[], a.id)`,
    [ids],
  );
  return rows;
}

/** What waits for a person in one status, the oldest first. */
export async function listQueue(
  sql: Sql,
  filter: {
    status: string;
    stoppedBy: string | null;
    after: { readonly at: Date | null; readonly id: string } | null;
    limit: number;
  },
): Promise<AwardView[]> {
  const { status, stoppedBy, after, limit } = filter;
  const { rows } = await sql.query(
    `SELECT ${VIEW} FROM (
       SELECT * FROM awards WHERE status IN ('held', 'awaiting_approval', 'failed') AND status = $1
         AND ($2::text IS NULL OR $2 = ANY(stopped_by)) AND ($3::timestamptz IS NULL OR (decided_at, id) > ($3, $4::uuid))
       ORDER BY decided_at, id LIMIT $5
     ) a ${NAMES} ORDER BY a.decided_at, a.id`,
    [status, stoppedBy, after?.at ?? null, after?.id ?? null, limit],
  );
  return rows;
}
