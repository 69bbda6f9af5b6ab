import type { Sql } from '../db/database.js';
import { newId } from '../ids.js';
import {
  type AwardClass,
  type AwardKind,
  type AwardStatus,
  asPast,
  type DecidedAward,
  type PastAward,
} from './award.js';
import type { AwardIncident } from './incident.js';
import type { DecidedTask } from './rules.js';

/** An award in the history of a customer, with its step within its class. */
export type StoredPastAward = PastAward & { readonly step: number };

/** Takes these customers until the transaction ends, in the order of their ids. @returns those that there are */
export async function lockCustomers(sql: Sql, customerIds: readonly string[]): Promise<string[]> {
  const { rows } = await sql.query('SELECT id FROM customers WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE', [
    [...new Set(customerIds)],
  ]);
  return rows.map(({ id }) => id);
}

/**
 * Everything these customers were ever awarded, by customer. Takes the customers first, in the order of their ids, so
 * that the limits count right when several orders of one customer are judged at once. Whoever judges as of `asOf` and had
 * to wait finds awards that were decided a moment later: they are there, so they count as of `asOf` too. Of other orders
 * only what a limit can still look back on: a customer of many years is not read whole with each parcel.
 * @param scope.days how far any limit or condition of the policy looks back
 */
export async function lockHistories(
  sql: Sql,
  customerIds: readonly string[],
  asOf: Date,
  scope: { readonly orderIds: readonly string[]; readonly days: number },
): Promise<Map<string, StoredPastAward[]>> {
  const histories = new Map<string, StoredPastAward[]>(customerIds.map((id) => [id, []]));
  if (customerIds.length === 0) return histories;
  await lockCustomers(sql, customerIds);
  const { rows } = await sql.query(
    `SELECT customer_id, order_id, incident, class, step, kind, months, amount_minor, currency, points,
       least(decided_at, $2) AS decided_at, status
     FROM awards WHERE customer_id = ANY($1) AND (decided_at >= $2::timestamptz - make_interval(days => $4) OR order_id = ANY($3))
     ORDER BY awards.decided_at, id`,
    // A day more than any window: days of a calendar and of 24 hours differ by the hour of a clock change.
    [customerIds, asOf, scope.orderIds, scope.days + 1],
  );
  for (const row of rows) histories.get(row.customer_id)?.push({ ...toPastAward(row), step: row.step });
  return histories;
}

/** An award as its row has it, with the columns of the table under their own names. */
export function toPastAward(row: {
  readonly order_id: string;
  readonly incident: string;
  readonly class: string;
  readonly kind: string;
  readonly months: number | null;
  readonly points: number | null;
  readonly amount_minor: number | null;
  readonly currency: string | null;
  readonly decided_at: Date;
  readonly status: string;
}): PastAward {
  return {
    orderId: row.order_id,
    incident: row.incident as AwardIncident,
    class: row.class as AwardClass,
    kind: row.kind as AwardKind,
    months: row.months,
    points: row.points,
    amount: row.amount_minor === null ? null : { amountMinor: row.amount_minor, currency: row.currency ?? '' },
    at: row.decided_at,
    status: row.status as AwardStatus,
  };
}

/** What one decision gave. */
export interface DecidedForOrder {
  readonly orderId: string;
  readonly customerId: string;
  readonly decisionId: string;
  readonly incident: AwardIncident;
  readonly awards: readonly DecidedAward[];
  readonly tasks: readonly PlannedTask[];
  readonly history: readonly StoredPastAward[];
}

/** Something for a person to do, by when in the customer's day, and what the record says for it. */
export interface PlannedTask extends DecidedTask {
  readonly dueAt: Date | null;
  readonly timeZone: string | null;
  readonly talkingPoints: readonly string[];
}

export interface NewAward {
  readonly id: string;
  readonly kind: AwardKind;
  readonly status: AwardStatus;
}

