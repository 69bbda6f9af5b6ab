import { type AwardStatus, type Remedy, remedyOfPast } from '../compensation/award.js';
import { toPastAward } from '../compensation/award-store.js';
import type { Incident } from '../compensation/incident.js';
import type { Sql } from '../db/database.js';
import { newId } from '../ids.js';
import { toPromise } from './order-store.js';
import type { PersonalCallFacts } from './personal-call-points.js';
import type { CallCandidate, CandidateIncident } from './rank-calls.js';

/** The rule of a task that the product proposed by itself. */
export const PERSONAL_CALL = 'personal-call';

/**
 * Those with the most incidents are read. Fewer, and in a bad week the ranking does not see all who are alike; more, and
 * everybody is read for a handful of calls.
 */
const MOST_CANDIDATES = 5_000;

/** Waits until nobody else chooses calls, until the transaction ends: what one proposes counts for the next. */
export async function takeTurn(sql: Sql): Promise<void> {
  await sql.query("SELECT pg_advisory_xact_lock(hashtextextended('makegood.personal-calls', 0))");
}

/** How many personal calls were proposed since then. */
export async function countProposed(sql: Sql, since: Date): Promise<number> {
  const { rows } = await sql.query('SELECT count(*) AS count FROM tasks WHERE rule = $1 AND created_at >= $2', [
    PERSONAL_CALL,
    since,
  ]);
  return rows[0].count;
}

/** Whom to look at. */
export interface CandidateTerms {
  readonly asOf: Date;
  /** Incidents since then count. */
  readonly since: Date;
  readonly minimumIncidents: number;
  /** Who was to be called since then is left alone. */
  readonly notCalledSince: Date;
  /** Only these customers; null: all. */
  readonly customerIds: readonly string[] | null;
}

/**
 * Customers with a telephone and enough incidents that still stand. What came after all was not lost, and what was in time
 * after all was not late. Left out are those who have a call to come or had one lately, or one since their latest incident,
 * whatever its rule; those who are held out of goodwill, which a call is; what was registered for the record alone, or decided
 * without giving anything; and what was the customer's own fault.
 */
export async function loadCandidates(sql: Sql, terms: CandidateTerms): Promise<CallCandidate[]> {
  const { rows } = await sql.query(
    `WITH standing AS (
       SELECT o.customer_id, i.order_id, i.kind, i.opened_at, o.arm, o.promise_on, o.promise_at, o.promise_time_zone,
         o.occasion_name, o.occasion_on, v.verdict, v.met_at
       FROM incidents i JOIN orders o ON o.id = i.order_id JOIN verdicts v ON v.id = o.verdict_id
       WHERE i.opened_at >= $1 AND i.opened_at <= $2 AND ($5::text[] IS NULL OR o.customer_id = ANY($5))
         AND NOT o.backfill AND v.mode = 'active' AND v.declined_because IS DISTINCT FROM 'customer_fault'
         AND v.incident IS NOT NULL AND (i.kind IN (v.incident, 'not_received')
           OR (i.kind = 'late' AND v.verdict IN ('late', 'overdue', 'lost', 'damaged', 'returned')))
     ), unlucky AS (
       SELECT customer_id, count(*) AS incidents, max(opened_at) AS latest_at, bool_or(occasion_on IS NOT NULL) AS occasion,
         count(*) FILTER (WHERE kind <> 'late') AS grave, array_agg(order_id) AS order_ids
       FROM standing GROUP BY customer_id
       HAVING count(*) >= $3 AND NOT bool_or(arm IS NOT DISTINCT FROM 'holdout')
     ), candidates AS (
       SELECT u.* FROM unlucky u JOIN customers c ON c.id = u.customer_id
       WHERE c.phone ~ '[0-9]' AND NOT EXISTS (
         SELECT 1 FROM tasks t WHERE t.customer_id = u.customer_id AND t.kind = 'call'
           AND (t.status = 'open' OR greatest(t.created_at, t.completed_at) >= least($4, u.latest_at)))
       ORDER BY u.incidents DESC, u.occasion DESC, u.grave DESC, u.latest_at DESC, u.customer_id LIMIT $6
     )
     SELECT s.*, (SELECT count(*) FROM contacts k WHERE k.customer_id = s.customer_id
                  AND (k.at >= $1 OR k.order_id = ANY(c.order_ids))) AS contacts
     FROM candidates c JOIN standing s ON s.customer_id = c.customer_id ORDER BY s.customer_id, s.opened_at, s.order_id, s.kind`,
    [terms.since, terms.asOf, terms.minimumIncidents, terms.notCalledSince, terms.customerIds, MOST_CANDIDATES],
  );
  const candidates = new Map<string, { customerId: string; incidents: CandidateIncident[]; contacts: number }>();
  for (const row of rows) {
    const { customer_id: customerId, contacts } = row;
    const before = candidates.get(customerId)?.incidents ?? [];
    const one: CandidateIncident = {
      orderId: row.order_id,
      incident: row.kind as Incident,
      openedAt: row.opened_at,
      promise: toPromise(row) ?? { on: '', timeZone: row.promise_time_zone },
      occasion: row.occasion_on === null ? null : { name: row.occasion_name, on: row.occasion_on },
      verdict: row.verdict,
      metAt: row.met_at,
    };
    candidates.set(customerId, { customerId, contacts, incidents: [...before, one] });
  }
  return [...candidates.values()];
}

