import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { countOpenAlarms, listAlarms } from '../../src/compensation/alarm-store.js';
import { auditAwards } from '../../src/promises/audit-awards.js';
import { sampleVerdicts } from '../../src/promises/audit-awards-store.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { orderDocument, startMakegood, type TestMakegood, trackerEvent } from '../support/makegood.js';

let database: TestDatabase;
let makegood: TestMakegood;

const audit = () => auditAwards(makegood.deps, { sample: 200 });
const DELIVERED = (at: string) => ['delivered', 'arrived_at_destination', at] as const;
const MOVING = ['in_transit', 'arrived_at_facility', '2026-11-03T12:00:00Z'] as const;

/** Registers an order of one parcel and sends these scans of it. */
async function order(id: string, scans: Parameters<typeof trackerEvent>[1], changes: object = {}): Promise<void> {
  const document = orderDocument({ customerId: `c-${id}`, trackingNumber: `T-${id}`, ...changes });
  expect((await makegood.put(id, document)).status).toBe(201);
  await scan(id, scans);
}
async function scan(id: string, scans: Parameters<typeof trackerEvent>[1]): Promise<void> {
  if (scans.length > 0) expect((await makegood.webhook(trackerEvent(`T-${id}`, scans))).status).toBe(200);
}

const NO_MEMBER = { customer: { membership: null } };

beforeAll(async () => {
  database = await createTestDatabase();
  makegood = await startMakegood({ databaseUrl: database.url, now: '2026-11-04T12:00:00Z' });
  await order('prime', [MOVING]);
  await order('shipping-back', [MOVING], NO_MEMBER);
  await order('credit', [MOVING], { ...NO_MEMBER, shippingPaid: { amountMinor: 0, currency: 'USD' } });
  await order('corrected', [MOVING], { ...NO_MEMBER, shippingPaid: { amountMinor: 0, currency: 'USD' } });
  await order('kept', [MOVING]);
  await order('silent', [MOVING]);
  await order('occasion', [MOVING], { occasion: { name: 'birthday', on: '2026-11-06' } });
  await order('other-currency', [MOVING], {
    ...NO_MEMBER,
    total: { amountMinor: 9_900, currency: 'CHF' },
    shippingPaid: { amountMinor: 0, currency: 'CHF' },
  });
  // What the first scans caused is done on their day: looked at on the ninth, all of it would be overdue.
  await makegood.quiet();
  makegood.clock.set(new Date('2026-11-09T12:00:00Z'));
  await scan('prime', [MOVING, DELIVERED('2026-11-06T15:00:00Z')]);
  await scan('shipping-back', [MOVING, DELIVERED('2026-11-06T15:00:00Z')]);
  await scan('credit', [MOVING, DELIVERED('2026-11-08T15:00:00Z')]);
  await scan('corrected', [MOVING, DELIVERED('2026-11-08T15:00:00Z')]);
  await scan('kept', [MOVING, DELIVERED('2026-11-05T15:00:00Z')]);
  await scan('occasion', [MOVING, DELIVERED('2026-11-08T15:00:00Z')]);
  await scan('other-currency', [MOVING, DELIVERED('2026-11-08T15:00:00Z')]);
  await makegood.quiet();
  await makegood.watch();
  // A week of silence more: it was overdue, and is lost.
  makegood.clock.set(new Date('2026-11-20T12:00:00Z'));
  await makegood.watch();
  // A person gives something for the one that came in time: no rule found that, and none has to.
  const byHand = { kind: 'store_credit', amount: { amountMinor: 500, currency: 'USD' }, reason: 'a kind word' };
  expect((await makegood.request('POST', '/v1/orders/kept/awards', byHand)).status).toBe(201);
  // It turns out that it had come in time.
  await scan('corrected', [MOVING, DELIVERED('2026-11-05T15:00:00Z'), DELIVERED('2026-11-08T15:00:00Z')]);
  await makegood.quiet();
});
afterAll(async () => {
  await makegood.stop();
  await database.drop();
});

