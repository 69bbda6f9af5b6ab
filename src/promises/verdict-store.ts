import { carrierKeyOf, trackingKeyOf } from '../carriers/matching.js';
import type { Arm, ContactReason, DecisionMode, ReportedService } from '../compensation/decision-input.js';
import type { Sql } from '../db/database.js';
import { newId } from '../ids.js';
import { type Money, NO_CURRENCY } from '../money.js';
import type { Trigger } from '../queue/ticket.js';
import { toPromise } from './order-store.js';
import type { DeliveryPromise } from './promise.js';
import type { Fault, Judgement, Verdict } from './verdict.js';

/** An order with all that judging and deciding need besides its shipments. */
export interface JudgedOrder {
  readonly id: string;
  readonly customerId: string;
  readonly promise: DeliveryPromise;
  readonly shipBy: Date | null;
  readonly occasion: { readonly name: string; readonly on: string } | null;
  readonly total: Money;
  readonly shippingPaid: Money;
  readonly membership: { readonly tier: string; readonly trial: boolean } | null;
  readonly destination: {
    readonly country: string | null;
    readonly region: string | null;
    readonly postalCode: string | null;
  } | null;
  /** The customer's language, for what is told to them. */
  readonly locale: string | null;
  readonly registeredAt: Date;
  /** Judged and decided for the record alone. */
  readonly backfill: boolean;
  /** Set with the first incident while goodwill is being measured. */
  readonly arm: Arm | null;
  /** When the customer got in touch about this order, and why. */
  readonly contacts: readonly { readonly reason: ContactReason; readonly at: Date }[];
  /** What was reported of a service that was poor, oldest first. */
  readonly reports: readonly ReportedService[];
  /** Of digital goods: when they were delivered, which is when they were placed; null: of parcels. */
  readonly digitalAt: Date | null;
  /** The last answer that was recorded; null before the first. */
  readonly last: LastVerdict | null;
}

/** The parts of an answer whose change is worth a new row. */
export interface RecordedVerdict {
  readonly id: string;
  readonly verdict: Verdict;
  readonly metAt: Date | null;
  readonly lateMinutes: number | null;
  readonly lateDays: number | null;
  readonly fault: Fault | null;
  readonly incident: string | null;
  readonly declinedBecause: string | null;
  readonly judgedAt: Date;
}

/** The last answer, with what makes one that gave nothing comparable with the next. */
export interface LastVerdict extends RecordedVerdict {
  readonly mode: DecisionMode;
  /** Of a decision for the record alone: what it would have given. */
  readonly recordedAnswer: unknown;
}

/** Of an order `o` of digital goods: there at once, however late we were told of it. */
export const DIGITAL_AT = `CASE WHEN o.digital THEN least(coalesce(o.placed_at, o.registered_at), o.promised_until - interval '1 millisecond') END`;

