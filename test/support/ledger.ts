import { randomUUID } from 'node:crypto';
import { lockPending } from '../../src/awards/grant-store.js';
import { postTransfers } from '../../src/awards/ledger-store.js';
import { ShiftedClock } from '../../src/clock.js';
import { type Database, openDatabase } from '../../src/db/database.js';
import type { TestDatabase } from './database.js';

/** What the ledger needs of the outside, on a test's database, as the role that the application works as. */
export interface LedgerDeps {
  readonly db: Database;
  readonly clock: ShiftedClock;
}

export function openLedger(database: TestDatabase, poolSize = 10): LedgerDeps {
  const onError = () => {};
  return { db: openDatabase(database.url, { poolSize, onError }), clock: new ShiftedClock() };
}

/** What a test lets be decided: how much of which unit, and when it ends. */
export interface Grant {
  readonly customerId: string;
  readonly unit: string;
  readonly amount: number;
  readonly expiresAt?: Date | null;
}

/** Customers with an order that was late, one each. */
export async function addCustomers(database: TestDatabase, ids: readonly string[]): Promise<void> {
  await database.query(
    `WITH c AS (INSERT INTO customers (id) SELECT unnest($1::text[]) RETURNING id),
     o AS (INSERT INTO orders (id, customer_id, promise_on, promise_time_zone, promised_until, registered_at)
       SELECT 'o-' || id, id, '2025-03-05', 'UTC', '2025-03-06', now() FROM c RETURNING id)
     INSERT INTO verdicts (id, order_id, verdict, promised_until, judged_at, policy_version, trigger, trace, inputs, explanation)
     SELECT gen_random_uuid(), id, 'late', '2025-03-06', now(), 1, 'webhook', 't', '{}', '{}' FROM o`,
    [ids],
  );
}

/** Awards that are decided and pending. @returns their ids, in the order of the grants */
export async function decideAwards(database: TestDatabase, grants: readonly Grant[]): Promise<string[]> {
  const rows = grants.map(({ customerId, unit, amount, expiresAt = null }) => {
    const months = unit === 'membership_months';
    const points = unit === 'points';
    return {
      id: randomUUID(),
      customer_id: customerId,
      kind: months ? 'membership_extension' : points ? 'points' : 'store_credit',
      months: months ? amount : null,
      points: points ? amount : null,
      amount_minor: months || points ? null : amount,
      currency: months || points ? null : unit,
      expires_at: expiresAt,
    };
  });
  // Each is an incident of its own name, so that one order can have any number.
  await database.query(
    `INSERT INTO awards (id, order_id, customer_id, incident, decision_id, class, step, kind, months, points, amount_minor, currency,
       status, rule, reason, policy_version, decided_at, expires_at)
     SELECT n.id, v.order_id, n.customer_id, 'test ' || n.id, v.id, 'money', 1, n.kind, n.months, n.points, n.amount_minor, n.currency,
       'pending', 'test', 'late', 1, now(), n.expires_at
     FROM jsonb_to_recordset($1::jsonb) AS n(id uuid, customer_id text, kind text, months int, points int, amount_minor bigint,
       currency text, expires_at timestamptz)
     JOIN verdicts v ON v.order_id = 'o-' || n.customer_id`,
    [JSON.stringify(rows)],
  );
  return rows.map(({ id }) => id);
}

/** Books these awards, as grant-awards does. */
export async function grantNow({ db, clock }: LedgerDeps, ids: readonly string[]): Promise<void> {
  await db.transaction(async (sql) => {
    const awards = await lockPending(sql, ids);
    if (awards.length > 0) await postTransfers(sql, awards, clock.read(new Date()));
  });
}

/** What of each unit a customer has, as the accounts say. */
export async function balancesOf(database: TestDatabase, customerId: string): Promise<Record<string, number>> {
  const rows = await database.query<{ unit: string; balance: string }>(
    `SELECT unit, balance FROM ledger_accounts WHERE owner_kind = 'customer' AND owner_id = $1`,
    [customerId],
  );
  return Object.fromEntries(rows.map(({ unit, balance }) => [unit, Number(balance)]));
}