/** An award that no decision of ours has made. */
async function givenByMistake(orderId: string, changes: { status?: string; amount?: number } = {}): Promise<string> {
  const id = randomUUID();
  const { status = 'pending', amount = 700 } = changes;
  await database.query(
    `INSERT INTO awards (id, order_id, customer_id, incident, decision_id, class, step, kind, amount_minor, currency, status, rule,
       reason, policy_version, decided_at, applied_at)
     SELECT $1, o.id, o.customer_id, 'late', o.verdict_id, 'money', 7, 'store_credit', $2, 'USD', $3, 'late-2', 'by mistake', 1, now(),
       CASE WHEN $3 = 'applied' THEN now() END
     FROM orders o WHERE o.id = $4`,
    [id, amount, status, orderId],
  );
  return id;
}

describe('a run that nothing is wrong with', () => {
  test('the audit finds nothing wrong, and shows what was given and is not earned any more', async () => {
    const verdicts = await database.query('SELECT verdict FROM verdicts');
    const report = await audit();
    expect(report).toMatchObject({
      ok: true,
      wrongAnswers: { looked: verdicts.length, found: 0, listed: [] },
      dueAndNotPaid: { found: 0, listed: [] },
      paidAndNotDue: { found: 0, listed: [] },
      ledger: { found: 0 },
      overCompensation: {
        found: 1,
        listed: [{ orderId: 'corrected', class: 'money', unit: 'USD', quantity: 300 }],
      },
    });
    expect(report.dueAndNotPaid.looked).toBe(8);
    expect(await countOpenAlarms(makegood.deps.db.pool)).toMatchObject({ audit: 0, ledger: 0 });
    expect(await database.query('SELECT report, finished_at IS NOT NULL AS done FROM audit_runs')).toEqual([
      { report: JSON.parse(JSON.stringify(report)), done: true },
    ]);
  });

  test('it says how far it is, and ends with all of it done', async () => {
    const steps: [number, number][] = [];
    await auditAwards(makegood.deps, { sample: 3, onProgress: (done, total) => void steps.push([done, total]) });
    expect(steps.length).toBeGreaterThan(1);
    expect(steps.at(-1)?.[0]).toBe(steps.at(-1)?.[1]);
  });

  test('the sample holds the newest verdicts and none twice, however few there are', async () => {
    const newest = await database.query<{ id: string }>('SELECT id FROM verdicts ORDER BY id DESC LIMIT 2');
    const sampled = await sampleVerdicts(makegood.deps.db.pool, 2);
    expect(sampled).toEqual(expect.arrayContaining(newest.map(({ id }) => id)));
    expect(new Set(sampled).size).toBe(sampled.length);
    expect(sampled.length).toBeLessThanOrEqual(4);
  });
});