/** What these orders were given or are to be given, by order; oldest first. */
export async function loadGiven(
  sql: Sql,
  orderIds: readonly string[],
): Promise<Map<string, { readonly remedy: Remedy; readonly status: AwardStatus }[]>> {
  const { rows } = await sql.query(
    `SELECT order_id, incident, class, kind, months, points, amount_minor, currency, decided_at, status FROM awards
     WHERE order_id = ANY($1) ORDER BY decided_at, id`,
    [orderIds],
  );
  const given = new Map<string, { remedy: Remedy; status: AwardStatus }[]>(orderIds.map((id) => [id, []]));
  for (const award of rows.map(toPastAward)) {
    const remedy = remedyOfPast(award);
    if (remedy) given.get(award.orderId)?.push({ remedy, status: award.status });
  }
  return given;
}

/** Too few, and the caller does not know what was said; too many, and nobody reads them before a call. */
const MOST_CONTACTS = 5;
const MOST_DONE = 3;

/** By customer, the last times that they got in touch, and what people did last for them; oldest first. */
export async function loadTalkedBefore(
  sql: Sql,
  customers: readonly { readonly customerId: string; readonly orderIds: readonly string[] }[],
  since: Date,
): Promise<Map<string, Pick<PersonalCallFacts, 'contacts' | 'done'>>> {
  const customerIds = customers.map(({ customerId }) => customerId);
  const { rows: contacts } = await sql.query(
    `SELECT c.id AS "customerId", k.at, k.channel, k.reason FROM unnest($1::text[]) AS c(id) CROSS JOIN LATERAL (
       SELECT * FROM contacts k WHERE k.customer_id = c.id AND (k.at >= $2 OR k.order_id = ANY($3))
       ORDER BY k.at DESC, k.id DESC LIMIT $4) k ORDER BY k.at, k.id`,
    [customerIds, since, customers.flatMap(({ orderIds }) => orderIds), MOST_CONTACTS],
  );
  const { rows: done } = await sql.query(
    `SELECT c.id AS "customerId", t.kind, t.completed_at AS at, t.outcome, t.note FROM unnest($1::text[]) AS c(id) CROSS JOIN LATERAL (
       SELECT * FROM tasks t WHERE t.customer_id = c.id AND t.status = 'done'
       ORDER BY t.completed_at DESC, t.id DESC LIMIT $2) t ORDER BY t.completed_at, t.id`,
    [customerIds, MOST_DONE],
  );
  const ofCustomer = (id: string) => (row: { customerId: string }) => row.customerId === id;
  return new Map(
    customerIds.map((id) => [id, { contacts: contacts.filter(ofCustomer(id)), done: done.filter(ofCustomer(id)) }]),
  );
}

/** A call to propose. */
export interface NewPersonalCall {
  readonly orderId: string;
  readonly customerId: string;
  readonly incident: Incident;
  readonly dueAt: Date;
  readonly timeZone: string;
  readonly talkingPoints: readonly string[];
}

/** @returns those that are new: an incident is called about once */
export async function insertPersonalCalls(
  sql: Sql,
  calls: readonly NewPersonalCall[],
  createdAt: Date,
): Promise<{ readonly id: string; readonly orderId: string; readonly incident: Incident }[]> {
  if (calls.length === 0) return [];
  const { rows } = await sql.query(
    `INSERT INTO tasks (id, order_id, customer_id, incident, rule, kind, due_at, time_zone, talking_points, created_at)
     SELECT n.id, n."orderId", n."customerId", n.incident, $2, 'call', n."dueAt", n."timeZone", n."talkingPoints", $3
     FROM jsonb_to_recordset($1::jsonb) AS n(id uuid, "orderId" text, "customerId" text, incident text, "dueAt" timestamptz,
       "timeZone" text, "talkingPoints" text[])
     ON CONFLICT (order_id, incident, rule) DO NOTHING RETURNING id, order_id AS "orderId", incident`,
    [JSON.stringify(calls.map((call) => ({ id: newId(), ...call }))), PERSONAL_CALL, createdAt],
  );
  return rows;
}
