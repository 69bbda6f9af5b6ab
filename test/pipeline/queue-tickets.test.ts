import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { ShiftedClock } from '../../src/clock.js';
import { readConfig } from '../../src/config.js';
import { createLogger } from '../../src/logger.js';
import { type OpenedDeps, openDeps } from '../../src/open-deps.js';
import { orderDocumentSchema } from '../../src/promises/order-document.js';
import { registerOrder } from '../../src/promises/register-order.js';
import { SCHEDULES as SCHEDULE_NAMES, type Schedule, type ScheduleName } from '../../src/queue/queues.js';
import { healQueue, relayLeftovers, relayOutbox } from '../../src/queue/relay.js';
import type { StageName } from '../../src/queue/ticket.js';
import { startWorkers } from '../../workers/start-workers.js';
import { BACKENDS } from '../support/backends.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { orderDocument } from '../support/makegood.js';
import { type SmtpSink, startSmtpSink } from '../support/smtp-sink.js';
import { issueTicket, onlyTicketOf, runByHand, ticketsOf, workByHand } from '../support/tickets.js';

const ALL_STAGES = [
  'track-shipments',
  'judge-promises',
  'grant-awards',
  'call-providers',
  'send-messages',
  'deliver-events',
] as const;
/** For a list that turned out to be empty: nothing has this id. */
const NO_TICKET = { id: '00000000-0000-0000-0000-000000000000', stage: 'judge-promises' } as const;
/** Far away, so that none of them runs during a test. */
const SCHEDULES: Record<ScheduleName, Schedule> = {
  'watch-deadlines': { pattern: '0 0 1 1 *', tz: 'UTC' },
  'watch-awards': { pattern: '0 0 1 1 *', tz: 'UTC' },
  'watch-tasks': { pattern: '0 0 1 1 *', tz: 'UTC' },
  sweep: { pattern: '0 0 1 1 *', tz: 'UTC' },
  'audit-awards': { pattern: '0 0 1 1 *', tz: 'UTC' },
};

