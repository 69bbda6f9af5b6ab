import assert from 'node:assert/strict';
import { expectedOf } from './line-mix.mjs';

/** Whether every ticket is done and every letter written. What waits for the end of quiet hours counts as tried before. */
export async function isThrough(query, { mix, events }) {
  const [{ waits }] = await query('SELECT EXISTS (SELECT 1 FROM outbox WHERE attempts = 0) AS waits');
  // Counted at the end alone: looking must not cost what is measured.
  if (waits) return false;
  const [{ letters }] = await query('SELECT count(*)::int AS letters FROM messages');
  return letters === expectedOf(mix, events).awards;
}

/** Everything that must be so when a run is through. A run that lost, doubled or mispaid something fails, however fast it was. */
export async function checkLine(query, { mix, events }) {
  const expected = expectedOf(mix, events);
  const [found] = await query(
    `SELECT (SELECT count(*) FROM inbox)::int AS webhooks, (SELECT count(DISTINCT dedupe_key) FROM inbox)::int AS distinct_webhooks,
       (SELECT count(*) FROM tracking_events)::int AS scans, (SELECT count(DISTINCT scan_key) FROM tracking_events)::int AS distinct_scans,
       (SELECT count(*) FROM tracking_events WHERE superseded_at IS NOT NULL)::int AS corrected`,
  );
  assert.deepEqual(
    found,
    {
      webhooks: events,
      distinct_webhooks: events,
      scans: expected.scans,
      distinct_scans: expected.scans,
      corrected: 0,
    },
    'every webhook and every scan is stored, once',
  );
  await checkVerdicts(query, expected);
  await checkAwards(query, expected);
  await checkLedger(query, expected);
  await checkLetters(query, expected);
  return { scans: 'ok', verdicts: 'ok', awards: 'ok', ledger: 'ok', letters: 'ok', queue: 'empty' };
}

/** Of each order: late where its promise had ended, else kept, by when its parcel arrived. */
async function checkVerdicts(query, { orders, awards }) {
  const [found] = await query(
    `SELECT count(*)::int AS orders, count(*) FILTER (WHERE o.verdict = 'late')::int AS late,
       count(*) FILTER (WHERE o.verdict IS DISTINCT FROM CASE
         WHEN s.delivered_at IS NULL THEN CASE WHEN o.promise_at IS NULL THEN 'pending' ELSE 'overdue' END
         WHEN s.delivered_at < o.promised_until THEN 'on_time' ELSE 'late' END)::int AS wrong,
       count(*) FILTER (WHERE v.id IS NULL OR v.verdict <> o.verdict OR v.met_at IS DISTINCT FROM
         CASE WHEN o.verdict IN ('on_time', 'late') THEN s.delivered_at END)::int AS unproven
     FROM orders o JOIN shipments s ON s.order_id = o.id LEFT JOIN verdicts v ON v.id = o.verdict_id`,
  );
  assert.deepEqual(found, { orders, late: awards, wrong: 0, unproven: 0 }, 'each order has the verdict that is due');
}

/** A member gets a month, anybody else store credit; who is not late gets nothing. */
async function checkAwards(query, { awards }) {
  const [found] = await query(
    `WITH due AS (
       SELECT o.id, CASE WHEN c.membership_tier IS NULL THEN 'money' ELSE 'membership' END AS class,
         CASE WHEN c.membership_tier IS NULL THEN 'late-small' ELSE 'prime-month' END AS rule
       FROM orders o JOIN customers c ON c.id = o.customer_id JOIN shipments s ON s.order_id = o.id
       WHERE s.delivered_at >= o.promised_until
     )
     SELECT (SELECT count(*) FROM due)::int AS due, (SELECT count(*) FROM awards)::int AS given,
       (SELECT count(DISTINCT (order_id, incident, class, step)) FROM awards)::int AS distinct_awards,
       (SELECT count(*) FROM due d FULL JOIN awards a ON a.order_id = d.id AND (a.class, a.rule, a.incident, a.step, a.status)
         = (d.class, d.rule, 'late', 1, 'applied') WHERE d.id IS NULL OR a.id IS NULL)::int AS wrong`,
  );
  assert.deepEqual(
    found,
    { due: awards, given: awards, distinct_awards: awards, wrong: 0 },
    'what is due was given, once, and nothing else',
  );
}

async function checkLedger(query, { awards }) {
  const [found] = await query(
    `SELECT (SELECT count(*) FROM ledger_transfers)::int AS transfers, (SELECT count(*) FROM ledger_lots)::int AS lots,
       (SELECT count(*) FROM (SELECT transfer_id FROM ledger_entries GROUP BY 1 HAVING count(*) <> 2 OR sum(amount) <> 0) x)::int AS unbalanced,
       (SELECT count(*) FROM ledger_entries)::int AS entries,
       (SELECT count(*) FROM ledger_accounts a WHERE owner_kind = 'customer' AND balance IS DISTINCT FROM
         (SELECT coalesce(sum(amount), 0) FROM ledger_entries e WHERE e.account_id = a.id))::int AS wrong_balances,
       (SELECT count(*) FROM awards a LEFT JOIN ledger_transfers t ON t.award_id = a.id
         LEFT JOIN ledger_entries e ON e.transfer_id = t.id AND e.amount = coalesce(a.amount_minor, a.months)
         LEFT JOIN ledger_accounts c ON c.id = e.account_id AND (c.owner_kind, c.owner_id) = ('customer', a.customer_id)
         WHERE c.id IS NULL)::int AS wrong_bookings`,
  );
  assert.deepEqual(
    found,
    { transfers: awards, lots: awards, unbalanced: 0, entries: 2 * awards, wrong_balances: 0, wrong_bookings: 0 },
    'the ledger has each award, and adds up',
  );
}

/** One letter a decision that gave something, and none has left; what is left in the outbox is to send them when the night is over. */
async function checkLetters(query, { awards }) {
  const [found] = await query(
    `SELECT count(*)::int AS letters, count(DISTINCT decision_id)::int AS decisions,
       count(*) FILTER (WHERE status NOT IN ('queued', 'held') OR attempts > 0)::int AS gone,
       count(*) FILTER (WHERE NOT EXISTS (SELECT 1 FROM awards a WHERE a.decision_id = m.decision_id))::int AS baseless,
       (SELECT count(*) FROM notices)::int AS notices
     FROM messages m`,
  );
  assert.deepEqual(
    found,
    { letters: awards, decisions: awards, gone: 0, baseless: 0, notices: 0 },
    'a letter a decision that gave something',
  );
  const [{ other, waiting, queued }] = await query(
    `SELECT (SELECT count(*) FROM outbox WHERE stage <> 'send-messages' OR attempts = 0 OR parked_at IS NOT NULL)::int AS other,
       (SELECT coalesce(sum(cardinality(ids)), 0) FROM outbox)::int AS waiting,
       (SELECT count(*) FROM messages WHERE status = 'queued')::int AS queued`,
  );
  assert.deepEqual({ other, waiting }, { other: 0, waiting: queued }, 'nothing else is left to do');
}