/**
 * Records awards and tasks. An award of a class that this order and incident has already is the next step of it. The
 * unique key on order, incident, class and step stands behind this: a second judgement of the same facts cannot add one.
 */
export async function recordAwards(
  sql: Sql,
  decided: readonly DecidedForOrder[],
  common: { decidedAt: Date; policyVersion: number; proposedBy?: string },
): Promise<NewAward[]> {
  const rows = decided.flatMap(({ awards, history, ...decision }) =>
    awards.map((award) => ({
      id: newId(),
      order_id: decision.orderId,
      customer_id: decision.customerId,
      incident: decision.incident,
      decision_id: decision.decisionId,
      class: award.class,
      step: 1 + lastStep(history, decision.orderId, decision.incident, award.class),
      kind: award.kind,
      months: 'months' in award ? award.months : null,
      amount_minor: 'amount' in award ? award.amount.amountMinor : null,
      currency: 'amount' in award ? award.amount.currency : null,
      points: 'points' in award ? award.points : null,
      shipping: 'shipping' in award ? award.shipping : null,
      status: award.status,
      stopped_by: award.stoppedBy,
      rule: award.rule,
      reason: award.reason,
    })),
  );
  if (rows.length > 0) {
    await sql.query(
      `INSERT INTO awards (id, order_id, customer_id, incident, decision_id, class, step, kind, months, amount_minor, currency,
         points, shipping, status, stopped_by, rule, reason, policy_version, decided_at, proposed_by)
       SELECT n.*, $2, $3, $4 FROM jsonb_to_recordset($1::jsonb) AS n(id uuid, order_id text, customer_id text, incident text,
         decision_id uuid, class text, step int, kind text, months int, amount_minor bigint, currency text, points int,
         shipping text, status text, stopped_by text[], rule text, reason text)`,
      [JSON.stringify(rows), common.policyVersion, common.decidedAt, common.proposedBy ?? 'policy'],
    );
  }
  await recordTasks(sql, decided, common.decidedAt);
  return rows.map(({ id, kind, status }) => ({ id, kind, status }));
}

/** The history with these awards, as the next order of the customer in the same batch must see it. */
export function withDecided(
  history: readonly StoredPastAward[],
  { orderId, incident, awards }: Pick<DecidedForOrder, 'orderId' | 'incident' | 'awards'>,
  decidedAt: Date,
): StoredPastAward[] {
  const added = awards.map((award) => ({
    ...asPast(award, { orderId, incident, at: decidedAt }),
    step: 1 + lastStep(history, orderId, incident, award.class),
  }));
  return [...history, ...added];
}

function lastStep(
  history: readonly StoredPastAward[],
  orderId: string,
  incident: AwardIncident,
  ofClass: AwardClass,
): number {
  return history
    .filter((past) => past.orderId === orderId && past.incident === incident && past.class === ofClass)
    .reduce((last, { step }) => Math.max(last, step), 0);
}

async function recordTasks(sql: Sql, decided: readonly DecidedForOrder[], createdAt: Date): Promise<void> {
  const rows = decided.flatMap(({ tasks, orderId, customerId, incident }) =>
    tasks.map(({ kind, rule, dueAt, timeZone, talkingPoints }) => ({
      id: newId(),
      order_id: orderId,
      customer_id: customerId,
      incident,
      rule,
      kind,
      due_at: dueAt,
      time_zone: timeZone,
      talking_points: talkingPoints,
    })),
  );
  if (rows.length === 0) return;
  await sql.query(
    `INSERT INTO tasks (id, order_id, customer_id, incident, rule, kind, due_at, time_zone, talking_points, created_at)
     SELECT n.*, $2 FROM jsonb_to_recordset($1::jsonb) AS n(id uuid, order_id text, customer_id text, incident text, rule text,
       kind text, due_at timestamptz, time_zone text, talking_points text[])
     ON CONFLICT (order_id, incident, rule) DO NOTHING`,
    [JSON.stringify(rows), createdAt],
  );
}
