import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { BACKENDS } from '../support/backends.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { orderDocument, startMakegood, type TestMakegood, trackerEvent } from '../support/makegood.js';
import { type SmtpSink, startSmtpSink } from '../support/smtp-sink.js';

describe.each(BACKENDS)('from the webhook to the letter, BullMQ on $backend', ({ start }) => {
  let database: TestDatabase;
  let queue: Awaited<ReturnType<typeof start>>;
  let smtp: SmtpSink;
  let makegood: TestMakegood;

  beforeAll(async () => {
    database = await createTestDatabase();
    queue = await start();
    smtp = await startSmtpSink();
    makegood = await startMakegood({
      databaseUrl: database.url,
      smtpUrl: smtp.url,
      now: '2026-11-08T12:00:00Z',
      ...(queue.redisUrl ? { redisUrl: queue.redisUrl } : {}),
    });
  });
  afterAll(async () => {
    await makegood.stop();
    await smtp.stop();
    await queue.stop();
    await database.drop();
  });

  test('a late prime member gets exactly one month and one mail, however often and in whatever order the webhooks come', async () => {
    const number = '9400100000000000000101';
    await makegood.put('late-1', orderDocument({ customerId: 'late-1', trackingNumber: number }));
    const scans = [
      ['pre_transit', 'label_created', '2026-11-02T10:00:00Z'],
      ['in_transit', 'departed_facility', '2026-11-04T13:00:00Z'],
      ['delivered', 'arrived_at_destination', '2026-11-06T19:00:00Z'],
    ] as const;
    const snapshots = [3, 1, 2, 3, 3, 2].map((length) => trackerEvent(number, scans.slice(0, length)));
    const answers = await Promise.all(snapshots.map((event) => makegood.webhook(event)));
    expect(answers.map(({ status }) => status)).toEqual(snapshots.map(() => 200));
    expect(answers.reduce((sum, { body }) => sum + body.accepted, 0)).toBe(3);
    await makegood.quiet();

    const again = await makegood.webhook(snapshots[0] as object);
    expect(again.body).toEqual({ accepted: 0, duplicates: 3 });
    await makegood.quiet();

    const order = await makegood.order('late-1');
    expect(order.verdict).toMatchObject({
      verdict: 'late',
      lateMinutes: 840,
      lateDays: 1,
      fault: 'carrier',
      metAt: '2026-11-06T19:00:00.000Z',
    });
    expect(order.shipments[0]).toMatchObject({ status: 'delivered', deliveredAt: '2026-11-06T19:00:00.000Z' });
    expect(order.awards).toMatchObject([{ kind: 'membership_extension', months: 1, status: 'applied' }]);
    expect(order.messages).toMatchObject([{ template: 'late-delivered', to: 'late-1@example.com', status: 'sent' }]);

    const mails = smtp.mails.filter(({ to }) => to === 'late-1@example.com');
    expect(mails.map(({ messageId }) => messageId)).toEqual([order.messages[0]?.messageId]);
    expect(await database.query(`SELECT unit, balance FROM ledger_accounts WHERE owner_id = 'late-1'`)).toEqual([
      { unit: 'membership_months', balance: '1' },
    ]);
  });
});
