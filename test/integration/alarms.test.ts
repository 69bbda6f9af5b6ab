import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { watchAwards } from '../../src/awards/watch-awards.js';
import {
  clearAlarm,
  countOpenAlarms,
  listAlarms,
  raiseAlarm,
  raiseAlarms,
} from '../../src/compensation/alarm-store.js';
import { readConfig } from '../../src/config.js';
import { type Database, openDatabase } from '../../src/db/database.js';
import { createLogger } from '../../src/logger.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

let database: TestDatabase;
let db: Database;

beforeAll(async () => {
  database = await createTestDatabase();
  db = openDatabase(database.url, { poolSize: 6, onError: () => {} });
});
afterAll(async () => {
  await db.close();
  await database.drop();
});
beforeEach(() => database.query('DELETE FROM alarms'));

const at = (minute: number): Date => new Date(Date.UTC(2026, 10, 5, 12, minute));
const ledger = (minute: number, subject = 'reconcile') => ({
  kind: 'ledger' as const,
  subject,
  message: 'It does not add up.',
  details: { found: 1 },
  at: at(minute),
});
const all = { openOnly: false, limit: 100 };

describe('alarms', () => {
  test('the same trouble is one alarm, however often it is seen, and knows when it was first and last', async () => {
    expect(await raiseAlarm(db.pool, ledger(0))).toBe(true);
    expect(await raiseAlarm(db.pool, { ...ledger(9), message: 'It still does not.' })).toBe(false);
    // Seen before it was last seen: whoever was slow to say so.
    expect(await raiseAlarm(db.pool, ledger(5))).toBe(false);
    expect(await listAlarms(db.pool, all)).toMatchObject([
      { kind: 'ledger', subject: 'reconcile', message: 'It does not add up.', details: { found: 1 } },
    ]);
    expect(await listAlarms(db.pool, all)).toMatchObject([{ raisedAt: at(0), lastSeenAt: at(9), clearedAt: null }]);
  });

  test('raised by many at once it is one, and one of them is told that it is new', async () => {
    const raised = await Promise.all(Array.from({ length: 20 }, () => raiseAlarm(db.pool, ledger(0))));
    expect(raised.filter((isNew) => isNew)).toHaveLength(1);
    expect(await listAlarms(db.pool, all)).toHaveLength(1);
  });

  test('what is cleared and comes back is a new alarm, and the old one stays on record', async () => {
    await raiseAlarm(db.pool, ledger(0));
    expect(await clearAlarm(db.pool, { kind: 'ledger', subject: 'reconcile', at: at(1) })).toBe(true);
    expect(await clearAlarm(db.pool, { kind: 'ledger', subject: 'reconcile', at: at(2) })).toBe(false);
    expect(await raiseAlarm(db.pool, ledger(3))).toBe(true);
    expect(await listAlarms(db.pool, all)).toMatchObject([
      { raisedAt: at(3), clearedAt: null },
      { raisedAt: at(0), clearedAt: at(1) },
    ]);
    expect(await listAlarms(db.pool, { ...all, openOnly: true })).toMatchObject([{ raisedAt: at(3) }]);
  });

  test('they are listed page by page, the newest first, none twice and none left out', async () => {
    expect(
      await raiseAlarms(
        db.pool,
        [0, 1, 1, 2, 3].map((minute, place) => ledger(minute, `s-${place}`)),
      ),
    ).toBe(5);
    const subjects: string[] = [];
    for (let after: string | null = null; ; ) {
      const page = await listAlarms(db.pool, { openOnly: true, after, limit: 2 });
      if (page.length === 0) break;
      subjects.push(...page.map(({ subject }) => subject));
      after = page.at(-1)?.id ?? null;
    }
    expect([subjects[0], ...subjects.slice(1, 3), subjects[3], ...subjects.slice(4)].sort()).toEqual(
      ['s-0', 's-1', 's-2', 's-3', 's-4'].sort(),
    );
    expect([subjects[0], subjects[1], subjects[4]]).toEqual(['s-4', 's-3', 's-0']);
  });

  test('those that are open are counted by kind, also where there is none', async () => {
    await raiseAlarms(db.pool, [ledger(0, 'a'), ledger(0, 'b'), { ...ledger(0), kind: 'breaker', subject: 'breaker' }]);
    await clearAlarm(db.pool, { kind: 'ledger', subject: 'a', at: at(1) });
    expect(await countOpenAlarms(db.pool)).toEqual({
      breaker: 1,
      award_pending: 0,
      award_failed: 0,
      ledger: 1,
      audit: 0,
      letters_held: 0,
      letters_unsettled: 0,
      task_overdue: 0,
      event_endpoint: 0,
      event_delivery: 0,
    });
  });
});