/** Takes these orders, in the order of their ids, until the transaction ends. Unknown ids are left out. */
export async function lockOrders(sql: Sql, ids: readonly string[]): Promise<JudgedOrder[]> {
  // Two statements: the second sees what whoever we waited for has written, a join in the first would not.
  await sql.query('SELECT 1 FROM orders WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE', [ids]);
  const { rows } = await sql.query(
    `SELECT o.id, o.customer_id, o.promise_on, o.promise_at, o.promise_time_zone, o.ship_by, o.occasion_name, o.occasion_on,
       o.total_minor, o.shipping_paid_minor, o.currency, o.registered_at, o.backfill, o.arm, ${DIGITAL_AT} AS digital_at,
       o.destination_country, o.destination_region, o.destination_postal_code, c.membership_tier, c.membership_trial, c.locale,
       v.id AS verdict_id, v.verdict, v.met_at, v.late_minutes, v.late_days, v.fault, v.incident, v.declined_because, v.judged_at,
       v.mode, CASE WHEN v.mode <> 'active' THEN v.decision -> 'answer' END AS recorded_answer,
       (SELECT jsonb_agg(jsonb_build_object('reason', k.reason, 'at', k.at) ORDER BY k.at, k.id) FROM contacts k
        WHERE k.order_id = o.id) AS contacts,
       (SELECT jsonb_agg(jsonb_build_object('kind', r.kind, 'title', r.title, 'at', r.at) ORDER BY r.at, r.id)
        FROM reported_incidents r WHERE r.order_id = o.id) AS reports
     FROM orders o JOIN customers c ON c.id = o.customer_id LEFT JOIN verdicts v ON v.id = o.verdict_id
     WHERE o.id = ANY($1) ORDER BY o.id`,
    [ids],
  );
  return rows.map((row) => {
    const currency = row.currency ?? NO_CURRENCY;
    return {
      id: row.id,
      customerId: row.customer_id,
      promise: toPromise(row) ?? { on: '', timeZone: row.promise_time_zone },
      shipBy: row.ship_by,
      occasion: row.occasion_on === null ? null : { name: row.occasion_name, on: row.occasion_on },
      total: { amountMinor: row.total_minor ?? 0, currency },
      shippingPaid: { amountMinor: row.shipping_paid_minor ?? 0, currency },
      membership: row.membership_tier === null ? null : { tier: row.membership_tier, trial: row.membership_trial },
      destination:
        (row.destination_country ?? row.destination_region ?? row.destination_postal_code) === null
          ? null
          : {
              country: row.destination_country,
              region: row.destination_region,
              postalCode: row.destination_postal_code,
            },
      locale: row.locale,
      registeredAt: row.registered_at,
      backfill: row.backfill,
      arm: row.arm,
      contacts: ((row.contacts ?? []) as { reason: ContactReason; at: string }[]).map(({ reason, at }) => ({
        reason,
        at: new Date(at),
      })),
      reports: ((row.reports ?? []) as (Omit<ReportedService, 'at'> & { at: string })[]).map((report) => ({
        ...report,
        at: new Date(report.at),
      })),
      digitalAt: row.digital_at,
      last:
        row.verdict_id === null
          ? null
          : {
              id: row.verdict_id,
              verdict: row.verdict,
              metAt: row.met_at,
              lateMinutes: row.late_minutes,
              lateDays: row.late_days,
              fault: row.fault,
              incident: row.incident,
              declinedBecause: row.declined_because,
              judgedAt: row.judged_at,
              mode: row.mode,
              recordedAnswer: row.recorded_answer,
            },
    };
  });
}

/** A new answer for an order. */
export interface VerdictRow {
  readonly id: string;
  readonly orderId: string;
  readonly judgement: Judgement;
  readonly incident: string | null;
  readonly declinedBecause: string | null;
  readonly explanation: readonly string[];
  readonly customerWording: readonly string[];
  readonly mode: DecisionMode;
  readonly arm: Arm | null;
  readonly inputs: unknown;
  /** What was answered in full; null where nothing was broken. */
  readonly decision: unknown;
  readonly facts: unknown;
}

/** Adds answers to the history and opens their incidents; `saveLooked` makes each the current one of its order. */
export async function recordVerdicts(
  sql: Sql,
  verdicts: readonly VerdictRow[],
  common: { judgedAt: Date; policyVersion: number; trigger: Trigger; trace: string },
): Promise<void> {
  if (verdicts.length === 0) return;
  const rows = verdicts.map(({ id, orderId, judgement, incident, declinedBecause, explanation, ...row }) => ({
    id,
    order_id: orderId,
    verdict: judgement.verdict,
    promised_until: judgement.promisedUntil,
    met_at: judgement.metAt,
    late_minutes: judgement.lateMinutes,
    late_days: judgement.lateDays,
    fault: judgement.fault,
    incident,
    declined_because: declinedBecause,
    inputs: row.inputs,
    decision: row.decision,
    facts: row.facts,
    explanation,
    customer_wording: row.customerWording,
    mode: row.mode,
    arm: row.arm,
    incident_id: newId(),
  }));
  await sql.query(
    `WITH n AS (
       SELECT * FROM jsonb_to_recordset($1::jsonb) AS n(id uuid, order_id text, verdict text, promised_until timestamptz,
         met_at timestamptz, late_minutes int, late_days int, fault text, incident text, declined_because text, inputs jsonb,
         decision jsonb, facts jsonb, explanation text[], customer_wording text[], mode text, arm text, incident_id uuid)
     ), recorded AS (
       INSERT INTO verdicts (id, order_id, verdict, promised_until, met_at, late_minutes, late_days, fault, judged_at,
         policy_version, trigger, trace, incident, declined_because, mode, arm, inputs, decision, facts, explanation, customer_wording)
       SELECT id, order_id, verdict, promised_until, met_at, late_minutes, late_days, fault, $2, $3, $4, $5, incident,
         declined_because, mode, arm, inputs, decision, facts, explanation, customer_wording FROM n
     )
     INSERT INTO incidents (id, order_id, kind, opened_at)
     SELECT incident_id, order_id, incident, $2 FROM n WHERE incident IS NOT NULL ORDER BY order_id
     ON CONFLICT (order_id, kind) DO NOTHING`,
    [JSON.stringify(rows), common.judgedAt, common.policyVersion, common.trigger, common.trace],
  );
}

