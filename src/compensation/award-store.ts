import type { Sql } from '../db/database.js';
import { newId } from '../ids.js';
import type { AwardClass, AwardKind, AwardStatus, DecidedAward, PastAward } from './award.js';
import type { Incident } from './incident.js';
import type { DecidedTask } from './rules.js';

/** An award in the history of a customer, with its step within its class. */
export type StoredPastAward = PastAward & { readonly step: number };

/**
 * Everything these customers were ever awarded, by customer. Takes the customers first, in the order of their ids, so
 * that the limits count right when several orders of one customer are judged at once. Whoever judges as of `asOf` and had
 * to wait finds awards that were decided a moment later: they are there, so they count as of `asOf` too.
 */
export async function lockHistories(
  sql: Sql,
  customerIds: readonly string[],
  asOf: Date,
): Promise<Map<string, StoredPastAward[]>> {
  const histories = new Map<string, StoredPastAward[]>(customerIds.map((id) => [id, []]));
  if (customerIds.length === 0) return histories;
  await sql.query('SELECT 1 FROM customers WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE', [customerIds]);
  const { rows } = await sql.query(
    `SELECT customer_id, order_id, incident, class, step, kind, months, amount_minor, currency,
       least(decided_at, $2) AS decided_at, status
     FROM awards WHERE customer_id = ANY($1) ORDER BY awards.decided_at, id`,
    [customerIds, asOf],
  );
  for (const row of rows) {
    histories.get(row.customer_id)?.push({
      orderId: row.order_id,
      incident: row.incident as Incident,
      class: row.class as AwardClass,
      step: row.step,
      kind: row.kind as AwardKind,
      months: row.months,
      amount: row.amount_minor === null ? null : { amountMinor: row.amount_minor, currency: row.currency },
      at: row.decided_at,
      status: row.status as AwardStatus,
    });
  }
  return histories;
}

/** What one decision gave. */
export interface DecidedForOrder {
  readonly orderId: string;
  readonly customerId: string;
  readonly decisionId: string;
  readonly incident: Incident;
  readonly awards: readonly DecidedAward[];
  readonly tasks: readonly DecidedTask[];
  readonly history: readonly StoredPastAward[];
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
  common: { decidedAt: Date; policyVersion: number },
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
      shipping: 'shipping' in award ? award.shipping : null,
      status: award.status,
      rule: award.rule,
      reason: award.reason,
    })),
  );
  if (rows.length > 0) {
    await sql.query(
      `INSERT INTO awards (id, order_id, customer_id, incident, decision_id, class, step, kind, months, amount_minor, currency,
         shipping, status, rule, reason, policy_version, decided_at)
       SELECT n.*, $2, $3 FROM jsonb_to_recordset($1::jsonb) AS n(id uuid, order_id text, customer_id text, incident text,
         decision_id uuid, class text, step int, kind text, months int, amount_minor bigint, currency text, shipping text,
         status text, rule text, reason text)`,
      [JSON.stringify(rows), common.policyVersion, common.decidedAt],
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
    orderId,
    incident,
    class: award.class,
    step: 1 + lastStep(history, orderId, incident, award.class),
    kind: award.kind,
    months: 'months' in award ? award.months : null,
    amount: 'amount' in award ? award.amount : null,
    at: decidedAt,
    status: award.status,
  }));
  return [...history, ...added];
}

function lastStep(
  history: readonly StoredPastAward[],
  orderId: string,
  incident: Incident,
  ofClass: AwardClass,
): number {
  return history
    .filter((past) => past.orderId === orderId && past.incident === incident && past.class === ofClass)
    .reduce((last, { step }) => Math.max(last, step), 0);
}

async function recordTasks(sql: Sql, decided: readonly DecidedForOrder[], createdAt: Date): Promise<void> {
  const rows = decided.flatMap(({ tasks, orderId, customerId, incident }) =>
    tasks.map(({ kind, rule }) => ({ id: newId(), order_id: orderId, customer_id: customerId, incident, rule, kind })),
  );
  if (rows.length === 0) return;
  await sql.query(
    `INSERT INTO tasks (id, order_id, customer_id, incident, rule, kind, created_at)
     SELECT n.*, $2 FROM jsonb_to_recordset($1::jsonb) AS n(id uuid, order_id text, customer_id text, incident text, rule text, kind text)
     ON CONFLICT (order_id, incident, rule) DO NOTHING`,
    [JSON.stringify(rows), createdAt],
  );
}
