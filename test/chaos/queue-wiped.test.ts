import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { BACKENDS } from '../support/backends.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { clientOf, orderDocument, trackerEvent } from '../support/makegood.js';
import { type Program, startProgram } from '../support/program.js';
import { type SmtpSink, startSmtpSink } from '../support/smtp-sink.js';
import { dropQueueSchema } from './wipe-queue.js';

/** The product's own promise: a queue that is wiped heals within a minute. */
const HEALED_WITHIN_MS = 60_000;
const ORDERS = 40;

describe.each(BACKENDS)('the queue is wiped in the middle, BullMQ on $backend', ({ backend, start }) => {
  let database: TestDatabase;
  let smtp: SmtpSink;
  let queue: Awaited<ReturnType<typeof start>>;
  let program: Program;
  const environment = () => ({
    DATABASE_URL: database.url,
    SMTP_URL: smtp.url,
    ...(queue.redisUrl ? { REDIS_URL: queue.redisUrl } : {}),
  });
  beforeAll(async () => {
    database = await createTestDatabase();
    smtp = await startSmtpSink();
    queue = await start();
    program = await startProgram(environment());
  });
  afterAll(async () => {
    program.kill('SIGKILL', 'group');
    await smtp.stop();
    await queue.stop();
    await database.drop();
  });

  const wipe = async () => {
    if (backend === 'redis') return queue.flushAll();
    // PostgreSQL's own way of losing a queue takes its tables with it: then the program has to start again.
    await dropQueueSchema(database);
    program.kill('SIGKILL', 'group');
    await program.ended;
    program = await startProgram(environment());
  };

  test(`all of ${ORDERS} late members get one month and one mail within a minute`, async () => {
    const numbers = Array.from({ length: ORDERS }, (_, index) => `WIPED${index}`);
    for (const number of numbers) {
      const { status } = await clientOf(program.url).put(
        number,
        orderDocument({ customerId: number, trackingNumber: number }),
      );
      expect(status).toBe(201);
    }
    const posts = numbers.map((number) =>
      clientOf(program.url).webhook(
        trackerEvent(number, [['delivered', 'arrived_at_destination', '2026-11-06T19:00:00Z']]),
      ),
    );
    // While the webhooks are being worked on.
    await Promise.any(posts);
    await wipe();
    const answers = await Promise.all(
      posts.map((post) =>
        post.then(
          ({ status }) => status,
          () => null,
        ),
      ),
    );
    for (const [index, status] of answers.entries()) {
      if (status === 200) continue;
      const event = trackerEvent(numbers[index] ?? '', [
        ['delivered', 'arrived_at_destination', '2026-11-06T19:00:00Z'],
      ]);
      expect((await clientOf(program.url).webhook(event)).status).toBe(200);
    }
    await eventually(async () => {
      const [row] = await database.query(`SELECT count(*) AS n FROM messages WHERE status IN ('sent', 'unknown')`);
      return row?.n === String(ORDERS);
    }, HEALED_WITHIN_MS);
    await eventually(async () => (await database.query('SELECT 1 FROM outbox')).length === 0, HEALED_WITHIN_MS);
    expect(await database.query(`SELECT status, count(*) AS n FROM awards GROUP BY status`)).toEqual([
      { status: 'applied', n: String(ORDERS) },
    ]);
    expect(await database.query(`SELECT sum(balance) AS n FROM ledger_accounts`)).toEqual([{ n: String(ORDERS) }]);
    const addressesOf = async (status: string) =>
      (await database.query(`SELECT to_address FROM messages WHERE status = '${status}' ORDER BY to_address`)).map(
        (row) => row.to_address,
      );
    const unknown = await addressesOf('unknown');
    // Only a program that was killed may not know of the few letters that it was just handing over.
    if (backend === 'redis') expect(unknown).toEqual([]);
    const mailed = smtp.mails.map(({ to }) => to).sort();
    expect(new Set(mailed).size).toBe(mailed.length);
    expect(mailed.filter((to) => !unknown.includes(to))).toEqual(await addressesOf('sent'));
    expect([...new Set([...mailed, ...unknown])].sort()).toEqual(
      numbers.map((number) => `${number}@example.com`).sort(),
    );
  }, 150_000);
});