/**
 * Notes that orders were looked at, what the answer is now, and when they must be looked at again even if nothing happens: one new
 * version of each row, however much changed.
 */
export async function saveLooked(
  sql: Sql,
  orders: readonly { readonly id: string; readonly dueAt: Date | null; readonly answer: VerdictRow | null }[],
  judgedAt: Date,
): Promise<void> {
  await sql.query(
    `UPDATE orders o SET due_at = n.due_at, judged_at = $3, looked_at = now(), verdict = coalesce(n.verdict, o.verdict),
       verdict_id = coalesce(n.verdict_id, o.verdict_id), arm = coalesce(o.arm, n.arm)
     FROM unnest($1::text[], $2::timestamptz[], $4::uuid[], $5::text[], $6::text[]) AS n(id, due_at, verdict_id, verdict, arm)
     WHERE o.id = n.id`,
    [
      orders.map(({ id }) => id),
      orders.map(({ dueAt }) => dueAt),
      judgedAt,
      orders.map(({ answer }) => answer?.id ?? null),
      orders.map(({ answer }) => answer?.judgement.verdict ?? null),
      orders.map(({ answer }) => answer?.arm ?? null),
    ],
  );
}

/**
 * Orders for which time alone may have changed something. Each is put off a little, so that it is taken once; whoever
 * judges it sets its real date.
 */
export async function takeDueOrders(sql: Sql, now: Date, limit: number): Promise<string[]> {
  const { rows } = await sql.query(
    `UPDATE orders SET due_at = $1::timestamptz + interval '10 minutes'
     WHERE id IN (SELECT id FROM orders WHERE due_at <= $1 ORDER BY due_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED)
     RETURNING id`,
    [now, limit],
  );
  return rows.map((row) => row.id);
}

/** Whether an order was due at this instant already and nobody has taken it since. */
export async function hasOrderDueBefore(sql: Sql, instant: Date): Promise<boolean> {
  const { rows } = await sql.query('SELECT EXISTS (SELECT 1 FROM orders WHERE due_at < $1) AS due', [instant]);
  return rows[0].due;
}

/** The current answer for an order, as the API shows it. */
export interface VerdictAnswerRow extends Omit<RecordedVerdict, 'id'> {
  readonly policyVersion: number;
}

/** null: not judged yet, or no such order. */
export async function loadVerdictAnswer(sql: Sql, orderId: string): Promise<VerdictAnswerRow | null> {
  const { rows } = await sql.query(
    `SELECT v.verdict, v.met_at AS "metAt", v.late_minutes AS "lateMinutes", v.late_days AS "lateDays", v.fault, v.incident,
       v.declined_because AS "declinedBecause", v.judged_at AS "judgedAt", v.policy_version AS "policyVersion"
     FROM orders o JOIN verdicts v ON v.id = o.verdict_id WHERE o.id = $1`,
    [orderId],
  );
  return rows[0] ?? null;
}

/** The orders that have this parcel. */
export async function findOrderByNumber(
  sql: Sql,
  parcel: { carrier: string; trackingNumber: string },
): Promise<string[]> {
  const { rows } = await sql.query(
    'SELECT DISTINCT order_id FROM shipments WHERE tracking_key = $1 AND carrier_key = $2 ORDER BY order_id',
    [trackingKeyOf(parcel.trackingNumber), carrierKeyOf(parcel.carrier)],
  );
  return rows.map((row) => row.order_id);
}
