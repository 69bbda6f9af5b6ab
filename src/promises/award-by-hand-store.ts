import type { Sql } from '../db/database.js';

/** A decision by hand beside the judgement of its order, whose answer stays the current one. */
export interface HandDecision {
  readonly id: string;
  readonly orderId: string;
  readonly judgedAt: Date;
  readonly trace: string;
  readonly policyVersion: number;
  readonly explanation: readonly string[];
  readonly decision: unknown;
  /** What its letter tells where the current answer has nothing to tell. */
  readonly facts: unknown;
}

/** Records it as a copy of the current answer: same verdict, same inputs, given for nothing that a rule found. */
export async function recordHandDecision(sql: Sql, row: HandDecision): Promise<void> {
  await sql.query(
    `INSERT INTO verdicts (id, order_id, verdict, promised_until, met_at, late_minutes, late_days, fault, judged_at, policy_version,
       trigger, trace, incident, declined_because, mode, arm, decision, inputs, facts, explanation, customer_wording)
     SELECT $1, v.order_id, v.verdict, v.promised_until, v.met_at, v.late_minutes, v.late_days, v.fault, $3, $4, 'agent', $5, 'manual',
       NULL, 'active', v.arm, $6, v.inputs, coalesce(v.facts || jsonb_build_object('asOf', $7::jsonb -> 'asOf'), $7::jsonb), $8,
       v.customer_wording
     FROM orders o JOIN verdicts v ON v.id = o.verdict_id WHERE o.id = $2`,
    [
      row.id,
      row.orderId,
      row.judgedAt,
      row.policyVersion,
      row.trace,
      JSON.stringify(row.decision),
      JSON.stringify(row.facts),
      row.explanation,
    ],
  );
}

/** When the first parcel of an order was delivered; null: none was, as far as known. */
export async function loadFirstDelivery(sql: Sql, orderId: string): Promise<Date | null> {
  const { rows } = await sql.query('SELECT min(delivered_at) AS at FROM shipments WHERE order_id = $1', [orderId]);
  return rows[0].at;
}