// One after the other: each adds a wrong to those before it.
describe('what is wrong is found', () => {
  test('a verdict that its inputs do not give', async () => {
    await database.query(
      `INSERT INTO verdicts (id, order_id, verdict, promised_until, met_at, late_minutes, late_days, fault, judged_at, policy_version,
         trigger, trace, incident, inputs, explanation, decision)
       SELECT gen_random_uuid(), order_id, verdict, promised_until, met_at, late_minutes, late_days + 1, 'merchant', judged_at,
         policy_version, trigger, trace, incident, inputs, explanation, decision
       FROM verdicts WHERE order_id = 'prime' AND verdict = 'late'`,
    );
    const report = await audit();
    expect(report.ok).toBe(false);
    expect(report.wrongAnswers).toMatchObject({
      found: 1,
      listed: [
        {
          orderId: 'prime',
          differences: [
            { field: 'lateDays', recorded: 2, replayed: 1 },
            { field: 'fault', recorded: 'merchant', replayed: 'carrier' },
          ],
        },
      ],
    });
    expect(report).toMatchObject({ dueAndNotPaid: { found: 0 }, paidAndNotDue: { found: 0 } });
  });

  test('an incident for which nothing was given, and one for which too little was', async () => {
    for (const [id, like] of [
      ['forgotten', 'prime'],
      ['too-little', 'credit'],
    ]) {
      await database.query(
        `INSERT INTO orders (id, customer_id, promise_on, promise_time_zone, promised_until, registered_at, total_minor,
           shipping_paid_minor, currency)
         SELECT $1, customer_id, promise_on, promise_time_zone, promised_until, registered_at, total_minor, shipping_paid_minor, currency
         FROM orders WHERE id = $2`,
        [id, like],
      );
      const verdict = randomUUID();
      await database.query(
        `INSERT INTO verdicts (id, order_id, verdict, promised_until, met_at, late_minutes, late_days, fault, judged_at, policy_version,
           trigger, trace, incident, inputs, explanation, decision)
         SELECT $1, $2, v.verdict, v.promised_until, met_at, late_minutes, late_days, fault, v.judged_at, policy_version, trigger, trace,
           incident, jsonb_set(inputs, '{order,id}', to_jsonb($2::text)), explanation, decision
         FROM orders o JOIN verdicts v ON v.id = o.verdict_id WHERE o.id = $3`,
        [verdict, id, like],
      );
      await database.query(`UPDATE orders SET verdict = 'late', verdict_id = $1 WHERE id = $2`, [verdict, id]);
      await database.query(
        `INSERT INTO incidents (id, order_id, kind, opened_at) VALUES (gen_random_uuid(), $1, 'late', now())`,
        [id],
      );
    }
    await givenByMistake('too-little', { amount: 100 });
    const { dueAndNotPaid, paidAndNotDue, wrongAnswers } = await audit();
    expect(dueAndNotPaid).toMatchObject({
      found: 2,
      listed: [
        {
          orderId: 'forgotten',
          class: 'membership',
          unit: 'months',
          quantity: 1,
          incident: 'late',
          rule: 'prime-month',
        },
        { orderId: 'too-little', class: 'money', unit: 'USD', quantity: 200, incident: 'late', rule: 'late-2' },
      ],
    });
    expect(paidAndNotDue.found).toBe(0);
    expect(wrongAnswers.found).toBe(1);
  });

  test('something that was given for a promise that was kept, and something that was given twice', async () => {
    await givenByMistake('kept');
    await givenByMistake('credit');
    expect((await audit()).paidAndNotDue).toMatchObject({
      found: 2,
      listed: [
        { orderId: 'credit', class: 'money', unit: 'USD', quantity: 700 },
        { orderId: 'kept', class: 'money', unit: 'USD', quantity: 700 },
      ],
    });
  });

  test('an award that is applied and is not in the ledger', async () => {
    await database.query(
      `UPDATE awards SET status = 'applied', applied_at = now(), provider = 'ledger' WHERE step = 7 AND order_id = 'kept'`,
    );
    const { ledger } = await audit();
    expect(ledger.found).toBeGreaterThan(0);
    expect(ledger.listed.length).toBeGreaterThan(0);
  });

  test('each kind of wrong is one open alarm, however many nights it is found, and ends when it is found no more', async () => {
    const { pool } = makegood.deps.db;
    const open = async () =>
      (await listAlarms(pool, { openOnly: true, limit: 50 })).map(({ subject }) => subject).sort();
    expect(await open()).toEqual(['due_and_not_paid', 'paid_and_not_due', 'reconcile', 'wrong_answers']);
    await database.query(
      `UPDATE awards SET status = 'declined' WHERE step = 7 AND order_id IN ('credit', 'too-little')`,
    );
    await database.query(`UPDATE awards SET status = 'reversed' WHERE step = 7 AND order_id = 'kept'`);
    expect((await audit()).paidAndNotDue.found).toBe(0);
    // What a person has declined is no debt: of the two one is left.
    expect((await audit()).dueAndNotPaid).toMatchObject({ found: 1, listed: [{ orderId: 'forgotten' }] });
    expect(await open()).toEqual(expect.arrayContaining(['due_and_not_paid', 'wrong_answers']));
    expect(await open()).not.toContain('paid_and_not_due');
    const raised = await database.query(`SELECT count(*)::int AS count FROM alarms WHERE kind IN ('audit', 'ledger')`);
    expect(raised).toEqual([{ count: 4 }]);
  });
});