describe('awards that are stuck', () => {
  const DECIDED = '2026-11-05T12:00:00Z';
  const verdict = randomUUID();
  const config = readConfig({
    AWARD_WEBHOOK_URL: 'http://127.0.0.1:9/',
    AWARD_WEBHOOK_SECRET: `whsec_${Buffer.alloc(24, 1).toString('base64')}`,
    REMEDY_PROVIDERS: 'replacement=webhook',
  });
  const watchAt = (time: string) => {
    const clock = { read: () => new Date(`2026-11-05T${time}Z`) };
    return watchAwards({ db, clock, config, log: createLogger('silent') });
  };
  let step = 0;

  /** An award of 5.00, or a replacement, decided at noon. */
  async function award(kind: 'refund' | 'replacement', columns: Record<string, unknown> = {}): Promise<string> {
    const id = randomUUID();
    const money = kind === 'refund' ? { amount_minor: 500, currency: 'USD' } : { shipping: 'two_day' };
    const row = {
      ...{
        id,
        order_id: 'o-1',
        customer_id: 'ann',
        incident: 'late',
        decision_id: verdict,
        class: 'money',
        step: ++step,
      },
      ...{ kind, ...money, status: 'pending', rule: 'r', reason: 'r', policy_version: 1, decided_at: DECIDED },
      ...columns,
    };
    const names = Object.keys(row);
    await database.query(
      `INSERT INTO awards (${names.join(', ')}) VALUES (${names.map((_name, place) => `$${place + 1}`).join(', ')})`,
      Object.values(row),
    );
    return id;
  }
  const openAlarms = async () =>
    (await listAlarms(db.pool, { openOnly: true, limit: 100 })).map(({ kind, subject, message }) => ({
      kind,
      subject,
      message,
    }));

  beforeAll(async () => {
    await database.query(`
      INSERT INTO customers (id, email) VALUES ('ann', 'ann@example.com');
      INSERT INTO orders (id, customer_id, promise_on, promise_time_zone, promised_until, registered_at)
        VALUES ('o-1', 'ann', '2026-11-03', 'America/New_York', '2026-11-04T05:00:00Z', now());
      INSERT INTO verdicts (id, order_id, verdict, promised_until, judged_at, policy_version, trigger, trace, inputs, explanation)
        VALUES ('${verdict}', 'o-1', 'late', '2026-11-04T05:00:00Z', now(), 1, 'webhook', 't', '{}', '{}');
    `);
  });
  beforeEach(() =>
    database.query(`UPDATE awards SET status = 'declined' WHERE status IN ('pending', 'failed', 'held')`),
  );

  test('pending for an hour is no alarm, a moment longer is one, which says that nobody carries it out', async () => {
    const refund = await award('refund');
    expect(await watchAt('13:00:00')).toMatchObject({ stuck: 0, newAlarms: 0 });
    expect(await watchAt('13:00:01')).toMatchObject({ stuck: 1, newAlarms: 1 });
    expect(await watchAt('13:01:01')).toMatchObject({ stuck: 1, newAlarms: 0 });
    expect(await openAlarms()).toEqual([
      {
        kind: 'award_pending',
        subject: refund,
        message:
          'The refund of order o-1 is pending since 2026-11-05T12:00:00.000Z: no provider is configured for refund (REMEDY_PROVIDERS).',
      },
    ]);
  });

  test('the alarm names the provider and what it last said', async () => {
    const asked = await award('replacement', { provider: 'webhook' });
    await database.query(
      `INSERT INTO provider_calls (award_id, provider, idempotency_key, status, attempts, first_called_at, last_called_at, error)
       VALUES ($1::uuid, 'webhook', $1::text, 'calling', 7, now(), now(), 'the shop''s system answered 503.')`,
      [asked],
    );
    const unasked = await award('replacement');
    await watchAt('14:00:00');
    expect(new Map((await openAlarms()).map(({ subject, message }) => [subject, message]))).toEqual(
      new Map([
        [
          asked,
          "The replacement of order o-1 is pending since 2026-11-05T12:00:00.000Z: webhook was asked 7 times: the shop's system answered 503.",
        ],
        [
          unasked,
          'The replacement of order o-1 is pending since 2026-11-05T12:00:00.000Z: webhook has not been asked.',
        ],
      ]),
    );
  });

  test('it ends when the award is granted, is declined, or has failed, which is an alarm of its own', async () => {
    const [granted, declined, failed] = [await award('refund'), await award('refund'), await award('refund')];
    expect(await watchAt('14:00:00')).toMatchObject({ newAlarms: 3 });
    await database.query(`UPDATE awards SET status = 'applied', applied_at = now() WHERE id = $1`, [granted]);
    await database.query(`UPDATE awards SET status = 'declined' WHERE id = $1`, [declined]);
    await database.query(`UPDATE awards SET status = 'failed' WHERE id = $1`, [failed]);
    expect(await watchAt('14:01:00')).toMatchObject({ newAlarms: 1, clearedAlarms: 3 });
    expect(await openAlarms()).toMatchObject([{ kind: 'award_failed', subject: failed }]);
    await database.query(
      `UPDATE awards SET status = 'pending', reviewed_by = 'key:x', reviewed_at = $2 WHERE id = $1`,
      [failed, '2026-11-05T14:01:30Z'],
    );
    expect(await watchAt('14:02:00')).toMatchObject({ stuck: 0, clearedAlarms: 1 });
    expect(await openAlarms()).toEqual([]);
  });

  test('of an award that a person let through, the hour counts from then', async () => {
    await award('refund', { reviewed_by: 'key:x', reviewed_at: '2026-11-05T15:00:00Z' });
    expect(await watchAt('16:00:00')).toMatchObject({ stuck: 0 });
    expect(await watchAt('16:00:01')).toMatchObject({ stuck: 1 });
  });

  test('what waits for a person is no alarm', async () => {
    await award('refund', { status: 'held', stopped_by: ['breaker'] });
    expect(await watchAt('23:00:00')).toMatchObject({ stuck: 0, newAlarms: 0 });
  });
});