describe.each(BACKENDS)('tickets and the queue, BullMQ on $backend', ({ start }) => {
  let database: TestDatabase;
  let queue: Awaited<ReturnType<typeof start>>;
  let smtp: SmtpSink;
  let opened: OpenedDeps;
  const clock = new ShiftedClock();

  beforeAll(async () => {
    database = await createTestDatabase();
    queue = await start();
    smtp = await startSmtpSink();
    const config = readConfig({
      ADMIN_API_KEY: 'test-admin-key-0123456789',
      REDIS_URL: queue.redisUrl,
      SMTP_URL: smtp.url,
      LOG_LEVEL: process.env.TEST_LOG_LEVEL ?? 'silent',
    });
    const log = createLogger(config.logLevel);
    // Without a relay of its own: here it runs when a test says so.
    opened = await openDeps(config, { databaseUrl: database.url, log, withQueues: true, makesAdminKey: true, clock });
  });
  afterAll(async () => {
    await opened.close();
    await smtp.stop();
    await queue.stop();
    await database.drop();
  });
  afterEach(async () => {
    await database.query('DELETE FROM outbox');
    await wipe();
  });

  /** As FLUSHALL does, or somebody who empties BullMQ's tables: jobs and schedules are gone. */
  async function wipe() {
    if (queue.redisUrl) await queue.flushAll();
    else await database.query('TRUNCATE bullmq.job, bullmq.scheduler, bullmq.meta CASCADE');
  }
  const waiting = (stage: StageName) => opened.deps.queues.countWaiting(stage);
  const allOverdue = () => database.query('UPDATE outbox SET relay_after = now()');

  let orders = 0;
  /** Orders without a parcel, each with a ticket for judge-promises. */
  async function writeTickets(count: number): Promise<string[]> {
    clock.set(new Date('2026-11-04T12:00:00Z'));
    const ids = Array.from({ length: count }, () => `order-${++orders}`);
    for (const id of ids) {
      const document = orderDocument({ customerId: `c-${id}`, shipments: [] });
      await registerOrder(opened.deps, id, orderDocumentSchema.parse(document));
    }
    return ids;
  }
  /** The same, once each of the tickets is on the queue: registering does not wait for that. */
  async function register(count: number): Promise<string[]> {
    const before = await waiting('judge-promises');
    const ids = await writeTickets(count);
    await eventually(async () => (await waiting('judge-promises')) === before + count);
    return ids;
  }

  test('tickets whose jobs were lost are put on the queue again, each once', async () => {
    await register(20);
    expect(await waiting('judge-promises')).toBe(20);
    await wipe();
    expect(await waiting('judge-promises')).toBe(0);

    await allOverdue();
    expect(await relayOutbox(opened.deps)).toBe(20);
    expect(await waiting('judge-promises')).toBe(20);
    expect(await relayOutbox(opened.deps)).toBe(0);
    expect(await waiting('judge-promises')).toBe(20);
  });

  test('a new ticket is left to its writer for a while', async () => {
    await register(3);
    await wipe();
    expect(await relayOutbox(opened.deps)).toBe(0);
    expect(await waiting('judge-promises')).toBe(0);
  });

  test('several relays at once take each ticket once', async () => {
    await register(30);
    await wipe();
    await allOverdue();
    const relayed = await Promise.all(Array.from({ length: 4 }, () => relayOutbox(opened.deps)));
    expect(relayed.reduce((sum, count) => sum + count)).toBe(30);
    expect(await waiting('judge-promises')).toBe(30);
  });

  test('a long queue is not announced a second time because its tickets are old', async () => {
    await register(30);
    await allOverdue();
    expect(await relayOutbox(opened.deps)).toBe(0);
    expect(await waiting('judge-promises')).toBe(30);
    const [left] = await database.query('SELECT count(*)::int AS overdue FROM outbox WHERE relay_after <= now()');
    expect(left).toEqual({ overdue: 0 });
  });

  test('when fewer jobs wait than tickets are overdue, all of them are announced: twice is harmless, never is not', async () => {
    const ids = await register(30);
    await wipe();
    const tickets = await ticketsOf(database, 'judge-promises');
    await opened.deps.queues.announce(tickets.slice(0, 10));
    await allOverdue();
    expect(await relayOutbox(opened.deps)).toBe(30);
    expect(await waiting('judge-promises')).toBe(40);

    const stopWorkers = await startWorkers(opened.deps, ['judge-promises']);
    try {
      await eventually(async () => (await waiting('judge-promises')) === 0);
      await eventually(async () => (await ticketsOf(database, 'judge-promises')).length === 0);
    } finally {
      await stopWorkers();
    }
    const [verdicts] = await database.query(
      'SELECT count(*)::int AS verdicts, count(DISTINCT order_id)::int AS orders FROM verdicts WHERE order_id = ANY($1)',
      [ids],
    );
    expect(verdicts).toEqual({ verdicts: 30, orders: 30 });
  });

  test('a ticket announced twice while it waits is one job', async () => {
    await register(5);
    const tickets = await ticketsOf(database, 'judge-promises');
    await opened.deps.queues.announce(tickets);
    expect(await waiting('judge-promises')).toBe(5);
  });

  describe('single tickets that came in a flood', () => {
    const judged = (ids: readonly string[]) =>
      database.query('SELECT order_id FROM verdicts WHERE order_id = ANY($1) ORDER BY order_id', [ids]);

    test('are done as one batch by whoever takes the first of them', async () => {
      const ids = await register(30);
      const [first] = await ticketsOf(database, 'judge-promises');
      expect(await runByHand(opened.deps, first ?? NO_TICKET)).toMatchObject({ outcome: 'done' });
      expect(await ticketsOf(database, 'judge-promises')).toEqual([]);
      expect(await judged(ids)).toHaveLength(30);
    });

    test('are each done once by several who take several of them at the same time', async () => {
      const ids = await register(30);
      const tickets = await ticketsOf(database, 'judge-promises');
      await Promise.all(tickets.slice(0, 8).map((ticket) => runByHand(opened.deps, ticket)));
      await workByHand(opened.deps, database, 'judge-promises');
      expect((await judged(ids)).map(({ order_id }) => order_id)).toEqual([...ids].sort());
    });

    test('are not held up by one among them that fails: it is set aside alone', async () => {
      const ids = await register(12);
      await database.query(`CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'poison' USING ERRCODE = 'data_exception'; END $$`);
      await database.query(
        `CREATE TRIGGER poison BEFORE INSERT ON verdicts FOR EACH ROW WHEN (NEW.order_id = '${ids[5]}') EXECUTE FUNCTION poison()`,
      );
      try {
        const [first] = await ticketsOf(database, 'judge-promises');
        expect(await runByHand(opened.deps, first ?? NO_TICKET)).toMatchObject({ outcome: 'done' });
        expect(await judged(ids)).toEqual([{ order_id: ids[0] }]);
        await workByHand(opened.deps, database, 'judge-promises');
        expect(await judged(ids)).toHaveLength(11);
        expect(await ticketsOf(database, 'judge-promises')).toMatchObject([
          { ids: [ids[5]], parked: true, error: 'poison' },
        ]);
      } finally {
        await database.query('DROP FUNCTION poison CASCADE');
      }
    });

    test('take along nothing that waits for another try, is set aside, or was asked for by somebody', async () => {
      await register(4);
      const [first, retried, parked] = await ticketsOf(database, 'judge-promises');
      await database.query(`UPDATE outbox SET attempts = 1, relay_after = now() + interval '1 hour' WHERE id = $1`, [
        retried?.id,
      ]);
      await database.query(`UPDATE outbox SET parked_at = now() WHERE id = $1`, [parked?.id]);
      const asked = await issueTicket(opened.deps, 'judge-promises', ['nobody']);
      await runByHand(opened.deps, first ?? NO_TICKET);
      expect((await ticketsOf(database, 'judge-promises')).map(({ id }) => id).sort()).toEqual(
        [retried?.id, parked?.id, asked].sort(),
      );
    });
  });

  describe('large tickets of a flood', () => {
    const numbered = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => `F${from + index}`);
    const issue = (ids: readonly string[]) => issueTicket(opened.deps, 'track-shipments', ids, 'webhook');

    test('that mostly name the same rows are done at once, and others are left', async () => {
      const first = await issue(numbered(0, 100));
      await issue(numbered(0, 100));
      await issue(numbered(40, 140));
      const other = await issue(numbered(500, 600));
      expect(await runByHand(opened.deps, { id: first, stage: 'track-shipments' })).toMatchObject({ outcome: 'done' });
      expect((await ticketsOf(database, 'track-shipments')).map(({ id }) => id)).toEqual([other]);
    });
  });

  describe('a ticket for another try', () => {
    /** A letter that the mail server has refused for now. */
    async function refusedLetter() {
      const [id = ''] = await register(1);
      await workByHand(opened.deps, database);
      clock.set(new Date('2026-11-06T12:00:00Z'));
      smtp.refuseWith({ code: 451, message: 'try again later' });
      await issueTicket(opened.deps, 'judge-promises', [id]);
      await workByHand(opened.deps, database);
      return { id, ticket: await onlyTicketOf(database, 'send-messages') };
    }
    const waitOf = async () => {
      const [row] = await database.query<{ wait: number }>(
        'SELECT round(extract(epoch FROM relay_after - created_at))::int AS wait FROM outbox',
      );
      return row?.wait;
    };
    afterEach(() => smtp.refuseWith(null));

    test('waits for its time, longer each time, and says why', async () => {
      const { ticket } = await refusedLetter();
      expect(ticket).toMatchObject({ attempts: 1, parked: false, error: expect.stringContaining('try again later') });
      expect(await waitOf()).toBe(5);
      await runByHand(opened.deps, ticket);
      const second = await onlyTicketOf(database, 'send-messages');
      expect(second).toMatchObject({ attempts: 2, ids: ticket.ids });
      expect(second.id).not.toBe(ticket.id);
      expect(await waitOf()).toBe(30);
    });

    test('is not hurried by the relay, a start of workers or a wiped queue, and goes out when its time has come', async () => {
      const { id, ticket } = await refusedLetter();
      smtp.refuseWith(null);
      await wipe();
      await relayOutbox(opened.deps);
      await relayLeftovers(opened.deps);
      await healQueue(opened.deps, SCHEDULES);
      expect(await waiting('send-messages')).toBe(0);

      // Many jobs on the queue are no sign that this one is among them: it never was.
      await opened.deps.queues.announce(
        Array.from({ length: 10 }, () => ({
          id: crypto.randomUUID(),
          stage: 'send-messages' as const,
          trigger: 'webhook' as const,
        })),
      );
      await allOverdue();
      expect(await relayOutbox(opened.deps)).toBe(1);
      expect(await waiting('send-messages')).toBe(11);
      await runByHand(opened.deps, ticket);
      expect(smtp.mails.filter(({ to }) => to === `c-${id}@example.com`)).toHaveLength(1);
      expect(await ticketsOf(database, 'send-messages')).toEqual([]);
    });
  });

  test('a wiped queue is noticed by its missing schedules, and has every ticket again, also the newest', async () => {
    expect(await opened.deps.queues.ensureSchedules(SCHEDULES)).toEqual([...SCHEDULE_NAMES]);
    await register(25);
    await healQueue(opened.deps, SCHEDULES);
    expect(await waiting('judge-promises')).toBe(25);

    await wipe();
    await healQueue(opened.deps, SCHEDULES);
    expect(await waiting('judge-promises')).toBe(25);
    expect(await opened.deps.queues.ensureSchedules(SCHEDULES)).toEqual([]);
  });

  test('workers that start do at once what is left, whatever the queue knows of it', async () => {
    const ids = await register(40);
    await wipe();
    const stopWorkers = await startWorkers(opened.deps, ALL_STAGES);
    try {
      await eventually(async () => (await ticketsOf(database, 'judge-promises')).length === 0, 10_000);
    } finally {
      await stopWorkers();
    }
    const judged = await database.query('SELECT id FROM orders WHERE id = ANY($1) AND verdict IS NOT NULL', [ids]);
    expect(judged).toHaveLength(40);
  });

  test('workers whose queue is wiped under them take the next ticket all the same', async () => {
    const stopWorkers = await startWorkers(opened.deps, ALL_STAGES);
    try {
      await writeTickets(1);
      await eventually(async () => (await ticketsOf(database, 'judge-promises')).length === 0, 10_000);
      await wipe();
      await writeTickets(1);
      await eventually(async () => (await ticketsOf(database, 'judge-promises')).length === 0, 10_000);
    } finally {
      await stopWorkers();
    }
  });

  test('a queue that takes no jobs stops nobody: the ticket is written, and its job comes when the queue is back', async () => {
    const mend = await breakQueue(database, queue.redisUrl);
    let id = '';
    try {
      [id = ''] = await writeTickets(1);
      expect((await onlyTicketOf(database, 'judge-promises')).ids).toEqual([id]);
      await allOverdue();
      await expect(relayOutbox(opened.deps)).rejects.toThrow();
    } finally {
      await mend();
    }
    await allOverdue();
    expect(await relayOutbox(opened.deps)).toBe(1);
    expect(await waiting('judge-promises')).toBe(1);
  });
});

/** Makes the queue refuse every job. @returns what mends it */
async function breakQueue(database: TestDatabase, redisUrl: string | undefined): Promise<() => Promise<unknown>> {
  if (!redisUrl) {
    await database.query('ALTER SCHEMA bullmq RENAME TO away');
    return () => database.query('ALTER SCHEMA away RENAME TO bullmq');
  }
  const redis = new Redis(redisUrl);
  await redis.config('SET', 'maxmemory', '1');
  return async () => {
    await redis.config('SET', 'maxmemory', '0');
    redis.disconnect();
  };
}
