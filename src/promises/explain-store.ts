import type { AwardKind } from '../compensation/award.js';
import type { AwardIncident } from '../compensation/incident.js';
import type { Sql } from '../db/database.js';
import { RECORDED, type RecordedVerdictRow } from './audit-awards-store.js';
import { toPromise } from './order-store.js';
import type { DeliveryPromise } from './promise.js';

/** Of an order: what does not change from verdict to verdict. */
export interface ExplainedOrder {
  readonly id: string;
  readonly customerId: string;
  readonly promise: DeliveryPromise | null;
  readonly promisedUntil: Date;
  readonly registeredAt: Date;
  readonly backfill: boolean;
  readonly arm: string | null;
  readonly verdictId: string | null;
}

/** null: there is no such order. */
export async function loadExplainedOrder(sql: Sql, id: string): Promise<ExplainedOrder | null> {
  const { rows } = await sql.query(
    `SELECT id, customer_id AS "customerId", promise_on, promise_at, promise_time_zone, promised_until AS "promisedUntil",
       registered_at AS "registeredAt", backfill, arm, verdict_id AS "verdictId"
     FROM orders WHERE id = $1`,
    [id],
  );
  if (!rows[0]) return null;
  const { promise_on, promise_at, promise_time_zone, ...order } = rows[0];
  return { ...order, promise: toPromise({ promise_on, promise_at, promise_time_zone }) };
}

export interface ExplainedVerdict extends RecordedVerdictRow {
  readonly trigger: string;
  readonly arm: string | null;
  readonly policyName: string;
  readonly explanation: readonly string[];
  readonly customerWording: readonly string[];
}

/** Every verdict the order ever had, oldest first. */
export async function loadExplainedVerdicts(sql: Sql, orderId: string): Promise<ExplainedVerdict[]> {
  const { rows } = await sql.query(
    `SELECT ${RECORDED}, v.trigger, v.arm, p.name AS "policyName", v.explanation, v.customer_wording AS "customerWording"
     FROM verdicts v JOIN policy_versions p ON p.version = v.policy_version
     WHERE v.order_id = $1 ORDER BY v.judged_at, v.id`,
    [orderId],
  );
  return rows;
}

export interface ExplainedAward {
  readonly id: string;
  readonly decisionId: string;
  readonly incident: AwardIncident;
  readonly class: string;
  readonly kind: AwardKind;
  readonly months: number | null;
  readonly points: number | null;
  readonly amountMinor: number | null;
  readonly currency: string | null;
  readonly shipping: string | null;
  readonly status: string;
  readonly stoppedBy: readonly string[];
  readonly rule: string;
  readonly reason: string;
  readonly proposedBy: string;
  readonly decidedAt: Date;
  readonly appliedAt: Date | null;
  readonly reviewedBy: string | null;
  readonly reviewedAt: Date | null;
  readonly reviewReason: string | null;
  readonly provider: string | null;
  /** What the provider was asked for and answered; null while it was not asked. */
  readonly callStatus: string | null;
  readonly attempts: number | null;
  readonly receipt: Readonly<Record<string, unknown>> | null;
  readonly error: string | null;
  readonly expiresAt: Date | null;
  readonly shipOn: string | null;
}

/** Oldest first. */
export async function loadExplainedAwards(sql: Sql, orderId: string): Promise<ExplainedAward[]> {
  const { rows } = await sql.query(
    `SELECT a.id, a.decision_id AS "decisionId", a.incident, a.class, a.kind, a.months, a.points,
       a.amount_minor AS "amountMinor", a.currency, a.shipping, a.status, a.stopped_by AS "stoppedBy", a.rule, a.reason,
       a.proposed_by AS "proposedBy", a.decided_at AS "decidedAt", a.applied_at AS "appliedAt", a.reviewed_by AS "reviewedBy",
       a.reviewed_at AS "reviewedAt", a.review_reason AS "reviewReason", a.provider, c.status AS "callStatus", c.attempts,
       c.receipt, c.error, a.expires_at AS "expiresAt", a.ship_on AS "shipOn"
     FROM awards a LEFT JOIN provider_calls c ON c.award_id = a.id
     WHERE a.order_id = $1 ORDER BY a.decided_at, a.id`,
    [orderId],
  );
  return rows;
}

export interface ExplainedLetter {
  readonly template: string;
  readonly part: number;
  readonly status: string;
  readonly toAddress: string;
  readonly createdAt: Date;
  readonly sentAt: Date | null;
  readonly messageId: string;
  readonly response: string | null;
}

/** Oldest first. */
export async function loadExplainedLetters(sql: Sql, orderId: string): Promise<ExplainedLetter[]> {
  const { rows } = await sql.query(
    `SELECT template, part, status, to_address AS "toAddress", created_at AS "createdAt", sent_at AS "sentAt",
       message_id AS "messageId", response
     FROM messages WHERE order_id = $1 ORDER BY created_at, id`,
    [orderId],
  );
  return rows;
}

export interface ExplainedTask {
  readonly kind: string;
  readonly rule: string;
  readonly status: string;
  readonly dueAt: Date | null;
  readonly outcome: string | null;
}

/** Oldest first. */
export async function loadExplainedTasks(sql: Sql, orderId: string): Promise<ExplainedTask[]> {
  const { rows } = await sql.query(
    `SELECT kind, rule, status, due_at AS "dueAt", outcome FROM tasks WHERE order_id = $1 ORDER BY created_at, id`,
    [orderId],
  );
  return rows;
}
